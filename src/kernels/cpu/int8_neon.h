#ifndef GALAGO_KERNELS_CPU_INT8_NEON_H_
#define GALAGO_KERNELS_CPU_INT8_NEON_H_

#include "src/kernels/cpu/vec_neon.h"

namespace galago::kernels::neon {
namespace {

// What every Int8 policy of panel_gemm-inl.h has on this processor; Dot is the instruction set's. Codes of 4 and 6
// bits are signed bytes too.
struct Int8Base {
  using V = neon::V;
  using Ints = int32x4_t;
  using Bytes = int8x16_t;
  // 4 x 4 sums, 8 vectors of codes, 2 of activations.
  static constexpr int kRows = 4;
  static constexpr int kVecs = 4;
  static constexpr int32_t kOffset = 0;

  static Bytes Load(const void* p) { return vld1q_s8(static_cast<const int8_t*>(p)); }
  static Bytes Low(Bytes b) { return vandq_s8(b, vdupq_n_s8(15)); }
  static Bytes High(Bytes b) { return vreinterpretq_s8_u8(vshrq_n_u8(vreinterpretq_u8_s8(b), 4)); }
  template <int kShift>
  static Bytes WithTop(Bytes nibbles, Bytes top) {
    const uint8x16_t moved = vshlq_u8(vreinterpretq_u8_s8(top), vdupq_n_s8(kShift));
    return vorrq_s8(nibbles, vreinterpretq_s8_u8(vandq_u8(moved, vdupq_n_u8(0x30))));
  }
  static Bytes Signed(Bytes b) { return b; }
  static Bytes Four(const void* p) { return vreinterpretq_s8_s32(Set1(p)); }
  static Ints Zero() { return vdupq_n_s32(0); }
  static Ints Set1(const void* p) {
    int32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof(bytes));
    return vdupq_n_s32(bytes);
  }
  static Ints LoadInts(const void* p) { return vld1q_s32(static_cast<const int32_t*>(p)); }
  static void StoreInts(void* p, Ints x) { vst1q_s32(static_cast<int32_t*>(p), x); }
  static Ints Plus(Ints a, Ints b) { return vaddq_s32(a, b); }
  static void KeepInRegister(Ints& x) { asm("" : "+w"(x)); }
  static V::F32 ToFloat(Ints x) { return vcvtq_f32_s32(x); }
  static void StoreCodes(void* p, V::F32 x) {
    const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(x));
    const int8x8_t bytes = vqmovn_s16(vcombine_s16(words, words));
    __builtin_memcpy(p, &bytes, 4);
  }
};

}  // namespace
}  // namespace galago::kernels::neon

#endif  // GALAGO_KERNELS_CPU_INT8_NEON_H_
