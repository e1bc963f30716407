#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

StatusOr<RopeScaling> ParseRopeScaling(const Config& config) {
  if (!config.Has("rope_scaling")) return RopeScaling();
  ASSIGN_OR_RETURN(const Config scaling, config.Sub("rope_scaling"));
  ASSIGN_OR_RETURN(const std::string old_name, scaling.StringOr("type", "default"));
  ASSIGN_OR_RETURN(const std::string type, scaling.StringOr("rope_type", old_name));
  if (type == "default") return RopeScaling();
  if (type == "linear") {
    LinearRopeScaling linear;
    ASSIGN_OR_RETURN(linear.factor, scaling.PositiveOr("factor", 1.0));
    return RopeScaling(linear);
  }
  if (type == "llama3") {
    Llama3RopeScaling llama3;
    if (!scaling.Has("factor")) return scaling.Missing("factor");
    ASSIGN_OR_RETURN(llama3.factor, scaling.PositiveOr("factor", 1.0));
    ASSIGN_OR_RETURN(llama3.low_freq_factor, scaling.PositiveOr("low_freq_factor", 1.0));
    ASSIGN_OR_RETURN(llama3.high_freq_factor, scaling.PositiveOr("high_freq_factor", 4.0));
    ASSIGN_OR_RETURN(llama3.original_max_position_embeddings,
                     scaling.Int("original_max_position_embeddings", 1, kMaxPositions));
    if (!(llama3.high_freq_factor > llama3.low_freq_factor)) {
      return DataLoss(StrCat(scaling.what(), ": high_freq_factor is ", llama3.high_freq_factor,
                             ", it must exceed low_freq_factor ", llama3.low_freq_factor));
    }
    return RopeScaling(llama3);
  }
  return Unimplemented(StrCat(scaling.what(), ": type \"", Printable(type), "\" is not supported"));
}

Status RefuseTrue(const Config& config, std::string_view key) {
  ASSIGN_OR_RETURN(const bool value, config.BoolOr(key, false));
  if (value) return Unimplemented(StrCat(config.Name(key), " true is not supported"));
  return OkStatus();
}

}  // namespace

StatusOr<LanguageModelSpec> ParseLanguage(const Config& config, std::vector<std::string>& notes) {
  LanguageModelSpec spec;
  ASSIGN_OR_RETURN(spec.model_type, config.String("model_type"));
  if (spec.model_type == "mobilevlm") spec.model_type = "llama";
  if (spec.model_type != "llama" && spec.model_type != "qwen2") {
    return Unimplemented(StrCat(config.Name("model_type"), " \"", Printable(spec.model_type),
                                "\" is not a language model we run (llama, qwen2)"));
  }
  const bool qwen2 = spec.model_type == "qwen2";
  ASSIGN_OR_RETURN(const std::string act, config.StringOr("hidden_act", "silu"));
  if (act != "silu") return Unimplemented(StrCat(config.Name("hidden_act"), " \"", Printable(act), "\" is not silu"));
  RETURN_IF_ERROR(RefuseTrue(config, "use_sliding_window"));
  RETURN_IF_ERROR(RefuseTrue(config, "mlp_bias"));
  if (!qwen2) RETURN_IF_ERROR(RefuseTrue(config, "attention_bias"));  // it would give o_proj a bias as well

  ASSIGN_OR_RETURN(spec.hidden_size, config.Int("hidden_size", 1, kMaxWidth));
  ASSIGN_OR_RETURN(spec.intermediate_size, config.Int("intermediate_size", 1, kMaxFeedForward));
  ASSIGN_OR_RETURN(spec.num_hidden_layers, config.Int("num_hidden_layers", 1, kMaxLayers));
  // The 3B MobileVLM configs also carry n_head, n_query_groups, ... of another trainer, with wrong values: never read.
  ASSIGN_OR_RETURN(spec.num_attention_heads, config.Int("num_attention_heads", 1, kMaxHeads));
  ASSIGN_OR_RETURN(spec.num_key_value_heads,
                   config.IntOr("num_key_value_heads", spec.num_attention_heads, 1, kMaxHeads));
  if (!config.Has("head_dim") && spec.hidden_size % spec.num_attention_heads != 0) {
    return DataLoss(StrCat(config.what(), ": hidden_size ", spec.hidden_size,
                           " is not a multiple of num_attention_heads ", spec.num_attention_heads));
  }
  ASSIGN_OR_RETURN(spec.head_dim, config.IntOr("head_dim", spec.hidden_size / spec.num_attention_heads, 1, kMaxWidth));
  if (spec.head_dim % 2 != 0) {
    return DataLoss(
        StrCat(config.what(), ": a head has ", spec.head_dim, " channels, rotary positions need an even number"));
  }
  if (spec.head_dim * spec.num_attention_heads > kMaxWidth) {
    return DataLoss(StrCat(config.what(), ": ", spec.num_attention_heads, " heads of ", spec.head_dim,
                           " channels exceed the limit of ", kMaxWidth));
  }
  if (spec.num_attention_heads % spec.num_key_value_heads != 0) {
    return DataLoss(StrCat(config.what(), ": num_attention_heads ", spec.num_attention_heads,
                           " is not a multiple of num_key_value_heads ", spec.num_key_value_heads));
  }
  ASSIGN_OR_RETURN(spec.vocab_size, config.Int("vocab_size", 1, kMaxVocab));
  ASSIGN_OR_RETURN(spec.max_position_embeddings,
                   config.IntOr("max_position_embeddings", qwen2 ? 32768 : 2048, 1, kMaxPositions));
  if (!config.Has("rms_norm_eps")) notes.push_back(StrCat(config.what(), ": no rms_norm_eps, 1e-6 assumed"));
  ASSIGN_OR_RETURN(spec.rms_norm_eps, config.PositiveOr("rms_norm_eps", 1e-6));
  ASSIGN_OR_RETURN(spec.rope_theta, config.PositiveOr("rope_theta", 10000.0));
  ASSIGN_OR_RETURN(spec.rope_scaling, ParseRopeScaling(config));
  ASSIGN_OR_RETURN(spec.tie_word_embeddings, config.BoolOr("tie_word_embeddings", false));
  spec.attention_bias = qwen2;
  return spec;
}

}  // namespace galago::spec
