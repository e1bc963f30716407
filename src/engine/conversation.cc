#include "src/engine/conversation.h"

#include <utility>

namespace galago::engine {
namespace {

text::Role RoleOf(Role role) {
  switch (role) {
    case Role::kSystem:
      return text::Role::kSystem;
    case Role::kUser:
      return text::Role::kUser;
    case Role::kAssistant:
      return text::Role::kAssistant;
  }
  return text::Role::kUser;
}

}  // namespace

const text::FramingIds& FramingOf(const Model::Parts& parts, const MediaItem& item) {
  return item.layout().kind == spec::MediaKind::kVideo ? parts.video_framing : parts.image_framing;
}

StatusOr<std::vector<std::vector<int64_t>>> SlotRowsOf(const Model::Parts& parts,
                                                       std::span<const std::unique_ptr<MediaItem>> media) {
  std::vector<std::vector<int64_t>> all;
  for (const auto& item : media) {
    auto rows = spec::SlotRows(parts.spec, item->layout(), FramingOf(parts, *item).lengths());
    if (!rows.ok()) return Annotate(rows.status(), item->info().source);
    all.push_back(*std::move(rows));
  }
  return all;
}

StatusOr<std::vector<text::Turn>> TurnsOf(const spec::ModelSpec& spec, const std::vector<Message>& conversation,
                                          std::span<const std::unique_ptr<MediaItem>> media,
                                          std::span<const std::vector<int64_t>> slot_rows) {
  std::vector<text::Turn> turns;
  size_t item = 0;
  for (const Message& message : conversation) {
    text::Turn turn{.role = RoleOf(message.role), .parts = {}};
    for (const Part& part : message.parts) {
      if (part.kind == PartKind::kText) {
        turn.parts.emplace_back(part.text);
        continue;
      }
      if (message.role != Role::kUser) return InvalidArgument("pictures and videos belong in user messages only");
      turn.parts.emplace_back(
          text::MediaPart{.index = static_cast<int64_t>(item),
                          .kind = media[item]->layout().kind,
                          .frames_as_images = spec.video.frames_as_images,
                          .num_slots = static_cast<int64_t>(slot_rows[item].size()),
                          .placement = part.at_marker ? text::Placement::kInText : text::Placement::kBesideText});
      ++item;
    }
    turns.push_back(std::move(turn));
  }
  return turns;
}

}  // namespace galago::engine
