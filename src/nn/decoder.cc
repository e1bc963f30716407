#include "src/nn/decoder.h"

#include <cmath>

#include "src/ops/attention.h"
#include "src/ops/scratch.h"

namespace galago::nn {

void DecoderAttention::ApplyAndAdd(const ExecContext& ctx, ConstView x, const ops::RopeTable& rope,
                                   const ops::KvLayer& kv, int64_t past, ConstView residual, View out_view) const {
  const Arena::Scope scope(*ctx.arena);
  const int64_t q_width = heads * head_dim;
  const int64_t kv_width = kv_heads * head_dim;
  const View q_TNH = ops::Scratch(ctx, x.rows, q_width);
  const View k_TKH = ops::Scratch(ctx, x.rows, kv_width);
  const View v_TKH = ops::Scratch(ctx, x.rows, kv_width);
  q.Apply(ctx, x, q_TNH);
  k.Apply(ctx, x, k_TKH);
  v.Apply(ctx, x, v_TKH);
  ops::ApplyRope(ctx, rope, rope_pairs, heads, q_TNH);
  ops::ApplyRope(ctx, rope, rope_pairs, kv_heads, k_TKH);
  ops::AppendKv(ctx, k_TKH, v_TKH, past, kv);
  ops::CausalAttention(ctx, q_TNH, kv, past, heads, 1.0 / std::sqrt(static_cast<double>(head_dim)), q_TNH);
  out.ApplyAndAdd(ctx, q_TNH, residual, {}, out_view);
}

void DecoderLayer::Apply(const ExecContext& ctx, const ops::RopeTable& rope, const ops::KvLayer& kv, int64_t past,
                         View h) const {
  const Arena::Scope scope(*ctx.arena);
  const View normed = ops::Scratch(ctx, h.rows, h.cols);
  input_norm.Apply(ctx, h, normed);
  attention.ApplyAndAdd(ctx, normed, rope, kv, past, h, h);
  post_attention_norm.Apply(ctx, h, normed);
  mlp.ApplyAndAdd(ctx, normed, h, h);
}

}  // namespace galago::nn
