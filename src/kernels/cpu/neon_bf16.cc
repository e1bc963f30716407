#include "src/kernels/cpu/gemm-inl.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/vec_neon.h"

namespace galago::kernels::neon_bf16 {
namespace {

// 8 products a step by BFDOT, two to each running sum.
struct Bf16Dot {
  using V = neon::V;
  using AElement = uint16_t;
  using Operand = bfloat16x8_t;
  static constexpr int64_t kStep = 8;
  static constexpr int64_t kWeightSize = 2;
  static Operand LoadA(const AElement* p) { return LoadW(p); }
  static Operand LoadAN(const AElement* p, int64_t) { return LoadW(p); }  // rows are padded
  static Operand LoadW(const void* p) {
    uint16x8_t bits;
    __builtin_memcpy(&bits, p, sizeof(bits));
    return vreinterpretq_bf16_u16(bits);
  }
  static Operand LoadWN(const void* p, int64_t n) {
    uint16x8_t bits = vdupq_n_u16(0);
    __builtin_memcpy(&bits, p, static_cast<unsigned long>(n) * 2);
    return vreinterpretq_bf16_u16(bits);
  }
  static V::F32 MulAdd(Operand a, Operand w, V::F32 sum) { return vbfdotq_f32(sum, a, w); }
};

}  // namespace

void Override(KernelTable& table) { OverrideBf16Gemm<Bf16Dot>(table); }

}  // namespace galago::kernels::neon_bf16
