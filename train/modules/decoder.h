#ifndef GALAGO_TRAIN_MODULES_DECODER_H_
#define GALAGO_TRAIN_MODULES_DECODER_H_

#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"
#include "train/modules/blocks.h"
#include "train/modules/weights.h"

namespace galago::train {

struct DecoderLayer {
  Norm input_norm;
  Linear qkv;
  Linear out;
  Norm post_attention_norm;
  Linear gate_up;
  Linear down;

  // `keep` int64 [n]: only these rows go on behind the attention, for the last layer; undefined: all.
  Stream Apply(const Stream& stream, const AttentionPlanPtr& plan, const Tensor& keep, torch::ScalarType type) const;
};

// Llama and Qwen2: pre-norm layers, rotary attention with grouped keys, SwiGLU.
class Decoder {
 public:
  static StatusOr<Decoder> Make(const spec::LanguageModelSpec& spec, ParameterList& list);

  // Segments [cu_seqlens[i], cu_seqlens[i + 1]) do not see each other; positions [N] for the rotary embedding.
  AttentionPlanPtr Plan(std::span<const int32_t> cu_seqlens, std::span<const int32_t> positions) const;
  struct Options {
    torch::ScalarType type = torch::kFloat;
    bool recompute = false;
    Tensor keep;  // as in DecoderLayer::Apply
  };
  // Input embeddings [N, D] f32 -> rows after the final norm, of options.type.
  Tensor operator()(const Tensor& embeddings, const AttentionPlanPtr& plan, const Options& options) const;

  // Rows [n, D] f32 -> the norm behind the last layer, of `type`.
  Tensor FinalNorm(const Tensor& rows, torch::ScalarType type) const { return AddNorm({.rows = rows}, norm_, type).y; }

  const Tensor& table() const { return table_; }
  const Linear& head() const { return head_; }
  std::vector<DecoderLayer>& layers() { return layers_; }
  void Forget() const;

 private:
  spec::LanguageModelSpec spec_;
  Tensor table_;  // [V, D]
  std::vector<DecoderLayer> layers_;
  Norm norm_;
  Linear head_;  // of the table if tied
  std::vector<float> inv_freq_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_DECODER_H_
