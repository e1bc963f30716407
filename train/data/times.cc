#include "train/data/times.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "src/base/strings.h"

namespace galago::train {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "<" digits [ "." digits ] ">" at the front of `text`, also with a bare trailing point. 0: no mark.
size_t TimeMark(std::string_view text, double& seconds) {
  if (text.empty() || text[0] != '<') return 0;
  size_t end = 1;
  while (end < text.size() && IsDigit(text[end])) ++end;
  if (end < text.size() && text[end] == '.') ++end;
  while (end < text.size() && IsDigit(text[end])) ++end;
  if (end == text.size() || text[end] != '>') return 0;
  const auto parsed = std::from_chars(text.data() + 1, text.data() + end, seconds);
  const bool whole = parsed.ptr == text.data() + end || (parsed.ptr + 1 == text.data() + end && *parsed.ptr == '.');
  return parsed.ec == std::errc() && whole ? end + 1 : 0;
}

}  // namespace

int64_t TimeToken(double time_s, double duration_s, int64_t num_time_tokens) {
  const auto last = static_cast<double>(num_time_tokens - 1);
  return static_cast<int64_t>(std::clamp(std::nearbyint(time_s / duration_s * last), 0.0, last));
}

std::vector<text::Part> WithTimeTokens(std::string_view text, double duration_s, const spec::VideoSpec& video) {
  std::vector<text::Part> parts;
  if (video.num_time_tokens <= 0 || !(duration_s > 0)) return {std::string(text)};
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    double seconds = 0.0;
    const size_t length = TimeMark(text.substr(at), seconds);
    if (length == 0) {
      plain += text[at++];
      continue;
    }
    if (!plain.empty()) parts.emplace_back(std::exchange(plain, {}));
    const int64_t index = TimeToken(seconds, duration_s, video.num_time_tokens);
    parts.emplace_back(text::TrustedText{ReplaceAll(video.time_token_format, "{t}", StrCat(index))});
    at += length;
  }
  if (!plain.empty()) parts.emplace_back(std::move(plain));
  return parts;
}

}  // namespace galago::train
