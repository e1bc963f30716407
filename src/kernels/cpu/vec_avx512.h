#ifndef GALAGO_KERNELS_CPU_VEC_AVX512_H_
#define GALAGO_KERNELS_CPU_VEC_AVX512_H_

#include <immintrin.h>

#include <cstdint>

#include "src/kernels/kernel_table.h"

// The vector type of AVX-512 (f, bw, vl, dq). Every instruction set has one with the same operations, which
// are what algorithms are written in; LoadN and StoreN touch the first n lanes alone and read zeros beyond, n in
// [0, kLanes]. Max and Min keep a NaN of the second operand. ScaleByPow2(x, n) is x 2^n, n whole. StoreSums writes the
// sums over the lanes of four vectors, each added up by the same tree as Sum.
namespace galago::kernels::avx512 {
// Unnamed on purpose: every object has copies of its own, so the linker cannot hand code compiled for one instruction
// set to callers of another.
namespace {

struct V {
  using F32 = __m512;
  static constexpr int64_t kLanes = 16;
  // Register tiles: 6 x 4 accumulators, 6 operands and one more fit 32 registers.
  static constexpr int kTileRows = 6;
  // Of 2048 elements of k an activation tile (6 rows of bf16) and a weight tile (4 rows) are at most 40 KiB: the
  // weights stream through the first-level cache, the activations stay, while a task's weights pass as a whole.
  static constexpr int64_t kMaxKBlock = 2048;
  static constexpr int64_t kBlockCols = 128;
  static constexpr int kTileVecs = 4;

  static __mmask16 First(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }

  static F32 Zero() { return _mm512_setzero_ps(); }
  static F32 Set1(float x) { return _mm512_set1_ps(x); }
  static F32 Load(const float* p) { return _mm512_loadu_ps(p); }
  static F32 LoadN(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(First(n), p); }
  static void Store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
  static void StoreN(float* p, F32 x, int64_t n) { _mm512_mask_storeu_ps(p, First(n), x); }

  static F32 Add(F32 a, F32 b) { return _mm512_add_ps(a, b); }
  static F32 Sub(F32 a, F32 b) { return _mm512_sub_ps(a, b); }
  static F32 Mul(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
  static F32 Div(F32 a, F32 b) { return _mm512_div_ps(a, b); }
  static F32 MulAdd(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  static F32 NegMulAdd(F32 a, F32 b, F32 c) { return _mm512_fnmadd_ps(a, b, c); }
  static F32 Max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
  static F32 Min(F32 a, F32 b) { return _mm512_min_ps(a, b); }
  static F32 Sqrt(F32 x) { return _mm512_sqrt_ps(x); }
  static F32 Abs(F32 x) { return _mm512_abs_ps(x); }
  static F32 Round(F32 x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static F32 ScaleByPow2(F32 x, F32 n) { return _mm512_scalef_ps(x, n); }
  static F32 IfLess(F32 a, F32 b, F32 yes, F32 no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
  }

  // 16-bit floats at any address.
  template <FloatType kType>
  static F32 LoadAs(const void* p) {
    if constexpr (kType == FloatType::kF32) return _mm512_loadu_ps(p);
    const __m256i bits = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return Widen<kType>(bits);
  }
  template <FloatType kType>
  static F32 LoadAsN(const void* p, int64_t n) {
    if constexpr (kType == FloatType::kF32) return _mm512_maskz_loadu_ps(First(n), p);
    return Widen<kType>(_mm256_maskz_loadu_epi16(First(n), p));
  }
  template <FloatType kType>
  static void StoreAs(void* p, F32 x) {
    if constexpr (kType == FloatType::kF32) {
      _mm512_storeu_ps(p, x);
    } else {
      _mm256_storeu_si256(static_cast<__m256i*>(p), Narrow<kType>(x));
    }
  }
  template <FloatType kType>
  static void StoreAsN(void* p, F32 x, int64_t n) {
    if constexpr (kType == FloatType::kF32) {
      _mm512_mask_storeu_ps(p, First(n), x);
    } else {
      _mm256_mask_storeu_epi16(p, First(n), Narrow<kType>(x));
    }
  }

  // Of kLanes 32-bit words at p: the four bits, and the signed byte, from bit kShift on.
  template <int kShift>
  static F32 Nibble(const void* p) {
    const __m512i words = _mm512_srli_epi32(_mm512_loadu_si512(p), kShift);
    return _mm512_cvtepi32_ps(_mm512_and_si512(words, _mm512_set1_epi32(15)));
  }
  // Signed codes of six bits: nibbles from kShift on, the bits above them from kTopShift on.
  template <int kShift, int kTopShift>
  static F32 SixBits(const void* nibbles, const void* top) {
    const auto bits = [](const void* p, unsigned shift, int mask) {
      return _mm512_and_si512(_mm512_srli_epi32(_mm512_loadu_si512(p), shift), _mm512_set1_epi32(mask));
    };
    const __m512i code = _mm512_or_si512(bits(nibbles, kShift, 15), _mm512_slli_epi32(bits(top, kTopShift, 3), 4));
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(code, _mm512_set1_epi32(32)));
  }
  template <int kShift>
  static F32 SignedByte(const void* p) {
    return _mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(_mm512_loadu_si512(p), 24 - kShift), 24));
  }

