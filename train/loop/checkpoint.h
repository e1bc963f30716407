#ifndef GALAGO_TRAIN_LOOP_CHECKPOINT_H_
#define GALAGO_TRAIN_LOOP_CHECKPOINT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "galago/status.h"
#include "train/loop/optimizer.h"
#include "train/ranks/ranks.h"

// OUT/checkpoint-STEP holds all that a run needs to go on:
//   model.safetensors                      float32 master values under the checkpoint's own names
//   optimizer-RANK-of-RANKS.safetensors    each rank's slice of both moments (Muon's: of the first); metadata
//                                          "manifest" is a JSON list of {param, offset, length, moments, dtype} in the
//                                          order the elements lie there, so any number of ranks can read it
//   state.json                             where the loop stands, and the size of every other file; written last
// It is written as tmp-checkpoint-STEP and renamed. STEP counts the optimiser steps of all stages.
namespace galago::train {

// Where the loop stands: at the beginning of step `step` of stage `stage`.
struct LoopState {
  int64_t stage = 0;  // counted from 0; the number of stages when the run is finished
  std::string stage_name;
  int64_t step = 0;         // within the stage
  int64_t global_step = 0;  // over all stages
  int64_t samples = 0;      // sequences of this stage seen by all ranks
  double elapsed_s = 0.0;   // of training, over all starts
  int64_t seed = 0;
};

// A parameter to be saved or restored.
struct SavedValues {
  std::string name;
  std::vector<int64_t> shape;
  std::span<float> values;
};

struct FoundCheckpoint {
  std::filesystem::path path;
  LoopState state;
};

class Checkpoints {
 public:
  // `keep` newest ones stay.
  Checkpoints(std::filesystem::path out, int64_t keep, Ranks& ranks)
      : out_(std::move(out)), keep_(keep), ranks_(ranks) {}

  // Called by all ranks; all get the same outcome. Without an optimiser its state is left out (between stages). After a
  // failure nothing half-written stays and older checkpoints are untouched.
  Status Save(const LoopState& state, std::span<const SavedValues> model, ShardedOptimizer* optimizer);

  // The newest complete one. Incomplete ones that are newer are described in `passed_over`, one sentence each.
  StatusOr<std::optional<FoundCheckpoint>> FindNewest(std::vector<std::string>& passed_over) const;

  Status LoadModel(const FoundCheckpoint& checkpoint, std::span<const SavedValues> model) const;
  Status LoadOptimizer(const FoundCheckpoint& checkpoint, ShardedOptimizer& optimizer) const;

 private:
  Status WriteShard(const std::filesystem::path& folder, ShardedOptimizer& optimizer) const;
  Status WriteRest(const std::filesystem::path& folder, const LoopState& state,
                   std::span<const SavedValues> model) const;
  void RemoveOld() const;

  std::filesystem::path out_;
  int64_t keep_;
  Ranks& ranks_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_CHECKPOINT_H_
