#ifndef GALAGO_TRAIN_WORLD_TASK_H_
#define GALAGO_TRAIN_WORLD_TASK_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

namespace galago::world {

// Where pictures that are not drawn come from; empty: the places where Debian's packages put them.
struct Assets {
  std::filesystem::path stamps;  // tuxpaint-stamps-default: /usr/share/tuxpaint/stamps
};

// One kind of sample. Immutable and shared by threads: everything drawn comes from `rng`, so a sample is a function of
// its seed alone.
class Task {
 public:
  virtual ~Task() = default;
  virtual std::string_view name() const = 0;
  virtual Sample Draw(Rng& rng, Split split) const = 0;
};

// Names of all tasks in the order they are documented.
std::vector<std::string> TaskNames();
// NotFound names the task, or the package whose pictures it needs.
StatusOr<std::unique_ptr<const Task>> MakeTask(std::string_view name, const Assets& assets = {});

// Sample `index` of a task: the same whatever was drawn before, on any thread.
Sample DrawSample(const Task& task, Split split, uint64_t seed, uint64_t index);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_TASK_H_
