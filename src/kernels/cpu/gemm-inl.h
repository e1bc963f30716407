#ifndef GALAGO_KERNELS_CPU_GEMM_INL_H_
#define GALAGO_KERNELS_CPU_GEMM_INL_H_

#include "src/kernels/kernel_table.h"

// c = a w^T where both operands are contiguous along k: a tile of dot products, each in one vector of running sums.
//
// An output is the sum, in order, of the sums of K-blocks (KBlock); a block's sum has kLanes running sums, added up by
// V's tree. None of this depends on which tile or call computes the output.
namespace galago::kernels {

// Elements of k added up before the running sums are folded into c, at most V::kMaxKBlock. Blocks of one sum are of
// equal length but the last.
template <class V>
[[gnu::always_inline]] inline int64_t KBlock(int64_t k, int64_t step) {
  const int64_t blocks = (k + V::kMaxKBlock - 1) / V::kMaxKBlock;
  const int64_t even = (k + blocks - 1) / blocks;
  return (even + step - 1) / step * step;
}

// A Dot policy says how `kStep` products are added to a vector of running sums: AElement and the weights' size, loads
// of a step or of its first n elements (zeros beyond), MulAdd.

// float32 activations times weights of any float type.
template <class V_, FloatType kWeight>
struct FloatDot {
  using V = V_;
  using AElement = float;
  using Operand = typename V::F32;
  static constexpr int64_t kStep = V::kLanes;
  static constexpr int64_t kWeightSize = SizeOf(kWeight);
  static Operand LoadA(const AElement* p) { return V::Load(p); }
  static Operand LoadAN(const AElement* p, int64_t n) { return V::LoadN(p, n); }
  static Operand LoadW(const void* p) { return V::template LoadAs<kWeight>(p); }
  static Operand LoadWN(const void* p, int64_t n) { return V::template LoadAsN<kWeight>(p, n); }
  static typename V::F32 MulAdd(Operand a, Operand w, typename V::F32 sum) { return V::MulAdd(a, w, sum); }
};

// Four weight rows; where fewer are left the last one stands in for the missing.
struct WeightRows {
  const char* row[4];
  int64_t ahead;  // bytes to the same place four rows on
  template <class Dot>
  [[gnu::always_inline]] static WeightRows At(const GemmArgs& args, int64_t j, int64_t k0) {
    WeightRows w;
    w.ahead = 4 * args.k * Dot::kWeightSize;
    for (int64_t c = 0; c < 4; ++c) {
      const int64_t row = j + c < args.n1 ? j + c : args.n1 - 1;
      w.row[c] = static_cast<const char*>(args.w) + (row * args.k + k0) * Dot::kWeightSize;
    }
    return w;
  }
};

// Adds the sums over `k` elements to (`first`: writes them to) kRows x cols of c, cols <= 4.
// kAhead: while it computes it asks for the weights of the tile after. With 16 rows times bf16 weights that gains 10 to
// 40 % on cores of Zen 3 and Zen 4; where weights are read again from a cache, as with 1024 rows, it gains nothing, and
// with float32 weights it costs up to a third.
template <class Dot, int kRows, bool kAhead>
inline void GemmTile(const typename Dot::AElement* a, int64_t lda, const WeightRows& w, int64_t k, float* c,
                     int64_t ldc, int64_t cols, bool first) {
  using V = typename Dot::V;
  typename V::F32 sums[kRows][4];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < 4; ++j) sums[i][j] = V::Zero();
  }
  int64_t at = 0;
  for (; at + Dot::kStep <= k; at += Dot::kStep) {
    typename Dot::Operand a_step[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) a_step[i] = Dot::LoadA(a + i * lda + at);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const char* p = w.row[j] + at * Dot::kWeightSize;
      if constexpr (kAhead) __builtin_prefetch(p + w.ahead);
      const auto w_step = Dot::LoadW(p);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) sums[i][j] = Dot::MulAdd(a_step[i], w_step, sums[i][j]);
    }
  }
  if (at < k) {
    typename Dot::Operand a_step[kRows];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) a_step[i] = Dot::LoadAN(a + i * lda + at, k - at);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const auto w_step = Dot::LoadWN(w.row[j] + at * Dot::kWeightSize, k - at);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) sums[i][j] = Dot::MulAdd(a_step[i], w_step, sums[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float tile[4];
    V::StoreSums(tile, sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
    float* out = c + i * ldc;
    for (int64_t j = 0; j < cols; ++j) out[j] = first ? tile[j] : out[j] + tile[j];
  }
}

// The tile for `rows` in [1, kRows].
template <class Dot, int kRows, bool kAhead>
inline void GemmTileOf(int64_t rows, const typename Dot::AElement* a, int64_t lda, const WeightRows& w, int64_t k,
                       float* c, int64_t ldc, int64_t cols, bool first) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return GemmTileOf<Dot, kRows - 1, kAhead>(rows, a, lda, w, k, c, ldc, cols, first);
  }
  GemmTile<Dot, kRows, kAhead>(a, lda, w, k, c, ldc, cols, first);
}

// Up to so many tiles of rows the weights are what is read from memory, and the loop over them goes outside.
constexpr int64_t kFewTiles = 6;

