#include "train/modules/torch_setup.h"

#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/modules/torch.h"

extern "C" __attribute__((weak)) int mallctl(const char* name, void* old_value, size_t* old_length, void* new_value,
                                             size_t new_length);

namespace galago::train {
namespace {

constexpr const char* kDone = "GALAGO_TORCH_PREPARED";

// Read when the libraries are loaded, long before main.
bool SetMissing(const char* name, const char* value) {
  if (std::getenv(name) != nullptr) return false;
  return setenv(name, value, 0) == 0;
}

bool HasAvx512() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

int ProcessorsHere() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return CPU_COUNT(&set);
}

}  // namespace

void PrepareProcess(char** argv) {
  // Activations are tens of megabytes and live for moments: keep their memory instead of asking for zeroed pages anew.
  // This is for glibc's allocator (bench/train_bench); jemalloc is told by KeepFreeMemory.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  mallopt(M_TOP_PAD, 64 << 20);
  // ATen's own kernels choose AVX2 unless told otherwise (it reads this at its first call).
  if (HasAvx512()) SetMissing("ATEN_CPU_CAPABILITY", "avx512");
  if (std::getenv(kDone) != nullptr) return;
  // OpenBLAS up to 0.3.24 takes newer processors for a Prescott; any value makes it look again
  // (OpenMathLib/OpenBLAS#4267). Waiting threads must sleep: spinning ones starve the loader and other programs.
  bool changed = SetMissing("OPENBLAS_CORETYPE", __builtin_cpu_supports("avx512f") ? "SkylakeX" : "Haswell");
  changed = SetMissing("OMP_WAIT_POLICY", "passive") || changed;
  if (!changed) return;
  setenv(kDone, "1", 1);
  execv("/proc/self/exe", argv);  // returns only if it could not; then it runs as it is, slower
}

void KeepFreeMemory() {
  if (mallctl == nullptr) return;
  unsigned arenas = 0;
  size_t length = sizeof(arenas);
  CHECK_EQ(mallctl("arenas.narenas", &arenas, &length, nullptr, 0), 0);
  ssize_t never = -1;
  for (const char* pages : {"dirty", "muzzy"}) {
    CHECK_EQ(mallctl(StrCat("arenas.", pages, "_decay_ms").c_str(), nullptr, nullptr, &never, sizeof(never)), 0);
    // One that nobody has used yet refuses, and starts with the value above.
    for (unsigned i = 0; i < arenas; ++i) {
      mallctl(StrCat("arena.", i, ".", pages, "_decay_ms").c_str(), nullptr, nullptr, &never, sizeof(never));
    }
  }
}

void ReturnFreeMemory() {
  if (mallctl == nullptr) return;
  // "arena.4096" stands for all of them (jemalloc(3), MALLCTL_ARENAS_ALL).
  CHECK_EQ(mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0), 0);
}

bool HasBf16Products() { return HasAvx512(); }

void UseThreads(int threads) { at::set_num_threads(threads > 0 ? threads : ProcessorsHere()); }

}  // namespace galago::train
