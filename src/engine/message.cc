#include "galago/message.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/media/decode/sniff.h"

namespace galago {
namespace {

constexpr std::string_view kImageMarker = "<image>";
constexpr std::string_view kVideoMarker = "<video>";

int64_t CountOf(const std::vector<Part>& parts, PartKind kind) {
  return std::count_if(parts.begin(), parts.end(), [&](const Part& part) { return part.kind == kind; });
}

int64_t CountOf(std::string_view text, std::string_view marker) {
  int64_t count = 0;
  for (size_t at = text.find(marker); at != std::string_view::npos; at = text.find(marker, at + marker.size())) ++count;
  return count;
}

}  // namespace

StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) {
  UserMessage result;
  const std::array<std::pair<std::string_view, PartKind>, 2> markers = {
      {{kImageMarker, PartKind::kImage}, {kVideoMarker, PartKind::kVideo}}};
  std::array<int64_t, 2> beside = {};  // media of each kind that no marker asks for
  int64_t num_markers = 0;
  for (size_t k = 0; k < markers.size(); ++k) {
    const int64_t asked = CountOf(text, markers[k].first);
    const int64_t given = CountOf(media, markers[k].second);
    if (asked > given) {
      return InvalidArgument(StrCat("the prompt has ", asked, " ", markers[k].first, " marker(s), but ", given, " ",
                                    k == 0 ? "picture(s)" : "video(s)", " were given"));
    }
    beside[k] = given - asked;
    num_markers += asked;
    if (asked > 0 && beside[k] > 0) {
      result.warnings.push_back(StrCat(beside[k], k == 0 ? " picture(s)" : " video(s)", " without a marker go first"));
    }
  }
  // The first of each kind go before the text, the rest wait for their markers.
  std::vector<Part> at_image, at_video;
  for (Part& part : media) {
    const size_t k = part.kind == PartKind::kImage ? 0 : 1;
    if (beside[k] > 0) {
      --beside[k];
      result.message.parts.push_back(std::move(part));
    } else {
      part.at_marker = true;
      (k == 0 ? at_image : at_video).push_back(std::move(part));
    }
  }
  std::string_view rest = text;
  size_t next_image = 0, next_video = 0;
  while (num_markers-- > 0) {
    const size_t image_at = rest.find(kImageMarker);
    const size_t video_at = rest.find(kVideoMarker);
    const bool image_first = image_at < video_at;
    const size_t at = image_first ? image_at : video_at;
    if (at > 0) result.message.parts.push_back(Part::Text(std::string(rest.substr(0, at))));
    result.message.parts.push_back(image_first ? at_image[next_image++] : at_video[next_video++]);
    rest.remove_prefix(at + (image_first ? kImageMarker : kVideoMarker).size());
  }
  if (!rest.empty()) result.message.parts.push_back(Part::Text(std::string(rest)));
  return result;
}

StatusOr<PartKind> GuessMediaKind(const std::string& source) {
  if (source == "-") return PartKind::kImage;
  if (source.starts_with("data:")) return source.starts_with("data:video/") ? PartKind::kVideo : PartKind::kImage;
  std::error_code error;
  if (std::filesystem::is_directory(source, error)) return PartKind::kVideo;
  ASSIGN_OR_RETURN(const std::string head, ReadFileHead(source, media::kSniffBytes));
  return media::SniffVideo(head) ? PartKind::kVideo : PartKind::kImage;
}

}  // namespace galago
