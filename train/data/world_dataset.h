#ifndef GALAGO_TRAIN_DATA_WORLD_DATASET_H_
#define GALAGO_TRAIN_DATA_WORLD_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>

#include "galago/status.h"
#include "train/data/dataset.h"
#include "train/world/task.h"

namespace galago::train {

struct WorldOptions {
  world::Split split = world::Split::kTrain;
  uint64_t seed = 1;
  int64_t count = 0;  // samples: indices [first, first + count) of the task
  int64_t first = 0;
  // Questions about a picture in another order each sample: every kind of question is then asked first at times, which
  // is how evaluation asks it.
  bool shuffle = true;
  // false: what is said alone, without pictures and videos. How a decoder that starts from nothing learns the words
  // before it is shown what they are about.
  bool media = true;
  // Of the task "cells": each row of the picture is to say all of its own cell ("." where nothing is), and no text
  // follows. A tower learns most from this for each picture.
  bool rows = false;
};

// A generated sample as a record: what reading the files of `galago-train world` gives. `sample` is consumed.
StatusOr<Record> WorldRecord(world::Sample sample);

// Samples of one task drawn when asked for, without any file.
std::unique_ptr<const Dataset> MakeWorldDataset(std::unique_ptr<const world::Task> task, const WorldOptions& options);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_WORLD_DATASET_H_
