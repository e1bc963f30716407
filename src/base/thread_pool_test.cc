#include "src/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace galago {
namespace {

TEST(ThreadPool, EveryIndexRunsOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (const int64_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
      pool.ParallelFor(count, [&](int64_t i) { runs[static_cast<size_t>(i)].fetch_add(1); });
      for (const auto& n : runs) ASSERT_EQ(n.load(), 1) << threads << " threads, " << count << " items";
    }
  }
}

TEST(ThreadPool, ManyShortLoopsAndSleepsBetweenThem) {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  for (int round = 0; round < 2000; ++round) {
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the workers fall asleep
    pool.ParallelFor(4, [&](int64_t i) { sum += i; });
  }
  EXPECT_EQ(sum.load(), 2000 * 6);
}

TEST(ThreadPool, WritesAreVisibleAfterTheLoop) {
  ThreadPool pool(4);
  std::vector<int64_t> out(10000);  // plain memory: the loop's end must order it
  for (int round = 0; round < 20; ++round) {
    pool.ParallelFor(static_cast<int64_t>(out.size()), [&](int64_t i) { out[static_cast<size_t>(i)] += i; });
  }
  for (size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], 20 * static_cast<int64_t>(i));
}

TEST(ThreadPool, ZeroMeansTheUsableCores) { EXPECT_GE(ThreadPool(0).num_threads(), 1); }

}  // namespace
}  // namespace galago
