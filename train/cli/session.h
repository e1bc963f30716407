#ifndef GALAGO_TRAIN_CLI_SESSION_H_
#define GALAGO_TRAIN_CLI_SESSION_H_

#include <chrono>
#include <memory>

#include "galago/status.h"
#include "src/base/thread_pool.h"
#include "train/cli/flags.h"
#include "train/cli/progress.h"
#include "train/cli/stop_signals.h"
#include "train/loop/run.h"
#include "train/ranks/ranks.h"

namespace galago::train {

// Options that every command that trains has.
struct SessionFlags {
  int64_t threads = 0;
  double time_limit_min = 0.0;
};
void AddSessionFlags(Usage& usage, SessionFlags& flags);

// The process around a training command: its signals, its ranks, its threads, what it prints.
class Session {
 public:
  static StatusOr<std::unique_ptr<Session>> Begin(const SessionFlags& flags);

  Ranks& ranks() { return *ranks_; }
  // Runs the recipe with progress, metrics and report; returns the exit code.
  int Train(const Recipe& recipe, const RunPlace& place, RunParts& parts);
  // Prints the failure with this rank's number and ends the other ranks.
  int Fail(const Status& status, Exit code);

 private:
  Session() = default;
  StopSignals signals_;  // first: the threads of all others inherit its mask
  SessionFlags flags_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::unique_ptr<Ranks> ranks_;
  std::unique_ptr<ThreadPool> pool_;
  Progress progress_;
};

// The code of a failure while the model is read: 4 for a model that is missing or damaged.
Exit ModelExit(const Status& status);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_SESSION_H_
