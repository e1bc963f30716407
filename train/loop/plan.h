#ifndef GALAGO_TRAIN_LOOP_PLAN_H_
#define GALAGO_TRAIN_LOOP_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "galago/status.h"
#include "train/loop/recipe.h"
#include "train/loop/run.h"
#include "train/ranks/ranks.h"

namespace galago::train {

// What a run would be, found by doing the first micro-batch of every stage without keeping anything of it.
struct StagePlan {
  std::string name;
  int64_t num_steps = 0;
  int64_t trained = 0;  // parameters
  int64_t samples = 0;
  double tokens = 0.0;  // rows of the language model, by the first micro-batches
  double labels = 0.0;
  double state_bytes = 0.0;    // of one rank: gradients and moments
  uint64_t peak_bytes = 0;     // of this process while it trained the micro-batch
  double micro_batch_s = 0.0;  // measured
  double seconds = 0.0;        // of the stage, from that
};

struct RunPlan {
  int64_t vision = 0, projector = 0, language = 0;  // parameters
  std::vector<StagePlan> stages;
};

StatusOr<RunPlan> MakePlan(const Recipe& recipe, RunParts& parts, Ranks& ranks);
std::string PlanText(const RunPlan& plan);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_PLAN_H_
