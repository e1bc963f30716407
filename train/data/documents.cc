#include "train/data/documents.h"

#include <algorithm>

#include "src/base/strings.h"
#include "src/media/decode/media_source.h"
#include "train/data/marks.h"

namespace galago::train {
namespace {

constexpr std::string_view kMark = "<image>";
constexpr size_t kMaxPictureBytes = size_t{20} << 20;
constexpr int64_t kMaxSentences = 1'000'000;

// From a path under `path_key` or bytes under "image_base64".
StatusOr<Medium> ReadPicture(const Json& json, std::string_view path_key, const std::filesystem::path& media_dir,
                             const std::string& what) {
  ASSIGN_OR_RETURN(const auto base64, JsonString(json, "image_base64", what));
  if (base64) {
    ASSIGN_OR_RETURN(std::string bytes, media::DecodeBase64(*base64, what, kMaxPictureBytes));
    const auto owner = std::make_shared<const std::string>(std::move(bytes));
    return Medium{.from = EncodedMedium{owner, std::as_bytes(std::span(*owner))}, .name = what};
  }
  ASSIGN_OR_RETURN(const auto path, JsonString(json, path_key, what));
  if (!path || path->empty()) return DataLoss(StrCat(what, " has neither \"image_base64\" nor \"", path_key, "\""));
  const std::filesystem::path full = media_dir / *path;
  return Medium{.from = full, .name = full.string()};
}

struct Placed {
  int64_t sentence = 0;
  Medium picture;
};

StatusOr<std::vector<Placed>> ReadPictures(const Json& json, const DocumentOptions& options, int64_t num_sentences) {
  std::vector<Placed> out;
  const Json* list = JsonFind(json, "image_info");
  if (list == nullptr) return out;
  if (!list->is_array()) return DataLoss("\"image_info\" is not a list");
  for (size_t i = 0; i < list->size() && static_cast<int64_t>(i) < options.max_pictures; ++i) {
    const std::string what = StrCat("picture ", i + 1);
    ASSIGN_OR_RETURN(const auto sentence,
                     JsonInt((*list)[i], "matched_text_index", what, 0, std::max<int64_t>(0, num_sentences - 1)));
    if (!sentence) return DataLoss(StrCat(what, " has no \"matched_text_index\""));
    ASSIGN_OR_RETURN(Medium picture, ReadPicture((*list)[i], "image_name", options.media_dir, what));
    out.push_back({*sentence, std::move(picture)});
  }
  std::stable_sort(out.begin(), out.end(), [](const Placed& a, const Placed& b) { return a.sentence < b.sentence; });
  return out;
}

}  // namespace

StatusOr<Record> DocumentRecord(const Json& json, const DocumentOptions& options, const std::string& source) {
  const Json* list = JsonFind(json, "text_list");
  if (list == nullptr || !list->is_array() || list->empty()) return DataLoss("has no list \"text_list\"");
  if (static_cast<int64_t>(list->size()) > kMaxSentences) return OutOfRange("has too many sentences");
  ASSIGN_OR_RETURN(std::vector<Placed> pictures, ReadPictures(json, options, static_cast<int64_t>(list->size())));
  Record record;
  record.style = Style::kCaption;
  record.source = source;
  record.max_tiles = options.max_tiles;
  std::string text;
  size_t next = 0;
  for (size_t i = 0; i < list->size(); ++i) {
    if (!(*list)[i].is_string()) return DataLoss(StrCat("sentence ", i + 1, " is not text"));
    if (i > 0) text += ' ';
    for (; next < pictures.size() && pictures[next].sentence == static_cast<int64_t>(i); ++next) {
      // The single space before a mark goes, and none comes behind it.
      if (text.ends_with(' ')) text.pop_back();
      text += StrCat(kMark, "\n");
      record.media.push_back(std::move(pictures[next].picture));
    }
    // Marks that the sentence spells are its own words.
    text += ReplaceAll((*list)[i].get<std::string>(), kMark, "<IMAGE>");
  }
  if (WithoutMarks(text).empty()) return DataLoss("has no text");
  size_t at = 0;
  ASSIGN_OR_RETURN(std::vector<text::Part> parts, MediaInPlace(record.media, text, at));
  if (at != record.media.size()) return DataLoss("spells marks of videos in its text");
  record.turns.push_back({.role = text::Role::kUser, .parts = std::move(parts)});
  return record;
}

StatusOr<Record> CaptionRecord(const Json& json, const DocumentOptions& options, const std::string& source) {
  Record record;
  record.style = Style::kCaption;
  record.source = source;
  record.max_tiles = options.max_tiles;
  ASSIGN_OR_RETURN(const auto caption, JsonString(json, "caption", "the record"));
  if (!caption || WithoutMarks(*caption).empty()) return DataLoss("has no caption");
  ASSIGN_OR_RETURN(Medium picture, ReadPicture(json, "image", options.media_dir, "the record"));
  record.media.push_back(std::move(picture));
  record.turns.push_back(
      {.role = text::Role::kUser,
       .parts = {text::MediaPart{.placement = text::Placement::kInText}, text::Part(WithoutMarks(*caption))}});
  return record;
}

}  // namespace galago::train
