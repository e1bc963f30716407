#include "src/ops/grid.h"

#include <algorithm>

#include "src/ops/float_type.h"
#include "src/ops/parallel.h"

namespace galago::ops {

void DepthwiseConv3x3(const ExecContext& ctx, ConstView x, int64_t h, int64_t w, int64_t stride,
                      const TensorView& weight, std::span<const float> bias, View out) {
  const int64_t channels = x.cols;
  const int64_t out_h = (h - 1) / stride + 1;
  const int64_t out_w = (w - 1) / stride + 1;
  CHECK_EQ(x.rows, h * w);
  CHECK(x.contiguous() && out.contiguous());
  CHECK_EQ(out.rows, out_h * out_w);
  CHECK_EQ(out.cols, channels);
  CHECK_EQ(weight.shape.NumElements(), channels * 9);
  CHECK(bias.empty() || static_cast<int64_t>(bias.size()) == channels);

  // The filters, turned from [C, 9] to [9, C]: channels are what vectors run along.
  const Arena::Scope scope(*ctx.arena);
  const auto by_channel = ctx.arena->Floats(channels * 9);
  const auto by_tap = ctx.arena->Floats(channels * 9);
  ctx.kernels->to_f32(FloatTypeOf(weight.dtype), weight.data, by_channel.data(), channels * 9);
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t tap = 0; tap < 9; ++tap) by_tap[tap * channels + c] = by_channel[c * 9 + tap];
  }
  ParallelRanges(ctx, out_h, RowGrain(out_w * channels), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      ctx.kernels->depthwise_conv3x3({.x = x.data,
                                      .h = h,
                                      .w = w,
                                      .channels = channels,
                                      .stride = stride,
                                      .weight = by_tap.data(),
                                      .bias = bias.empty() ? nullptr : bias.data(),
                                      .y = y,
                                      .out_w = out_w,
                                      .out = out.row(y * out_w)});
    }
  });
}

void AreaPool(const ExecContext& ctx, ConstView x, int64_t h, int64_t w, int64_t out_h, int64_t out_w, View out) {
  CHECK_EQ(x.rows, h * w);
  CHECK_EQ(out.rows, out_h * out_w);
  CHECK_EQ(out.cols, x.cols);
  ParallelRanges(ctx, out_h, RowGrain(out_w * x.cols), [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      ctx.kernels->area_pool({.x = x.data,
                              .ldx = x.stride,
                              .h = h,
                              .w = w,
                              .channels = x.cols,
                              .out_h = out_h,
                              .out_w = out_w,
                              .y = y,
                              .out = out.row(y * out_w),
                              .ld_out = out.stride});
    }
  });
}

void MeanOfRows(const ExecContext& ctx, ConstView x, int64_t group, View out) {
  CHECK(x.contiguous() && out.contiguous());
  CHECK_EQ(out.rows * group, x.rows);
  CHECK_EQ(out.cols, x.cols);
  ParallelRanges(ctx, out.rows, RowGrain(group * x.cols), [&](int64_t begin, int64_t end) {
    ctx.kernels->mean_groups(
        {.x = x.row(begin * group), .outer = end - begin, .group = group, .inner = x.cols, .out = out.row(begin)});
  });
}

void MeanPool(const ExecContext& ctx, ConstView x, int64_t frames, int64_t h, int64_t w, const PoolSize& pool,
              View out) {
  CHECK_EQ(frames % pool.time, 0);
  CHECK_EQ(h % pool.rows, 0);
  CHECK_EQ(w % pool.cols, 0);
  CHECK_EQ(x.rows, frames * h * w);
  CHECK_EQ(out.rows * pool.time * pool.rows * pool.cols, x.rows);
  CHECK(x.contiguous() && out.contiguous());
  const Arena::Scope scope(*ctx.arena);
  const int64_t c = x.cols;
  // Each mean views the map as [outer, group, inner].
  const int64_t frames_out = frames / pool.time;
  const auto by_time = ctx.arena->Floats(frames_out * h * w * c);
  MeanOfRows(ctx, {x.data, frames, h * w * c}, pool.time, {by_time, frames_out, h * w * c});
  const int64_t lines = frames_out * h;
  const auto by_rows = ctx.arena->Floats(lines / pool.rows * w * c);
  MeanOfRows(ctx, {by_time, lines, w * c}, pool.rows, {by_rows, lines / pool.rows, w * c});
  MeanOfRows(ctx, {by_rows, lines / pool.rows * w, c}, pool.cols, out);
}

