#ifndef GALAGO_TRAIN_WORLD_PLAN_H_
#define GALAGO_TRAIN_WORLD_PLAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "train/world/sample.h"

// Which samples a World directory holds.
namespace galago::world {

struct TaskCount {
  std::string task;
  int64_t count = 0;  // samples, from index 0
  bool operator==(const TaskCount&) const = default;
};

struct Plan {
  Split split = Split::kTrain;
  uint64_t seed = 1;
  std::vector<TaskCount> tasks;  // each once
};

inline constexpr int64_t kMaxCount = 10'000'000;  // of one task: file names have room, and no typing error fills a disk

// "train" or "heldout".
StatusOr<Split> ParseSplit(std::string_view text);

// "scenes,things:200": tasks with their own counts, or `count`. Empty: all tasks. InvalidArgument names what is wrong.
StatusOr<std::vector<TaskCount>> ParseTasks(std::string_view text, int64_t count);

// The evaluation set: every task that asks questions, in proportions of more than 2,000 questions.
std::vector<TaskCount> EvalTasks();

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_PLAN_H_
