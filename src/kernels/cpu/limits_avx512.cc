#include <immintrin.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Fma {
  using Register = __m512;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) { return _mm512_fmadd_ps(a, b, sum); }
};

struct Read {
  using Register = __m512i;
  static Register Load(const Register* p) { return _mm512_load_si512(p); }
  static Register Or(Register a, Register b) { return _mm512_or_si512(a, b); }
  static uint64_t Fold(Register r) { return static_cast<uint64_t>(_mm512_reduce_or_epi64(r)); }
};

}  // namespace

const ArithmeticLoop kAvx512Fma = {24 * 16 * 2, Accumulate<Fma, 24>};
uint64_t ReadAvx512(const void* data, int64_t num_bytes) noexcept { return ReadAll<Read>(data, num_bytes); }

}  // namespace galago::kernels::limits
