#include "train/modules/projector.h"

#include <ATen/ATen.h>

#include <cmath>

#include "src/base/strings.h"

namespace galago::train {
namespace {

// PyTorch's default, and timm's; no config states it.
constexpr double kLayerNormEps = 1e-5;

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

StatusOr<Linear> TakeDefault(ParameterList& list, const std::string& name, int64_t out, int64_t in) {
  return list.TakeLinear(name, out, in, true, {.weight = DefaultUniform(in), .bias = DefaultUniform(in)});
}

// A convolution of one cell.
StatusOr<Linear> TakePointwise(ParameterList& list, const std::string& name, int64_t out, int64_t in, bool bias) {
  ASSIGN_OR_RETURN(Tensor weight,
                   list.Take(name + ".weight", {out, in, 1, 1}, DefaultUniform(in), ParameterList::Role::kWeight));
  if (!bias) return Linear({std::move(weight)});
  ASSIGN_OR_RETURN(Tensor shift, list.Take(name + ".bias", {out}, DefaultUniform(in), ParameterList::Role::kBias));
  return Linear({std::move(weight)}, {std::move(shift)});
}

// Modules of a sequential stack are numbered, those without parameters included: Linear 0, GELU 1, Linear 2, ...
StatusOr<MlpStack> TakeMlp(ParameterList& list, const std::string& prefix, int64_t first, int64_t count, int64_t in,
                           int64_t width) {
  MlpStack mlp;
  for (int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(mlp.linears.emplace_back(),
                     TakeDefault(list, StrCat(prefix, first + 2 * i), width, i == 0 ? in : width));
  }
  return mlp;
}

StatusOr<DownsampleStack> TakeDownsample(const spec::ProjectorSpec& spec, const spec::DownsampleProjector& down,
                                         ParameterList& list) {
  DownsampleStack stack = {.factor = down.factor, .order = down.order};
  int64_t width = down.factor * down.factor * spec.mm_hidden_size;
  int64_t index = 1;  // 0 is the space-to-depth block
  for (const int64_t next : down.widths) {
    DownsampleStack::Stage& stage = stack.stages.emplace_back();
    ASSIGN_OR_RETURN(stage.norm, list.TakeNorm(StrCat(spec.prefix, index), RowNorm::kLayerNorm, width, kLayerNormEps));
    ASSIGN_OR_RETURN(stage.linear, TakeDefault(list, StrCat(spec.prefix, index + 1), next, width));
    width = next;
    index += 3;  // GELU follows
  }
  ASSIGN_OR_RETURN(stack.last.linears.emplace_back(),
                   TakeDefault(list, StrCat(spec.prefix, index), spec.hidden_size, width));
  return stack;
}

StatusOr<Ldp::Block> TakeLdpBlock(const std::string& at, int64_t width, int64_t squeeze, int64_t stride,
                                  ParameterList& list) {
  Ldp::Block block = {.stride = stride};
  ASSIGN_OR_RETURN(block.depthwise, list.Take(at + "block.0.0.weight", {width, 1, 3, 3}, DefaultUniform(9),
                                              ParameterList::Role::kWeight));
  ASSIGN_OR_RETURN(block.norm1, list.TakeNorm(at + "block.0.1", RowNorm::kLayerNorm, width, kLayerNormEps));
  ASSIGN_OR_RETURN(block.squeeze, TakePointwise(list, at + "block.1.fc1", squeeze, width, true));
  ASSIGN_OR_RETURN(block.excite, TakePointwise(list, at + "block.1.fc2", width, squeeze, true));
  ASSIGN_OR_RETURN(block.pointwise, TakePointwise(list, at + "block.2.0", width, width, false));
  ASSIGN_OR_RETURN(block.norm2, list.TakeNorm(at + "block.2.1", RowNorm::kLayerNorm, width, kLayerNormEps));
  return block;
}

StatusOr<Ldp> TakeLdp(const spec::ProjectorSpec& spec, const spec::LdpProjector& kind, ParameterList& list) {
  const std::string at = spec.prefix + "model.";
  Ldp ldp;
  ASSIGN_OR_RETURN(ldp.mlp, TakeMlp(list, at + "mlp.", 1, 2, spec.mm_hidden_size, spec.hidden_size));
  for (size_t i = 0; i < ldp.blocks.size(); ++i) {
    ASSIGN_OR_RETURN(ldp.blocks[i], TakeLdpBlock(StrCat(at, "mb_block.", i + 1, "."), spec.hidden_size, kind.squeeze,
                                                 static_cast<int64_t>(i) + 1, list));
  }
  return ldp;
}

StatusOr<LdpV2> TakeLdpV2(const spec::ProjectorSpec& spec, const spec::LdpV2Projector& kind, ParameterList& list) {
  LdpV2 ldp = {.pool = kind.pool};
  ASSIGN_OR_RETURN(ldp.mlp, TakeMlp(list, spec.prefix + "mlp.mlp.", 0, 2, spec.mm_hidden_size, spec.hidden_size));
  ASSIGN_OR_RETURN(ldp.peg, list.Take(spec.prefix + "peg.peg.0.weight", {spec.hidden_size, 1, 3, 3}, DefaultUniform(9),
                                      ParameterList::Role::kWeight));
  ASSIGN_OR_RETURN(ldp.peg_bias, list.Take(spec.prefix + "peg.peg.0.bias", {spec.hidden_size}, DefaultUniform(9),
                                           ParameterList::Role::kBias));
  return ldp;
}

// [T, N, C] -> [T, C, G, G] and back.
Tensor ToMap(const Tensor& rows) {
  const auto grid = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(rows.size(1)))));
  return rows.view({rows.size(0), grid, grid, rows.size(2)}).permute({0, 3, 1, 2});
}
Tensor ToRows(const Tensor& map) { return map.permute({0, 2, 3, 1}).flatten(1, 2); }

