#ifndef GALAGO_NN_DECODER_H_
#define GALAGO_NN_DECODER_H_

#include <cstdint>

#include "src/nn/kv_view.h"
#include "src/nn/linear.h"
#include "src/nn/rope.h"

namespace galago::nn {

// Causal grouped-query attention with rotary positions over a cache.
struct DecoderAttention {
  Linear q;              // [N * H, D]
  Linear k;              // [K * H, D]
  Linear v;              // [K * H, D]
  Linear out;            // [D, N * H]
  int64_t heads = 1;     // N
  int64_t kv_heads = 1;  // K
  int64_t head_dim = 0;  // H
  ops::RopePairs rope_pairs = ops::RopePairs::kHalfSplit;

  // Writes the keys and values of x's T rows to positions [past, past + T) of kv, then
  // out = residual + attention(x). x, residual, out [T, D]; residual may be out. rope: those T positions.
  void ApplyAndAdd(const ExecContext& ctx, ConstView x, const ops::RopeTable& rope, const ops::KvLayer& kv,
                   int64_t past, ConstView residual, View out) const;
};

// h = h + attention(input_norm(h));  h = h + mlp(post_attention_norm(h)).
struct DecoderLayer {
  Norm input_norm;
  DecoderAttention attention;
  Norm post_attention_norm;
  GatedMlp mlp;

  // h [T, D], updated in place.
  void Apply(const ExecContext& ctx, const ops::RopeTable& rope, const ops::KvLayer& kv, int64_t past, View h) const;
};

}  // namespace galago::nn

#endif  // GALAGO_NN_DECODER_H_
