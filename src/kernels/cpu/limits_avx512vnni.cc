#include <immintrin.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Dot {
  using Register = __m512;  // of bytes and sums
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  // GCC 12 copies every sum of _mm512_dpbusd_epi32 through memory in such a loop, which halves the rate.
  static Register Step(Register sum, Register a, Register b) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
  }
};

}  // namespace

const ArithmeticLoop kAvx512Vnni = {24 * 64 * 2, Accumulate<Dot, 24>};

}  // namespace galago::kernels::limits
