#ifndef GALAGO_OPS_MATMUL_H_
#define GALAGO_OPS_MATMUL_H_

#include <span>

#include "src/ops/exec_context.h"

namespace galago::ops {

struct MatMulOptions {
  std::span<const float> bias;  // [N] or empty
  Activation activation = Activation::kNone;
  std::span<const float> scale;  // [N] or empty: layer scale, applied after the activation
  ConstView residual;            // [M, N] or absent, added last; may be `out` itself
};

// out = residual + scale * activation(x W^T + bias).
//   x [M, K] f32; weight [N, K] in f32, f16, bf16 or a panel type, used where it lies; out [M, N] f32, must not overlap
//   x.
// Every output row is the same, bit for bit, whatever M, the other rows and the number of threads are.
void MatMul(const ExecContext& ctx, ConstView x, const TensorView& weight, View out, const MatMulOptions& options = {});

}  // namespace galago::ops

#endif  // GALAGO_OPS_MATMUL_H_
