#ifndef GALAGO_KERNELS_CPU_VEC_NEON_H_
#define GALAGO_KERNELS_CPU_VEC_NEON_H_

#include <arm_neon.h>

#include <cstdint>

#include "src/kernels/kernel_table.h"

// The vector type of AArch64's Advanced SIMD. Operations as in vec_avx512.h.
namespace galago::kernels::neon {
// Unnamed on purpose: every object has copies of its own, so the linker cannot hand code compiled for one instruction
// set to callers of another.
namespace {

struct V {
  using F32 = float32x4_t;
  static constexpr int64_t kLanes = 4;
  // 6 x 4 accumulators, 6 operands and one more fit 32 registers.
  static constexpr int kTileRows = 6;
  // As in vec_avx512.h.
  static constexpr int64_t kMaxKBlock = 2048;
  static constexpr int64_t kBlockCols = 128;
  static constexpr int kTileVecs = 4;

  static F32 Zero() { return vdupq_n_f32(0.0f); }
  static F32 Set1(float x) { return vdupq_n_f32(x); }
  static F32 Load(const float* p) { return vld1q_f32(p); }
  static F32 LoadN(const float* p, int64_t n) { return LoadAsN<FloatType::kF32>(p, n); }
  static void Store(float* p, F32 x) { vst1q_f32(p, x); }
  static void StoreN(float* p, F32 x, int64_t n) { StoreAsN<FloatType::kF32>(p, x, n); }

