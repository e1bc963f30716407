#include <immintrin.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Dot {
  using Register = __m512i;
  static Register Load(const Register* p) { return _mm512_load_si512(p); }
  static void Store(Register* p, Register r) { _mm512_store_si512(p, r); }
  static Register Step(Register sum, Register a, Register b) { return _mm512_dpbusd_epi32(sum, a, b); }
};

}  // namespace

const ArithmeticLoop kAvx512Vnni = {24 * 64 * 2, Accumulate<Dot, 24>};

}  // namespace galago::kernels::limits
