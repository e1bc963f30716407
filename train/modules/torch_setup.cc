#include "train/modules/torch_setup.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>

#include "src/base/thread_pool.h"

namespace galago::train {
namespace {

constexpr char kStarted[] = "GALAGO_TRAIN_ENVIRONMENT";  // set in the second start, so that there is no third

void SetIfUnset(const char* name, const char* value) { ::setenv(name, value, /*overwrite=*/0); }

}  // namespace

void SetUpTorchEnvironment(char** argv) {
  // Large blocks stay with the process: a step asks for the same ones again and again.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  if (std::getenv(kStarted) != nullptr) return;
  ::setenv(kStarted, "1", 1);
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    SetIfUnset("OPENBLAS_CORETYPE", "SkylakeX");
    SetIfUnset("ATEN_CPU_CAPABILITY", "avx512");
  } else if (__builtin_cpu_supports("avx2")) {
    SetIfUnset("OPENBLAS_CORETYPE", "Haswell");
  }
#endif
  SetIfUnset("OMP_WAIT_POLICY", "passive");
  SetIfUnset("GOMP_SPINCOUNT", "0");
  ::execv("/proc/self/exe", argv);
  // It could not be started again (no /proc): slower, and right all the same.
}

void SetTorchThreads(int num_threads) { at::set_num_threads(num_threads > 0 ? num_threads : UsableCores()); }

}  // namespace galago::train
