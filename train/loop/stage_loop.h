#ifndef GALAGO_TRAIN_LOOP_STAGE_LOOP_H_
#define GALAGO_TRAIN_LOOP_STAGE_LOOP_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/base/thread_pool.h"
#include "train/loop/batch_stream.h"
#include "train/loop/checkpoint.h"
#include "train/loop/metrics.h"
#include "train/loop/recipe.h"
#include "train/modules/vlm.h"
#include "train/ranks/ranks.h"

namespace galago::train {

enum class Stopped { kNo, kInterrupt, kTerminate, kTimeLimit };

// What surrounds a run.
struct Surroundings {
  Ranks& ranks;
  ThreadPool& pool;
  // Set from outside to end the run after the present step, with a checkpoint.
  const std::atomic<Stopped>& stop;
  double time_limit_s = 0.0;  // from `start`; 0: none
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  std::function<void(const StepMetrics&)> on_step;     // rank 0, after each step
  std::function<void(const std::string&)> on_message;  // what a person should know; mostly from rank 0
};

// How the loss is made, of what the tokenizer knows.
struct TokenFacts {
  std::vector<int64_t> time_token_ids;
};

// The stage's loss; the divisor is the caller's.
LossOptions LossOf(const StageConfig& stage, const TokenFacts& tokens);

// Trainable tensors of a model in the order the optimiser and the checkpoints hold them.
std::vector<SavedValues> ValuesOf(std::vector<Parameter>& parameters);

// Sets what is trained and how.
void SetTrainedParts(Vlm& model, const StageConfig& stage);
// What the stage's optimiser works on once that is set, with the rates of each part.
std::vector<TrainedValues> TrainedOf(std::vector<Parameter>& parameters, const StageConfig& stage);

// Trains one stage from `state.step` on. `state` is kept up to date; checkpoints are written where the stage asks for
// them and when the run is stopped. At the end of the stage none is written: the caller exports first.
class StageLoop {
 public:
  StageLoop(Vlm& model, const StageConfig& stage, const TokenFacts& tokens, Surroundings& surroundings)
      : model_(model), stage_(stage), tokens_(tokens), around_(surroundings) {}

  // `resume_from`: a checkpoint within this stage whose optimiser state is taken over.
  StatusOr<Stopped> Run(BatchStream& stream, int64_t num_steps, Checkpoints& checkpoints,
                        const FoundCheckpoint* resume_from, LoopState& state);

 private:
  struct Window;
  StatusOr<Window> TakeWindow(BatchStream& stream) const;
  StatusOr<double> ForwardBackward(const Window& window, int64_t labels_of_step) const;
  Status CollectGradients(ShardedOptimizer& optimizer) const;

  Vlm& model_;
  const StageConfig& stage_;
  const TokenFacts& tokens_;
  Surroundings& around_;
};

// Optimiser steps of a stage: as configured, or what `epochs` make.
int64_t NumSteps(const StageConfig& stage, int64_t steps_per_epoch);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_STAGE_LOOP_H_
