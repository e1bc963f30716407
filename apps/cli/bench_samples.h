#ifndef GALAGO_CLI_BENCH_SAMPLES_H_
#define GALAGO_CLI_BENCH_SAMPLES_H_

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

namespace galago::cli {

// Of the numbers at hand; no distribution is assumed.
struct Summary {
  size_t count = 0;
  double median = 0, p95 = 0, min = 0, max = 0;
  bool operator==(const Summary&) const = default;
};

// All zero for no samples. The median of an even number is the mean of the two in the middle; p95 is the least sample
// that 95 % of all do not exceed.
Summary Summarise(std::span<const double> samples);

// Times of one piece of work, repeated: by the clock on the wall, and of processors summed over threads. Where others
// compute, too, the first is longer than the work takes, the second hardly.
struct Samples {
  std::vector<double> wall_ms, cpu_ms;
};

// Adds the time from its making to Take() to samples.
class Stopwatch {
 public:
  Stopwatch();
  void Take(Samples& samples) const;

 private:
  std::chrono::steady_clock::time_point wall_;
  double cpu_ms_;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_BENCH_SAMPLES_H_
