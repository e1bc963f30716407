#ifndef GALAGO_NN_LINEAR_H_
#define GALAGO_NN_LINEAR_H_

#include <cstdint>
#include <span>

#include "src/ops/exec_context.h"

// The blocks all models are made of. A block borrows its weights from the model that holds it. Matrices stay in the
// checkpoint's type (f32, f16, bf16) and place; vectors (biases, norm weights, layer scales) are float32, converted
// once when the model is loaded. Blocks know no names: the model reports results to ctx.observer.
namespace galago::nn {

using ops::Activation;
using ops::ConstView;
using ops::ExecContext;
using ops::View;

// y = x W^T + b.
struct Linear {
  TensorView weight;            // [N, K]
  std::span<const float> bias;  // [N] or empty
  // Column j of `weight` belongs to input input_order[j]; empty where that is j. GPTQ with activation order.
  std::span<const int32_t> input_order;

  int64_t in_features() const { return weight.shape[1]; }
  int64_t out_features() const { return weight.shape[0]; }
  // x [M, K] -> out [M, N]; must not overlap.
  void Apply(const ExecContext& ctx, ConstView x, View out, Activation activation = Activation::kNone) const;
  // out = residual + scale * (x W^T + b); residual [M, N] may be out; scale [N], empty for 1.
  void ApplyAndAdd(const ExecContext& ctx, ConstView x, ConstView residual, std::span<const float> scale,
                   View out) const;
};

enum class NormKind { kLayerNorm, kRmsNorm };
struct Norm {
  NormKind kind = NormKind::kLayerNorm;
  std::span<const float> weight;  // [C]
  std::span<const float> bias;    // [C] or empty; unused by kRmsNorm
  double eps = 1e-6;

  // x [rows, C] -> out [rows, C]; out may be x.
  void Apply(const ExecContext& ctx, ConstView x, View out) const;
};

// fc2(activation(fc1(x))).
struct Mlp {
  Linear fc1;  // [F, D]
  Activation activation = Activation::kGeluTanh;
  Linear fc2;  // [D, F]

  // out = residual + scale * mlp(x). x, residual, out [T, D]; residual may be out; scale [D] or empty.
  void ApplyAndAdd(const ExecContext& ctx, ConstView x, ConstView residual, std::span<const float> scale,
                   View out) const;
};

// down(activation(gate(x)) * up(x)).
struct GatedMlp {
  Linear gate;  // [F, D]
  Linear up;    // [F, D]
  Activation activation = Activation::kSilu;
  Linear down;  // [D, F]

  // out = residual + mlp(x). x, residual, out [T, D]; residual may be out.
  void ApplyAndAdd(const ExecContext& ctx, ConstView x, ConstView residual, View out) const;
};

}  // namespace galago::nn

#endif  // GALAGO_NN_LINEAR_H_
