#include "train/cli/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>

#include "train/cli/flags.h"

namespace galago::train {
namespace {

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = Watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { Watch(); });
}

StopSignals::~StopSignals() {
  done_ = true;
  thread_.join();
}

void StopSignals::Watch() {
  const sigset_t set = Watched();
  while (!done_) {
    const timespec wait = {.tv_sec = 0, .tv_nsec = 100'000'000};
    const int signal = ::sigtimedwait(&set, nullptr, &wait);
    if (signal <= 0) continue;
    if (stop_ != Stopped::kNo) {
      std::fprintf(stderr, "\nended at once; the last checkpoint stays\n");
      ::_exit(static_cast<int>(signal == SIGINT ? Exit::kInterrupted : Exit::kTerminated));
    }
    std::fprintf(stderr, "\nstopping after this step, with a checkpoint (once more: at once)\n");
    stop_ = signal == SIGINT ? Stopped::kInterrupt : Stopped::kTerminate;
  }
}

}  // namespace galago::train
