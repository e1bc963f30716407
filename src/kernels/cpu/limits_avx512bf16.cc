#include <immintrin.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Dot {
  using Register = __m512;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};

}  // namespace

const ArithmeticLoop kAvx512Bf16 = {24 * 32 * 2, Accumulate<Dot, 24>};

}  // namespace galago::kernels::limits
