#include "train/world/plan.h"

#include <algorithm>
#include <charconv>

#include "src/base/strings.h"
#include "train/world/phrases.h"
#include "train/world/task.h"

namespace galago::world {
namespace {

StatusOr<int64_t> ParseCount(std::string_view text, std::string_view what) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > kMaxCount) {
    return InvalidArgument(StrCat("'", Printable(what), "': the count must be a whole number from 1 to ", kMaxCount));
  }
  return value;
}

}  // namespace

StatusOr<Split> ParseSplit(std::string_view text) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    if (text == Name(split)) return split;
  }
  return InvalidArgument(StrCat("'", Printable(text), "' is no split; there are train and heldout"));
}

StatusOr<std::vector<TaskCount>> ParseTasks(std::string_view text, int64_t count) {
  const std::vector<std::string> names = TaskNames();
  std::vector<TaskCount> tasks;
  if (text.empty()) {
    for (const std::string& name : names) tasks.push_back({name, count});
    return tasks;
  }
  for (const std::string& item : galago::Split(text, ',')) {
    const size_t colon = item.find(':');
    TaskCount task = {std::string(Trim(item.substr(0, colon))), count};
    if (std::find(names.begin(), names.end(), task.task) == names.end()) {
      return InvalidArgument(StrCat("'", Printable(task.task), "' is no task of World; there are ", Listed(names)));
    }
    const auto same = [&](const TaskCount& other) { return other.task == task.task; };
    if (std::any_of(tasks.begin(), tasks.end(), same)) {
      return InvalidArgument(StrCat("the task ", task.task, " is named twice"));
    }
    if (colon != std::string::npos) {
      ASSIGN_OR_RETURN(task.count, ParseCount(item.substr(colon + 1), item));
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<TaskCount> EvalTasks() {
  // Samples; the comment says about how many questions they ask.
  return {
      {"scenes", 60},      // 260
      {"things", 60},      // 320
      {"reading", 80},     // 310
      {"documents", 60},   // 280
      {"charts", 60},      // 300
      {"several", 80},     // 260
      {"incontext", 400},  // 400: four in ten with four examples, three in ten with none
      {"video", 60},       // 310
      {"temporal", 130},   // 250
      {"text", 40},        // 80
  };
}

}  // namespace galago::world
