#ifndef GALAGO_OPS_GRID_H_
#define GALAGO_OPS_GRID_H_

#include <cstdint>
#include <span>

#include "src/ops/exec_context.h"

// Operations on feature maps. A map is a view [h * w, C]: one row a cell, cells in row-major order.
namespace galago::ops {

// 3x3 filter a channel, zero padding 1, stride 1 or 2: out [out_h * out_w, C], out_h = (h - 1) / stride + 1.
//   weight [C, 1, 3, 3] in f32, f16 or bf16; bias [C] or empty. out must not overlap x.
void DepthwiseConv3x3(const ExecContext& ctx, ConstView x, int64_t h, int64_t w, int64_t stride,
                      const TensorView& weight, std::span<const float> bias, View out);

// Adaptive average pooling, also for enlarging: PyTorch's "area" interpolation and adaptive_avg_pool2d. The value is
// (sum over the window / its rows) / its columns. x [h * w, C], out [out_h * out_w, C]; out must not overlap x.
void AreaPool(const ExecContext& ctx, ConstView x, int64_t h, int64_t w, int64_t out_h, int64_t out_w, View out);

// out[o] = mean of x[o * group .. o * group + group), the sum taken in order. x [outer * group, C], out [outer, C],
// both contiguous.
void MeanOfRows(const ExecContext& ctx, ConstView x, int64_t group, View out);
// Temporal-spatial pooling of frames * h * w rows of C channels: the mean over pt frames, then ph rows, then pw
// columns, each rounded to f32. Sizes divide exactly. out [frames / pt * h / ph * w / pw, C].
struct PoolSize {
  int64_t time = 1;
  int64_t rows = 1;
  int64_t cols = 1;
};
void MeanPool(const ExecContext& ctx, ConstView x, int64_t frames, int64_t h, int64_t w, const PoolSize& pool,
              View out);

enum class CellOrder { kRowMajor, kColumnMajor };
// factor x factor cells become one row of factor^2 C channels: channel (dr * factor + dc) * C + c is channel c of cell
// (factor i + dr, factor j + dc). Missing cells at the bottom and right are zero. With g = ceil(h / factor) and
// e = ceil(w / factor), out is [g * e, factor^2 * C]; row (i, j) lies at i * e + j, or at j * g + i (kColumnMajor).
void SpaceToDepth(const ExecContext& ctx, ConstView x, int64_t h, int64_t w, int64_t factor, CellOrder order, View out);

// Non-overlapping patches of planar images: pixels [batch, channels, h, w] to out [batch * (h / patch) * (w / patch),
// channels * patch * patch], the layout of a convolution's weight rows. Pixels beyond the last whole patch are dropped.
void ExtractPatches(const ExecContext& ctx, std::span<const float> pixels, int64_t batch, int64_t channels, int64_t h,
                    int64_t w, int64_t patch, View out);

// Planes [planes, h, w] to [planes, out_h, out_w] by PyTorch's bicubic: A = -0.75, half-pixel centres, border clamp, no
// antialias.
void ResizeBicubic(const ExecContext& ctx, std::span<const float> x, int64_t planes, int64_t h, int64_t w,
                   int64_t out_h, int64_t out_w, std::span<float> out);

// Puts tile_rows x tile_cols maps of h x w cells (row-major order of tiles, x [tiles * h * w, C]) side by side:
// out [tile_rows * h * tile_cols * w, C]. SplitTiles is the inverse.
void StitchTiles(const ExecContext& ctx, ConstView x, int64_t tile_rows, int64_t tile_cols, int64_t h, int64_t w,
                 View out);
void SplitTiles(const ExecContext& ctx, ConstView x, int64_t tile_rows, int64_t tile_cols, int64_t h, int64_t w,
                View out);

}  // namespace galago::ops

#endif  // GALAGO_OPS_GRID_H_
