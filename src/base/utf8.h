#ifndef GALAGO_BASE_UTF8_H_
#define GALAGO_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace galago {

// Bytes of the well-formed UTF-8 character at the front of `text` (1..4), or 0 if the front is malformed, overlong, a
// surrogate, above U+10FFFF, or cut short.
size_t Utf8Length(std::string_view text);

// The code point at the front; `text` must start with a well-formed character (Utf8Length > 0).
char32_t Utf8Decode(std::string_view text);

void Utf8Append(std::string& out, char32_t code_point);

// Length of the longest prefix of `text` that ends on a character boundary. A malformed byte counts as a character of
// its own (it can never be completed); an incomplete but still completable tail is excluded.
size_t Utf8CompletePrefix(std::string_view text);

// Malformed bytes replaced by U+FFFD, one per maximal ill-formed subpart (the Unicode recommendation, Python's
// "replace").
std::string Utf8Sanitize(std::string_view text);

}  // namespace galago

#endif  // GALAGO_BASE_UTF8_H_
