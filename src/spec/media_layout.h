#ifndef GALAGO_SPEC_MEDIA_LAYOUT_H_
#define GALAGO_SPEC_MEDIA_LAYOUT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"

namespace galago::spec {

enum class MediaKind { kImage, kVideo };

// How a picture or video was cut up for the encoder. Known from sizes alone, so prompts can be planned without pixels.
struct MediaLayout {
  MediaKind kind = MediaKind::kImage;
  int64_t tiles = 1;                            // encoder inputs: tiles of a picture, or frames (x tiles) of a video
  std::optional<std::array<int64_t, 2>> grid;   // (columns, rows) chosen by the ratio search
  std::optional<std::array<int64_t, 2>> block;  // (rows, columns) of the last scale: dynamic S2 of a single picture
  bool operator==(const MediaLayout&) const = default;
};

// Number of tokens each framing string becomes with the model's tokenizer.
struct FramingLengths {
  int64_t start = 0, end = 0, sep = 0;
};

// Embedding rows of each placeholder ("slot") the item has in the prompt, framing included: one per tile for `dynamic`,
// one per frame for videos whose frames join the pictures, else a single slot. Fails where the reference fails (frames
// not divisible by a pool).
StatusOr<std::vector<int64_t>> SlotRows(const ModelSpec& spec, const MediaLayout& layout,
                                        const FramingLengths& framing);

// Frames of a video that may be encoded apart from the others: rows of such slices, one after the other, are the rows
// of the whole, if only the last slice has the separator. 0: all at once, for several pools each go over the whole
// video.
int64_t FramesPerSlice(const ModelSpec& spec);

// Side of the grid of features that one projector call sees: the tower's, or that of the output scale of static S2.
int64_t GridPerCall(const ModelSpec& spec);
// Rows one tile becomes in the projector. The spec must have a vision tower.
int64_t RowsPerTile(const ModelSpec& spec);
// The scale of that index, negative ones counted from the end.
int64_t ScaleAt(std::span<const int64_t> scales, int64_t index);
// (rows, columns) of the tower-sized blocks that dynamic S2 projects, for a picture whose last scale is `block`.
std::array<int64_t, 2> ProjectedBlock(const DynamicS2& s2, std::array<int64_t, 2> block);

}  // namespace galago::spec

#endif  // GALAGO_SPEC_MEDIA_LAYOUT_H_
