#include "src/ops/norm.h"

#include "src/ops/parallel.h"

namespace galago::ops {
namespace {

void Normalise(const ExecContext& ctx, void (*kernel)(const kernels::NormArgs&) noexcept, ConstView x,
               std::span<const float> weight, std::span<const float> bias, double eps, View out) {
  CHECK_EQ(static_cast<int64_t>(weight.size()), x.cols);
  CHECK(bias.empty() || bias.size() == weight.size());
  CHECK_EQ(out.rows, x.rows);
  CHECK_EQ(out.cols, x.cols);
  ParallelRanges(ctx, x.rows, RowGrain(x.cols), [&](int64_t begin, int64_t end) {
    kernel({.x = x.row(begin),
            .ldx = x.stride,
            .rows = end - begin,
            .cols = x.cols,
            .weight = weight.data(),
            .bias = bias.empty() ? nullptr : bias.data(),
            .eps = static_cast<float>(eps),
            .out = out.row(begin),
            .ld_out = out.stride});
  });
}

}  // namespace

void LayerNorm(const ExecContext& ctx, ConstView x, std::span<const float> weight, std::span<const float> bias,
               double eps, View out) {
  Normalise(ctx, ctx.kernels->layer_norm, x, weight, bias, eps, out);
}

void RmsNorm(const ExecContext& ctx, ConstView x, std::span<const float> weight, double eps, View out) {
  Normalise(ctx, ctx.kernels->rms_norm, x, weight, {}, eps, out);
}

}  // namespace galago::ops
