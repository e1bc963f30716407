#include "src/kernels/limits.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <system_error>

#include "galago/bench.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"

namespace galago {
namespace {

double ThreadSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Calls work(i) on as many threads as the pool has, all at once; the sum of what they return.
double Together(ThreadPool& pool, const std::function<double(int64_t)>& work) {
  const int64_t count = pool.num_threads();
  std::vector<double> rates(static_cast<size_t>(count));
  std::atomic<int64_t> arrived = 0;
  pool.ParallelFor(count, [&](int64_t i) {
    // Nobody leaves before everybody has come, so no thread takes two shares.
    arrived.fetch_add(1);
    while (arrived.load() < count) {
    }
    rates[static_cast<size_t>(i)] = work(i);
  });
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

// Pages of the process's own, huge ones where the system gives them.
class Pages {
 public:
  static StatusOr<Pages> Create(uint64_t num_bytes) {
    Pages pages;
    void* data = ::mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return ResourceExhausted(StrCat("no memory for reading ", HumanBytes(num_bytes)));
    ::madvise(data, num_bytes, MADV_HUGEPAGE);
    pages.data_ = {static_cast<std::byte*>(data), Unmap{num_bytes}};
    return pages;
  }
  std::byte* data() const { return data_.get(); }

 private:
  struct Unmap {
    uint64_t num_bytes;
    void operator()(std::byte* data) const { ::munmap(data, num_bytes); }
  };
  std::unique_ptr<std::byte[], Unmap> data_{nullptr, Unmap{0}};
};

// 1, 2, 4, ... below the number of cores, and that number.
std::vector<int> ThreadCounts() {
  const int cores = UsableCores();
  std::vector<int> counts;
  for (int threads = 1; threads < cores; threads *= 2) counts.push_back(threads);
  counts.push_back(cores);
  return counts;
}

class Measurement {
 public:
  Measurement(const LimitOptions& options, ThreadPool& pool) : options_(options), pool_(pool) {}

  // `share(i)` does thread i's part of a repeat once and returns its rate.
  StatusOr<MachineLimit> Repeat(std::string_view name, std::string_view isa,
                                const std::function<double(int64_t)>& share) {
    std::vector<double> rates;
    for (int i = 0; i < options_.repeats; ++i) {
      if (options_.cancel != nullptr && *options_.cancel) return Cancelled("stopped while limits were measured");
      rates.push_back(Together(pool_, share));
    }
    std::ranges::sort(rates);
    const size_t middle = rates.size() / 2;
    return MachineLimit{.name = std::string(name),
                        .isa = std::string(isa),
                        .threads = pool_.num_threads(),
                        .median = rates.size() % 2 == 1 ? rates[middle] : (rates[middle - 1] + rates[middle]) / 2,
                        .best = rates.back()};
  }

  StatusOr<MachineLimit> Arithmetic(const kernels::ArithmeticLimit& limit) {
    struct alignas(64) Operands {
      std::byte bytes[kernels::kLimitBytes];
    };
    const float one = 1.0f;
    auto data = std::make_unique<Operands>();
    for (size_t i = 0; i < sizeof(Operands); i += sizeof(one)) std::memcpy(data->bytes + i, &one, sizeof(one));
    const auto time = [&](int64_t rounds) {
      Operands sums;
      const double start = ThreadSeconds();
      limit.loop.run(rounds, data->bytes, sums.bytes);
      return ThreadSeconds() - start;
    };
    int64_t rounds = 1024;
    while (time(rounds) < 1e-3) rounds *= 2;
    rounds = std::max(rounds, static_cast<int64_t>(static_cast<double>(rounds) * options_.seconds / time(rounds)));
    return Repeat(limit.name, limit.isa, [&](int64_t) {
      return static_cast<double>(rounds) * limit.loop.operations_per_round / time(rounds);
    });
  }

  StatusOr<MachineLimit> DramRead(const kernels::ReadLimit& limit, const Pages& pages) {
    const int64_t share =
        static_cast<int64_t>(options_.dram_bytes) / pool_.num_threads() / kernels::kReadBlock * kernels::kReadBlock;
    std::vector<uint64_t> seen(static_cast<size_t>(pool_.num_threads()));
    return Repeat("dram_read", limit.isa, [&](int64_t i) {
      const std::byte* begin = pages.data() + i * share;
      const double start = ThreadSeconds();
      double seconds = 0, bytes = 0;
      while (seconds < options_.seconds) {
        seen[static_cast<size_t>(i)] |= limit.loop(begin, share);
        bytes += static_cast<double>(share);
        seconds = ThreadSeconds() - start;
      }
      return bytes / seconds;
    });
  }

 private:
  const LimitOptions& options_;
  ThreadPool& pool_;
};

Status Check(const LimitOptions& options) {
  for (const int threads : options.threads) {
    if (threads < 1 || threads > 1024) return InvalidArgument(StrCat(threads, " threads, expected 1 to 1024"));
    if (options.dram_bytes / static_cast<uint64_t>(threads) < (uint64_t{1} << 20)) {
      return InvalidArgument(StrCat("reading ", options.dram_bytes, " bytes is too little for ", threads, " threads"));
    }
  }
  if (options.repeats < 1) return InvalidArgument(StrCat(options.repeats, " repeats, expected 1 or more"));
  if (!(options.seconds > 0)) return InvalidArgument(StrCat(options.seconds, " seconds, expected more than 0"));
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<MachineLimit>> MeasureLimits(const LimitOptions& given) {
  LimitOptions options = given;
  if (options.threads.empty()) options.threads = ThreadCounts();
  RETURN_IF_ERROR(Check(options));
  const kernels::CpuFeatures features = kernels::DetectCpuFeatures();  // before threads start: AMX asks the system
  const std::vector<kernels::ArithmeticLimit> arithmetic = kernels::ArithmeticLimits(features);
  const kernels::ReadLimit read = kernels::WidestRead(features);
  ASSIGN_OR_RETURN(const Pages pages, Pages::Create(options.dram_bytes));
  std::memset(pages.data(), 1, options.dram_bytes);
  std::vector<MachineLimit> limits;
  try {
    for (const int threads : options.threads) {
      ThreadPool pool(threads);
      Measurement measurement(options, pool);
      ASSIGN_OR_RETURN(limits.emplace_back(), measurement.DramRead(read, pages));
      for (const kernels::ArithmeticLimit& limit : arithmetic) {
        ASSIGN_OR_RETURN(limits.emplace_back(), measurement.Arithmetic(limit));
      }
    }
  } catch (const std::system_error& error) {
    return ResourceExhausted(StrCat("cannot start the threads asked for: ", error.what()));
  }
  return limits;
}

}  // namespace galago
