#include "src/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

namespace galago {

int UsableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

namespace {

void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Decode runs hundreds of short loops per token, and threads of one loop end tens of microseconds apart; one that
// sleeps pays a wake-up, which takes as long in a virtual machine. About 200 us awake bridge both. Where others want
// the cores, though, who waits awake keeps the one it waits for from running: so a wait in vain halves the next ones.
constexpr int kMostSpins = 20000;
constexpr int kLeastSpins = 500;

}  // namespace

template <class Condition>
bool ThreadPool::Patience::Spin(const Condition& condition) {
  for (int spin = 0; spin < spins_; ++spin) {
    if (condition()) {
      spins_ = std::min(2 * spins_, kMostSpins);
      return true;
    }
    Relax();
  }
  spins_ = std::max(spins_ / 2, kLeastSpins);
  return false;
}

ThreadPool::ThreadPool(int num_threads) {
  const int total = num_threads > 0 ? num_threads : UsableCores();
  workers_.reserve(static_cast<size_t>(total - 1));
  try {
    for (int i = 1; i < total; ++i) workers_.emplace_back([this] { Work(); });
  } catch (const std::system_error&) {
    Stop();  // those that did start
    throw;
  }
}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Drain(const std::function<void(int64_t)>& body, int64_t count) {
  for (int64_t i = next_.fetch_add(1); i < count; i = next_.fetch_add(1)) body(i);
}

void ThreadPool::ParallelFor(int64_t count, const std::function<void(int64_t)>& body) {
  if (workers_.empty() || count <= 1) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    count_ = count;
    next_.store(0);
    active_.store(static_cast<int>(workers_.size()));
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  Drain(body, count);
  if (!patience_.Spin([this] { return active_.load() == 0; })) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return active_.load() == 0; });
  }
}

void ThreadPool::Work() {
  uint64_t seen = 0;
  Patience patience;
  for (;;) {
    (void)patience.Spin([&] { return generation_.load() != seen; });
    const std::function<void(int64_t)>* body = nullptr;
    int64_t count = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      seen = generation_.load();
      if (stop_) return;
      body = body_;
      count = count_;
    }
    Drain(*body, count);
    if (active_.fetch_sub(1) == 1) {
      const std::lock_guard lock(mutex_);
      done_.notify_one();
    }
  }
}

}  // namespace galago
