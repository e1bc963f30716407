#ifndef GALAGO_TRAIN_DATA_WORLD_TEXT_H_
#define GALAGO_TRAIN_DATA_WORLD_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "galago/status.h"
#include "train/data/word_counts.h"
#include "train/world/task.h"

namespace galago::train {

struct WorldTextOptions {
  std::vector<std::string> tasks;  // empty: all
  int64_t samples = 2000;          // of each task, of the training split
  uint64_t seed = 1;
  int num_threads = 1;  // no effect on the result
  // Tasks whose answers are copied from pictures, and some words of their questions too.
  std::vector<std::string> read_tasks = {"reading", "documents", "charts"};
  world::Assets assets;
};

// Two groups a task, "TASK questions" and "TASK answers".
StatusOr<std::vector<TextGroup>> CountWorldText(const WorldTextOptions& options);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_WORLD_TEXT_H_
