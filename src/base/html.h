#ifndef GALAGO_BASE_HTML_H_
#define GALAGO_BASE_HTML_H_

#include <string>
#include <string_view>

namespace galago {

// Text as it may stand in HTML, between tags or in a quoted attribute. Malformed UTF-8 and control characters become
// U+FFFD.
std::string EscapeHtml(std::string_view text);

}  // namespace galago

#endif  // GALAGO_BASE_HTML_H_