  static F32 Add(F32 a, F32 b) { return vaddq_f32(a, b); }
  static F32 Sub(F32 a, F32 b) { return vsubq_f32(a, b); }
  static F32 Mul(F32 a, F32 b) { return vmulq_f32(a, b); }
  static F32 Div(F32 a, F32 b) { return vdivq_f32(a, b); }
  static F32 MulAdd(F32 a, F32 b, F32 c) { return vfmaq_f32(c, a, b); }
  static F32 NegMulAdd(F32 a, F32 b, F32 c) { return vfmsq_f32(c, a, b); }
  static F32 Max(F32 a, F32 b) { return vmaxq_f32(a, b); }
  static F32 Min(F32 a, F32 b) { return vminq_f32(a, b); }
  static F32 Sqrt(F32 x) { return vsqrtq_f32(x); }
  static F32 Abs(F32 x) { return vabsq_f32(x); }
  static F32 Round(F32 x) { return vrndnq_f32(x); }
  // n in [-126, 128]: 2^128 is no float, so one factor of two is applied apart.
  static F32 ScaleByPow2(F32 x, F32 n) {
    const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(126));
    return Mul(Mul(x, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23))), Set1(2.0f));
  }
  static F32 IfLess(F32 a, F32 b, F32 yes, F32 no) { return vbslq_f32(vcltq_f32(a, b), yes, no); }

  template <FloatType kType>
  static F32 LoadAs(const void* p) {
    if constexpr (kType == FloatType::kF32) {
      F32 x;
      __builtin_memcpy(&x, p, sizeof(x));
      return x;
    } else {
      uint16x4_t bits;
      __builtin_memcpy(&bits, p, sizeof(bits));
      return Widen<kType>(bits);
    }
  }
  template <FloatType kType>
  static F32 LoadAsN(const void* p, int64_t n) {
    if constexpr (kType == FloatType::kF32) {
      F32 x = Zero();
      __builtin_memcpy(&x, p, static_cast<unsigned long>(n) * 4);
      return x;
    } else {
      uint16x4_t bits = vdup_n_u16(0);
      __builtin_memcpy(&bits, p, static_cast<unsigned long>(n) * 2);
      return Widen<kType>(bits);
    }
  }
  template <FloatType kType>
  static void StoreAs(void* p, F32 x) {
    StoreAsN<kType>(p, x, kLanes);
  }
  template <FloatType kType>
  static void StoreAsN(void* p, F32 x, int64_t n) {
    if constexpr (kType == FloatType::kF32) {
      __builtin_memcpy(p, &x, static_cast<unsigned long>(n) * 4);
    } else {
      const uint16x4_t bits = Narrow<kType>(x);
      __builtin_memcpy(p, &bits, static_cast<unsigned long>(n) * 2);
    }
  }

  template <int kShift>
  static F32 Nibble(const void* p) {
    const uint32x4_t words = vld1q_u32(static_cast<const uint32_t*>(p));
    return vcvtq_f32_u32(vandq_u32(vshlq_u32(words, vdupq_n_s32(-kShift)), vdupq_n_u32(15)));
  }
  // Signed codes of six bits: nibbles from kShift on, the bits above them from kTopShift on.
  template <int kShift, int kTopShift>
  static F32 SixBits(const void* nibbles, const void* top) {
    const auto bits = [](const void* p, int shift, uint32_t mask) {
      return vandq_u32(vshlq_u32(vld1q_u32(static_cast<const uint32_t*>(p)), vdupq_n_s32(-shift)), vdupq_n_u32(mask));
    };
    const uint32x4_t code = vorrq_u32(bits(nibbles, kShift, 15), vshlq_n_u32(bits(top, kTopShift, 3), 4));
    return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(code), vdupq_n_s32(32)));
  }
  template <int kShift>
  static F32 SignedByte(const void* p) {
    const int32x4_t words = vld1q_s32(static_cast<const int32_t*>(p));
    return vcvtq_f32_s32(vshrq_n_s32(vshlq_n_s32(words, 24 - kShift), 24));
  }

  static float Sum(F32 x) { return vgetq_lane_f32(Sum4(x, x, x, x), 0); }
  static F32 MaxMagnitude(F32 m, F32 x) {
    return vreinterpretq_f32_s32(vmaxq_s32(vreinterpretq_s32_f32(m), vreinterpretq_s32_f32(Abs(x))));
  }
  static float ReduceMagnitude(F32 m) { return __builtin_bit_cast(float, vmaxvq_s32(vreinterpretq_s32_f32(m))); }
  static float ReduceMax(F32 x) { return vmaxvq_f32(x); }
  static void StoreSums(float* p, F32 a, F32 b, F32 c, F32 d) { vst1q_f32(p, Sum4(a, b, c, d)); }

  static void Transpose(F32 (&r)[kLanes]) {
    const float32x4x2_t even = vtrnq_f32(r[0], r[1]);
    const float32x4x2_t odd = vtrnq_f32(r[2], r[3]);
    r[0] = vcombine_f32(vget_low_f32(even.val[0]), vget_low_f32(odd.val[0]));
    r[1] = vcombine_f32(vget_low_f32(even.val[1]), vget_low_f32(odd.val[1]));
    r[2] = vcombine_f32(vget_high_f32(even.val[0]), vget_high_f32(odd.val[0]));
    r[3] = vcombine_f32(vget_high_f32(even.val[1]), vget_high_f32(odd.val[1]));
  }

 private:
  template <FloatType kType>
  static F32 Widen(uint16x4_t bits) {
    if constexpr (kType == FloatType::kF16) return vcvt_f32_f16(vreinterpret_f16_u16(bits));
    return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
  }
  template <FloatType kType>
  static uint16x4_t Narrow(F32 x) {
    if constexpr (kType == FloatType::kF16) return vreinterpret_u16_f16(vcvt_f16_f32(x));
    const uint32x4_t bits = vreinterpretq_u32_f32(x);
    const uint32x4_t high = vshrq_n_u32(bits, 16);
    const uint32x4_t odd = vandq_u32(high, vdupq_n_u32(1));
    const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff))), 16);
    const uint32x4_t nan = vorrq_u32(high, vdupq_n_u32(0x40));
    return vmovn_u32(vbslq_u32(vceqq_f32(x, x), rounded, nan));
  }

  // Sums of four vectors by neighbours: one tree for every output.
  static F32 Sum4(F32 a, F32 b, F32 c, F32 d) { return vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)); }
};

}  // namespace
}  // namespace galago::kernels::neon

#endif  // GALAGO_KERNELS_CPU_VEC_NEON_H_
