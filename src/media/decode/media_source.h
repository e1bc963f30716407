#ifndef GALAGO_MEDIA_DECODE_MEDIA_SOURCE_H_
#define GALAGO_MEDIA_DECODE_MEDIA_SOURCE_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "galago/status.h"

namespace galago::media {

struct MediaBytes {
  std::string name;   // for messages: SourceName of the source
  std::string bytes;  // as stored

  std::span<const std::byte> view() const { return std::as_bytes(std::span(bytes)); }
};

struct MediaSourceLimits {
  size_t max_bytes = size_t{20} << 20;
};

// Fetches the bytes of a regular file, of "-" (standard input) or of a data: URI with base64. Directories, other URI
// schemes and anything over the limit are refused.
StatusOr<MediaBytes> LoadMediaBytes(const std::string& source, const MediaSourceLimits& limits = {});

// Base64 with the standard or the URL-safe alphabet; white space is skipped, padding may be missing. The result is at
// most max_bytes. Errors name `what`, never the text.
StatusOr<std::string> DecodeBase64(std::string_view text, std::string_view what, size_t max_bytes);

// A source as it may appear in a message: the path as given, "standard input", at most 64 characters of a data URI.
std::string SourceName(const std::string& source);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_MEDIA_SOURCE_H_