  static float Sum(F32 x) { return _mm_cvtss_f32(Sum4(x, x, x, x)); }
  // The greater of m >= 0 and |x|, where infinity and then NaN count as the greatest; the greatest lane of such m.
  static F32 MaxMagnitude(F32 m, F32 x) {
    return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(m), _mm512_castps_si512(Abs(x))));
  }
  static float ReduceMagnitude(F32 m) {
    return __builtin_bit_cast(float, _mm512_reduce_max_epi32(_mm512_castps_si512(m)));
  }
  static float ReduceMax(F32 x) { return _mm512_reduce_max_ps(x); }
  static void StoreSums(float* p, F32 a, F32 b, F32 c, F32 d) { _mm_storeu_ps(p, Sum4(a, b, c, d)); }

  static void Transpose(F32 (&r)[kLanes]) {
    F32 t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
      const auto lo0 = _mm512_castps_pd(t[i]), lo1 = _mm512_castps_pd(t[i + 2]);
      const auto hi0 = _mm512_castps_pd(t[i + 1]), hi1 = _mm512_castps_pd(t[i + 3]);
      r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(lo0, lo1));
      r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(lo0, lo1));
      r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(hi0, hi1));
      r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(hi0, hi1));
    }
#pragma GCC unroll 16
    for (int i = 0; i < 4; ++i) {  // r[i + 4 g] holds column i + 4 q of rows 4 g .. 4 g + 3 in quarter q
      t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
      t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
      t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
      t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 4; ++i) {
      r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
      r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
      r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
      r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
    }
  }

 private:
  template <FloatType kType>
  static F32 Widen(__m256i bits) {
    if constexpr (kType == FloatType::kF16) return _mm512_cvtph_ps(bits);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  template <FloatType kType>
  static __m256i Narrow(F32 x) {
    if constexpr (kType == FloatType::kF16) return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __m512i nan = _mm512_or_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(0x40));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(is_nan, rounded, nan));
  }

  // Sums of four vectors. Halves are added, then quarters, then neighbours: one tree for every output.
  static __m128 Sum4(F32 a, F32 b, F32 c, F32 d) {
    const F32 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
    const F32 cd = _mm512_add_ps(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xee));
    const F32 all = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
    const F32 pairs = _mm512_add_ps(all, _mm512_permute_ps(all, 0xb1));
    const F32 sums = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0x4e));
    const __m512i lanes = _mm512_setr_epi32(0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
    return _mm512_castps512_ps128(_mm512_permutexvar_ps(lanes, sums));
  }
};

}  // namespace
}  // namespace galago::kernels::avx512

#endif  // GALAGO_KERNELS_CPU_VEC_AVX512_H_
