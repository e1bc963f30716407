#ifndef GALAGO_CLI_EVAL_PROGRESS_H_
#define GALAGO_CLI_EVAL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "apps/cli/console.h"
#include "apps/cli/options.h"

namespace galago::cli {

// "45 s", "12 min", "1.5 h".
std::string TimeLeftText(double seconds);

// How an evaluation comes on: answered, score so far, speed, time left. On a terminal one line, renewed four times a
// second; plain and JSON lines every ten seconds and at the end.
class EvalProgress {
 public:
  // `known` answers were there before and cost no time.
  EvalProgress(Log& log, ProgressMode mode, int64_t total, int64_t known);
  EvalProgress(const EvalProgress&) = delete;
  EvalProgress& operator=(const EvalProgress&) = delete;
  ~EvalProgress();

  // One more question is answered.
  void Add();
  // The score (0 to 1) of an answer that counts, new or known.
  void Score(double score);
  double questions_per_second() const;

 private:
  using Clock = std::chrono::steady_clock;
  void Tell();
  std::string Text() const;
  double Percent() const { return scored_ > 0 ? 100 * score_ / static_cast<double>(scored_) : 0; }
  Log& log_;
  const ProgressMode mode_;
  const int64_t total_, known_;
  int64_t done_;
  int64_t scored_ = 0;
  double score_ = 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point told_ = begin_;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_EVAL_PROGRESS_H_
