#ifndef GALAGO_KERNELS_CPU_PANEL_FLOAT_INL_H_
#define GALAGO_KERNELS_CPU_PANEL_FLOAT_INL_H_

#include "src/kernels/cpu/gemm-inl.h"

// Products of float32 activations with panels: weights become floats a few columns at a time, for a few panels, and
// wait in the first-level cache while the activations pass. Lanes are outputs; a lane adds its products in the order of
// the columns.
namespace galago::kernels {

template <class V>
struct PanelFloats {
  using F32 = typename V::F32;
  static constexpr int kVecs = V::kTileVecs;
  static constexpr int64_t kParts = kPanelRows / V::kLanes;  // vectors of a panel
  static constexpr int64_t kCols = kVecs * V::kLanes;
  static constexpr int64_t kChunk = 16;  // columns expanded at a time: no group is shorter
  static constexpr int64_t kVecBytes = V::kLanes * 4;
  static_assert(kCols % kPanelRows == 0);

  // Columns [k, k + kChunk) of one vector of outputs to out[column * kCols]. `panel`: the vector's place in the first
  // line of its panel.
  static void Expand(PanelType type, const char* panel, int64_t part, int64_t k, int64_t padded, float* out) {
    const bool row = type == PanelType::kW8Row;
    const int64_t group = row ? padded : PanelGroup(type);
    const char* line = row ? panel : panel + k / group * PanelGroupBytes(type) + kPanelLine;
    if (PanelBits(type) == 4) {
      const char* scales = line - kPanelLine - part * kVecBytes / 2;
      const F32 scale = V::template LoadAs<FloatType::kF16>(scales);
      const F32 zero = V::template LoadAs<FloatType::kF16>(scales + kPanelRows * 2);
      const auto store = [&](int64_t i, F32 code) { V::Store(out + i * kCols, V::Mul(scale, V::Sub(code, zero))); };
      line += k % group / 8 * kPanelLine;
      for (int64_t i = 0; i < kChunk; i += 8, line += kPanelLine) {
        store(i + 0, V::template Nibble<0>(line));
        store(i + 1, V::template Nibble<8>(line));
        store(i + 2, V::template Nibble<16>(line));
        store(i + 3, V::template Nibble<24>(line));
        store(i + 4, V::template Nibble<4>(line));
        store(i + 5, V::template Nibble<12>(line));
        store(i + 6, V::template Nibble<20>(line));
        store(i + 7, V::template Nibble<28>(line));
      }
    } else if (PanelBits(type) == 6) {
      const F32 scale = V::Load(reinterpret_cast<const float*>(line - kPanelLine));
      line += k % group / kChunk * 3 * kPanelLine;
      const char* top = line + 2 * kPanelLine;
      const auto four = [&]<int kFour>() {
        const char* nibbles = line + kFour / 2 * kPanelLine;
        constexpr int kShift = kFour % 2 * 4, kTopShift = kFour * 2;
        const auto store = [&](int64_t i, F32 code) { V::Store(out + (kFour * 4 + i) * kCols, V::Mul(scale, code)); };
        store(0, V::template SixBits<kShift, kTopShift>(nibbles, top));
        store(1, V::template SixBits<kShift + 8, kTopShift + 8>(nibbles, top));
        store(2, V::template SixBits<kShift + 16, kTopShift + 16>(nibbles, top));
        store(3, V::template SixBits<kShift + 24, kTopShift + 24>(nibbles, top));
      };
      four.template operator()<0>();
      four.template operator()<1>();
      four.template operator()<2>();
      four.template operator()<3>();
    } else {
      const char* scales = row ? panel + padded * kPanelRows : line - kPanelLine;
      const F32 scale = V::Load(reinterpret_cast<const float*>(scales));
      const auto store = [&](int64_t i, F32 code) { V::Store(out + i * kCols, V::Mul(scale, code)); };
      line += k % group / 4 * kPanelLine;
      for (int64_t i = 0; i < kChunk; i += 4, line += kPanelLine) {
        store(i + 0, V::template SignedByte<0>(line));
        store(i + 1, V::template SignedByte<8>(line));
        store(i + 2, V::template SignedByte<16>(line));
        store(i + 3, V::template SignedByte<24>(line));
      }
    }
  }

