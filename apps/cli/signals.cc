#include "apps/cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <utility>

#include "apps/cli/exit_codes.h"
#include "src/base/check.h"

namespace galago::cli {

SignalWatcher::SignalWatcher(Stop& stop) : stop_(stop) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  quit_ = ::eventfd(0, EFD_CLOEXEC);
  CHECK(signals_ >= 0 && quit_ >= 0);
  thread_ = std::thread([this] { Watch(); });
}

SignalWatcher::~SignalWatcher() {
  const uint64_t one = 1;
  CHECK_EQ(::write(quit_, &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  thread_.join();
  ::close(signals_);
  ::close(quit_);
}

void SignalWatcher::SetBeforeExit(std::function<void()> before_exit) {
  const std::lock_guard lock(mutex_);
  before_exit_ = std::move(before_exit);
}

void SignalWatcher::Watch() {
  for (;;) {
    std::array<pollfd, 2> fds = {{{signals_, POLLIN, 0}, {quit_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[1].revents != 0) return;
    signalfd_siginfo info = {};
    if (::read(signals_, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) continue;
    const bool interrupt = info.ssi_signo == SIGINT;
    const bool again = stop_.cause() == StopCause::kInterrupt || stop_.cause() == StopCause::kTerminate;
    stop_.Request(interrupt ? StopCause::kInterrupt : StopCause::kTerminate);
    if (busy_ && !again) continue;
    const std::lock_guard lock(mutex_);
    if (before_exit_) before_exit_();
    ::_exit(static_cast<int>(interrupt ? Exit::kInterrupted : Exit::kTerminated));
  }
}

Deadline::Deadline(Stop& stop, double seconds) {
  if (seconds <= 0) return;
  // A wait of a year is as good as none and cannot overflow the clock.
  const std::chrono::duration<double> wait(std::min(seconds, 365.0 * 86400.0));
  thread_ = std::thread([this, &stop, wait] {
    std::unique_lock lock(mutex_);
    if (!done_changed_.wait_for(lock, wait, [this] { return done_; })) stop.Request(StopCause::kDeadline);
  });
}

Deadline::~Deadline() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  done_changed_.notify_one();
  thread_.join();
}

}  // namespace galago::cli
