#ifndef GALAGO_OPS_ATTENTION_H_
#define GALAGO_OPS_ATTENTION_H_

#include <cstddef>
#include <cstdint>

#include "src/ops/exec_context.h"

namespace galago::ops {

// Full attention inside each of `batch` sequences of T rows; no mask.
//   q, k, v, out [batch * T, N * H] f32 (any row stride); out may be q.
void EncoderAttention(const ExecContext& ctx, ConstView q, ConstView k, ConstView v, int64_t batch, int64_t heads,
                      double scale, View out);

// Borrowed cache of one layer: keys (rotated) and values, each [K, S, H] in dtype (f32 or bf16). A head's positions lie
// one after the other: attention reads them as one stream, which processors fetch ahead, where in [S, K, H] with
// many heads every position would be a page of its own.
struct KvLayer {
  DType dtype = DType::kF32;
  std::byte* k = nullptr;
  std::byte* v = nullptr;
  int64_t capacity = 0;      // S
  int64_t num_kv_heads = 0;  // K
  int64_t head_dim = 0;      // H
};

// Writes k, v [T, K * H] f32 to positions [past, past + T), rounded to the cache's dtype.
void AppendKv(const ExecContext& ctx, ConstView k, ConstView v, int64_t past, const KvLayer& kv);

// Causal attention of T new queries over the cached keys: row t sees positions [0, past + t].
//   q, out [T, N * H] f32; out may be q. q is already rotated, and positions [0, past + T) of kv are written.
//   N % K == 0; query head n reads key/value head n / (N / K).
// A row's result depends on its query and its keys alone, bit for bit: not on T, the other rows or the threads.
void CausalAttention(const ExecContext& ctx, ConstView q, const KvLayer& kv, int64_t past, int64_t heads, double scale,
                     View out);

}  // namespace galago::ops

#endif  // GALAGO_OPS_ATTENTION_H_
