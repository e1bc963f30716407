#include "apps/cli/terminal.h"

#include "src/base/utf8.h"

namespace galago::cli {
namespace {

bool IsHarmless(char32_t c) {
  if (c == '\n' || c == '\t') return true;
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
  const bool reorders = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return !reorders;
}

// East Asian wide and emoji blocks; the C library's wcwidth depends on a locale we do not set.
bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
         (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
}

bool IsCombining(char32_t c) {
  return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f);
}

}  // namespace

bool UseColor(ColorMode mode, bool is_terminal, const GetEnv& env) {
  if (mode != ColorMode::kAuto) return mode == ColorMode::kAlways;
  if (env("CLICOLOR_FORCE").value_or("") == "1") return true;
  return is_terminal && env("TERM").value_or("dumb") != "dumb" && env("NO_COLOR").value_or("").empty();
}

std::string NeutraliseControls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0 || !IsHarmless(Utf8Decode(text))) {
      Utf8Append(out, 0xfffd);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const char32_t c = length == 0 ? U'\ufffd' : Utf8Decode(text);
    width += IsCombining(c) ? 0 : IsWide(c) ? 2 : 1;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return width;
}

}  // namespace galago::cli