  template <int kRows>
  static void Tile(const float* a, int64_t lda, const float* w, int64_t k, float* c, int64_t ldc) {
    F32 sums[kRows][kVecs];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) sums[i][v] = V::Load(c + i * ldc + v * V::kLanes);
    }
    for (int64_t at = 0; at < k; ++at) {
      F32 w_step[kVecs];
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) w_step[v] = V::Load(w + at * kCols + v * V::kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        const F32 a_step = V::Set1(a[i * lda + at]);
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) sums[i][v] = V::MulAdd(a_step, w_step[v], sums[i][v]);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) V::Store(c + i * ldc + v * V::kLanes, sums[i][v]);
    }
  }
  template <int kRows>
  static void TileOf(int64_t rows, const float* a, int64_t lda, const float* w, int64_t k, float* c, int64_t ldc) {
    if constexpr (kRows > 1) {
      if (rows < kRows) return TileOf<kRows - 1>(rows, a, lda, w, k, c, ldc);
    }
    Tile<kRows>(a, lda, w, k, c, ldc);
  }

  static void Run(PanelType type, const GemmArgs& args, int64_t lda) {
    constexpr int kRows = V::kTileRows;
    // Sums of whole vectors while the chunks pass, for so many rows at a time.
    constexpr int64_t kMostRows = 8 * kRows;
    alignas(64) float sums[kMostRows * kCols];
    alignas(64) float weights[kChunk * kCols];
    const int64_t panel_bytes = PanelBytes(type, args.k), padded = PanelPaddedK(type, args.k);
    const int64_t last = (args.n1 - 1) / kPanelRows;
    for (int64_t j = args.n0; j < args.n1; j += kCols) {
      const int64_t cols = args.n1 - j < kCols ? args.n1 - j : kCols;
      for (int64_t i0 = args.m0; i0 < args.m1; i0 += kMostRows) {
        const int64_t rows = args.m1 - i0 < kMostRows ? args.m1 - i0 : kMostRows;
        for (int64_t i = 0; i < rows * kCols; ++i) sums[i] = 0.0f;
        for (int64_t k = 0; k < args.k; k += kChunk) {
          for (int64_t v = 0; v < kVecs; ++v) {  // the last panel stands in for one that is missing
            const int64_t panel = j / kPanelRows + v / kParts;
            const char* w = static_cast<const char*>(args.w) + (panel < last ? panel : last) * panel_bytes;
            Expand(type, w + v % kParts * kVecBytes, v % kParts, k, padded, weights + v * V::kLanes);
          }
          const int64_t count = args.k - k < kChunk ? args.k - k : kChunk;
          const float* a = static_cast<const float*>(args.a) + i0 * lda + k;
          for (int64_t i = 0; i < rows; i += kRows) {
            TileOf<kRows>(rows - i, a + i * lda, lda, weights, count, sums + i * kCols, kCols);
          }
        }
        for (int64_t i = 0; i < rows; ++i) {
          __builtin_memcpy(args.c + (i0 - args.m0 + i) * args.ldc + (j - args.n0), sums + i * kCols,
                           static_cast<unsigned long>(cols) * sizeof(float));
        }
      }
    }
  }
};

template <class V, PanelType kType>
void OverridePanelFloat(KernelTable& table) {
  const auto run = [](const GemmArgs& args) noexcept { PanelFloats<V>::Run(kType, args, args.lda); };
  const auto run_packed = [](const GemmArgs& args) noexcept { PanelFloats<V>::Run(kType, args, args.k); };
  constexpr int64_t kRows = V::kTileRows;
  constexpr int kAt = static_cast<int>(kType);
  table.panel_gemm[static_cast<int>(Precision::kF32)][kAt] = {kRows, nullptr, nullptr, run};
  table.panel_gemm[static_cast<int>(Precision::kBf16)][kAt] = {kRows, RoundedBytes<V>, PackRounded<V>, run_packed};
}

template <class V>
void OverridePanelFloats(KernelTable& table) {
  ForEachPanelType([&]<PanelType kType>() { OverridePanelFloat<V, kType>(table); });
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_PANEL_FLOAT_INL_H_
