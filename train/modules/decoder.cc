#include "train/modules/decoder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/base/strings.h"

namespace galago::train {
namespace {

// initializer_range of every published config.
constexpr double kInitializerRange = 0.02;

StatusOr<DecoderLayer> MakeLayer(const spec::LanguageModelSpec& spec, int64_t index, ParameterList& list) {
  const std::string at = StrCat(spec.prefix, "model.layers.", index, ".");
  const ParameterList::LinearInitial initial = {.weight = Normal(kInitializerRange)};
  const int64_t d = spec.hidden_size;
  const int64_t q_width = spec.num_attention_heads * spec.head_dim;
  const int64_t kv_width = spec.num_key_value_heads * spec.head_dim;
  DecoderLayer layer;
  ASSIGN_OR_RETURN(layer.input_norm, list.TakeNorm(at + "input_layernorm", RowNorm::kRmsNorm, d, spec.rms_norm_eps));
  ASSIGN_OR_RETURN(layer.qkv, list.TakeLinears({{at + "self_attn.q_proj", q_width},
                                                {at + "self_attn.k_proj", kv_width},
                                                {at + "self_attn.v_proj", kv_width}},
                                               d, spec.attention_bias, initial));
  ASSIGN_OR_RETURN(layer.out, list.TakeLinear(at + "self_attn.o_proj", d, q_width, false, initial));
  ASSIGN_OR_RETURN(layer.post_attention_norm,
                   list.TakeNorm(at + "post_attention_layernorm", RowNorm::kRmsNorm, d, spec.rms_norm_eps));
  ASSIGN_OR_RETURN(layer.gate_up, list.TakeLinears({{at + "mlp.gate_proj", spec.intermediate_size},
                                                    {at + "mlp.up_proj", spec.intermediate_size}},
                                                   d, false, initial));
  ASSIGN_OR_RETURN(layer.down, list.TakeLinear(at + "mlp.down_proj", d, spec.intermediate_size, false, initial));
  return layer;
}

// transformers: modeling_rope_utils.py; float32 as there.
std::vector<float> InverseFrequencies(const spec::LanguageModelSpec& spec) {
  std::vector<float> inv_freq;
  for (int64_t i = 0; i < spec.head_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(spec.head_dim);
    inv_freq.push_back(1.0f / std::pow(static_cast<float>(spec.rope_theta), exponent));
  }
  if (const auto* linear = std::get_if<spec::LinearRopeScaling>(&spec.rope_scaling)) {
    for (float& f : inv_freq) f /= static_cast<float>(linear->factor);
  } else if (const auto* llama3 = std::get_if<spec::Llama3RopeScaling>(&spec.rope_scaling)) {
    const auto original = static_cast<double>(llama3->original_max_position_embeddings);
    for (float& f : inv_freq) {
      const double wavelength = 2.0 * std::numbers::pi / f;
      const double slowed = f / llama3->factor;
      const double smooth = std::clamp(
          (original / wavelength - llama3->low_freq_factor) / (llama3->high_freq_factor - llama3->low_freq_factor), 0.0,
          1.0);
      f = static_cast<float>((1.0 - smooth) * slowed + smooth * f);
    }
  }
  return inv_freq;
}

}  // namespace

Stream DecoderLayer::Apply(const Stream& stream, const AttentionPlanPtr& plan, const Tensor& keep,
                           torch::ScalarType type) const {
  const Normed attended = AddNorm(stream, input_norm, type);
  Tensor values = Attention(qkv(attended.y), qkv.bias(), plan);
  Stream after = attended.stream;
  if (keep.defined()) {
    values = values.index_select(0, keep);
    after = Select(after, keep);
  }
  after.delta = out(values);
  const Normed fed = AddNorm(after, post_attention_norm, type);
  return {.rows = fed.stream.rows, .delta = down(SwiGlu(gate_up(fed.y)))};
}

StatusOr<Decoder> Decoder::Make(const spec::LanguageModelSpec& spec, ParameterList& list) {
  if (spec.names != spec::LanguageNames::kHf || spec.rope_layout != spec::RopeLayout::kHalfSplit) {
    return Unimplemented("language models in GGUF cannot be trained");
  }
  Decoder decoder;
  decoder.spec_ = spec;
  list.Begin(Part::kLanguage);
  const Initial initial = Normal(kInitializerRange);
  ASSIGN_OR_RETURN(decoder.table_,
                   list.Take(spec.prefix + "model.embed_tokens.weight", {spec.vocab_size, spec.hidden_size}, initial,
                             ParameterList::Role::kWeight));
  for (int64_t i = 0; i < spec.num_hidden_layers; ++i) {
    ASSIGN_OR_RETURN(decoder.layers_.emplace_back(), MakeLayer(spec, i, list));
  }
  ASSIGN_OR_RETURN(decoder.norm_,
                   list.TakeNorm(spec.prefix + "model.norm", RowNorm::kRmsNorm, spec.hidden_size, spec.rms_norm_eps));
  if (spec.tie_word_embeddings) {
    decoder.head_ = Linear({decoder.table_});
  } else {
    ASSIGN_OR_RETURN(decoder.head_, list.TakeHead(spec.prefix + "lm_head", spec.vocab_size, spec.hidden_size, initial));
  }
  decoder.inv_freq_ = InverseFrequencies(spec);
  return decoder;
}

AttentionPlanPtr Decoder::Plan(std::span<const int32_t> cu_seqlens, std::span<const int32_t> positions) const {
  auto plan = c10::make_intrusive<AttentionPlan>();
  plan->rows = static_cast<int64_t>(positions.size());
  plan->heads = spec_.num_attention_heads;
  plan->kv_heads = spec_.num_key_value_heads;
  plan->head_dim = spec_.head_dim;
  plan->causal = true;
  plan->groups = GroupSegments(cu_seqlens);
  plan->positions.assign(positions.begin(), positions.end());
  int32_t last = 0;
  for (const int32_t position : positions) {
    CHECK_GE(position, 0);
    last = std::max(last, position);
  }
  const auto half = static_cast<int64_t>(inv_freq_.size());
  plan->cosines = at::empty({last + 1, half}, at::TensorOptions(at::kFloat));
  plan->sines = at::empty({last + 1, half}, at::TensorOptions(at::kFloat));
  float* cosine = plan->cosines.data_ptr<float>();
  float* sine = plan->sines.data_ptr<float>();
  for (int64_t position = 0; position <= last; ++position) {
    for (const float f : inv_freq_) {
      const float angle = static_cast<float>(position) * f;
      *cosine++ = std::cos(angle);
      *sine++ = std::sin(angle);
    }
  }
  return plan;
}

Tensor Decoder::operator()(const Tensor& embeddings, const AttentionPlanPtr& plan, const Options& options) const {
  Stream stream = {.rows = embeddings};
  for (size_t i = 0; i < layers_.size(); ++i) {
    const DecoderLayer& layer = layers_[i];
    const Tensor keep = i + 1 == layers_.size() ? options.keep : Tensor();
    if (options.recompute) {
      stream = {.rows = Recompute(Settle(stream), [&layer, plan, keep, type = options.type](const Tensor& rows) {
                  return Settle(layer.Apply({.rows = rows}, plan, keep, type));
                })};
    } else {
      stream = layer.Apply(stream, plan, keep, options.type);
    }
  }
  return AddNorm(stream, norm_, options.type).y;
}

void Decoder::Forget() const {
  for (const DecoderLayer& layer : layers_) {
    for (const Linear* linear : {&layer.qkv, &layer.out, &layer.gate_up, &layer.down}) linear->Forget();
  }
  head_.Forget();
}

}  // namespace galago::train
