#ifndef GALAGO_ENGINE_CONVERSATION_H_
#define GALAGO_ENGINE_CONVERSATION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "galago/message.h"
#include "src/engine/media_input.h"
#include "src/engine/model_parts.h"
#include "src/text/prompt.h"

// From a caller's messages to what the prompt is built from.
namespace galago::engine {

// The tokens that stand around the rows of a picture or of a video.
const text::FramingIds& FramingOf(const Model::Parts& parts, const MediaItem& item);

// Rows of each place an item has in the prompt, for every item. Errors name the item's source.
StatusOr<std::vector<std::vector<int64_t>>> SlotRowsOf(const Model::Parts& parts,
                                                       std::span<const std::unique_ptr<MediaItem>> media);

// `media` and `slot_rows` of the conversation, in order. InvalidArgument if media stand in a message that is not the
// user's.
StatusOr<std::vector<text::Turn>> TurnsOf(const spec::ModelSpec& spec, const std::vector<Message>& conversation,
                                          std::span<const std::unique_ptr<MediaItem>> media,
                                          std::span<const std::vector<int64_t>> slot_rows);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_CONVERSATION_H_
