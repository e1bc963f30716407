#include "src/models/projector.h"

#include "src/base/overloaded.h"
#include "src/base/strings.h"
#include "src/models/activation.h"
#include "src/ops/elementwise.h"
#include "src/ops/grid.h"
#include "src/ops/scratch.h"

namespace galago::models {
namespace {

using ops::ConstView;
using ops::ExecContext;
using ops::View;

// PyTorch's default, and timm's; no config states it.
constexpr double kLayerNormEps = 1e-5;

// One after another: the first takes `in` channels, the others `width`.
StatusOr<MlpStack> LoadMlp(std::span<const std::string> names, int64_t in, int64_t width, ops::Activation gelu,
                           Weights& weights) {
  MlpStack mlp = {.gelu = gelu};
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(mlp.linears.emplace_back(), weights.Linear(name, width, mlp.linears.empty() ? in : width, true));
  }
  return mlp;
}

// Modules of a sequential stack are numbered, those without parameters included: Linear 0, GELU 1, Linear 2, ...
std::vector<std::string> EverySecond(std::string_view prefix, int64_t count, int64_t first = 0) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(StrCat(prefix, first + 2 * i));
  return names;
}

StatusOr<DownsampleStack> LoadDownsample(const spec::ProjectorSpec& spec, const spec::DownsampleProjector& down,
                                         Weights& weights) {
  DownsampleStack stack = {.factor = down.factor, .order = down.order, .gelu = ActivationOf(spec.gelu)};
  int64_t width = down.factor * down.factor * spec.mm_hidden_size;
  int64_t index = 1;  // 0 is the space-to-depth block
  for (const int64_t next : down.widths) {
    DownsampleStack::Stage& stage = stack.stages.emplace_back();
    ASSIGN_OR_RETURN(stage.norm,
                     weights.Norm(StrCat(spec.prefix, index), nn::NormKind::kLayerNorm, width, kLayerNormEps));
    ASSIGN_OR_RETURN(stage.linear, weights.Linear(StrCat(spec.prefix, index + 1), next, width, true));
    width = next;
    index += 3;  // GELU follows
  }
  ASSIGN_OR_RETURN(stack.last, weights.Linear(StrCat(spec.prefix, index), spec.hidden_size, width, true));
  return stack;
}

StatusOr<Ldp::Block> LoadLdpBlock(const std::string& at, int64_t width, int64_t squeeze, int64_t stride,
                                  Weights& weights) {
  Ldp::Block block = {.stride = stride};
  ASSIGN_OR_RETURN(block.depthwise, weights.Matrix(at + "block.0.0.weight", {width, 1, 3, 3}));
  ASSIGN_OR_RETURN(block.norm1, weights.Norm(at + "block.0.1", nn::NormKind::kLayerNorm, width, kLayerNormEps));
  ASSIGN_OR_RETURN(block.squeeze, weights.Linear(at + "block.1.fc1", squeeze, width, true));
  ASSIGN_OR_RETURN(block.excite, weights.Linear(at + "block.1.fc2", width, squeeze, true));
  ASSIGN_OR_RETURN(block.pointwise, weights.Linear(at + "block.2.0", width, width, false));
  ASSIGN_OR_RETURN(block.norm2, weights.Norm(at + "block.2.1", nn::NormKind::kLayerNorm, width, kLayerNormEps));
  return block;
}

StatusOr<Ldp> LoadLdp(const spec::ProjectorSpec& spec, const spec::LdpProjector& kind, Weights& weights) {
  const std::string at = spec.prefix + "model.";
  Ldp ldp;
  ASSIGN_OR_RETURN(ldp.mlp, LoadMlp(EverySecond(at + "mlp.", 2, 1), spec.mm_hidden_size, spec.hidden_size,
                                    ActivationOf(spec.gelu), weights));
  for (size_t i = 0; i < ldp.blocks.size(); ++i) {
    const auto stride = static_cast<int64_t>(i) + 1;
    ASSIGN_OR_RETURN(ldp.blocks[i], LoadLdpBlock(StrCat(at, "mb_block.", i + 1, "."), spec.hidden_size, kind.squeeze,
                                                 stride, weights));
  }
  return ldp;
}

StatusOr<LdpV2> LoadLdpV2(const spec::ProjectorSpec& spec, const spec::LdpV2Projector& kind, Weights& weights) {
  const bool hf = spec.names == spec::ProjectorNames::kHf;
  const std::string peg = spec.prefix + (hf ? "peg.peg.0" : "model.peg.0");
  LdpV2 ldp = {.pool = kind.pool};
  ASSIGN_OR_RETURN(ldp.mlp, LoadMlp(EverySecond(spec.prefix + (hf ? "mlp.mlp." : "model.mlp."), 2), spec.mm_hidden_size,
                                    spec.hidden_size, ActivationOf(spec.gelu), weights));
  ASSIGN_OR_RETURN(ldp.peg, weights.Matrix(peg + ".weight", {spec.hidden_size, 1, 3, 3}));
  ASSIGN_OR_RETURN(ldp.peg_bias, weights.Vector(peg + ".bias", spec.hidden_size));
  return ldp;
}

}  // namespace

void MlpStack::Apply(const ExecContext& ctx, ConstView x, View out) const {
  const Arena::Scope scope(*ctx.arena);
  for (size_t i = 0; i + 1 < linears.size(); ++i) {
    const View y = ops::Scratch(ctx, x.rows, linears[i].out_features());
    linears[i].Apply(ctx, x, y, gelu);
    x = y;
  }
  linears.back().Apply(ctx, x, out);
}

