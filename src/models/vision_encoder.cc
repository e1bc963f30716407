#include "src/models/vision_encoder.h"

#include <algorithm>

#include "src/base/strings.h"
#include "src/models/activation.h"
#include "src/ops/elementwise.h"
#include "src/ops/scratch.h"

namespace galago::models {
namespace {

using ops::ConstView;
using ops::View;

// What the tensors of a tower are called.
struct LayerNames {
  std::string norm1, norm2, q, k, v, qkv, q_norm, k_norm, out, fc1, fc2, scale1, scale2;
};
LayerNames NamesOf(const spec::VisionSpec& spec, int64_t layer) {
  switch (spec.names) {
    case spec::VisionNames::kHf: {
      const std::string at = StrCat(spec.prefix, "vision_model.encoder.layers.", layer, ".");
      return {.norm1 = at + "layer_norm1",
              .norm2 = at + "layer_norm2",
              .q = at + "self_attn.q_proj",
              .k = at + "self_attn.k_proj",
              .v = at + "self_attn.v_proj",
              .out = at + "self_attn.out_proj",
              .fc1 = at + "mlp.fc1",
              .fc2 = at + "mlp.fc2"};
    }
    case spec::VisionNames::kInternVit: {
      const std::string at = StrCat(spec.prefix, "encoder.layers.", layer, ".");
      return {.norm1 = at + "norm1",
              .norm2 = at + "norm2",
              .qkv = at + "attn.qkv",
              .q_norm = at + "attn.q_norm",
              .k_norm = at + "attn.k_norm",
              .out = at + "attn.proj",
              .fc1 = at + "mlp.fc1",
              .fc2 = at + "mlp.fc2",
              .scale1 = at + "ls1",
              .scale2 = at + "ls2"};
    }
    case spec::VisionNames::kMmproj: {
      const std::string at = StrCat("v.blk.", layer, ".");
      return {.norm1 = at + "ln1",
              .norm2 = at + "ln2",
              .q = at + "attn_q",
              .k = at + "attn_k",
              .v = at + "attn_v",
              .out = at + "attn_out",
              .fc1 = at + (spec.swapped_ffn_names ? "ffn_down" : "ffn_up"),
              .fc2 = at + (spec.swapped_ffn_names ? "ffn_up" : "ffn_down")};
    }
  }
  CHECK(false);
}

struct EmbeddingNames {
  std::string patch, class_token, positions, pre_norm;
};
EmbeddingNames NamesOf(const spec::VisionSpec& spec) {
  if (spec.names == spec::VisionNames::kMmproj) {
    return {"v.patch_embd", "v.class_embd", "v.position_embd.weight", "v.pre_ln"};
  }
  const bool hf = spec.names == spec::VisionNames::kHf;
  const std::string at = StrCat(spec.prefix, hf ? "vision_model." : "");
  // InternViT's table is a bare parameter. "layrnorm" is what the CLIP checkpoints say.
  return {at + "embeddings.patch_embedding", at + "embeddings.class_embedding",
          at + (hf ? "embeddings.position_embedding.weight" : "embeddings.position_embedding"), at + "pre_layrnorm"};
}

StatusOr<nn::EncoderLayer> LoadLayer(const spec::VisionSpec& spec, int64_t index, Weights& weights) {
  const LayerNames names = NamesOf(spec, index);
  const int64_t c = spec.hidden_size;
  const nn::NormKind norm = spec.norm == spec::NormKind::kLayerNorm ? nn::NormKind::kLayerNorm : nn::NormKind::kRmsNorm;
  nn::EncoderLayer layer;
  ASSIGN_OR_RETURN(layer.norm1, weights.Norm(names.norm1, norm, c, spec.layer_norm_eps));
  ASSIGN_OR_RETURN(layer.norm2, weights.Norm(names.norm2, norm, c, spec.layer_norm_eps));
  nn::EncoderAttention& attention = layer.attention;
  attention.heads = spec.num_attention_heads;
  attention.fused = spec.fused_qkv;
  if (spec.fused_qkv) {
    ASSIGN_OR_RETURN(attention.qkv, weights.Linear(names.qkv, 3 * c, c, spec.qkv_bias));
  } else {
    ASSIGN_OR_RETURN(attention.q, weights.Linear(names.q, c, c, spec.qkv_bias));
    ASSIGN_OR_RETURN(attention.k, weights.Linear(names.k, c, c, spec.qkv_bias));
    ASSIGN_OR_RETURN(attention.v, weights.Linear(names.v, c, c, spec.qkv_bias));
  }
  attention.normalise_qk = spec.qk_normalization;
  if (spec.qk_normalization) {
    ASSIGN_OR_RETURN(attention.q_norm, weights.Norm(names.q_norm, nn::NormKind::kRmsNorm, c, spec.layer_norm_eps));
    ASSIGN_OR_RETURN(attention.k_norm, weights.Norm(names.k_norm, nn::NormKind::kRmsNorm, c, spec.layer_norm_eps));
  }
  ASSIGN_OR_RETURN(attention.out, weights.Linear(names.out, c, c, true));
  layer.mlp.activation = ActivationOf(spec.hidden_act);
  ASSIGN_OR_RETURN(layer.mlp.fc1, weights.Linear(names.fc1, spec.intermediate_size, c, true));
  ASSIGN_OR_RETURN(layer.mlp.fc2, weights.Linear(names.fc2, c, spec.intermediate_size, true));
  if (spec.layer_scale) {
    ASSIGN_OR_RETURN(layer.layer_scale1, weights.Vector(names.scale1, c));
    ASSIGN_OR_RETURN(layer.layer_scale2, weights.Vector(names.scale2, c));
  }
  return layer;
}

}  // namespace

void HiddenStates::Report(ops::Observer& observer, int64_t media_index, int64_t positions, int64_t width) const {
  for (size_t level = 0; level < levels_.size(); ++level) {
    const auto calls = static_cast<int64_t>(levels_[level].size()) / (positions * width);
    observer.OnTensor(StrCat("vision.", media_index, ".hidden.", level), {calls, positions, width}, levels_[level]);
  }
}

StatusOr<VisionEncoder> VisionEncoder::Load(const spec::VisionSpec& spec, Weights& weights) {
  const EmbeddingNames names = NamesOf(spec);
  const int64_t c = spec.hidden_size;
  VisionEncoder encoder;
  encoder.spec_ = spec;
  encoder.patch_embed_.patch = spec.patch_size;
  nn::Linear& proj = encoder.patch_embed_.proj;
  ASSIGN_OR_RETURN(proj.weight, weights.Matrix(names.patch + ".weight", {c, 3, spec.patch_size, spec.patch_size}));
  proj.weight.shape = {c, 3 * spec.patch_size * spec.patch_size};
  if (spec.patch_bias) {
    ASSIGN_OR_RETURN(proj.bias, weights.Vector(names.patch + ".bias", c));
  }
  if (spec.has_class_token) {
    ASSIGN_OR_RETURN(encoder.class_token_, weights.Vector(names.class_token, c));
  }
  ASSIGN_OR_RETURN(encoder.positions_, weights.Table(names.positions, spec.num_positions(), c));
  if (spec.has_pre_layernorm) {
    ASSIGN_OR_RETURN(encoder.pre_norm_, weights.Norm(names.pre_norm, nn::NormKind::kLayerNorm, c, spec.layer_norm_eps));
  }
  for (int64_t i = 0; i < spec.num_layers_run; ++i) {  // layers beyond may be absent: nothing reads them
    ASSIGN_OR_RETURN(encoder.layers_.emplace_back(), LoadLayer(spec, i, weights));
  }
  return encoder;
}

Status VisionEncoder::Encode(const ops::ExecContext& ctx, std::span<const float> pixels, int64_t tiles, View out,
                             HiddenStates* hidden) const {
  const int64_t batch = std::max<int64_t>(1, kRowsPerBatch / spec_.num_positions());
  const auto tile_floats = static_cast<size_t>(3 * spec_.image_size * spec_.image_size);
  for (int64_t tile = 0; tile < tiles; tile += batch) {
    const int64_t count = std::min(batch, tiles - tile);
    const auto these =
        pixels.subspan(static_cast<size_t>(tile) * tile_floats, static_cast<size_t>(count) * tile_floats);
    const View rows = out.Rows(tile * spec_.num_selected(), count * spec_.num_selected());
    RETURN_IF_ERROR(EncodeBatch(ctx, these, count, rows, hidden));
  }
  return OkStatus();
}

Status VisionEncoder::EncodeBatch(const ops::ExecContext& ctx, std::span<const float> pixels, int64_t batch, View out,
                                  HiddenStates* hidden) const {
  const Arena::Scope scope(*ctx.arena);
  const int64_t p = spec_.num_positions();
  const int64_t c = spec_.hidden_size;
  const View h = ops::Scratch(ctx, batch * p, c);
  const auto tile_floats = static_cast<size_t>(3 * spec_.image_size * spec_.image_size);
  for (int64_t tile = 0; tile < batch; ++tile) {
    Embed(ctx, pixels.subspan(static_cast<size_t>(tile) * tile_floats, tile_floats), h.Rows(tile * p, p));
  }
  if (pre_norm_) pre_norm_->Apply(ctx, h, h);
  if (hidden != nullptr) hidden->Add(0, h.span());
  for (size_t i = 0; i < layers_.size(); ++i) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    layers_[i].Apply(ctx, batch, h);
    if (hidden != nullptr) hidden->Add(i + 1, h.span());
  }
  const int64_t kept = spec_.num_selected();
  for (int64_t tile = 0; tile < batch; ++tile) {  // `patch` drops the first token, whatever it is
    ops::Copy(ctx, h.Rows(tile * p + p - kept, kept), out.Rows(tile * kept, kept));
  }
  return OkStatus();
}

void VisionEncoder::Embed(const ops::ExecContext& ctx, std::span<const float> pixels, View h) const {
  const int64_t patches = spec_.grid() * spec_.grid();
  const int64_t class_row = spec_.class_token_last ? patches : 0;
  const int64_t first_patch = spec_.has_class_token && !spec_.class_token_last ? 1 : 0;
  patch_embed_.Apply(ctx, pixels, 1, spec_.image_size, spec_.image_size, h.Rows(first_patch, patches));
  if (spec_.has_class_token) std::ranges::copy(class_token_, h.row(class_row));
  ops::Add(ctx, h, ConstView(positions_, h.rows, h.cols), h);
}

}  // namespace galago::models
