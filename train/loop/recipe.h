#ifndef GALAGO_TRAIN_LOOP_RECIPE_H_
#define GALAGO_TRAIN_LOOP_RECIPE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "galago/status.h"

// A recipe is one complete configuration of a run under version control: recipe.toml (docs/training.md lists its keys).
// It may derive from another one (`base = "../other.toml"`) by assignments: tables are merged key by key, everything
// else replaces what the base said.
namespace galago::train {

enum class ComputePrecision { kF32, kBf16 };
enum class LossNorm {
  kTokenGlobal,       // every label token of the step counts the same, wherever it lies
  kMeanPerMicrobatch  // mean over each micro-batch, then over micro-batches and ranks (VILA-1.5, MobileVLM)
};

enum class OptimizerKind {
  kAdamW,
  kMuon  // for the weights of hidden linear layers; AdamW for tables, head, convolutions, norms and biases
};

// How pictures and videos are cut up in a stage; unset: as the model's own configuration says.
struct MediaConfig {
  std::optional<std::string> image_aspect_ratio;  // "resize", "dynamic", ...
  std::optional<int64_t> max_tiles;
  std::optional<int64_t> num_video_frames;
};

// Key names are those of the fields.
struct StageConfig {
  std::string name;
  bool tune_vision = false;  // key tune_vision: true, false or "norms"
  bool vision_norms_only = false;
  bool tune_projector = false;
  bool tune_llm = false;
  double lr = 0.0;
  std::optional<double> lr_vision;
  std::optional<double> lr_projector;
  int64_t global_batch = 0;  // sequences of one optimiser step over all ranks
  int64_t micro_batch = 0;   // sequences of one forward pass of one rank
  double warmup_ratio = 0.03;
  double decay_ratio = 0.0;   // 0: a cosine after the warm-up; else the peak until this last part of the steps
  double min_lr_ratio = 0.0;  // the rate ends at peak * min_lr_ratio
  double weight_decay = 0.0;
  OptimizerKind optimizer = OptimizerKind::kAdamW;
  double muon_momentum = 0.95;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double max_grad_norm = 0.0;  // 0: gradients are not clipped
  double epochs = 1.0;
  int64_t steps = 0;  // 0: as many as `epochs` make
  int64_t max_length = 0;
  std::string mixture;
  ComputePrecision precision = ComputePrecision::kBf16;
  double soft_ce_std = 0.0;
  double row_input_weight = 0.0;  // LossOptions
  LossNorm loss_norm = LossNorm::kTokenGlobal;
  bool recompute_vision = false;
  bool recompute_llm = false;
  int64_t save_every = 0;  // steps between checkpoints; 0: only at the end of the stage
  MediaConfig media;

  int64_t Accumulation(int world_size) const { return global_batch / (micro_batch * world_size); }
};

enum class Start {
  kAuto,        // from the weights in `start` if there are any, else from random ones
  kScratch,     // random weights
  kCheckpoint,  // the weights in `start`
};

struct Recipe {
  std::string name;            // of the folder if the file does not say
  std::filesystem::path file;  // recipe.toml itself
  int64_t seed = 1;            // of everything drawn: weights, order of samples

  // [model]
  std::filesystem::path start;  // a checkpoint directory, or its JSON and tokenizer files alone
  Start init = Start::kAuto;

  // [data]
  std::vector<std::filesystem::path> registries;
  std::string registry_text;           // a registry that no file holds; not a key
  std::filesystem::path slices;        // folder of lists of pruned records; may be empty
  int64_t workers = 1;                 // threads that prepare micro-batches
  int64_t prefetch = 8;                // micro-batches kept ready
  std::string on_bad_record = "fail";  // "fail", "skip", "resample": counted and named in any case

  // [save]
  int64_t keep = 2;  // checkpoints kept
  ComputePrecision export_precision = ComputePrecision::kBf16;

  std::vector<StageConfig> stages;  // in the order of `stages = [...]`
  std::string text;                 // the merged recipe as TOML, for the record
};

// Reads recipe.toml; `path` may be its folder. `assignments` are "key=value" with dotted keys ("stage.align.lr=1e-3"),
// applied last. Paths in a file are relative to that file, in an assignment to the working directory. Unknown keys are
// InvalidArgument with the nearest known one.
StatusOr<Recipe> LoadRecipe(const std::filesystem::path& path, std::span<const std::string> assignments = {});

// The same from text, as if read from `file`.
StatusOr<Recipe> ParseRecipe(std::string_view text, const std::filesystem::path& file,
                             std::span<const std::string> assignments = {});

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_RECIPE_H_
