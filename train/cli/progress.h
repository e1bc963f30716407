#ifndef GALAGO_TRAIN_CLI_PROGRESS_H_
#define GALAGO_TRAIN_CLI_PROGRESS_H_

#include <chrono>
#include <deque>
#include <string>

#include "train/loop/metrics.h"

namespace galago::train {

// The line a person watches, on standard error: rewritten in place on a terminal, else a new one every ten seconds.
class Progress {
 public:
  Progress();
  void Step(const StepMetrics& metrics);
  void Message(const std::string& text);

 private:
  const bool terminal_;
  std::deque<StepMetrics> last_;
  std::chrono::steady_clock::time_point shown_{};
  bool line_open_ = false;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_PROGRESS_H_
