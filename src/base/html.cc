#include "src/base/html.h"

#include "src/base/utf8.h"

namespace galago {

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : Utf8Sanitize(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Control characters mean nothing to a reader and NUL is not allowed at all.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') {
          out += c;
        } else {
          Utf8Append(out, 0xfffd);
        }
    }
  }
  return out;
}

}  // namespace galago
