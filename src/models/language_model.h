#ifndef GALAGO_MODELS_LANGUAGE_MODEL_H_
#define GALAGO_MODELS_LANGUAGE_MODEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "galago/status.h"
#include "src/models/weights.h"
#include "src/nn/decoder.h"
#include "src/spec/model_spec.h"

namespace galago::models {

// A Llama or Qwen2 decoder.
class LanguageModel {
 public:
  static StatusOr<LanguageModel> Load(const spec::LanguageModelSpec& spec, Weights& weights);

  const spec::LanguageModelSpec& spec() const { return spec_; }
  std::span<const nn::DecoderLayer> layers() const { return layers_; }
  std::span<const float> inverse_frequencies() const { return inv_freq_; }
  const TensorView& head() const { return lm_head_.weight; }
  // Of the table of embeddings where it is read one row at a time, that is where the head has a matrix of its own.
  uint64_t embedding_bytes() const { return spec_.tie_word_embeddings ? 0 : embedding_.NumBytes(); }
  // ids [T] -> out [T, D]. InvalidArgument names an id that has no row on disk (media tokens have none).
  Status Embed(const ops::ExecContext& ctx, std::span<const int32_t> ids, ops::View out) const;
  // h [T, D], consumed: see Runner::Forward. Prefill and decode differ in T alone.
  Status Forward(const ops::ExecContext& ctx, ops::View h, int64_t past, const nn::KvView& kv,
                 std::span<float> logits) const;

 private:
  spec::LanguageModelSpec spec_;
  std::vector<float> inv_freq_;  // [H / 2]
  TensorView embedding_;         // [V, D]
  std::vector<nn::DecoderLayer> layers_;
  nn::Norm norm_;
  nn::Linear lm_head_;  // [V, D]; the embedding itself if tied
};

}  // namespace galago::models

#endif  // GALAGO_MODELS_LANGUAGE_MODEL_H_
