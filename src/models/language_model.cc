#include "src/models/language_model.h"

#include <cmath>

#include "src/base/strings.h"
#include "src/nn/rope.h"
#include "src/ops/embedding.h"

namespace galago::models {
namespace {

using ops::ExecContext;
using ops::View;

struct LayerNames {
  std::string input_norm, q, k, v, out, post_attention_norm, gate, up, down;
};
LayerNames NamesOf(const spec::LanguageModelSpec& spec, int64_t layer) {
  if (spec.names == spec::LanguageNames::kGguf) {
    const std::string at = StrCat("blk.", layer, ".");
    return {at + "attn_norm", at + "attn_q",   at + "attn_k", at + "attn_v",  at + "attn_output",
            at + "ffn_norm",  at + "ffn_gate", at + "ffn_up", at + "ffn_down"};
  }
  const std::string at = StrCat(spec.prefix, "model.layers.", layer, ".");
  return {at + "input_layernorm",  at + "self_attn.q_proj", at + "self_attn.k_proj",
          at + "self_attn.v_proj", at + "self_attn.o_proj", at + "post_attention_layernorm",
          at + "mlp.gate_proj",    at + "mlp.up_proj",      at + "mlp.down_proj"};
}

StatusOr<nn::DecoderLayer> LoadLayer(const spec::LanguageModelSpec& spec, int64_t index, Weights& weights) {
  const LayerNames names = NamesOf(spec, index);
  const int64_t d = spec.hidden_size;
  const int64_t f = spec.intermediate_size;
  const int64_t q_width = spec.num_attention_heads * spec.head_dim;
  const int64_t kv_width = spec.num_key_value_heads * spec.head_dim;
  nn::DecoderLayer layer;
  ASSIGN_OR_RETURN(layer.input_norm, weights.Norm(names.input_norm, nn::NormKind::kRmsNorm, d, spec.rms_norm_eps));
  nn::DecoderAttention& attention = layer.attention;
  ASSIGN_OR_RETURN(attention.q, weights.Linear(names.q, q_width, d, spec.attention_bias));
  ASSIGN_OR_RETURN(attention.k, weights.Linear(names.k, kv_width, d, spec.attention_bias));
  ASSIGN_OR_RETURN(attention.v, weights.Linear(names.v, kv_width, d, spec.attention_bias));
  ASSIGN_OR_RETURN(attention.out, weights.Linear(names.out, d, q_width, false));
  attention.heads = spec.num_attention_heads;
  attention.kv_heads = spec.num_key_value_heads;
  attention.head_dim = spec.head_dim;
  attention.rope_pairs =
      spec.rope_layout == spec::RopeLayout::kHalfSplit ? ops::RopePairs::kHalfSplit : ops::RopePairs::kInterleaved;
  ASSIGN_OR_RETURN(layer.post_attention_norm,
                   weights.Norm(names.post_attention_norm, nn::NormKind::kRmsNorm, d, spec.rms_norm_eps));
  ASSIGN_OR_RETURN(layer.mlp.gate, weights.Linear(names.gate, f, d, false));
  ASSIGN_OR_RETURN(layer.mlp.up, weights.Linear(names.up, f, d, false));
  ASSIGN_OR_RETURN(layer.mlp.down, weights.Linear(names.down, d, f, false));
  return layer;
}

// rotary_emb.inv_freq of old checkpoints is rounded to their type and never read.
StatusOr<std::vector<float>> InverseFrequencies(const spec::LanguageModelSpec& spec, Weights& weights) {
  std::vector<float> inv_freq = nn::RopeInverseFrequencies(spec.rope_theta, spec.head_dim);
  if (const auto* linear = std::get_if<spec::LinearRopeScaling>(&spec.rope_scaling)) {
    nn::ScaleRopeLinear(linear->factor, inv_freq);
  } else if (const auto* llama3 = std::get_if<spec::Llama3RopeScaling>(&spec.rope_scaling)) {
    nn::ScaleRopeLlama3({.factor = llama3->factor,
                         .low_freq_factor = llama3->low_freq_factor,
                         .high_freq_factor = llama3->high_freq_factor,
                         .original_max_position_embeddings = llama3->original_max_position_embeddings},
                        inv_freq);
  } else if (std::holds_alternative<spec::RopeFrequencyFactors>(spec.rope_scaling)) {
    ASSIGN_OR_RETURN(const std::span<const float> factors, weights.Vector("rope_freqs.weight", spec.head_dim / 2));
    for (size_t i = 0; i < factors.size(); ++i) {
      if (!(factors[i] > 0.0f) || !std::isfinite(factors[i])) {
        return DataLoss(StrCat("rope_freqs.weight: element ", i, " is ", factors[i], ", expected a number above 0"));
      }
      inv_freq[i] /= factors[i];
    }
  }
  return inv_freq;
}

}  // namespace

StatusOr<LanguageModel> LanguageModel::Load(const spec::LanguageModelSpec& spec, Weights& weights) {
  const bool gguf = spec.names == spec::LanguageNames::kGguf;
  const int64_t d = spec.hidden_size;
  LanguageModel model;
  model.spec_ = spec;
  ASSIGN_OR_RETURN(
      model.embedding_,
      weights.Matrix(gguf ? "token_embd.weight" : spec.prefix + "model.embed_tokens.weight", {spec.vocab_size, d}));
  for (int64_t i = 0; i < spec.num_hidden_layers; ++i) {
    ASSIGN_OR_RETURN(model.layers_.emplace_back(), LoadLayer(spec, i, weights));
  }
  ASSIGN_OR_RETURN(model.norm_, weights.Norm(gguf ? "output_norm" : spec.prefix + "model.norm", nn::NormKind::kRmsNorm,
                                             d, spec.rms_norm_eps));
  if (spec.tie_word_embeddings) {
    model.lm_head_.weight = model.embedding_;
  } else {
    ASSIGN_OR_RETURN(model.lm_head_,
                     weights.Linear(gguf ? "output" : spec.prefix + "lm_head", spec.vocab_size, d, false));
  }
  ASSIGN_OR_RETURN(model.inv_freq_, InverseFrequencies(spec, weights));
  return model;
}

Status LanguageModel::Embed(const ExecContext& ctx, std::span<const int32_t> ids, View out) const {
  for (const int32_t id : ids) {
    if (id < 0 || id >= spec_.vocab_size) {
      return InvalidArgument(StrCat("token ", id, " has no embedding: the table has ", spec_.vocab_size, " rows"));
    }
  }
  ops::Gather(ctx, embedding_, ids, out);
  return OkStatus();
}

Status LanguageModel::Forward(const ExecContext& ctx, View h, int64_t past, const nn::KvView& kv,
                              std::span<float> logits) const {
  CHECK_EQ(kv.num_kv_heads, spec_.num_key_value_heads);
  CHECK_EQ(kv.head_dim, spec_.head_dim);
  CHECK_EQ(kv.layers.size(), layers_.size());
  if (past + h.rows > kv.capacity) {
    return OutOfRange(StrCat("positions up to ", past + h.rows, " do not fit the context of ", kv.capacity));
  }
  const Arena::Scope scope(*ctx.arena);
  const ops::RopeTable rope = ops::MakeRopeTable(ctx, inv_freq_, past, h.rows);
  const auto report = [&ctx, h](size_t level) {
    if (ctx.observer != nullptr) ctx.observer->OnTensor(StrCat("lm.hidden.", level), {h.rows, h.cols}, h.span());
  };
  report(0);
  for (size_t i = 0; i < layers_.size(); ++i) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    layers_[i].Apply(ctx, rope, kv.Layer(static_cast<int64_t>(i)), past, h);
    report(i + 1);
  }
  if (logits.empty()) return OkStatus();
  const int64_t wanted = static_cast<int64_t>(logits.size()) / spec_.vocab_size;
  CHECK(wanted <= h.rows && static_cast<int64_t>(logits.size()) == wanted * spec_.vocab_size);
  const View last = h.Rows(h.rows - wanted, wanted);
  norm_.Apply(ctx, last, last);
  lm_head_.Apply(ctx, last, View(logits, wanted, spec_.vocab_size));
  if (ctx.observer != nullptr) {
    ctx.observer->OnTensor("lm.logits", {spec_.vocab_size}, logits.last(static_cast<size_t>(spec_.vocab_size)));
  }
  return OkStatus();
}

}  // namespace galago::models
