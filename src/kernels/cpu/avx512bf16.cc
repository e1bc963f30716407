#include "src/kernels/cpu/attention-inl.h"
#include "src/kernels/cpu/gemm_chains-inl.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_bf16-inl.h"
#include "src/kernels/cpu/vec_avx512.h"

namespace galago::kernels::avx512bf16 {
namespace {

// The policy of panel_bf16-inl.h and gemm_chains-inl.h. The product takes subnormal operands and results as zero.
struct Bf16 {
  using V = avx512::V;
  using Pairs = __m512i;
  // 12 x 2 sums, 2 vectors of weights, 1 of activations.
  static constexpr int kRows = 12;
  static constexpr int kVecs = 2;
  static Pairs Load(const void* p) { return _mm512_loadu_si512(p); }
  static Pairs LoadN(const void* p, int64_t n) {  // n of 32 numbers
    return _mm512_maskz_loadu_epi16(static_cast<__mmask32>((uint64_t{1} << n) - 1), p);
  }
  static void Store(void* p, Pairs x) { _mm512_storeu_si512(p, x); }
  static Pairs Set1(const void* p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return _mm512_set1_epi32(pair);
  }
  static void KeepInRegister(V::F32& x) { asm("" : "+v"(x)); }
  static V::F32 MulAdd(Pairs a, Pairs w, V::F32 sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)w); }
  static Pairs Four(const void* p) { return _mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(p))); }
  // Quarter s of four vectors to the quarters of the s-th.
  static void Turn(Pairs (&r)[4]) {
    const __m512i low01 = _mm512_shuffle_i32x4(r[0], r[1], 0x44), high01 = _mm512_shuffle_i32x4(r[0], r[1], 0xee);
    const __m512i low23 = _mm512_shuffle_i32x4(r[2], r[3], 0x44), high23 = _mm512_shuffle_i32x4(r[2], r[3], 0xee);
    r[0] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    r[1] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    r[2] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    r[3] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
  }
  // The sums of a's quarters, then of b's, c's and d's.
  static V::F32 Fold(V::F32 a, V::F32 b, V::F32 c, V::F32 d) {
    const V::F32 ab = V::Add(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    const V::F32 cd = V::Add(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    const V::F32 sums = V::Add(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_ps(order, sums);
  }
  // Adds the halves of x to (`first`: writes them to) 8 numbers each. Both may be the same numbers.
  static void AddHalves(V::F32 x, float* lower, float* upper, bool first) {
    const __m256 l = _mm512_castps512_ps256(x), u = _mm512_extractf32x8_ps(x, 1);
    _mm256_storeu_ps(lower, first ? l : _mm256_add_ps(_mm256_loadu_ps(lower), l));
    if (lower != upper) _mm256_storeu_ps(upper, first ? u : _mm256_add_ps(_mm256_loadu_ps(upper), u));
  }
  template <int kShift>
  static Pairs Nibbles(const void* p) {
    // A look-up by the low five bits of each 16: numbers -8 .. 7, twice.
    const __m256i table = _mm256_setr_epi16(-0x3f00, -0x3f20, -0x3f40, -0x3f60, -0x3f80, -0x3fc0, -0x4000, -0x4080, 0,
                                            0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0, 0x40c0, 0x40e0);
    return _mm512_permutexvar_epi16(_mm512_srli_epi32(Load(p), kShift), _mm512_broadcast_i64x4(table));
  }
  template <int kShift, int kTopShift>
  static Pairs SixBits(const void* nibbles, const void* top) {
    const auto bits = [](const void* p, unsigned shift, int mask) {
      return _mm512_and_si512(_mm512_srli_epi32(Load(p), shift), _mm512_set1_epi16(static_cast<int16_t>(mask)));
    };
    const __m512i codes = _mm512_or_si512(bits(nibbles, kShift, 15), _mm512_slli_epi32(bits(top, kTopShift, 3), 4));
    return FromWords(_mm512_sub_epi16(codes, _mm512_set1_epi16(32)));
  }
  template <bool kHigh>
  static Pairs SignedBytes(const void* p) {
    return FromWords(kHigh ? _mm512_srai_epi16(Load(p), 8) : _mm512_srai_epi16(_mm512_slli_epi16(Load(p), 8), 8));
  }

 private:
  // Whole numbers of 8 bits in words of 16.
  static Pairs FromWords(__m512i words) {
    // They have all their bits in the upper half of a float.
    const auto bits = [](__m512i x) { return _mm512_castps_si512(_mm512_cvtepi32_ps(x)); };
    const __m512i low = bits(_mm512_srai_epi32(_mm512_slli_epi32(words, 16), 16));
    const __m512i high = bits(_mm512_srai_epi32(words, 16));
    return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(low, 16), high);
  }
};

// The Terms policy of attention-inl.h.
struct Bf16Terms {
  using V = avx512::V;
  using Operand = __m512i;
  static constexpr int64_t kTerms = 2;
  template <FloatType kType>
  static constexpr bool kReads = false;
  static Operand Load(const float* p) { return _mm512_loadu_si512(p); }
  static Operand Set1(const float* p) { return Bf16::Set1(p); }
  static V::F32 MulAdd(Operand a, Operand b, V::F32 sum) { return Bf16::MulAdd(a, b, sum); }
  template <FloatType kType>
  static V::F32 KeyWords(const char* key, int64_t left) {
    if constexpr (kType == FloatType::kBF16) {
      return _mm512_castsi512_ps(left >= 32 ? _mm512_loadu_si512(key) : _mm512_maskz_loadu_epi16(First32(left), key));
    } else {
      const auto load = [&](int64_t from) {
        const auto* p = reinterpret_cast<const float*>(key) + from;
        return left - from >= 16 ? V::Load(p) : V::LoadN(p, left > from ? left - from : 0);
      };
      return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(load(16), load(0)));
    }
  }
  template <FloatType kType>
  static V::F32 ValueWords(const char* value, int64_t stride, int64_t keys, int64_t left) {
    const int64_t n = left > 16 ? 16 : left > 0 ? left : 0;
    const __mmask16 here = V::First(n), next = keys > 1 ? here : __mmask16{0};
    __m512i both;  // 16 numbers of this key, then 16 of the next
    if constexpr (kType == FloatType::kBF16) {
      both = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi16(here, value)),
                                _mm256_maskz_loadu_epi16(next, value + stride), 1);
    } else {
      both =
          (__m512i)_mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(next, value + stride), _mm512_maskz_loadu_ps(here, value));
    }
    const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(both));
    const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1));
    return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
  static void Store(float* words, V::F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), (__m256i)_mm512_cvtneps_pbh(x));
  }

 private:
  static __mmask32 First32(int64_t n) { return static_cast<__mmask32>((uint64_t{1} << (n > 0 ? n : 0)) - 1); }
};

}  // namespace

void Override(KernelTable& table) {
  OverrideGemmChains<Bf16>(table);
  OverridePanelBf16s<Bf16>(table);
  OverrideBf16Attention<Bf16Terms>(table);
}

}  // namespace galago::kernels::avx512bf16
