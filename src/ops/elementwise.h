#ifndef GALAGO_OPS_ELEMENTWISE_H_
#define GALAGO_OPS_ELEMENTWISE_H_

#include <span>

#include "src/ops/exec_context.h"

namespace galago::ops {

// Element by element on equally shaped views; out may be an input.
void Activate(const ExecContext& ctx, Activation activation, ConstView x, View out);
// out = activation(gate) * up: SwiGLU with kSilu.
void ActivateMultiply(const ExecContext& ctx, Activation activation, ConstView gate, ConstView up, View out);
void Add(const ExecContext& ctx, ConstView a, ConstView b, View out);
// out[i] = x[i] * scale, for every row i; scale [C].
void ScaleColumns(const ExecContext& ctx, ConstView x, std::span<const float> scale, View out);
// out[i, j] = x[i, order[j]]; must not overlap.
void GatherColumns(const ExecContext& ctx, ConstView x, std::span<const int32_t> order, View out);
// Element copy between views of one shape; must not overlap.
void Copy(const ExecContext& ctx, ConstView x, View out);

}  // namespace galago::ops

#endif  // GALAGO_OPS_ELEMENTWISE_H_
