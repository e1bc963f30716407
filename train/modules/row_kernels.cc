#include "train/modules/row_kernels.h"

namespace galago::train {

const RowKernelTable& RowKernelsHere() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq")) {
    return kRowKernelsAvx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kRowKernelsAvx2;
#endif
  return kRowKernelsBase;
}

}  // namespace galago::train
