#ifndef GALAGO_TRAIN_LOOP_RUN_H_
#define GALAGO_TRAIN_LOOP_RUN_H_

#include <filesystem>
#include <functional>
#include <string>

#include "galago/status.h"
#include "train/loop/batch_stream.h"
#include "train/loop/checkpoint.h"
#include "train/loop/recipe.h"
#include "train/loop/stage_loop.h"
#include "train/modules/vlm.h"

namespace galago::train {

// What a run works on.
struct RunParts {
  Vlm& model;
  TokenFacts tokens;
  MakeStream make_stream;
  // Writes the model as a checkpoint directory, whole or not at all.
  std::function<Status(Vlm& model, const std::filesystem::path& out)> export_model;
};

struct RunPlace {
  std::filesystem::path out;
  int64_t last_stage = 0;  // train up to and with this one, counted from 1; 0: all
};

enum class RunEnd { kFinished, kAlreadyFinished, kInterrupted, kTerminated, kTimeLimit };

// Trains the stages of a recipe one after the other, from where `out` says the run stands:
//   out/recipe.toml              the recipe as it is trained now; recipe-1.toml ...: as it was before it was changed
//   out/metrics.jsonl            a line per optimiser step
//   out/checkpoint-STEP/         checkpoint.h
//   out/stage-N-NAME/            the model after each stage
//   out/model                    link to the last of them, once all are done
StatusOr<RunEnd> Run(const Recipe& recipe, const RunPlace& options, RunParts& parts, Surroundings& around);

// Writes the model of the newest complete checkpoint in `out` to the directory `to`, as the end of a stage would, and
// returns where that checkpoint stands. The run may be going on meanwhile. NotFound: there is no complete checkpoint.
// InvalidArgument: `to` is there already.
StatusOr<LoopState> ExportCheckpoint(const Recipe& recipe, const std::filesystem::path& out, RunParts& parts,
                                     Ranks& ranks, const std::filesystem::path& to);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_RUN_H_
