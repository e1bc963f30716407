#include "src/kernels/cpu/gemm-inl.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/vec_avx512.h"

namespace galago::kernels::avx512bf16 {
namespace {

// 32 products a step, two to each running sum. The instruction takes subnormal operands and results as zero.
struct Bf16Dot {
  using V = avx512::V;
  using AElement = uint16_t;
  using Operand = __m512i;
  static constexpr int64_t kStep = 32;
  static constexpr int64_t kWeightSize = 2;
  static Operand LoadA(const AElement* p) { return _mm512_loadu_si512(p); }
  static Operand LoadAN(const AElement* p, int64_t) { return _mm512_loadu_si512(p); }  // rows are padded
  static Operand LoadW(const void* p) { return _mm512_loadu_si512(p); }
  static Operand LoadWN(const void* p, int64_t n) {
    return _mm512_maskz_loadu_epi16(static_cast<__mmask32>((uint64_t{1} << n) - 1), p);
  }
  static V::F32 MulAdd(Operand a, Operand w, V::F32 sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)w); }
};

}  // namespace

void Override(KernelTable& table) { OverrideBf16Gemm<Bf16Dot>(table); }

}  // namespace galago::kernels::avx512bf16
