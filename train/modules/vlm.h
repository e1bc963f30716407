#ifndef GALAGO_TRAIN_MODULES_VLM_H_
#define GALAGO_TRAIN_MODULES_VLM_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"
#include "train/data/sequence.h"
#include "train/modules/torch.h"

namespace galago::train {

enum class Part { kVision, kProjector, kLanguage };
std::string_view Name(Part part);

// A tensor of the checkpoint. `name` is the checkpoint's, with the folder of its part in front where parts have
// folders: "llm/model.layers.0.mlp.up_proj.weight". Adapters are named as PEFT names them:
// "llm/base_model.model.model.layers.0.mlp.up_proj.lora_A.weight".
struct Parameter {
  std::string name;
  Part part = Part::kLanguage;
  torch::Tensor value;     // float32 leaf: the master copy; requires_grad says whether it is trained
  bool decays = true;      // false for norms and biases
  bool is_hidden = false;  // a weight [out, in] between two activations: no table, head, convolution or adapter
  bool is_norm = false;
  bool is_lora = false;
};

enum class Precision { kF32, kBf16 };

// What of a part is trained.
enum class Tune {
  kAll,
  kNorms  // its norms alone
};

struct RunOptions {
  Precision precision = Precision::kBf16;  // of products and activations; sums, norms, softmax and loss are float32
  bool recompute_vision = false;           // layers' activations are computed again in the backward pass
  bool recompute_language = false;
  // Which parts build a graph. A part that is not trained runs without one where nothing before it is. With adapters,
  // `train_language` is about them: the weights below are frozen.
  bool train_vision = true;
  bool train_projector = true;
  bool train_language = true;
  Tune tune_vision = Tune::kAll;
};

struct LossOptions {
  // Loss = sum over labels of -log p / divisor: N_tok of the whole optimiser step (all micro-batches, all ranks).
  double divisor = 1.0;
  // Smoothed targets among the time tokens; 0: hard targets everywhere.
  double soft_ce_std = 0.0;
  std::vector<int64_t> time_token_ids;  // consecutive
  // Adds the loss, with this weight, of what visual rows are themselves to say (Packed::row_labels), read off where
  // they enter the decoder: the final norm and the head, nothing between. It draws a visual token to the words for what
  // it shows, so that a name asked for can be compared with it. What parts of a cell hold is read off here alone, each
  // part off the row turned by the part's share of its width, and added on top: the divisor does not count it.
  double row_input_weight = 0.0;
};

// Low-rank adapters on every Linear of the decoder's layers: y = W x + alpha / rank * B A x.
struct LoraOptions {
  int64_t rank = 16;
  double alpha = 16.0;
  uint64_t seed = 0;  // of A; B starts at zero
};

// A vision-language model with gradients, from the same spec as the engine's. Not thread-safe.
class Vlm {
 public:
  // Random weights as the reference initialises them, from `seed` alone.
  static StatusOr<std::unique_ptr<Vlm>> Init(const spec::ModelSpec& spec, uint64_t seed);
  // The weights of the checkpoint the spec was parsed from.
  static StatusOr<std::unique_ptr<Vlm>> Load(const spec::ModelSpec& spec);
  virtual ~Vlm() = default;

  virtual const spec::ModelSpec& spec() const = 0;
  // In a fixed order: vision, projector, language, adapters. Values may be changed in place (the optimiser does), after
  // which WeightsChanged must be called: rounded copies are kept for the products.
  virtual std::vector<Parameter>& parameters() = 0;
  // Tensors of the checkpoint that the forward pass never reads (layers behind the selected one); exported as they are.
  virtual const std::vector<Parameter>& unused() const = 0;
  virtual void WeightsChanged() = 0;
  // Sets requires_grad of all parameters, too; gradients of those no longer trained are dropped.
  virtual void SetOptions(const RunOptions& options) = 0;
  // Ids of the text embedded around pictures and frames ("\n" after each): what the tokenizer makes of the spec's
  // framing strings. To be set before a forward pass with media.
  virtual void SetFraming(std::vector<int32_t> start, std::vector<int32_t> end, std::vector<int32_t> sep) = 0;

  // Adds adapters at the end of parameters(). InvalidArgument if there are some already or the rank makes no sense.
  virtual Status AddLora(const LoraOptions& options) = 0;
  // Adds their product to the weights and removes them.
  virtual void MergeLora() = 0;

  // Rows of the last layer after the final norm, [N, D], with a graph.
  virtual torch::Tensor Hidden(const Packed& batch) = 0;
  // Scalar float32 with a graph; zero for a batch without labels.
  virtual torch::Tensor Loss(const Packed& batch, const LossOptions& options) = 0;
  // -log p of the labels, [N] float32: summed at the row that is to say them, 0 elsewhere; without a graph, undivided.
  virtual torch::Tensor RowLosses(const Packed& batch, const LossOptions& options) = 0;
  // [N, V] float32, without a graph: for tests and checks.
  virtual torch::Tensor Logits(const Packed& batch) = 0;
};

// Operations of all matrix products since the process began, attention and recomputation included, padding too.
int64_t ProductOperations();

// Writes the model in its checkpoint's layout (for NVILA the published sub-folders llm/, vision_tower/,
// mm_projector/), weights in bf16 or f32. `configs` is the directory whose JSON and tokenizer files are copied beside
// the weights. Everything is written to OUT.partial, which then takes the place of `out`. An existing `out` is replaced
// only if it is empty or holds a model (config.json). InvalidArgument with adapters: merge them first.
Status Export(Vlm& model, const std::filesystem::path& configs, const std::filesystem::path& out, Precision precision);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_VLM_H_
