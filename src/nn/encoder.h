#ifndef GALAGO_NN_ENCODER_H_
#define GALAGO_NN_ENCODER_H_

#include <cstdint>
#include <span>

#include "src/nn/linear.h"

namespace galago::nn {

// A convolution whose stride is its kernel size: each patch is one row times the weight.
struct PatchEmbed {
  Linear proj;  // weight [D, channels * patch * patch]: the convolution's [D, channels, patch, patch], flattened
  int64_t channels = 3;
  int64_t patch = 14;

  // pixels [batch, channels, h, w] -> out [batch * (h / patch) * (w / patch), D], patches in row-major order; pixels
  // beyond the last whole patch are unused.
  void Apply(const ExecContext& ctx, std::span<const float> pixels, int64_t batch, int64_t h, int64_t w,
             View out) const;
};

// Multi-head attention without mask. Either q, k and v, or qkv (their rows in that order) is present.
struct EncoderAttention {
  Linear q, k, v;  // each [D, D]
  Linear qkv;      // [3 D, D]
  bool fused = false;
  Norm q_norm, k_norm;        // over all D channels, before the split into heads
  bool normalise_qk = false;  // InternViT
  Linear out;                 // [D, D]
  int64_t heads = 1;

  // out = residual + scale * attention(x), inside each of `batch` sequences. x, residual, out [batch * P, D]; residual
  // may be out; scale [D] or empty.
  void ApplyAndAdd(const ExecContext& ctx, ConstView x, int64_t batch, ConstView residual, std::span<const float> scale,
                   View out) const;
};

// h = h + ls1 * attention(norm1(h));  h = h + ls2 * mlp(norm2(h)).
struct EncoderLayer {
  Norm norm1;
  EncoderAttention attention;
  std::span<const float> layer_scale1;  // [D] or empty
  Norm norm2;
  Mlp mlp;
  std::span<const float> layer_scale2;  // [D] or empty

  // h [batch * P, D], updated in place.
  void Apply(const ExecContext& ctx, int64_t batch, View h) const;
};

}  // namespace galago::nn

#endif  // GALAGO_NN_ENCODER_H_
