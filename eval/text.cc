#include "eval/text.h"

#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::eval {
namespace {

constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr char32_t LowerOf(char32_t c) {
  const bool ascii = c >= U'A' && c <= U'Z';
  const bool latin1 = c >= 0xc0 && c <= 0xde && c != 0xd7;  // U+00D7 is the multiplication sign
  return ascii || latin1 ? c + 0x20 : c;
}

}  // namespace

std::u32string CodePoints(std::string_view text) {
  std::u32string out;
  const std::string clean = Utf8Sanitize(text);
  for (std::string_view rest = clean; !rest.empty(); rest.remove_prefix(Utf8Length(rest))) out += Utf8Decode(rest);
  return out;
}

std::string Lower(std::string_view text) {
  std::string out;
  for (const char32_t c : CodePoints(text)) Utf8Append(out, LowerOf(c));
  return out;
}

std::string CollapseSpaces(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : Trim(text)) {
    if (IsSpace(c)) {
      space = true;
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

}  // namespace galago::eval
