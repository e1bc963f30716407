#ifndef GALAGO_TRAIN_LOOP_BATCH_STREAM_H_
#define GALAGO_TRAIN_LOOP_BATCH_STREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "galago/status.h"
#include "train/data/sequence.h"
#include "train/loop/recipe.h"

namespace galago::train {

// A stage's data as the loop sees it: micro-batches of this rank, in order. A seam: tests have their own.
class BatchStream {
 public:
  virtual ~BatchStream() = default;
  // Optimiser steps that one epoch makes, the same on all ranks.
  virtual int64_t steps_per_epoch() const = 0;
  // The next micro-batch; epochs follow each other without end. Blocks until it is ready.
  virtual StatusOr<Packed> Next() = 0;
  // What was skipped or cut so far, for people; empty if nothing was.
  virtual std::string Summary() const { return {}; }
};

// The data of a stage from optimiser step `first_step` on.
using MakeStream = std::function<StatusOr<std::unique_ptr<BatchStream>>(const StageConfig& stage, int64_t first_step)>;

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_BATCH_STREAM_H_
