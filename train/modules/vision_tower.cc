#include "train/modules/vision_tower.h"

#include <cmath>
#include <numeric>

#include "src/base/strings.h"

namespace galago::train {
namespace {

RowActivation ActivationOf(spec::Activation activation) {
  switch (activation) {
    case spec::Activation::kGeluTanh:
      return RowActivation::kGeluTanh;
    case spec::Activation::kGeluErf:
      return RowActivation::kGeluErf;
    case spec::Activation::kQuickGelu:
      return RowActivation::kQuickGelu;
    case spec::Activation::kSilu:
      return RowActivation::kSilu;
  }
  CHECK(false);
}

// How the reference initialises a tower (transformers: modeling_siglip.py, modeling_clip.py; InternViT leaves PyTorch's
// defaults and starts its layer scale at 0.1).
struct Initials {
  ParameterList::LinearInitial qkv, out, fc1, fc2;
  Initial patch, class_token, positions;
};
Initials InitialsOf(const spec::VisionSpec& spec) {
  const int64_t c = spec.hidden_size;
  const int64_t f = spec.intermediate_size;
  const int64_t patch_in = 3 * spec.patch_size * spec.patch_size;
  if (spec.names == spec::VisionNames::kInternVit) {
    const auto linear = [](int64_t in) {
      return ParameterList::LinearInitial{.weight = DefaultUniform(in), .bias = DefaultUniform(in)};
    };
    return {.qkv = linear(c),
            .out = linear(c),
            .fc1 = linear(c),
            .fc2 = linear(f),
            .patch = DefaultUniform(patch_in),
            .class_token = Normal(1.0),
            .positions = Normal(1.0)};
  }
  if (spec.has_class_token) {
    const double in = std::pow(static_cast<double>(c), -0.5);
    const double deep = in * std::pow(2.0 * static_cast<double>(spec.num_hidden_layers), -0.5);
    return {.qkv = {.weight = Normal(deep)},
            .out = {.weight = Normal(in)},
            .fc1 = {.weight = Normal(in * std::sqrt(0.5))},
            .fc2 = {.weight = Normal(deep)},
            .patch = Normal(0.02),
            .class_token = Normal(in),
            .positions = Normal(0.02)};
  }
  return {.qkv = {.weight = XavierUniform(c, c)},
          .out = {.weight = XavierUniform(c, c)},
          .fc1 = {.weight = XavierUniform(f, c), .bias = Normal(1e-6)},
          .fc2 = {.weight = XavierUniform(c, f), .bias = Normal(1e-6)},
          .patch = LecunNormal(patch_in),
          .class_token = {},
          .positions = Normal(std::pow(static_cast<double>(c), -0.5))};
}

StatusOr<EncoderLayer> MakeLayer(const spec::VisionSpec& spec, int64_t index, const Initials& initials,
                                 ParameterList& list) {
  const bool intern = spec.names == spec::VisionNames::kInternVit;
  const std::string at = StrCat(spec.prefix, intern ? "" : "vision_model.", "encoder.layers.", index, ".");
  const std::string attention = at + (intern ? "attn." : "self_attn.");
  const RowNorm norm = spec.norm == spec::NormKind::kLayerNorm ? RowNorm::kLayerNorm : RowNorm::kRmsNorm;
  const int64_t c = spec.hidden_size;
  EncoderLayer layer;
  layer.activation = ActivationOf(spec.hidden_act);
  ASSIGN_OR_RETURN(layer.norm1, list.TakeNorm(at + (intern ? "norm1" : "layer_norm1"), norm, c, spec.layer_norm_eps));
  if (spec.fused_qkv) {
    ASSIGN_OR_RETURN(layer.qkv, list.TakeLinear(attention + "qkv", 3 * c, c, spec.qkv_bias, initials.qkv));
  } else {
    ASSIGN_OR_RETURN(layer.qkv,
                     list.TakeLinears({{attention + "q_proj", c}, {attention + "k_proj", c}, {attention + "v_proj", c}},
                                      c, spec.qkv_bias, initials.qkv));
  }
  if (spec.qk_normalization) {
    ASSIGN_OR_RETURN(layer.q_norm, list.TakeNorm(attention + "q_norm", RowNorm::kRmsNorm, c, spec.layer_norm_eps));
    ASSIGN_OR_RETURN(layer.k_norm, list.TakeNorm(attention + "k_norm", RowNorm::kRmsNorm, c, spec.layer_norm_eps));
  }
  ASSIGN_OR_RETURN(layer.out, list.TakeLinear(attention + (intern ? "proj" : "out_proj"), c, c, true, initials.out));
  ASSIGN_OR_RETURN(layer.norm2, list.TakeNorm(at + (intern ? "norm2" : "layer_norm2"), norm, c, spec.layer_norm_eps));
  ASSIGN_OR_RETURN(layer.fc1, list.TakeLinear(at + "mlp.fc1", spec.intermediate_size, c, true, initials.fc1));
  ASSIGN_OR_RETURN(layer.fc2, list.TakeLinear(at + "mlp.fc2", c, spec.intermediate_size, true, initials.fc2));
  if (spec.layer_scale) {
    constexpr double kLayerScale = 0.1;
    ASSIGN_OR_RETURN(layer.scale1, list.Take(at + "ls1", {c}, Constant(kLayerScale), ParameterList::Role::kBias));
    ASSIGN_OR_RETURN(layer.scale2, list.Take(at + "ls2", {c}, Constant(kLayerScale), ParameterList::Role::kBias));
  }
  return layer;
}

// q and k of [N, 3C] normalised over all their channels.
Tensor NormaliseQk(const Tensor& qkv, const Norm& q_norm, const Norm& k_norm) {
  const std::vector<Tensor> parts = qkv.chunk(3, 1);
  const auto normed = [&qkv](const Tensor& x, const Norm& norm) {
    return AddNorm({.rows = x.to(at::kFloat).contiguous()}, norm, qkv.scalar_type()).y;
  };
  return at::cat({normed(parts[0], q_norm), normed(parts[1], k_norm), parts[2]}, 1);
}

}  // namespace

Stream EncoderLayer::Apply(const Stream& stream, const AttentionPlanPtr& plan, torch::ScalarType type) const {
  const Normed attended = AddNorm(stream, norm1, type);
  Tensor product = qkv(attended.y);
  if (q_norm) product = NormaliseQk(product, *q_norm, *k_norm);
  Stream after = attended.stream;
  after.delta = out(Attention(product, qkv.bias(), plan));
  after.bias = out.bias();
  after.scale = scale1;
  const Normed fed = AddNorm(after, norm2, type);
  return {.rows = fed.stream.rows,
          .delta = fc2(BiasActivation(fc1(fed.y), fc1.bias(), activation)),
          .bias = fc2.bias(),
          .scale = scale2};
}

StatusOr<VisionTower> VisionTower::Make(const spec::VisionSpec& spec, ParameterList& list) {
  if (spec.names == spec::VisionNames::kMmproj || spec.class_token_last) {
    return Unimplemented("vision towers in GGUF cannot be trained");
  }
  if (spec.qk_normalization && spec.qkv_bias) {
    return Unimplemented("a tower with both qk_normalization and qkv_bias cannot be trained");
  }
  list.Begin(Part::kVision);
  const Initials initials = InitialsOf(spec);
  const bool hf = spec.names == spec::VisionNames::kHf;
  const std::string at = StrCat(spec.prefix, hf ? "vision_model." : "", "embeddings.");
  const int64_t c = spec.hidden_size;
  VisionTower tower;
  tower.spec_ = spec;
  if (spec.has_class_token) {
    // InternViT's class token is [1, 1, C].
    const std::vector<int64_t> shape = hf ? std::vector<int64_t>{c} : std::vector<int64_t>{1, 1, c};
    ASSIGN_OR_RETURN(tower.class_token_,
                     list.Take(at + "class_embedding", shape, initials.class_token, ParameterList::Role::kWeight));
  }
  ASSIGN_OR_RETURN(Tensor patch, list.Take(at + "patch_embedding.weight", {c, 3, spec.patch_size, spec.patch_size},
                                           initials.patch, ParameterList::Role::kWeight));
  std::vector<Tensor> patch_bias;
  if (spec.patch_bias) {
    const Initial initial = hf ? Constant(0.0) : initials.patch;
    ASSIGN_OR_RETURN(patch_bias.emplace_back(),
                     list.Take(at + "patch_embedding.bias", {c}, initial, ParameterList::Role::kBias));
  }
  tower.patch_embedding_ = Linear({std::move(patch)}, std::move(patch_bias));
  const std::vector<int64_t> table =
      hf ? std::vector<int64_t>{spec.num_positions(), c} : std::vector<int64_t>{1, spec.num_positions(), c};
  ASSIGN_OR_RETURN(tower.positions_, list.Take(at + (hf ? "position_embedding.weight" : "position_embedding"), table,
                                               initials.positions, ParameterList::Role::kWeight));
  if (spec.has_pre_layernorm) {
    // "layrnorm" is what the CLIP checkpoints say.
    ASSIGN_OR_RETURN(tower.pre_norm_, list.TakeNorm(StrCat(spec.prefix, "vision_model.pre_layrnorm"),
                                                    RowNorm::kLayerNorm, c, spec.layer_norm_eps));
  }
  for (int64_t i = 0; i < spec.num_hidden_layers; ++i) {
    if (i < spec.num_layers_run) {
      ASSIGN_OR_RETURN(tower.layers_.emplace_back(), MakeLayer(spec, i, initials, list));
    } else if (list.is_new()) {
      list.BeginUnused();
      RETURN_IF_ERROR(MakeLayer(spec, i, initials, list).status());
      list.EndUnused();
    }
  }
  if (hf && list.is_new()) {
    list.BeginUnused();
    RETURN_IF_ERROR(
        list.TakeNorm(StrCat(spec.prefix, "vision_model.post_layernorm"), RowNorm::kLayerNorm, c, spec.layer_norm_eps)
            .status());
    list.EndUnused();
  }
  return tower;
}

Stream VisionTower::Embed(const Tensor& pixels, torch::ScalarType type) const {
  const int64_t tiles = pixels.size(0);
  const int64_t positions = spec_.num_positions();
  const int64_t c = spec_.hidden_size;
  const Tensor patches = patch_embedding_(Patches(pixels, spec_.patch_size, type));
  const Tensor table = positions_.reshape({1, positions, c}).expand({tiles, positions, c});
  if (!class_token_.defined()) {
    return {.rows = table.reshape({tiles * positions, c}), .delta = patches, .bias = patch_embedding_.bias()};
  }
  Tensor embedded = patches.to(at::kFloat);
  if (patch_embedding_.bias().defined()) embedded = embedded + patch_embedding_.bias();
  const Tensor first = class_token_.reshape({1, 1, c}).expand({tiles, 1, c});
  embedded = at::cat({first, embedded.view({tiles, positions - 1, c})}, 1) + table;
  Tensor rows = embedded.reshape({tiles * positions, c});
  if (pre_norm_) rows = AddNorm({.rows = rows}, *pre_norm_, at::kFloat).y;
  return {.rows = rows};
}

Tensor VisionTower::operator()(const Tensor& pixels, const Options& options) const {
  const int64_t tiles = pixels.size(0);
  const int64_t positions = spec_.num_positions();
  auto plan = c10::make_intrusive<AttentionPlan>();
  plan->rows = tiles * positions;
  plan->heads = spec_.num_attention_heads;
  plan->kv_heads = spec_.num_attention_heads;
  plan->head_dim = spec_.hidden_size / spec_.num_attention_heads;
  std::vector<int32_t> cu_seqlens(static_cast<size_t>(tiles) + 1);
  for (size_t i = 0; i < cu_seqlens.size(); ++i) cu_seqlens[i] = static_cast<int32_t>(i * positions);
  plan->groups = GroupSegments(cu_seqlens);

  Stream stream = Embed(pixels, options.type);
  for (const EncoderLayer& layer : layers_) {
    if (options.recompute) {
      stream = {.rows = Recompute(Settle(stream), [&layer, plan, type = options.type](const Tensor& rows) {
                  return Settle(layer.Apply({.rows = rows}, plan, type));
                })};
    } else {
      stream = layer.Apply(stream, plan, options.type);
    }
  }
  const int64_t kept = spec_.num_selected();  // `patch` drops the first row, whatever it is
  return Settle(stream).view({tiles, positions, spec_.hidden_size}).narrow(1, positions - kept, kept);
}

void VisionTower::Forget() const {
  patch_embedding_.Forget();
  for (const EncoderLayer& layer : layers_) {
    for (const Linear* linear : {&layer.qkv, &layer.out, &layer.fc1, &layer.fc2}) linear->Forget();
  }
}

}  // namespace galago::train
