#include "src/nn/linear.h"

#include "src/ops/elementwise.h"
#include "src/ops/matmul.h"
#include "src/ops/norm.h"
#include "src/ops/scratch.h"

namespace galago::nn {

namespace {

// x with its columns in the order of the weight's, in arena memory.
ConstView Ordered(const ExecContext& ctx, const Linear& linear, ConstView x) {
  if (linear.input_order.empty()) return x;
  const View ordered = ops::Scratch(ctx, x.rows, x.cols);
  ops::GatherColumns(ctx, x, linear.input_order, ordered);
  return ordered;
}

}  // namespace

void Linear::Apply(const ExecContext& ctx, ConstView x, View out, Activation activation) const {
  const Arena::Scope scope(*ctx.arena);
  x = Ordered(ctx, *this, x);
  ops::MatMul(ctx, x, weight, out, {.bias = bias, .activation = activation});
}

void Linear::ApplyAndAdd(const ExecContext& ctx, ConstView x, ConstView residual, std::span<const float> scale,
                         View out) const {
  const Arena::Scope scope(*ctx.arena);
  x = Ordered(ctx, *this, x);
  ops::MatMul(ctx, x, weight, out, {.bias = bias, .scale = scale, .residual = residual});
}

void Norm::Apply(const ExecContext& ctx, ConstView x, View out) const {
  if (kind == NormKind::kLayerNorm) {
    ops::LayerNorm(ctx, x, weight, bias, eps, out);
  } else {
    ops::RmsNorm(ctx, x, weight, eps, out);
  }
}

void Mlp::ApplyAndAdd(const ExecContext& ctx, ConstView x, ConstView residual, std::span<const float> scale,
                      View out) const {
  const Arena::Scope scope(*ctx.arena);
  const int64_t width = fc1.out_features();
  const View hidden_TF = ops::Scratch(ctx, x.rows, width);
  fc1.Apply(ctx, x, hidden_TF, activation);
  fc2.ApplyAndAdd(ctx, hidden_TF, residual, scale, out);
}

void GatedMlp::ApplyAndAdd(const ExecContext& ctx, ConstView x, ConstView residual, View out) const {
  const Arena::Scope scope(*ctx.arena);
  const int64_t width = gate.out_features();
  const View gate_TF = ops::Scratch(ctx, x.rows, width);
  const View up_TF = ops::Scratch(ctx, x.rows, width);
  gate.Apply(ctx, x, gate_TF);
  up.Apply(ctx, x, up_TF);
  ops::ActivateMultiply(ctx, activation, gate_TF, up_TF, gate_TF);
  down.ApplyAndAdd(ctx, gate_TF, residual, {}, out);
}

}  // namespace galago::nn