template <class Dot>
inline void GemmBlock(const GemmArgs& args, int64_t lda) {
  using AElement = typename Dot::AElement;
  constexpr int kRows = Dot::V::kTileRows;
  const auto* a = static_cast<const AElement*>(args.a);
  const int64_t block = KBlock<typename Dot::V>(args.k, Dot::kStep);
  const auto tile = [&]<bool kAhead>(int64_t i, int64_t j, int64_t k0) {
    const int64_t k = args.k - k0 < block ? args.k - k0 : block;
    const int64_t cols = args.n1 - j < 4 ? args.n1 - j : 4;
    GemmTileOf<Dot, kRows, kAhead>(args.m1 - i, a + i * lda + k0, lda, WeightRows::At<Dot>(args, j, k0), k,
                                   args.c + (i - args.m0) * args.ldc + (j - args.n0), args.ldc, cols, k0 == 0);
  };
  // An output's K-blocks come in order either way.
  if (args.m1 - args.m0 <= kFewTiles * kRows) {  // weights pass once, front to back; activations stay in the cache
    for (int64_t j = args.n0; j < args.n1; j += 4) {
      for (int64_t k0 = 0; k0 < args.k; k0 += block) {
        for (int64_t i = args.m0; i < args.m1; i += kRows) {
          tile.template operator()<(Dot::kWeightSize < SizeOf(FloatType::kF32))>(i, j, k0);
        }
      }
    }
  } else {  // activations pass, the block's weights stay
    constexpr int64_t kCols = Dot::V::kBlockCols;
    for (int64_t k0 = 0; k0 < args.k; k0 += block) {
      for (int64_t j0 = args.n0; j0 < args.n1; j0 += kCols) {
        const int64_t j1 = args.n1 - j0 < kCols ? args.n1 : j0 + kCols;
        for (int64_t i = args.m0; i < args.m1; i += kRows) {
          for (int64_t j = j0; j < j1; j += 4) tile.template operator()<false>(i, j, k0);
        }
      }
    }
  }
}

// Activations read where they are.
template <class V, FloatType kWeight>
void Gemm(const GemmArgs& args) noexcept {
  GemmBlock<FloatDot<V, kWeight>>(args, args.lda);
}

// Sets without bf16 products: activations rounded to bf16, kept as float32 [M, K].
template <class V>
int64_t RoundedBytes(int64_t m, int64_t k) noexcept {
  return m * k * SizeOf(FloatType::kF32);
}
template <class V>
void PackRounded(const GemmPackArgs& args) noexcept {
  auto* packed = static_cast<float*>(args.packed);
  const auto rounded = [](typename V::F32 x) {
    char bits[V::kLanes * 2];
    V::template StoreAs<FloatType::kBF16>(bits, x);
    return V::template LoadAs<FloatType::kBF16>(bits);
  };
  for (int64_t i = args.m0; i < args.m1; ++i) {
    const float* a = args.a + i * args.lda;
    float* out = packed + i * args.k;
    int64_t k = 0;
    for (; k + V::kLanes <= args.k; k += V::kLanes) V::Store(out + k, rounded(V::Load(a + k)));
    if (k < args.k) V::StoreN(out + k, rounded(V::LoadN(a + k, args.k - k)), args.k - k);
  }
}
template <class V>
void GemmRounded(const GemmArgs& args) noexcept {
  GemmBlock<FloatDot<V, FloatType::kBF16>>(args, args.k);
}

template <class V>
void OverrideGemm(KernelTable& table) {
  constexpr int64_t kRows = V::kTileRows;
  const GemmKernel f32 = {kRows, nullptr, nullptr, Gemm<V, FloatType::kF32>};
  const GemmKernel f16 = {kRows, nullptr, nullptr, Gemm<V, FloatType::kF16>};
  const GemmKernel bf16 = {kRows, nullptr, nullptr, Gemm<V, FloatType::kBF16>};
  const GemmKernel bf16_rounded = {kRows, RoundedBytes<V>, PackRounded<V>, GemmRounded<V>};
  const GemmKernel kernels[2][kNumFloatTypes] = {{f32, f16, bf16}, {f32, f16, bf16_rounded}};
  for (int p = 0; p < 2; ++p) {
    for (int t = 0; t < kNumFloatTypes; ++t) table.gemm[p][t] = kernels[p][t];
  }
}

// Sets with bf16 products: activations as bf16 rows, each padded with zeros to whole steps. Dot::AElement is the bits.
template <class Dot>
[[gnu::always_inline]] inline int64_t PaddedRow(int64_t k) {
  return (k + Dot::kStep - 1) / Dot::kStep * Dot::kStep;
}
template <class Dot>
int64_t Bf16Bytes(int64_t m, int64_t k) noexcept {
  return m * PaddedRow<Dot>(k) * SizeOf(FloatType::kBF16);
}
template <class Dot>
void PackBf16(const GemmPackArgs& args) noexcept {
  using V = typename Dot::V;
  const int64_t ld = PaddedRow<Dot>(args.k);
  for (int64_t i = args.m0; i < args.m1; ++i) {
    const float* a = args.a + i * args.lda;
    uint16_t* out = static_cast<uint16_t*>(args.packed) + i * ld;
    int64_t k = 0;
    for (; k + V::kLanes <= args.k; k += V::kLanes) V::template StoreAs<FloatType::kBF16>(out + k, V::Load(a + k));
    if (k < args.k) V::template StoreAsN<FloatType::kBF16>(out + k, V::LoadN(a + k, args.k - k), args.k - k);
    for (k = args.k; k < ld; ++k) out[k] = 0;
  }
}
template <class Dot>
void GemmBf16(const GemmArgs& args) noexcept {
  GemmBlock<Dot>(args, PaddedRow<Dot>(args.k));
}

template <class Dot>
void OverrideBf16Gemm(KernelTable& table) {
  table.gemm[static_cast<int>(Precision::kBf16)][static_cast<int>(FloatType::kBF16)] = {
      Dot::V::kTileRows, Bf16Bytes<Dot>, PackBf16<Dot>, GemmBf16<Dot>};
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_GEMM_INL_H_
