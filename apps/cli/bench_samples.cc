#include "apps/cli/bench_samples.h"

#include <time.h>

#include <algorithm>
#include <cmath>

namespace galago::cli {
namespace {

double ProcessMs() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

}  // namespace

Summary Summarise(std::span<const double> samples) {
  if (samples.empty()) return {};
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  const size_t count = sorted.size(), middle = count / 2;
  const auto rank = static_cast<size_t>(std::ceil(0.95 * static_cast<double>(count)));
  return {.count = count,
          .median = count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
          .p95 = sorted[rank - 1],
          .min = sorted.front(),
          .max = sorted.back()};
}

Stopwatch::Stopwatch() : wall_(std::chrono::steady_clock::now()), cpu_ms_(ProcessMs()) {}

void Stopwatch::Take(Samples& samples) const {
  samples.cpu_ms.push_back(ProcessMs() - cpu_ms_);
  samples.wall_ms.push_back(
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - wall_).count());
}

}  // namespace galago::cli