void DownsampleStack::Apply(const ExecContext& ctx, ConstView x, int64_t grid, View out) const {
  const Arena::Scope scope(*ctx.arena);
  View y = ops::Scratch(ctx, out.rows, factor * factor * x.cols);
  ops::SpaceToDepth(ctx, x, grid, grid, factor,
                    order == spec::TokenOrder::kRowMajor ? ops::CellOrder::kRowMajor : ops::CellOrder::kColumnMajor, y);
  for (const Stage& stage : stages) {
    stage.norm.Apply(ctx, y, y);
    const View next = ops::Scratch(ctx, y.rows, stage.linear.out_features());
    stage.linear.Apply(ctx, y, next, gelu);
    y = next;
  }
  last.Apply(ctx, y, out);
}

void Ldp::Block::Apply(const ExecContext& ctx, ConstView x, int64_t grid, View out) const {
  const Arena::Scope scope(*ctx.arena);
  const View u = ops::Scratch(ctx, out.rows, x.cols);
  ops::DepthwiseConv3x3(ctx, x, grid, grid, stride, depthwise, {}, u);
  norm1.Apply(ctx, u, u);
  ops::Activate(ctx, ops::Activation::kHardSwish, u, u);
  // Squeeze-excitation: one gate a channel, from the mean over all cells.
  const View mean = ops::Scratch(ctx, 1, x.cols);
  const View squeezed = ops::Scratch(ctx, 1, squeeze.out_features());
  const View gate = ops::Scratch(ctx, 1, x.cols);
  ops::MeanOfRows(ctx, u, u.rows, mean);
  squeeze.Apply(ctx, mean, squeezed, ops::Activation::kRelu);
  excite.Apply(ctx, squeezed, gate, ops::Activation::kHardSigmoid);
  ops::ScaleColumns(ctx, u, gate.span(), u);
  pointwise.Apply(ctx, u, out);
  norm2.Apply(ctx, out, out);
  if (stride == 1) ops::Add(ctx, out, x, out);
}

void Ldp::Apply(const ExecContext& ctx, ConstView x, int64_t grid, View out) const {
  const Arena::Scope scope(*ctx.arena);
  const View projected = ops::Scratch(ctx, x.rows, out.cols);
  mlp.Apply(ctx, x, projected);
  const View y = ops::Scratch(ctx, x.rows, out.cols);
  blocks[0].Apply(ctx, projected, grid, y);
  blocks[1].Apply(ctx, y, grid, out);
}

void LdpV2::Apply(const ExecContext& ctx, ConstView x, int64_t grid, View out) const {
  const Arena::Scope scope(*ctx.arena);
  const View projected = ops::Scratch(ctx, x.rows, out.cols);
  mlp.Apply(ctx, x, projected);
  const View pooled = ops::Scratch(ctx, out.rows, out.cols);
  ops::AreaPool(ctx, projected, grid, grid, pool, pool, pooled);
  ops::DepthwiseConv3x3(ctx, pooled, pool, pool, 1, peg, peg_bias, out);
  ops::Add(ctx, out, pooled, out);
}

StatusOr<Projector> Projector::Load(const spec::ProjectorSpec& spec, Weights& weights) {
  Projector projector;
  const int64_t in = spec.mm_hidden_size;
  const int64_t out = spec.hidden_size;
  const ops::Activation gelu = ActivationOf(spec.gelu);
  const Status status =
      std::visit(Overloaded{[](const spec::IdentityProjector&) { return OkStatus(); },
                            [&](const spec::LinearProjector&) -> Status {
                              // The whole stack is the Linear: "layers.weight", without a number.
                              const std::string name = spec.prefix.substr(0, spec.prefix.size() - 1);
                              ASSIGN_OR_RETURN(projector.kind_, LoadMlp(std::vector{name}, in, out, gelu, weights));
                              return OkStatus();
                            },
                            [&](const spec::MlpProjector& mlp) -> Status {
                              ASSIGN_OR_RETURN(projector.kind_,
                                               LoadMlp(EverySecond(spec.prefix, mlp.depth), in, out, gelu, weights));
                              return OkStatus();
                            },
                            [&](const spec::DownsampleProjector& down) -> Status {
                              ASSIGN_OR_RETURN(projector.kind_, LoadDownsample(spec, down, weights));
                              return OkStatus();
                            },
                            [&](const spec::LdpProjector& ldp) -> Status {
                              ASSIGN_OR_RETURN(projector.kind_, LoadLdp(spec, ldp, weights));
                              return OkStatus();
                            },
                            [&](const spec::LdpV2Projector& ldp) -> Status {
                              ASSIGN_OR_RETURN(projector.kind_, LoadLdpV2(spec, ldp, weights));
                              return OkStatus();
                            }},
                 spec.kind);
  RETURN_IF_ERROR(status);
  return projector;
}

void Projector::Apply(const ExecContext& ctx, ConstView features, int64_t tiles, int64_t grid, View out) const {
  const int64_t rows_in = features.rows / tiles;
  const int64_t rows_out = out.rows / tiles;
  for (int64_t tile = 0; tile < tiles; ++tile) {  // one at a time: the workspace is that of one
    const ConstView x = features.Rows(tile * rows_in, rows_in);
    const View y = out.Rows(tile * rows_out, rows_out);
    std::visit(
        Overloaded{[&](const Identity&) { ops::Copy(ctx, x, y); }, [&](const MlpStack& mlp) { mlp.Apply(ctx, x, y); },
                   [&](const auto& stack) { stack.Apply(ctx, x, grid, y); }},
        kind_);
  }
}

}  // namespace galago::models