void SpaceToDepth(const ExecContext& ctx, ConstView x, int64_t h, int64_t w, int64_t factor, CellOrder order,
                  View out) {
  const int64_t out_h = (h + factor - 1) / factor;
  const int64_t out_w = (w + factor - 1) / factor;
  CHECK_EQ(x.rows, h * w);
  CHECK_EQ(out.rows, out_h * out_w);
  CHECK_EQ(out.cols, factor * factor * x.cols);
  ParallelRanges(ctx, out.rows, RowGrain(out.cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t i = order == CellOrder::kRowMajor ? row / out_w : row % out_h;
      const int64_t j = order == CellOrder::kRowMajor ? row % out_w : row / out_h;
      for (int64_t cell = 0; cell < factor * factor; ++cell) {
        const int64_t y = i * factor + cell / factor;
        const int64_t z = j * factor + cell % factor;
        float* to = out.row(row) + cell * x.cols;
        if (y < h && z < w) {
          std::copy_n(x.row(y * w + z), x.cols, to);
        } else {
          std::fill_n(to, x.cols, 0.0f);
        }
      }
    }
  });
}

void ExtractPatches(const ExecContext& ctx, std::span<const float> pixels, int64_t batch, int64_t channels, int64_t h,
                    int64_t w, int64_t patch, View out) {
  const int64_t down = h / patch;
  const int64_t across = w / patch;
  CHECK_EQ(static_cast<int64_t>(pixels.size()), batch * channels * h * w);
  CHECK_EQ(out.rows, batch * down * across);
  CHECK_EQ(out.cols, channels * patch * patch);
  ParallelRanges(ctx, out.rows, RowGrain(out.cols), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t image = row / (down * across);
      const int64_t y = row / across % down * patch;
      const int64_t x = row % across * patch;
      float* to = out.row(row);
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t dy = 0; dy < patch; ++dy, to += patch) {
          std::copy_n(pixels.data() + ((image * channels + c) * h + y + dy) * w + x, patch, to);
        }
      }
    }
  });
}

void ResizeBicubic(const ExecContext& ctx, std::span<const float> x, int64_t planes, int64_t h, int64_t w,
                   int64_t out_h, int64_t out_w, std::span<float> out) {
  CHECK_EQ(static_cast<int64_t>(x.size()), planes * h * w);
  CHECK_EQ(static_cast<int64_t>(out.size()), planes * out_h * out_w);
  ParallelFor(ctx, planes, [&](int64_t plane) {
    ctx.kernels->resize_bicubic({.x = x.data() + plane * h * w,
                                 .h = h,
                                 .w = w,
                                 .out_h = out_h,
                                 .out_w = out_w,
                                 .out = out.data() + plane * out_h * out_w});
  });
}

namespace {

// Calls copy(row of the tile-by-tile form, row of the stitched form, cells) for each line of each tile.
template <class CopyLine>
void ForTileLines(const ExecContext& ctx, int64_t tile_rows, int64_t tile_cols, int64_t h, int64_t w, int64_t channels,
                  const CopyLine& copy) {
  ParallelRanges(ctx, tile_rows * tile_cols * h, RowGrain(w * channels), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t tile = line / h;
      const int64_t y = tile / tile_cols * h + line % h;
      const int64_t x = tile % tile_cols * w;
      copy(line * w, y * tile_cols * w + x);
    }
  });
}

}  // namespace

void StitchTiles(const ExecContext& ctx, ConstView x, int64_t tile_rows, int64_t tile_cols, int64_t h, int64_t w,
                 View out) {
  CHECK_EQ(x.rows, tile_rows * tile_cols * h * w);
  CHECK_EQ(out.rows, x.rows);
  CHECK_EQ(out.cols, x.cols);
  ForTileLines(ctx, tile_rows, tile_cols, h, w, x.cols, [&](int64_t tiled, int64_t stitched) {
    for (int64_t i = 0; i < w; ++i) std::copy_n(x.row(tiled + i), x.cols, out.row(stitched + i));
  });
}

void SplitTiles(const ExecContext& ctx, ConstView x, int64_t tile_rows, int64_t tile_cols, int64_t h, int64_t w,
                View out) {
  CHECK_EQ(x.rows, tile_rows * tile_cols * h * w);
  CHECK_EQ(out.rows, x.rows);
  CHECK_EQ(out.cols, x.cols);
  ForTileLines(ctx, tile_rows, tile_cols, h, w, x.cols, [&](int64_t tiled, int64_t stitched) {
    for (int64_t i = 0; i < w; ++i) std::copy_n(x.row(stitched + i), x.cols, out.row(tiled + i));
  });
}

}  // namespace galago::ops
