#include "apps/cli/progress.h"

#include <utility>

#include "apps/cli/json_output.h"
#include "src/base/strings.h"

namespace galago::cli {

ProgressMode ResolveProgress(ProgressMode mode, bool is_terminal, LogLevel level) {
  if (mode != ProgressMode::kAuto) return mode;
  if (level == LogLevel::kError) return ProgressMode::kNone;
  return is_terminal ? ProgressMode::kBar : ProgressMode::kPlain;
}

LoadProgress::LoadProgress(Log& log, ProgressMode mode, std::string item, uint64_t total_bytes,
                           std::chrono::milliseconds patience)
    : log_(log), mode_(mode), item_(std::move(item)), total_bytes_(total_bytes) {
  if (mode_ == ProgressMode::kNone) return;
  thread_ = std::thread([this, patience] {
    std::unique_lock lock(mutex_);
    const auto interval =
        mode_ == ProgressMode::kBar ? std::chrono::milliseconds(250) : std::chrono::milliseconds(10'000);
    if (done_changed_.wait_for(lock, patience, [this] { return done_; })) return;
    do {
      Tell(/*last=*/false);
    } while (!done_changed_.wait_for(lock, interval, [this] { return done_; }));
    Tell(/*last=*/true);
  });
}

LoadProgress::~LoadProgress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  done_changed_.notify_one();
  thread_.join();
}

void LoadProgress::Tell(bool last) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  if (mode_ == ProgressMode::kJson) {
    Json line = {
        {"event", "progress"},   {"task", "load"},  {"item", item_},       {"done", last ? Json(total_bytes_) : Json()},
        {"total", total_bytes_}, {"unit", "bytes"}, {"elapsed_s", seconds}};
    log_.Print(StrCat(Dump(line), "\n"));
    return;
  }
  const std::string text = StrCat("loading ", NeutraliseControls(item_), " (", HumanBytes(total_bytes_), "), ",
                                  static_cast<int64_t>(seconds), " s");
  if (mode_ == ProgressMode::kPlain) {
    log_.Print(StrCat(text, last ? ", done\n" : "\n"));
  } else {
    log_.Print(StrCat("\r\x1b[K", last ? "" : text));
  }
}

}  // namespace galago::cli
