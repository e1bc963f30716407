#include "src/nn/encoder.h"

#include <cmath>

#include "src/ops/attention.h"
#include "src/ops/grid.h"
#include "src/ops/scratch.h"

namespace galago::nn {

void PatchEmbed::Apply(const ExecContext& ctx, std::span<const float> pixels, int64_t batch, int64_t h, int64_t w,
                       View out) const {
  const Arena::Scope scope(*ctx.arena);
  const int64_t width = channels * patch * patch;
  const View patches = ops::Scratch(ctx, out.rows, width);
  ops::ExtractPatches(ctx, pixels, batch, channels, h, w, patch, patches);
  proj.Apply(ctx, patches, out);
}

void EncoderAttention::ApplyAndAdd(const ExecContext& ctx, ConstView x, int64_t batch, ConstView residual,
                                   std::span<const float> scale, View out_view) const {
  const Arena::Scope scope(*ctx.arena);
  const int64_t width = x.cols;  // D
  const View qkv_rows = ops::Scratch(ctx, x.rows, 3 * width);
  const View q_PD = qkv_rows.Cols(0, width);
  const View k_PD = qkv_rows.Cols(width, width);
  const View v_PD = qkv_rows.Cols(2 * width, width);
  if (fused) {
    qkv.Apply(ctx, x, qkv_rows);
  } else {
    q.Apply(ctx, x, q_PD);
    k.Apply(ctx, x, k_PD);
    v.Apply(ctx, x, v_PD);
  }
  if (normalise_qk) {
    q_norm.Apply(ctx, q_PD, q_PD);
    k_norm.Apply(ctx, k_PD, k_PD);
  }
  const double score_scale = 1.0 / std::sqrt(static_cast<double>(width / heads));
  ops::EncoderAttention(ctx, q_PD, k_PD, v_PD, batch, heads, score_scale, q_PD);
  out.ApplyAndAdd(ctx, q_PD, residual, scale, out_view);
}

void EncoderLayer::Apply(const ExecContext& ctx, int64_t batch, View h) const {
  const Arena::Scope scope(*ctx.arena);
  const View normed = ops::Scratch(ctx, h.rows, h.cols);
  norm1.Apply(ctx, h, normed);
  attention.ApplyAndAdd(ctx, normed, batch, h, layer_scale1, h);
  norm2.Apply(ctx, h, normed);
  mlp.ApplyAndAdd(ctx, normed, h, layer_scale2, h);
}

}  // namespace galago::nn
