#ifndef GALAGO_CLI_PROGRESS_H_
#define GALAGO_CLI_PROGRESS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "apps/cli/console.h"
#include "apps/cli/options.h"

namespace galago::cli {

// `mode` with kAuto resolved: a bar on a terminal, else plain lines; nothing when only errors are wanted.
ProgressMode ResolveProgress(ProgressMode mode, bool is_terminal, LogLevel level);

// Says that loading goes on while it takes longer than `patience`: every quarter second on a terminal, every ten
// seconds in plain and JSON lines, and once at the end.
class LoadProgress {
 public:
  LoadProgress(Log& log, ProgressMode mode, std::string item, uint64_t total_bytes,
               std::chrono::milliseconds patience = std::chrono::seconds(2));
  LoadProgress(const LoadProgress&) = delete;
  LoadProgress& operator=(const LoadProgress&) = delete;
  ~LoadProgress();

 private:
  void Tell(bool last);
  Log& log_;
  const ProgressMode mode_;
  const std::string item_;
  const uint64_t total_bytes_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_PROGRESS_H_
