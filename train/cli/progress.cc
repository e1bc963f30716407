#include "train/cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace galago::train {
namespace {

constexpr size_t kSteps = 50;  // whose mean is shown

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::Step(const StepMetrics& metrics) {
  if (!last_.empty() && last_.back().stage != metrics.stage) last_.clear();
  last_.push_back(metrics);
  if (last_.size() > kSteps) last_.pop_front();
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000);
  if (metrics.step != metrics.num_steps && metrics.step != 1 && now - shown_ < pause) return;
  shown_ = now;
  double seconds = 0, wait = 0, samples = 0, tokens = 0, loss = 0;
  for (const StepMetrics& step : last_) {
    seconds += step.step_s;
    wait += step.wait_s;
    samples += static_cast<double>(step.samples);
    tokens += static_cast<double>(step.tokens);
    loss += step.loss;
  }
  const auto count = static_cast<double>(last_.size());
  StepMetrics shown = metrics;
  shown.loss = loss / count;
  if (!(seconds > 0)) seconds = 1e-9;
  const std::string line = ProgressLine(shown, samples / seconds, tokens / seconds, wait / seconds,
                                        static_cast<double>(metrics.num_steps - metrics.step) * seconds / count);
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  line_open_ = terminal_;
}

void Progress::Message(const std::string& text) {
  std::fprintf(stderr, "%s%s\n", line_open_ ? "\n" : "", text.c_str());
  line_open_ = false;
}

}  // namespace galago::train
