#include "src/ops/attention.h"

#include <algorithm>
#include <array>

#include "src/ops/float_type.h"
#include "src/ops/parallel.h"

namespace galago::ops {
namespace {

using kernels::kMaxAttentionRows;

// Everything about a head's keys and values that all query rows share.
struct HeadKeys {
  kernels::FloatType type;
  const void* k;
  const void* v;
  int64_t ld_k, ld_v;
};

// A kernel call being put together: query rows of one head, at most kMaxAttentionRows.
struct RowGroup {
  std::array<const float*, kMaxAttentionRows> q;
  std::array<float*, kMaxAttentionRows> out;
  std::array<int64_t, kMaxAttentionRows> limit;
  int64_t rows = 0;

  void Add(const float* q_row, float* out_row, int64_t row_limit) {
    const auto i = static_cast<size_t>(rows++);
    q[i] = q_row;
    out[i] = out_row;
    limit[i] = row_limit;
  }
  void Run(const ExecContext& ctx, const HeadKeys& keys, int64_t head_dim, double scale, float* scratch) const {
    ctx.kernels->Attention(ctx.precision, {.q = q.data(),
                                           .out = out.data(),
                                           .limit = limit.data(),
                                           .rows = rows,
                                           .head_dim = head_dim,
                                           .scale = static_cast<float>(scale),
                                           .kv_type = keys.type,
                                           .k = keys.k,
                                           .v = keys.v,
                                           .ld_k = keys.ld_k,
                                           .ld_v = keys.ld_v,
                                           .scratch = scratch});
  }
};

}  // namespace

void EncoderAttention(const ExecContext& ctx, ConstView q, ConstView k, ConstView v, int64_t batch, int64_t heads,
                      double scale, View out) {
  CHECK(q.rows == k.rows && q.rows == v.rows && q.rows == out.rows);
  CHECK(q.cols == k.cols && q.cols == v.cols && q.cols == out.cols);
  CHECK_EQ(q.rows % batch, 0);
  CHECK_EQ(q.cols % heads, 0);
  const int64_t tokens = q.rows / batch;
  const int64_t head_dim = q.cols / heads;
  const int64_t pieces = (tokens + kMaxAttentionRows - 1) / kMaxAttentionRows;
  ParallelForWithScratch(ctx, batch * heads * pieces, kernels::AttentionScratchFloats(head_dim),
                         [&](int64_t task, float* scratch) {
                           const int64_t first = task / pieces / heads * tokens;  // row of the sequence
                           const int64_t column = task / pieces % heads * head_dim;
                           const int64_t begin = task % pieces * kMaxAttentionRows;
                           RowGroup group;
                           for (int64_t t = begin; t < std::min(tokens, begin + kMaxAttentionRows); ++t) {
                             group.Add(q.row(first + t) + column, out.row(first + t) + column, tokens);
                           }
                           const HeadKeys keys = {kernels::FloatType::kF32, k.row(first) + column,
                                                  v.row(first) + column, k.stride, v.stride};
                           group.Run(ctx, keys, head_dim, scale, scratch);
                         });
}

void AppendKv(const ExecContext& ctx, ConstView k, ConstView v, int64_t past, const KvLayer& kv) {
  const int64_t width = kv.num_kv_heads * kv.head_dim;
  CHECK_EQ(k.cols, width);
  CHECK_EQ(v.cols, width);
  CHECK_EQ(k.rows, v.rows);
  CHECK_LE(past + k.rows, kv.capacity);
  const kernels::FloatType type = FloatTypeOf(kv.dtype);
  ParallelRanges(ctx, k.rows, RowGrain(width), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t head = 0; head < kv.num_kv_heads; ++head) {
        const int64_t offset = (head * kv.capacity + past + t) * kv.head_dim * kernels::SizeOf(type);
        ctx.kernels->from_f32(type, k.row(t) + head * kv.head_dim, kv.k + offset, kv.head_dim);
        ctx.kernels->from_f32(type, v.row(t) + head * kv.head_dim, kv.v + offset, kv.head_dim);
      }
    }
  });
}

void CausalAttention(const ExecContext& ctx, ConstView q, const KvLayer& kv, int64_t past, int64_t heads, double scale,
                     View out) {
  const int64_t head_dim = kv.head_dim;
  CHECK_EQ(q.cols, heads * head_dim);
  CHECK_EQ(out.cols, q.cols);
  CHECK_EQ(out.rows, q.rows);
  CHECK_EQ(heads % kv.num_kv_heads, 0);
  CHECK_LE(past + q.rows, kv.capacity);
  CHECK(kv.dtype == DType::kF32 || kv.dtype == DType::kBF16);
  const int64_t group_heads = heads / kv.num_kv_heads;  // query heads that share a key/value head
  CHECK_LE(group_heads, kMaxAttentionRows);
  const kernels::FloatType type = FloatTypeOf(kv.dtype);
  // Rows of one task: all query heads of a key/value head, so that its keys are read once.
  const int64_t tokens_each = kMaxAttentionRows / group_heads;
  const int64_t pieces = (q.rows + tokens_each - 1) / tokens_each;
  ParallelForWithScratch(
      ctx, kv.num_kv_heads * pieces, kernels::AttentionScratchFloats(head_dim), [&](int64_t task, float* scratch) {
        const int64_t kv_head = task / pieces;
        const int64_t begin = task % pieces * tokens_each;
        RowGroup group;
        for (int64_t t = begin; t < std::min(q.rows, begin + tokens_each); ++t) {
          for (int64_t g = 0; g < group_heads; ++g) {
            const int64_t column = (kv_head * group_heads + g) * head_dim;
            group.Add(q.row(t) + column, out.row(t) + column, past + t + 1);
          }
        }
        const int64_t offset = kv_head * kv.capacity * head_dim * kernels::SizeOf(type);
        group.Run(ctx, {type, kv.k + offset, kv.v + offset, head_dim, head_dim}, head_dim, scale, scratch);
      });
}

}  // namespace galago::ops
