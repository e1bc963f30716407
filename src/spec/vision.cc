#include <algorithm>
#include <cctype>

#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

StatusOr<std::string> Architecture(const Config& tower) {
  const Json* list = tower.Find("architectures");
  std::string name;
  if (list != nullptr) {
    if (!list->is_array() || list->empty() || !(*list)[0].is_string()) {
      return DataLoss(StrCat(tower.Name("architectures"), " is not a list of names"));
    }
    name = (*list)[0].get<std::string>();
  } else {  // configs embedded in another one have only this
    ASSIGN_OR_RETURN(name, tower.String("model_type"));
  }
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  // The order of the reference (NVlabs/VILA: llava/model/multimodal_encoder/builder.py).
  for (const std::string_view known : {"intern", "radio", "clip", "siglip"}) {
    if (name.find(known) == std::string::npos) continue;
    if (known == "radio") break;
    return std::string(known == "intern" ? "internvit" : known);
  }
  return Unimplemented(StrCat(tower.what(), ": vision tower \"", Printable(name),
                              "\" is not supported (SigLIP, CLIP and InternViT are)"));
}

StatusOr<Activation> ParseActivation(const Config& tower, std::string_view fallback) {
  ASSIGN_OR_RETURN(const std::string name, tower.StringOr("hidden_act", fallback));
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::kGeluTanh;
  if (name == "gelu") return Activation::kGeluErf;
  if (name == "quick_gelu") return Activation::kQuickGelu;
  if (name == "silu") return Activation::kSilu;
  return Unimplemented(StrCat(tower.Name("hidden_act"), " \"", Printable(name), "\" is not supported"));
}

}  // namespace

Status SelectLayer(VisionSpec& vision, int64_t select_layer, std::string_view what) {
  // Hidden states are numbered 0 (embeddings) to num_hidden_layers; negative numbers count from the end.
  const int64_t index = select_layer < 0 ? vision.num_hidden_layers + 1 + select_layer : select_layer;
  if (index < 0 || index > vision.num_hidden_layers) {
    return DataLoss(StrCat(what, ": mm_vision_select_layer ", select_layer, " does not exist in a tower of ",
                           vision.num_hidden_layers, " layers"));
  }
  vision.num_layers_run = index;
  return OkStatus();
}

StatusOr<VisionSpec> ParseVision(const Config& tower, const Config& model, std::string_view default_feature) {
  VisionSpec spec;
  ASSIGN_OR_RETURN(spec.architecture, Architecture(tower));
  ASSIGN_OR_RETURN(spec.image_size, tower.Int("image_size", 1, kMaxImageSize));
  ASSIGN_OR_RETURN(spec.patch_size, tower.Int("patch_size", 1, kMaxImageSize));
  ASSIGN_OR_RETURN(spec.hidden_size, tower.Int("hidden_size", 1, kMaxWidth));
  ASSIGN_OR_RETURN(spec.intermediate_size, tower.Int("intermediate_size", 1, kMaxFeedForward));
  ASSIGN_OR_RETURN(spec.num_hidden_layers, tower.Int("num_hidden_layers", 1, kMaxLayers));
  ASSIGN_OR_RETURN(spec.num_attention_heads, tower.Int("num_attention_heads", 1, kMaxHeads));
  ASSIGN_OR_RETURN(const int64_t channels, tower.IntOr("num_channels", 3, 1, 1024));
  if (channels != 3) return Unimplemented(StrCat(tower.Name("num_channels"), " is ", channels, ", pictures have 3"));
  if (spec.hidden_size % spec.num_attention_heads != 0) {
    return DataLoss(StrCat(tower.what(), ": hidden_size ", spec.hidden_size,
                           " is not a multiple of num_attention_heads ", spec.num_attention_heads));
  }
  if (spec.patch_size > spec.image_size) {
    return DataLoss(
        StrCat(tower.what(), ": patch_size ", spec.patch_size, " is larger than image_size ", spec.image_size));
  }

  if (spec.architecture == "siglip") {
    ASSIGN_OR_RETURN(spec.hidden_act, ParseActivation(tower, "gelu_pytorch_tanh"));
    ASSIGN_OR_RETURN(spec.layer_norm_eps, tower.PositiveOr("layer_norm_eps", 1e-6));
  } else if (spec.architecture == "clip") {
    ASSIGN_OR_RETURN(spec.hidden_act, ParseActivation(tower, "quick_gelu"));
    ASSIGN_OR_RETURN(spec.layer_norm_eps, tower.PositiveOr("layer_norm_eps", 1e-5));
    spec.has_class_token = true;
    spec.has_pre_layernorm = true;
    spec.patch_bias = false;
  } else {
    ASSIGN_OR_RETURN(const std::string norm, tower.StringOr("norm_type", "rms_norm"));
    if (norm != "rms_norm")
      return Unimplemented(StrCat(tower.Name("norm_type"), " \"", Printable(norm), "\" is not rms_norm"));
    ASSIGN_OR_RETURN(spec.hidden_act, ParseActivation(tower, "gelu"));
    ASSIGN_OR_RETURN(spec.layer_norm_eps, tower.PositiveOr("layer_norm_eps", 1e-6));
    ASSIGN_OR_RETURN(spec.qkv_bias, tower.BoolOr("qkv_bias", false));
    ASSIGN_OR_RETURN(spec.qk_normalization, tower.BoolOr("qk_normalization", true));
    spec.names = VisionNames::kInternVit;
    spec.norm = NormKind::kRmsNorm;
    spec.has_class_token = true;
    spec.fused_qkv = true;
    spec.layer_scale = true;
  }

  ASSIGN_OR_RETURN(const int64_t select_layer, model.IntOr("mm_vision_select_layer", -2, -kMaxLayers, kMaxLayers));
  RETURN_IF_ERROR(SelectLayer(spec, select_layer, model.what()));
  ASSIGN_OR_RETURN(const std::string feature, model.StringOr("mm_vision_select_feature", default_feature));
  if (feature != "patch" && feature != "cls_patch") {
    return Unimplemented(
        StrCat(model.Name("mm_vision_select_feature"), " \"", Printable(feature), "\" is neither patch nor cls_patch"));
  }
  spec.select_feature = feature == "patch" ? SelectFeature::kPatch : SelectFeature::kClsPatch;
  if (spec.num_selected() < 1) return DataLoss(StrCat(model.what(), ": the tower has no feature left to select"));
  return spec;
}

}  // namespace galago::spec
