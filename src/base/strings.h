#ifndef GALAGO_BASE_STRINGS_H_
#define GALAGO_BASE_STRINGS_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace galago {

namespace internal {
inline void Append(std::string& out, std::string_view piece) { out += piece; }
inline void Append(std::string& out, char piece) { out += piece; }
template <class T>
requires(std::integral<T> || std::floating_point<T>) void Append(std::string& out, T number) {
  if constexpr (std::same_as<T, bool>) {
    out += number ? "true" : "false";
  } else {
    char buffer[32];
    const auto result = std::to_chars(buffer, buffer + sizeof(buffer), number);
    out.append(buffer, result.ptr);
  }
}
}  // namespace internal

// Concatenates strings, characters and numbers (shortest form that reads back equal).
template <class... Args>
std::string StrCat(const Args&... args) {
  std::string out;
  (internal::Append(out, args), ...);
  return out;
}

// "[a, b, c]", the way shapes are written in messages.
std::string ShapeText(std::span<const int64_t> dims);

std::vector<std::string> Split(std::string_view text, char separator);
std::string_view Trim(std::string_view text);  // ASCII white space at both ends
std::string ReplaceAll(std::string text, std::string_view from, std::string_view to);

// Foreign text for an error message: control and non-UTF-8 bytes shown as \xNN, cut to at most `limit` bytes.
std::string Printable(std::string_view text, size_t limit = 64);

// 1536 -> "1.5 KiB".
std::string HumanBytes(uint64_t num_bytes);

}  // namespace galago

#endif  // GALAGO_BASE_STRINGS_H_
