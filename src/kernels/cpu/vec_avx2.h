#ifndef GALAGO_KERNELS_CPU_VEC_AVX2_H_
#define GALAGO_KERNELS_CPU_VEC_AVX2_H_

#include <immintrin.h>

#include <cstdint>

#include "src/kernels/kernel_table.h"

// The vector type of AVX2 with fma and f16c. Operations as in vec_avx512.h.
namespace galago::kernels::avx2 {
// Unnamed on purpose: every object has copies of its own, so the linker cannot hand code compiled for one instruction
// set to callers of another.
namespace {

struct V {
  using F32 = __m256;
  static constexpr int64_t kLanes = 8;
  // 3 x 4 accumulators, 3 operands and one more: all 16 registers.
  static constexpr int kTileRows = 3;
  // A weight has few uses in a tile of 3 rows, so that weights stay in the first-level cache while activations pass:
  // 1024 elements of a weight tile (4 rows) and of an activation tile are at most 28 KiB.
  static constexpr int64_t kMaxKBlock = 1024;
  static constexpr int64_t kBlockCols = 4;
  static constexpr int kTileVecs = 4;

  static F32 Zero() { return _mm256_setzero_ps(); }
  static F32 Set1(float x) { return _mm256_set1_ps(x); }
  static F32 Load(const float* p) { return _mm256_loadu_ps(p); }
  static F32 LoadN(const float* p, int64_t n) { return _mm256_maskload_ps(p, First(n)); }
  static void Store(float* p, F32 x) { _mm256_storeu_ps(p, x); }
  static void StoreN(float* p, F32 x, int64_t n) { _mm256_maskstore_ps(p, First(n), x); }

  static F32 Add(F32 a, F32 b) { return _mm256_add_ps(a, b); }
  static F32 Sub(F32 a, F32 b) { return _mm256_sub_ps(a, b); }
  static F32 Mul(F32 a, F32 b) { return _mm256_mul_ps(a, b); }
  static F32 Div(F32 a, F32 b) { return _mm256_div_ps(a, b); }
  static F32 MulAdd(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
  static F32 NegMulAdd(F32 a, F32 b, F32 c) { return _mm256_fnmadd_ps(a, b, c); }
  static F32 Max(F32 a, F32 b) { return _mm256_max_ps(a, b); }
  static F32 Min(F32 a, F32 b) { return _mm256_min_ps(a, b); }
  static F32 Sqrt(F32 x) { return _mm256_sqrt_ps(x); }
  static F32 Abs(F32 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
  static F32 Round(F32 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // n in [-126, 128]: 2^128 is no float, so one factor of two is applied apart.
  static F32 ScaleByPow2(F32 x, F32 n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(126));
    return Mul(Mul(x, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23))), Set1(2.0f));
  }
  static F32 IfLess(F32 a, F32 b, F32 yes, F32 no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
  }

  template <FloatType kType>
  static F32 LoadAs(const void* p) {
    if constexpr (kType == FloatType::kF32) return _mm256_loadu_ps(static_cast<const float*>(p));
    return Widen<kType>(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  template <FloatType kType>
  static F32 LoadAsN(const void* p, int64_t n) {
    if constexpr (kType == FloatType::kF32) return LoadN(static_cast<const float*>(p), n);
    __m128i bits = _mm_setzero_si128();
    __builtin_memcpy(&bits, p, static_cast<unsigned long>(n) * 2);
    return Widen<kType>(bits);
  }
  template <FloatType kType>
  static void StoreAs(void* p, F32 x) {
    if constexpr (kType == FloatType::kF32) {
      _mm256_storeu_ps(static_cast<float*>(p), x);
    } else {
      _mm_storeu_si128(static_cast<__m128i*>(p), Narrow<kType>(x));
    }
  }
  template <FloatType kType>
  static void StoreAsN(void* p, F32 x, int64_t n) {
    if constexpr (kType == FloatType::kF32) {
      StoreN(static_cast<float*>(p), x, n);
    } else {
      const __m128i bits = Narrow<kType>(x);
      __builtin_memcpy(p, &bits, static_cast<unsigned long>(n) * 2);
    }
  }

  template <int kShift>
  static F32 Nibble(const void* p) {
    const __m256i words = _mm256_srli_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)), kShift);
    return _mm256_cvtepi32_ps(_mm256_and_si256(words, _mm256_set1_epi32(15)));
  }
  // Signed codes of six bits: nibbles from kShift on, the bits above them from kTopShift on.
  template <int kShift, int kTopShift>
  static F32 SixBits(const void* nibbles, const void* top) {
    const auto bits = [](const void* p, int shift, int mask) {
      const __m256i words = _mm256_srli_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)), shift);
      return _mm256_and_si256(words, _mm256_set1_epi32(mask));
    };
    const __m256i code = _mm256_or_si256(bits(nibbles, kShift, 15), _mm256_slli_epi32(bits(top, kTopShift, 3), 4));
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(code, _mm256_set1_epi32(32)));
  }
  template <int kShift>
  static F32 SignedByte(const void* p) {
    const __m256i words = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(words, 24 - kShift), 24));
  }

  static float Sum(F32 x) { return _mm_cvtss_f32(Sum4(x, x, x, x)); }
  static F32 MaxMagnitude(F32 m, F32 x) {
    return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(m), _mm256_castps_si256(Abs(x))));
  }
  static float ReduceMagnitude(F32 m) {
    const __m256i bits = _mm256_castps_si256(m);
    __m128i most = _mm_max_epi32(_mm256_castsi256_si128(bits), _mm256_extracti128_si256(bits, 1));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0x4e));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0xb1));
    return __builtin_bit_cast(float, _mm_cvtsi128_si32(most));
  }
  static float ReduceMax(F32 x) {
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    m = _mm_max_ss(m, _mm_shuffle_ps(m, m, 1));
    return _mm_cvtss_f32(m);
  }
  static void StoreSums(float* p, F32 a, F32 b, F32 c, F32 d) { _mm_storeu_ps(p, Sum4(a, b, c, d)); }

  static void Transpose(F32 (&r)[kLanes]) {
    F32 t[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) r[i] = t[i];
  }

 private:
  static __m256i First(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  template <FloatType kType>
  static F32 Widen(__m128i bits) {
    if constexpr (kType == FloatType::kF16) return _mm256_cvtph_ps(bits);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  template <FloatType kType>
  static __m128i Narrow(F32 x) {
    if constexpr (kType == FloatType::kF16) return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i high = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    const __m256i nan = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i words = _mm256_blendv_epi8(rounded, nan, is_nan);
    const __m256i packed = _mm256_packus_epi32(words, words);
    return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
  }

  static __m128 Halves(F32 x) { return _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)); }
  // Sums of four vectors. Halves are added, then neighbours: one tree for every output.
  static __m128 Sum4(F32 a, F32 b, F32 c, F32 d) {
    return _mm_hadd_ps(_mm_hadd_ps(Halves(a), Halves(b)), _mm_hadd_ps(Halves(c), Halves(d)));
  }
};

}  // namespace
}  // namespace galago::kernels::avx2

#endif  // GALAGO_KERNELS_CPU_VEC_AVX2_H_
