#include "src/models/scales.h"

#include <algorithm>

#include "src/ops/elementwise.h"
#include "src/ops/grid.h"
#include "src/ops/scratch.h"
#include "src/spec/media_layout.h"

namespace galago::models {
namespace {

using ops::ConstView;
using ops::ExecContext;
using ops::View;

// Planes [3, side, side] cut into tiles x tiles squares: [tiles^2, 3, side / tiles, side / tiles].
void CutPlanes(std::span<const float> planes, int64_t side, int64_t tiles, std::span<float> out) {
  const int64_t small = side / tiles;
  auto to = out.begin();
  for (int64_t tile = 0; tile < tiles * tiles; ++tile) {
    const int64_t top = tile / tiles * small;
    const int64_t left = tile % tiles * small;
    for (int64_t channel = 0; channel < 3; ++channel) {
      for (int64_t y = 0; y < small; ++y) {
        const auto from = planes.begin() + (channel * side + top + y) * side + left;
        to = std::copy(from, from + small, to);
      }
    }
  }
}

// (rows, columns) of tiles at one scale.
std::array<int64_t, 2> TilesAt(const spec::DynamicS2& s2, size_t scale, std::array<int64_t, 2> block) {
  if (scale + 1 == s2.scales.size()) return block;
  const int64_t side = s2.scales[scale] / s2.scales.front();
  return {side, side};
}

}  // namespace

int64_t NumDynamicS2Tiles(const spec::DynamicS2& s2, std::array<int64_t, 2> block) {
  int64_t tiles = 0;
  for (size_t scale = 0; scale < s2.scales.size(); ++scale) {
    const auto [rows, columns] = TilesAt(s2, scale, block);
    tiles += rows * columns;
  }
  return tiles;
}

Status EncodeStaticS2(const ExecContext& ctx, const VisionEncoder& encoder, const spec::StaticS2& s2,
                      std::span<const float> pixels, View out, HiddenStates* hidden) {
  const int64_t c = encoder.spec().hidden_size;
  const int64_t grid = encoder.spec().grid();
  const int64_t largest = s2.scales.back();
  const auto tiles_at = [&s2](int64_t scale) { return (scale + s2.max_split_size - 1) / s2.max_split_size; };
  const int64_t out_grid = grid * tiles_at(spec::ScaleAt(s2.scales, s2.resize_output_to_scale_idx));
  for (size_t i = 0; i < s2.scales.size(); ++i) {
    const Arena::Scope scope(*ctx.arena);
    const int64_t side = s2.scales[i];
    std::span<const float> resized = pixels;
    if (side != largest) {
      const std::span<float> smaller = ctx.arena->Floats(3 * side * side);
      ops::ResizeBicubic(ctx, pixels, 3, largest, largest, side, side, smaller);
      resized = smaller;
    }
    const int64_t tiles = tiles_at(side);
    const std::span<float> cut = ctx.arena->Floats(3 * side * side);
    CutPlanes(resized, side, tiles, cut);
    const View features = ops::Scratch(ctx, tiles * tiles * grid * grid, c);
    RETURN_IF_ERROR(encoder.Encode(ctx, cut, tiles * tiles, features, hidden));
    const View map = ops::Scratch(ctx, features.rows, c);
    ops::StitchTiles(ctx, features, tiles, tiles, grid, grid, map);
    ops::AreaPool(ctx, map, grid * tiles, grid * tiles, out_grid, out_grid, out.Cols(static_cast<int64_t>(i) * c, c));
  }
  return OkStatus();
}

Status EncodeDynamicS2(const ExecContext& ctx, const VisionEncoder& encoder, const spec::DynamicS2& s2,
                       std::array<int64_t, 2> block, std::span<const float> pixels, View out, HiddenStates* hidden) {
  const int64_t c = encoder.spec().hidden_size;
  const int64_t grid = encoder.spec().grid();
  const auto tile_floats = static_cast<size_t>(3 * encoder.spec().image_size * encoder.spec().image_size);
  const std::array<int64_t, 2> target = spec::ProjectedBlock(s2, block);
  for (size_t i = 0; i < s2.scales.size(); ++i) {
    const Arena::Scope scope(*ctx.arena);
    const auto [rows, columns] = TilesAt(s2, i, block);
    const View merged = out.Cols(static_cast<int64_t>(i) * c, c);
    const std::span<const float> these = pixels.first(static_cast<size_t>(rows * columns) * tile_floats);
    pixels = pixels.subspan(these.size());
    if (std::array{rows, columns} == target) {  // stitched, kept and cut again: the tiles themselves
      RETURN_IF_ERROR(encoder.Encode(ctx, these, rows * columns, merged, hidden));
      continue;
    }
    const View resized = ops::Scratch(ctx, target[0] * target[1] * grid * grid, c);
    {
      const Arena::Scope native(*ctx.arena);
      const View features = ops::Scratch(ctx, rows * columns * grid * grid, c);
      RETURN_IF_ERROR(encoder.Encode(ctx, these, rows * columns, features, hidden));
      const View map = ops::Scratch(ctx, features.rows, c);
      ops::StitchTiles(ctx, features, rows, columns, grid, grid, map);
      ops::AreaPool(ctx, map, grid * rows, grid * columns, grid * target[0], grid * target[1], resized);
    }
    ops::SplitTiles(ctx, resized, target[0], target[1], grid, grid, merged);
  }
  return OkStatus();
}

Status EncodeRepeated(const ExecContext& ctx, const VisionEncoder& encoder, int64_t scales,
                      std::span<const float> pixels, int64_t tiles, View out, HiddenStates* hidden) {
  const int64_t c = encoder.spec().hidden_size;
  RETURN_IF_ERROR(encoder.Encode(ctx, pixels, tiles, out.Cols(0, c), hidden));
  for (int64_t i = 1; i < scales; ++i) ops::Copy(ctx, out.Cols(0, c), out.Cols(i * c, c));
  return OkStatus();
}

}  // namespace galago::models
