#ifndef GALAGO_KERNELS_CPU_INT8_AVX2_H_
#define GALAGO_KERNELS_CPU_INT8_AVX2_H_

#include "src/kernels/cpu/vec_avx2.h"

namespace galago::kernels::avx2 {
namespace {

// The Int8 policy of panel_gemm-inl.h: products of an unsigned and a signed byte, added in pairs to 16 bits.
struct Int8 {
  using V = avx2::V;
  using Ints = __m256i;
  using Bytes = __m256i;
  // 3 x 2 sums, 4 vectors of codes, 2 of activations, a product, a mask and ones; of 6 bits one mask more, from memory.
  static constexpr int kRows = 3;
  static constexpr int kVecs = 2;
  static constexpr int32_t kOffset = 0;

  static Bytes Load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static Bytes Low(Bytes b) { return _mm256_and_si256(b, _mm256_set1_epi8(15)); }
  static Bytes High(Bytes b) { return _mm256_and_si256(_mm256_srli_epi16(b, 4), _mm256_set1_epi8(15)); }
  template <int kShift>
  static Bytes WithTop(Bytes nibbles, Bytes top) {
    const __m256i moved = kShift < 0 ? _mm256_srli_epi16(top, -kShift) : _mm256_slli_epi16(top, kShift);
    return _mm256_or_si256(nibbles, _mm256_and_si256(moved, _mm256_set1_epi8(0x30)));
  }
  static Bytes Signed(Bytes b) { return b; }
  static Bytes Four(const void* p) {
    int32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof(bytes));
    return _mm256_set1_epi32(bytes);
  }
  static Ints Zero() { return _mm256_setzero_si256(); }
  static Ints Set1(const void* p) { return Four(p); }
  static Ints LoadInts(const void* p) { return Load(p); }
  static void StoreInts(void* p, Ints x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }
  static Ints Plus(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
  static void KeepInRegister(Ints& x) { asm("" : "+x"(x)); }
  // The weight's sign goes to the activation: 128 * 127 * 2 fits 16 bits.
  static Ints Dot(Ints sum, Bytes w, Bytes x) {
    return AddPairs(sum, _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w)));
  }
  // 63 * 127 * 4 fits 16 bits.
  static Ints Dot2(Ints sum, Bytes w0, Bytes x0, Bytes w1, Bytes x1) {
    return AddPairs(sum, _mm256_add_epi16(_mm256_maddubs_epi16(w0, x0), _mm256_maddubs_epi16(w1, x1)));
  }
  static V::F32 ToFloat(Ints x) { return _mm256_cvtepi32_ps(x); }
  static void StoreCodes(void* p, V::F32 x) {
    const __m256i ints = _mm256_cvtps_epi32(x);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(ints), _mm256_extracti128_si256(ints, 1));
    _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }

 private:
  static Ints AddPairs(Ints sum, __m256i words) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
  }
};

}  // namespace
}  // namespace galago::kernels::avx2

#endif  // GALAGO_KERNELS_CPU_INT8_AVX2_H_
