#ifndef GALAGO_BASE_BASE64_H_
#define GALAGO_BASE_BASE64_H_

#include <string>
#include <string_view>

namespace galago {

// RFC 4648, with padding: what data: URIs carry.
std::string Base64(std::string_view bytes);

}  // namespace galago

#endif  // GALAGO_BASE_BASE64_H_
