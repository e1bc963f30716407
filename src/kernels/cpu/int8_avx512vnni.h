#ifndef GALAGO_KERNELS_CPU_INT8_AVX512VNNI_H_
#define GALAGO_KERNELS_CPU_INT8_AVX512VNNI_H_

#include "src/kernels/cpu/vec_avx512.h"

namespace galago::kernels::avx512vnni {
namespace {

// The Int8 policy of panel_gemm-inl.h: unsigned weights times signed activations, four products to a lane at once.
struct Int8 {
  using V = avx512::V;
  using Ints = __m512i;
  using Bytes = __m512i;
  // 12 x 2 sums, 4 vectors of codes, 2 of activations, a mask (of 6 bits two).
  static constexpr int kRows = 12;
  static constexpr int kVecs = 2;
  static constexpr int32_t kOffset = 128;

  static Bytes Load(const void* p) { return _mm512_loadu_si512(p); }
  static void StoreBytes(void* p, Bytes b) { _mm512_storeu_si512(p, b); }
  static Bytes Low(Bytes b) { return _mm512_and_si512(b, _mm512_set1_epi8(15)); }
  static Bytes High(Bytes b) { return _mm512_and_si512(_mm512_srli_epi16(b, 4), _mm512_set1_epi8(15)); }
  template <int kShift>
  static Bytes WithTop(Bytes nibbles, Bytes top) {
    const __m512i moved = kShift < 0 ? _mm512_srli_epi16(top, -kShift) : _mm512_slli_epi16(top, kShift);
    constexpr int kFirstOrBoth = 0xf8;  // a | (b & c)
    return _mm512_ternarylogic_epi32(nibbles, moved, _mm512_set1_epi8(0x30), kFirstOrBoth);
  }
  static Bytes Signed(Bytes b) { return _mm512_xor_si512(b, _mm512_set1_epi8(-128)); }
  static Bytes Four(const void* p) {
    int32_t bytes;
    __builtin_memcpy(&bytes, p, sizeof(bytes));
    return _mm512_set1_epi32(bytes);
  }
  static Ints Zero() { return _mm512_setzero_si512(); }
  static Ints Set1(const void* p) { return Four(p); }
  static Ints LoadInts(const void* p) { return _mm512_loadu_si512(p); }
  static void StoreInts(void* p, Ints x) { _mm512_storeu_si512(p, x); }
  static Ints Plus(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  static void KeepInRegister(Ints& x) { asm("" : "+v"(x)); }
  static Ints Dot(Ints sum, Bytes w, Bytes x) { return _mm512_dpbusd_epi32(sum, w, x); }
  static Ints Dot2(Ints sum, Bytes w0, Bytes x0, Bytes w1, Bytes x1) { return Dot(Dot(sum, w0, x0), w1, x1); }
  static V::F32 ToFloat(Ints x) { return _mm512_cvtepi32_ps(x); }
  static void StoreCodes(void* p, V::F32 x) {
    _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
  }
};

}  // namespace
}  // namespace galago::kernels::avx512vnni

#endif  // GALAGO_KERNELS_CPU_INT8_AVX512VNNI_H_