// LayerNorm over the channels of a map.
Tensor NormMap(const Tensor& map, const Norm& norm) {
  return at::layer_norm(map.permute({0, 2, 3, 1}), {map.size(1)}, norm.gain, norm.shift, norm.eps)
      .permute({0, 3, 1, 2});
}

// Rows of cells: a Linear in float32.
Tensor ApplyRows(const Linear& linear, const Tensor& x) {
  const Tensor y = linear(x.contiguous());
  return linear.bias().defined() ? y + linear.bias() : y;
}

// Cells of factor x factor features side by side, [T, N, C] -> [T * R, factor^2 * C]; missing ones are zeros.
Tensor SpaceToDepth(const Tensor& features, int64_t factor, spec::TokenOrder order) {
  const int64_t tiles = features.size(0);
  const int64_t channels = features.size(2);
  const auto grid = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(features.size(1)))));
  Tensor map = features.reshape({tiles, grid, grid, channels});
  const int64_t cells = (grid + factor - 1) / factor;
  const int64_t missing = cells * factor - grid;
  if (missing > 0) map = at::constant_pad_nd(map, {0, 0, 0, missing, 0, missing});
  map = map.reshape({tiles, cells, factor, cells, factor, channels});
  map = order == spec::TokenOrder::kRowMajor ? map.permute({0, 1, 3, 2, 4, 5}) : map.permute({0, 3, 1, 2, 4, 5});
  return map.reshape({tiles * cells * cells, factor * factor * channels});
}

}  // namespace

Tensor MlpStack::operator()(const Tensor& x, torch::ScalarType type) const {
  Tensor y = x.to(type).contiguous();
  for (size_t i = 0; i + 1 < linears.size(); ++i) y = BiasActivation(linears[i](y), linears[i].bias(), gelu);
  return linears.back()(y).to(at::kFloat) + linears.back().bias();
}

Tensor Ldp::Block::operator()(const Tensor& x) const {
  const int64_t width = x.size(1);
  Tensor u = at::conv2d(x, depthwise, {}, stride, 1, 1, width);
  u = at::hardswish(NormMap(u, norm1));
  // Squeeze-excitation: one gate a channel, from the mean over all cells.
  const Tensor squeezed = at::relu(ApplyRows(squeeze, u.mean({2, 3})));
  const Tensor gate = at::hardsigmoid(ApplyRows(excite, squeezed));
  u = u * gate.unsqueeze(2).unsqueeze(3);
  const Tensor rows = ToRows(u);
  const Tensor mixed = ApplyRows(pointwise, rows.flatten(0, 1)).view(rows.sizes());
  const Tensor y = NormMap(mixed.view({u.size(0), u.size(2), u.size(3), width}).permute({0, 3, 1, 2}), norm2);
  return stride == 1 ? y + x : y;
}

