#ifndef GALAGO_BASE_THREAD_POOL_H_
#define GALAGO_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace galago {

// Cores this process may run on.
int UsableCores();

// A fixed set of workers for data-parallel loops. One caller at a time; the caller works too.
class ThreadPool {
 public:
  // num_threads counts the caller: 1 starts no worker. 0 means one per usable core. Throws std::system_error where the
  // system has no more threads.
  explicit ThreadPool(int num_threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(i) once for every i in [0, count), in any order, on any thread; returns when all are done. body must not
  // throw and must not call ParallelFor.
  void ParallelFor(int64_t count, const std::function<void(int64_t)>& body);

 private:
  // How long a thread waits awake before it sleeps: the longer, the better it paid lately.
  class Patience {
   public:
    // False: in vain.
    template <class Condition>
    bool Spin(const Condition& condition);

   private:
    int spins_ = 2000;  // about 20 us
  };

  void Work();
  void Stop();
  void Drain(const std::function<void(int64_t)>& body, int64_t count);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t count_ = 0;
  std::atomic<int64_t> next_ = 0;
  std::atomic<uint64_t> generation_ = 0;
  std::atomic<int> active_ = 0;
  bool stop_ = false;
  Patience patience_;  // the caller's
  std::vector<std::thread> workers_;
};

}  // namespace galago

#endif  // GALAGO_BASE_THREAD_POOL_H_
