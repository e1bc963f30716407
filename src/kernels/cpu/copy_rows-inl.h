#ifndef GALAGO_KERNELS_CPU_COPY_ROWS_INL_H_
#define GALAGO_KERNELS_CPU_COPY_ROWS_INL_H_

#include <cstdint>

namespace galago::kernels {

// Copies rows x cols floats; how tiles at the border of c go in and out of a whole one. Inlined into every instruction
// set's own code, so that the linker cannot share one copy.
[[gnu::always_inline]] inline void CopyRows(int64_t rows, int64_t cols, const float* from, int64_t ld_from, float* to,
                                            int64_t ld_to) {
  for (int64_t i = 0; i < rows; ++i) {
    __builtin_memcpy(to + i * ld_to, from + i * ld_from, static_cast<unsigned long>(cols) * sizeof(float));
  }
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_COPY_ROWS_INL_H_
