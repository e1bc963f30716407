#ifndef GALAGO_TRAIN_CLI_STOP_SIGNALS_H_
#define GALAGO_TRAIN_CLI_STOP_SIGNALS_H_

#include <atomic>
#include <thread>

#include "train/loop/stage_loop.h"

namespace galago::train {

// Turns SIGINT and SIGTERM into a request to stop after the present step, on a thread of its own that waits for them;
// the second one ends the program at once. Make it before any other thread: they inherit the blocked signals. Ignores
// SIGXFSZ and SIGPIPE: failed writes are values here.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  const std::atomic<Stopped>& stop() const { return stop_; }

 private:
  void Watch();
  std::atomic<Stopped> stop_ = Stopped::kNo;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_STOP_SIGNALS_H_
