#include "src/ops/rope.h"

#include <cmath>

#include "src/ops/parallel.h"

namespace galago::ops {

RopeTable MakeRopeTable(const ExecContext& ctx, std::span<const float> inv_freq, int64_t first_position, int64_t rows) {
  const auto half = static_cast<int64_t>(inv_freq.size());
  const View cos(ctx.arena->Floats(rows * half), rows, half);
  const View sin(ctx.arena->Floats(rows * half), rows, half);
  ParallelRanges(ctx, rows, RowGrain(half * 32), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const auto position = static_cast<float>(first_position + t);
      for (int64_t i = 0; i < half; ++i) {
        const float angle = position * inv_freq[static_cast<size_t>(i)];
        cos.row(t)[i] = std::cos(angle);
        sin.row(t)[i] = std::sin(angle);
      }
    }
  });
  return {cos, sin};
}

void ApplyRope(const ExecContext& ctx, const RopeTable& table, RopePairs pairs, int64_t heads, View x) {
  CHECK_EQ(x.rows, table.cos.rows);
  CHECK_EQ(x.cols, heads * table.cos.cols * 2);
  ParallelRanges(ctx, x.rows, RowGrain(x.cols), [&](int64_t begin, int64_t end) {
    ctx.kernels->rope({.x = x.row(begin),
                       .ldx = x.stride,
                       .rows = end - begin,
                       .heads = heads,
                       .head_dim = table.cos.cols * 2,
                       .cos = table.cos.row(begin),
                       .sin = table.sin.row(begin),
                       .pairs = pairs});
  });
}

}  // namespace galago::ops
