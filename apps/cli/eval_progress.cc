#include "apps/cli/eval_progress.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/cli/json_output.h"
#include "src/base/strings.h"

namespace galago::cli {

std::string TimeLeftText(double seconds) {
  if (seconds < 100) return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 100 * 60) return fmt::format("{:.0f} min", std::ceil(seconds / 60));
  return fmt::format("{:.1f} h", seconds / 3600);
}

EvalProgress::EvalProgress(Log& log, ProgressMode mode, int64_t total, int64_t known)
    : log_(log), mode_(mode), total_(total), known_(known), done_(known) {}

EvalProgress::~EvalProgress() {
  if (mode_ == ProgressMode::kBar) {
    log_.Print("\r\x1b[K");
  } else if (mode_ != ProgressMode::kNone && done_ > known_) {
    Tell();
  }
}

void EvalProgress::Score(double score) {
  ++scored_;
  score_ += score;
}

void EvalProgress::Add() {
  ++done_;
  if (mode_ == ProgressMode::kNone) return;
  const auto pause = mode_ == ProgressMode::kBar ? std::chrono::milliseconds(250) : std::chrono::milliseconds(10'000);
  if (Clock::now() - told_ < pause) return;
  told_ = Clock::now();
  Tell();
}

double EvalProgress::questions_per_second() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  return seconds > 0 ? static_cast<double>(done_ - known_) / seconds : 0;
}

std::string EvalProgress::Text() const {
  const double speed = questions_per_second();
  const double left = speed > 0 ? static_cast<double>(total_ - done_) / speed : 0;
  return fmt::format("{}/{} questions, {:.1f} % so far, {:.1f} questions/s, {} left", done_, total_, Percent(), speed,
                     TimeLeftText(left));
}

void EvalProgress::Tell() {
  if (mode_ == ProgressMode::kJson) {
    const Json line = {{"event", "progress"}, {"task", "eval"},      {"done", done_},
                       {"total", total_},     {"unit", "questions"}, {"rate", questions_per_second()},
                       {"score", Percent()}};
    log_.Print(StrCat(Dump(line), "\n"));
  } else {
    log_.Print(mode_ == ProgressMode::kBar ? StrCat("\r\x1b[K", Text()) : StrCat(Text(), "\n"));
  }
}

}  // namespace galago::cli
