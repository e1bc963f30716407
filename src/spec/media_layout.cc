#include "src/spec/media_layout.h"

#include <algorithm>
#include <cmath>

#include "src/base/strings.h"

namespace galago::spec {
namespace {

// Rows of all pools of one video whose frames became `rows` rows each.
StatusOr<int64_t> PooledRows(const TspEncoder& encoder, int64_t frames, int64_t rows, const FramingLengths& framing) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(rows))));
  if (side * side != rows) {
    return InvalidArgument(StrCat("temporal pooling needs a square of rows a frame, there are ", rows));
  }
  int64_t total = 0;
  for (const auto& [pt, ph, pw] : encoder.pool_sizes) {
    if (frames % pt != 0) {
      return InvalidArgument(
          StrCat("a video of ", frames, " frames cannot be pooled ", pt, " by ", pt, ": choose a multiple of ", pt));
    }
    if (side % ph != 0 || side % pw != 0) {
      return InvalidArgument(StrCat("a frame of ", side, " x ", side, " rows cannot be pooled ", ph, " x ", pw));
    }
    total += frames / pt * (framing.start + side / ph * (side / pw) + framing.end) + framing.sep;
  }
  return total;
}

}  // namespace

int64_t FramesPerSlice(const ModelSpec& spec) {
  constexpr int64_t kFrames = 8;  // enough for the kernels to work well
  const auto* tsp = std::get_if<TspEncoder>(&spec.video.encoder);
  if (tsp == nullptr || tsp->pool_sizes.empty()) return kFrames;
  if (tsp->pool_sizes.size() > 1) return 0;
  const int64_t time = tsp->pool_sizes.front()[0];
  return (kFrames + time - 1) / time * time;
}

int64_t GridPerCall(const ModelSpec& spec) {
  const int64_t grid = spec.vision->grid();
  const auto* s2 = std::get_if<StaticS2>(&spec.scales);
  if (s2 == nullptr) return grid;
  const int64_t scale = ScaleAt(s2->scales, s2->resize_output_to_scale_idx);
  return grid * ((scale + s2->max_split_size - 1) / s2->max_split_size);
}

int64_t ScaleAt(std::span<const int64_t> scales, int64_t index) {
  return scales[static_cast<size_t>(index < 0 ? static_cast<int64_t>(scales.size()) + index : index)];
}

std::array<int64_t, 2> ProjectedBlock(const DynamicS2& s2, std::array<int64_t, 2> block) {
  const auto last = static_cast<int64_t>(s2.scales.size()) - 1;
  if (s2.resize_output_to_scale_idx < 0 || s2.resize_output_to_scale_idx == last) return block;
  const int64_t side = ScaleAt(s2.scales, s2.resize_output_to_scale_idx) / s2.scales.front();
  return {side, side};
}

int64_t RowsPerTile(const ModelSpec& spec) {
  const int64_t grid = GridPerCall(spec);
  const bool single = std::holds_alternative<std::monostate>(spec.scales);
  return spec.projector->RowsOut(single ? spec.vision->num_selected() : grid * grid);
}

StatusOr<std::vector<int64_t>> SlotRows(const ModelSpec& spec, const MediaLayout& layout,
                                        const FramingLengths& framing) {
  if (!spec.vision || !spec.projector) return InvalidArgument("this model reads text only: it has no vision tower");
  if (layout.tiles < 1) return InvalidArgument(StrCat("a picture or video of ", layout.tiles, " tiles"));
  const int64_t rows = RowsPerTile(spec);
  const auto tiles = static_cast<size_t>(layout.tiles);
  if (spec.prompt.era == Era::kA) return std::vector<int64_t>(layout.kind == MediaKind::kVideo ? tiles : 1, rows);

  const int64_t framed = framing.start + rows + framing.end;
  if (layout.kind == MediaKind::kVideo) {
    if (const auto* tsp = std::get_if<TspEncoder>(&spec.video.encoder)) {
      ASSIGN_OR_RETURN(const int64_t total, PooledRows(*tsp, layout.tiles, rows, framing));
      return std::vector<int64_t>{total};
    }
    if (spec.video.frames_as_images) return std::vector<int64_t>(tiles, framed);
    return std::vector<int64_t>{layout.tiles * framed};
  }
  const auto* s2 = std::get_if<DynamicS2>(&spec.scales);
  if (s2 != nullptr && layout.block) {
    const auto [block_rows, block_columns] = ProjectedBlock(*s2, *layout.block);
    return std::vector<int64_t>{framing.start + block_rows * block_columns * rows + framing.end};
  }
  return std::vector<int64_t>(tiles, framed);
}

}  // namespace galago::spec