StatusOr<Projector> Projector::Make(const spec::ProjectorSpec& spec, ParameterList& list) {
  if (spec.names != spec::ProjectorNames::kHf) return Unimplemented("projectors in GGUF cannot be trained");
  list.Begin(Part::kProjector);
  Projector projector;
  const int64_t in = spec.mm_hidden_size;
  const int64_t out = spec.hidden_size;
  const Status status = std::visit(
      Overloaded{[](const spec::IdentityProjector&) { return OkStatus(); },
                 [&](const spec::LinearProjector&) -> Status {
                   // The whole stack is the Linear: "layers.weight", without a number.
                   MlpStack mlp;
                   ASSIGN_OR_RETURN(mlp.linears.emplace_back(),
                                    TakeDefault(list, spec.prefix.substr(0, spec.prefix.size() - 1), out, in));
                   projector.kind_ = std::move(mlp);
                   return OkStatus();
                 },
                 [&](const spec::MlpProjector& mlp) -> Status {
                   ASSIGN_OR_RETURN(projector.kind_, TakeMlp(list, spec.prefix, 0, mlp.depth, in, out));
                   return OkStatus();
                 },
                 [&](const spec::DownsampleProjector& down) -> Status {
                   ASSIGN_OR_RETURN(projector.kind_, TakeDownsample(spec, down, list));
                   return OkStatus();
                 },
                 [&](const spec::LdpProjector& ldp) -> Status {
                   ASSIGN_OR_RETURN(projector.kind_, TakeLdp(spec, ldp, list));
                   return OkStatus();
                 },
                 [&](const spec::LdpV2Projector& ldp) -> Status {
                   ASSIGN_OR_RETURN(projector.kind_, TakeLdpV2(spec, ldp, list));
                   return OkStatus();
                 }},
      spec.kind);
  RETURN_IF_ERROR(status);
  return projector;
}

Tensor Projector::operator()(const Tensor& features, torch::ScalarType type) const {
  const int64_t tiles = features.size(0);
  const auto by_rows = [&](const MlpStack& mlp) {
    const Tensor y = mlp(features.reshape({-1, features.size(2)}), type);
    return y.view({tiles, features.size(1), y.size(1)});
  };
  return std::visit(
      Overloaded{[&](const Identity&) { return features; }, [&](const MlpStack& mlp) { return by_rows(mlp); },
                 [&](const DownsampleStack& stack) {
                   Tensor y = SpaceToDepth(features, stack.factor, stack.order);
                   for (const DownsampleStack::Stage& stage : stack.stages) {
                     const Tensor normed = AddNorm({.rows = y.to(at::kFloat)}, stage.norm, type).y;
                     y = BiasActivation(stage.linear(normed), stage.linear.bias(), RowActivation::kGeluErf);
                   }
                   y = stack.last(y, type);
                   return y.view({tiles, -1, y.size(1)});
                 },
                 [&](const Ldp& ldp) { return ToRows(ldp.blocks[1](ldp.blocks[0](ToMap(by_rows(ldp.mlp))))); },
                 [&](const LdpV2& ldp) {
                   const Tensor pooled = at::adaptive_avg_pool2d(ToMap(by_rows(ldp.mlp)), {ldp.pool, ldp.pool});
                   return ToRows(at::conv2d(pooled, ldp.peg, ldp.peg_bias, 1, 1, 1, pooled.size(1)) + pooled);
                 }},
      kind_);
}

void Projector::Forget() const {
  const auto forget = [](const MlpStack& mlp) {
    for (const Linear& linear : mlp.linears) linear.Forget();
  };
  std::visit(Overloaded{[](const Identity&) {}, [&](const MlpStack& mlp) { forget(mlp); },
                        [&](const DownsampleStack& stack) {
                          for (const DownsampleStack::Stage& stage : stack.stages) stage.linear.Forget();
                          forget(stack.last);
                        },
                        [&](const Ldp& ldp) {
                          forget(ldp.mlp);
                          for (const Ldp::Block& block : ldp.blocks) {
                            for (const Linear* linear : {&block.squeeze, &block.excite, &block.pointwise}) {
                              linear->Forget();
                            }
                          }
                        },
                        [&](const LdpV2& ldp) { forget(ldp.mlp); }},
             kind_);
}

}  // namespace galago::train
