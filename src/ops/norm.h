#ifndef GALAGO_OPS_NORM_H_
#define GALAGO_OPS_NORM_H_

#include <span>

#include "src/ops/exec_context.h"

namespace galago::ops {

// Row-wise normalisation. x, out [rows, C], out may be x; weight [C], bias [C] (LayerNorm: may be empty).
// On [P, C] rows of a feature map LayerNorm is the channel LayerNorm of convolutional networks.
void LayerNorm(const ExecContext& ctx, ConstView x, std::span<const float> weight, std::span<const float> bias,
               double eps, View out);
void RmsNorm(const ExecContext& ctx, ConstView x, std::span<const float> weight, double eps, View out);

}  // namespace galago::ops

#endif  // GALAGO_OPS_NORM_H_
