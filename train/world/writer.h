#ifndef GALAGO_TRAIN_WORLD_WRITER_H_
#define GALAGO_TRAIN_WORLD_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "galago/status.h"
#include "train/world/plan.h"
#include "train/world/task.h"

// World on disk (docs/world.md).
namespace galago::world {

inline constexpr std::string_view kWorldFormat = "galago-world";
inline constexpr int kWorldVersion = 1;  // of the files; what is drawn for a seed may change without it

enum class Layout {
  kFiles,  // TASK.json with pictures/TASK/ and videos/TASK/ beside it
  kShards  // TASK/shard-000000.tar ... with TASK/wids-meta.json
};

struct Progress {
  std::string task;  // the one being written
  int64_t done = 0;  // samples of all tasks
  int64_t total = 0;
  int64_t num_bytes = 0;  // written
};

struct WriteOptions {
  Layout layout = Layout::kFiles;
  int jobs = 0;          // threads; 0: one for each usable core. No effect on the bytes
  bool replace = false;  // an older World directory makes room; nothing else ever does
  Assets assets;
  // Called when each task starts and now and then, on the caller's thread; false stops with Cancelled.
  std::function<bool(const Progress&)> on_progress;
};

struct WriteSummary {
  int64_t num_samples = 0;
  int64_t num_questions = 0;
  int64_t num_bytes = 0;
};

// Draws everything of the plan into `out`. It is written as "OUT.partial" and renamed when whole; on any failure the
// unfinished directory is removed and what stood at `out` before still stands there.
StatusOr<WriteSummary> WriteWorld(const Plan& plan, const std::filesystem::path& out, const WriteOptions& options = {});

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_WRITER_H_
