#include "train/data/marks.h"

#include <algorithm>
#include <array>

#include "src/base/strings.h"

namespace galago::train {
namespace {

constexpr std::array<std::string_view, 3> kMarks = {"<image>", "<video>", "<vila/video>"};

struct Mark {
  size_t at = std::string_view::npos;
  size_t length = 0;
};

Mark FindMark(std::string_view text, size_t from) {
  Mark first;
  for (const std::string_view mark : kMarks) {
    const size_t at = text.find(mark, from);
    if (at < first.at) first = {at, mark.size()};
  }
  return first;
}

}  // namespace

std::string WithoutMarks(std::string_view text) {
  std::string out;
  size_t at = 0;
  for (Mark mark = FindMark(text, 0); mark.length > 0; mark = FindMark(text, at)) {
    out += text.substr(at, mark.at - at);
    at = mark.at + mark.length;
  }
  out += text.substr(at);
  return std::string(Trim(out));
}

bool MarksLead(std::string_view text) {
  size_t at = 0;
  for (Mark mark = FindMark(text, 0); mark.length > 0; mark = FindMark(text, at)) {
    if (!Trim(text.substr(at, mark.at - at)).empty()) return false;
    at = mark.at + mark.length;
  }
  return true;
}

std::vector<text::Part> MediaInFront(const std::vector<Medium>& media, std::string_view text) {
  std::vector<text::Part> parts;
  for (size_t i = 0; i < media.size(); ++i) {
    parts.emplace_back(text::MediaPart{.index = static_cast<int64_t>(i), .placement = text::Placement::kBesideText});
  }
  if (std::string words = WithoutMarks(text); !words.empty()) parts.emplace_back(std::move(words));
  return parts;
}

StatusOr<std::vector<text::Part>> MediaInPlace(const std::vector<Medium>& media, std::string_view text, size_t& next) {
  std::vector<text::Part> parts;
  size_t at = 0;
  const size_t first = next;
  for (Mark mark = FindMark(text, 0); mark.length > 0; mark = FindMark(text, at)) {
    if (mark.at > at) parts.emplace_back(std::string(text.substr(at, mark.at - at)));
    parts.emplace_back(text::MediaPart{.index = static_cast<int64_t>(next), .placement = text::Placement::kInText});
    ++next;
    at = mark.at + mark.length;
  }
  if (next > media.size()) {
    return DataLoss(StrCat("has ", next - first, " media marks, but ", media.size() - std::min(first, media.size()),
                           " pictures or videos for them"));
  }
  if (at < text.size()) parts.emplace_back(std::string(text.substr(at)));
  return parts;
}

}  // namespace galago::train
