#ifndef GALAGO_KERNELS_CPU_LIMIT_LOOPS_H_
#define GALAGO_KERNELS_CPU_LIMIT_LOOPS_H_

#include <cstdint>

// Included by objects built for newer instruction sets: plain structs only, as in kernel_table.h.
namespace galago::kernels {

// Multiply-adds on independent sums, enough of them that none waits for another. A multiply-add counts two operations.
struct ArithmeticLoop {
  double operations_per_round;
  // data: kLimitBytes bytes of operands, aligned to 64. sums: kLimitBytes bytes, so that nothing is computed in vain.
  void (*run)(int64_t rounds, const void* data, void* sums) noexcept;
};
constexpr int64_t kLimitBytes = 4096;

// Loads num_bytes (a multiple of kReadBlock) once, from a multiple of 64; the result depends on all of them.
using ReadLoop = uint64_t (*)(const void* data, int64_t num_bytes) noexcept;
constexpr int64_t kReadBlock = 4096;

namespace limits {
uint64_t ReadPlain(const void* data, int64_t num_bytes) noexcept;
extern const ArithmeticLoop kAvx2Fma, kAvx2Bytes, kAvx512Fma, kAvx512Bf16, kAvx512Vnni, kAmxBf16, kAmxInt8;
uint64_t ReadAvx2(const void* data, int64_t num_bytes) noexcept;
uint64_t ReadAvx512(const void* data, int64_t num_bytes) noexcept;
extern const ArithmeticLoop kNeonFma, kNeonDotprod, kNeonI8mm, kNeonBf16;
uint64_t ReadNeon(const void* data, int64_t num_bytes) noexcept;
}  // namespace limits

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_LIMIT_LOOPS_H_
