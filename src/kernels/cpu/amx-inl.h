#ifndef GALAGO_KERNELS_CPU_AMX_INL_H_
#define GALAGO_KERNELS_CPU_AMX_INL_H_

#include "src/kernels/kernel_table.h"

// bf16 GEMM on 16 x 16 tiles. A tile product takes its first operand as rows of 32 elements, which is how the weights
// lie, and its second in pairs of k, which is how activations are packed. So a tile of sums is [16 outputs of n,
// 16 rows of m], and the result is turned on its way out.
//
// `Tiles` is the register file: eight tiles of 16 rows of 64 bytes, all of full size. Two exist, the processor's
// (amx.cc) and an emulation for machines without one (amx_emulation.h).
namespace galago::kernels {

// Activations: for each 16 rows of m, for each 32 elements of k, [16 pairs of k][16 m][2].
constexpr int64_t kAmxRows = 16;
constexpr int64_t kAmxStep = 32;
constexpr int64_t kAmxTile = kAmxRows * kAmxStep;  // elements
[[gnu::always_inline]] inline int64_t AmxSteps(int64_t k) { return (k + kAmxStep - 1) / kAmxStep; }

template <class Tiles>
int64_t AmxPackedBytes(int64_t m, int64_t k) noexcept {
  return (m + kAmxRows - 1) / kAmxRows * AmxSteps(k) * kAmxTile * SizeOf(FloatType::kBF16);
}

template <class V>
void AmxPack(const GemmPackArgs& args) noexcept {
  const int64_t steps = AmxSteps(args.k);
  for (int64_t i0 = args.m0; i0 < args.m1; i0 += kAmxRows) {
    uint16_t* block = static_cast<uint16_t*>(args.packed) + i0 / kAmxRows * steps * kAmxTile;
    for (int64_t row = 0; row < kAmxRows; ++row) {
      const bool present = i0 + row < args.m1;
      const float* a = args.a + (i0 + row) * args.lda;
      for (int64_t step = 0; step < steps; ++step) {
        // One row's 32 elements, rounded, then dealt out in pairs.
        uint32_t pairs[kAmxStep / 2] = {};
        for (int64_t at = 0; present && at < kAmxStep; at += V::kLanes) {
          const int64_t k = step * kAmxStep + at;
          const int64_t n = args.k - k < V::kLanes ? args.k - k : V::kLanes;
          if (n > 0) V::template StoreAs<FloatType::kBF16>(reinterpret_cast<char*>(pairs) + at * 2, V::LoadN(a + k, n));
        }
        uint16_t* tile = block + step * kAmxTile;
        for (int64_t p = 0; p < kAmxStep / 2; ++p) {
          __builtin_memcpy(tile + (p * kAmxRows + row) * 2, &pairs[p], sizeof(pairs[p]));
        }
      }
    }
  }
}

// Loads 16 weight rows from j, elements [k, k + 32), into tile kTile; what lies outside the matrix is zero.
template <int kTile, class Tiles>
inline void AmxLoadWeights(Tiles& tiles, const GemmArgs& args, int64_t j, int64_t k) {
  const char* w = static_cast<const char*>(args.w) + (j * args.k + k) * 2;
  const int64_t rows = args.n1 - j < kAmxRows ? args.n1 - j : kAmxRows;
  const int64_t elements = args.k - k < kAmxStep ? args.k - k : kAmxStep;
  if (rows == kAmxRows && elements == kAmxStep) {
    tiles.template Load<kTile>(w, args.k * 2);
    return;
  }
  alignas(64) uint16_t copy[kAmxTile] = {};
  for (int64_t r = 0; r < rows; ++r) {
    __builtin_memcpy(copy + r * kAmxStep, w + r * args.k * 2, static_cast<unsigned long>(elements) * 2);
  }
  tiles.template Load<kTile>(copy, kAmxStep * 2);
}

// Stores the sums of tile kTile, [16 n, 16 m], to c of rows from i and columns from j.
template <int kTile, class Tiles>
inline void AmxStore(Tiles& tiles, const GemmArgs& args, int64_t i, int64_t j) {
  alignas(64) float sums[16 * kAmxRows];
  tiles.template Store<kTile>(sums, kAmxRows * 4);
  for (int64_t m = 0; m < kAmxRows && i + m < args.m1; ++m) {
    float* c = args.c + (i + m - args.m0) * args.ldc + (j - args.n0);
    for (int64_t n = 0; n < 16 && j + n < args.n1; ++n) c[n] = sums[n * kAmxRows + m];
  }
}

// 32 rows of weights times 32 of activations, or fewer of either: tiles 0..3 are sums, 4 and 5 weights, 6 and 7
// activations. A sum's terms are added in the same order in all four cases.
template <bool kTwoN, bool kTwoM, class Tiles>
inline void AmxBlock(Tiles& tiles, const GemmArgs& args, int64_t i, int64_t j) {
  const int64_t steps = AmxSteps(args.k);
  const uint16_t* a0 = static_cast<const uint16_t*>(args.a) + i / kAmxRows * steps * kAmxTile;
  const uint16_t* a1 = a0 + steps * kAmxTile;
  tiles.template Zero<0>();
  if constexpr (kTwoM) tiles.template Zero<1>();
  if constexpr (kTwoN) tiles.template Zero<2>();
  if constexpr (kTwoN && kTwoM) tiles.template Zero<3>();
  for (int64_t step = 0; step < steps; ++step) {
    AmxLoadWeights<4>(tiles, args, j, step * kAmxStep);
    tiles.template Load<6>(a0 + step * kAmxTile, kAmxStep * 2);
    tiles.template MulAdd<0, 4, 6>();
    if constexpr (kTwoM) {
      tiles.template Load<7>(a1 + step * kAmxTile, kAmxStep * 2);
      tiles.template MulAdd<1, 4, 7>();
    }
    if constexpr (kTwoN) {
      AmxLoadWeights<5>(tiles, args, j + 16, step * kAmxStep);
      tiles.template MulAdd<2, 5, 6>();
      if constexpr (kTwoM) tiles.template MulAdd<3, 5, 7>();
    }
  }
  AmxStore<0>(tiles, args, i, j);
  if constexpr (kTwoM) AmxStore<1>(tiles, args, i + kAmxRows, j);
  if constexpr (kTwoN) AmxStore<2>(tiles, args, i, j + 16);
  if constexpr (kTwoN && kTwoM) AmxStore<3>(tiles, args, i + kAmxRows, j + 16);
}

template <class Tiles>
void AmxGemm(const GemmArgs& args) noexcept {
  Tiles tiles;
  tiles.Configure();
  for (int64_t i = args.m0; i < args.m1; i += 2 * kAmxRows) {
    const bool two_m = i + kAmxRows < args.m1;
    for (int64_t j = args.n0; j < args.n1; j += 32) {
      const bool two_n = j + 16 < args.n1;
      if (two_n && two_m) AmxBlock<true, true>(tiles, args, i, j);
      if (two_n && !two_m) AmxBlock<true, false>(tiles, args, i, j);
      if (!two_n && two_m) AmxBlock<false, true>(tiles, args, i, j);
      if (!two_n && !two_m) AmxBlock<false, false>(tiles, args, i, j);
    }
  }
  tiles.Release();
}

template <class V, class Tiles>
void OverrideAmxGemm(KernelTable& table) {
  table.gemm[static_cast<int>(Precision::kBf16)][static_cast<int>(FloatType::kBF16)] = {kAmxRows, AmxPackedBytes<Tiles>,
                                                                                        AmxPack<V>, AmxGemm<Tiles>};
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_AMX_INL_H_
