#ifndef GALAGO_CLI_SIGNALS_H_
#define GALAGO_CLI_SIGNALS_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace galago::cli {

// What asked the present answer to stop.
enum class StopCause { kNone, kInterrupt, kTerminate, kDeadline };

// The one switch that ends an answer early, and who flipped it.
class Stop {
 public:
  const std::atomic<bool>& cancel() const { return cancel_; }
  StopCause cause() const { return cause_; }
  // The first cause stays.
  void Request(StopCause cause) {
    StopCause none = StopCause::kNone;
    cause_.compare_exchange_strong(none, cause);
    cancel_ = true;
  }
  void Reset() {
    cancel_ = false;
    cause_ = StopCause::kNone;
  }

 private:
  std::atomic<bool> cancel_ = false;
  std::atomic<StopCause> cause_ = StopCause::kNone;
};

// Marks that an answer is being computed, so that a signal asks it to stop instead of ending the program.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& busy) : busy_(busy) { busy_ = true; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { busy_ = false; }

 private:
  std::atomic<bool>& busy_;
};

// Turns SIGINT and SIGTERM into Stop requests, on a thread of its own that waits for them (no code runs in a handler).
// Make it before any other thread: they inherit the blocked signals. While nothing is being computed, and at the second
// signal, the program ends at once with 130 or 143. Ignores SIGPIPE and SIGXFSZ: failed writes are values here.
class SignalWatcher {
 public:
  explicit SignalWatcher(Stop& stop);
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;
  ~SignalWatcher();

  std::atomic<bool>& busy() { return busy_; }
  // Called right before ending at once: puts a terminal back in order. An empty function removes it.
  void SetBeforeExit(std::function<void()> before_exit);

 private:
  void Watch();
  Stop& stop_;
  std::atomic<bool> busy_ = false;
  std::mutex mutex_;
  std::function<void()> before_exit_;
  int signals_ = -1;  // signalfd
  int quit_ = -1;     // eventfd that ends the thread
  std::thread thread_;
};

// Requests a stop after `seconds`; 0 never does.
class Deadline {
 public:
  Deadline(Stop& stop, double seconds);
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

 private:
  std::mutex mutex_;
  std::condition_variable done_changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_SIGNALS_H_
