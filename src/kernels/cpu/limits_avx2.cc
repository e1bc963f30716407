#include <immintrin.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Fma {
  using Register = __m256;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) { return _mm256_fmadd_ps(a, b, sum); }
};

// Products of bytes as far as AVX2 has them: pairs to 16 bits, pairs of those to 32, and a sum.
struct ByteDot {
  using Register = __m256i;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  // In one piece, or the compiler takes the products, which stay the same, out of the loop.
  static Register Step(Register sum, Register a, Register b) {
    Register product;
    asm("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
        : "+x"(sum), "=&x"(product)
        : "x"(a), "x"(b), "x"(_mm256_set1_epi16(1)));
    return sum;
  }
};

struct Read {
  using Register = __m256i;
  static Register Load(const Register* p) { return _mm256_load_si256(p); }
  static Register Or(Register a, Register b) { return _mm256_or_si256(a, b); }
  static uint64_t Fold(Register r) {
    return static_cast<uint64_t>(_mm256_extract_epi64(r, 0) | _mm256_extract_epi64(r, 1) | _mm256_extract_epi64(r, 2) |
                                 _mm256_extract_epi64(r, 3));
  }
};

}  // namespace

const ArithmeticLoop kAvx2Fma = {12 * 8 * 2, Accumulate<Fma, 12>};
const ArithmeticLoop kAvx2Bytes = {10 * 32 * 2, Accumulate<ByteDot, 10>};
uint64_t ReadAvx2(const void* data, int64_t num_bytes) noexcept { return ReadAll<Read>(data, num_bytes); }

}  // namespace galago::kernels::limits
