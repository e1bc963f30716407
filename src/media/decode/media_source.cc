#include "src/media/decode/media_source.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>
#include <utility>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::media {
namespace {

constexpr size_t kMaxUriBytes = 64;
constexpr size_t kMaxPathBytes = 4096;  // the system's longest

bool StartsWithScheme(std::string_view source, std::string_view scheme) {
  return source.size() >= scheme.size() &&
         std::equal(scheme.begin(), scheme.end(), source.begin(), [](char want, char got) {
           return want == static_cast<char>(std::tolower(static_cast<unsigned char>(got)));
         });
}

// 0..63, or -1.
int SextetOf(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

StatusOr<MediaBytes> LoadDataUri(const std::string& source, const MediaSourceLimits& limits) {
  MediaBytes out;
  out.name = SourceName(source);
  const size_t comma = source.find(',');
  if (comma == std::string::npos) return DataLoss(StrCat(out.name, ": data URI without a comma"));
  const std::string_view head = std::string_view(source).substr(5, comma - 5);
  const size_t last = head.rfind(';');
  const std::string_view encoding = Trim(last == std::string_view::npos ? head : head.substr(last + 1));
  if (encoding != "base64") return Unimplemented(StrCat(out.name, ": data URIs must be base64"));
  ASSIGN_OR_RETURN(out.bytes, DecodeBase64(std::string_view(source).substr(comma + 1), out.name, limits.max_bytes));
  return out;
}

}  // namespace

std::string SourceName(const std::string& source) {
  if (source == "-") return "standard input";
  if (StartsWithScheme(source, "data:")) return Printable(source, kMaxUriBytes - 3);  // "..." may follow
  return Printable(source, kMaxPathBytes);
}

StatusOr<std::string> DecodeBase64(std::string_view text, std::string_view what, size_t max_bytes) {
  std::string out;
  out.reserve(std::min(max_bytes, text.size() / 4 * 3 + 3));
  uint32_t bits = 0;
  int count = 0, padding = 0;  // sextets in `bits`, '=' seen
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (c == '=') {
      if (++padding > 2) return DataLoss(StrCat(what, ": base64 with more than two padding characters"));
      continue;
    }
    const int sextet = SextetOf(c);
    if (sextet < 0 || padding > 0) return DataLoss(StrCat(what, ": not base64"));
    bits = bits << 6 | static_cast<uint32_t>(sextet);
    if (++count < 4) continue;
    for (const int shift : {16, 8, 0}) out.push_back(static_cast<char>(bits >> shift));
    bits = 0;
    count = 0;
    if (out.size() > max_bytes) return OutOfRange(StrCat(what, ": more than the limit of ", max_bytes, " bytes"));
  }
  if (count == 1 || (padding > 0 && count + padding != 4)) return DataLoss(StrCat(what, ": base64 ends inside a byte"));
  if (count >= 2) out.push_back(static_cast<char>(bits >> (6 * count - 8)));
  if (count == 3) out.push_back(static_cast<char>(bits >> 2));
  if (out.size() > max_bytes) return OutOfRange(StrCat(what, ": more than the limit of ", max_bytes, " bytes"));
  return out;
}

StatusOr<MediaBytes> LoadMediaBytes(const std::string& source, const MediaSourceLimits& limits) {
  if (source.empty()) return InvalidArgument("the name of a picture is empty");
  if (StartsWithScheme(source, "data:")) return LoadDataUri(source, limits);
  MediaBytes out;
  out.name = SourceName(source);
  if (source == "-") {
    ASSIGN_OR_RETURN(out.bytes, ReadStandardInput(limits.max_bytes));
    return out;
  }
  std::error_code error;
  const std::filesystem::path path(source);
  if (!std::filesystem::exists(path, error)) {
    if (source.find("://") != std::string::npos) {
      return Unimplemented(StrCat(out.name, ": only local files, '-' and data: URIs are read here"));
    }
    return NotFound(StrCat(out.name, ": no such file"));
  }
  if (std::filesystem::is_directory(path, error)) {
    return Unimplemented(StrCat(out.name, ": is a directory, not a picture; give a directory of frames with --video"));
  }
  ASSIGN_OR_RETURN(out.bytes, ReadFile(path, limits.max_bytes));
  return out;
}

}  // namespace galago::media
