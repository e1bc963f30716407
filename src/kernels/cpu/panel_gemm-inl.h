#ifndef GALAGO_KERNELS_CPU_PANEL_GEMM_INL_H_
#define GALAGO_KERNELS_CPU_PANEL_GEMM_INL_H_

#include "src/kernels/kernel_table.h"

// Products of 8-bit activations with panels of 4 or 8 bits: the lanes of a vector are outputs, each lane adds products
// of four consecutive columns, and no sum crosses lanes. The definition, to the last bit, is in ref/panel_gemm.cc.
//
// An Int8 policy says how an instruction set multiplies bytes:
//   V                  its vectors of floats; Ints: as many 32-bit integers; Bytes: four bytes for each of them
//   kRows, kVecs       a tile: rows of activations times vectors of outputs (a whole panel or more)
//   kOffset            what Signed adds to codes of 8 bits; sums start at -kOffset times the sum of the activations
//   Load, Low, High    a vector of panel bytes; its low and high nibbles
//   Signed             codes of 8 bits as Dot wants them
//   Four               four bytes in every lane
//   Dot, Dot2          sum + w x; sum + w0 x0 + w1 x1 with w in 0..15
//   StoreCodes         whole numbers in -128..127 as bytes
namespace galago::kernels {

// Activations: a tile of rows (the last may have fewer) after the other. Of a tile of R rows: K/4 times [R][4] codes,
// then for each group [R] scales and [R] corrections: the sum of the codes as a float before 4-bit weights, -kOffset
// times the sum as an integer before 8-bit ones.
template <class I, PanelType kType>
struct Int8Layout {
  static constexpr int64_t kRows = I::kRows;
  static constexpr bool kFour = PanelBits(kType) == 4;
  static constexpr bool kRow = kType == PanelType::kW8Row;
  static int64_t Groups(int64_t k) { return kRow ? 1 : k / PanelGroup(kType); }
  static int64_t RowBytes(int64_t k) { return PanelPaddedK(kType, k) + Groups(k) * 8; }
  static int64_t Bytes(int64_t m, int64_t k) noexcept { return m * RowBytes(k); }

  // Columns [begin, end) of one row, a group, to codes 4 R bytes apart. Writes the scale and the correction.
  static void PackGroup(const float* x, int64_t begin, int64_t end, int64_t rows, char* codes, float* scale,
                        void* correction) {
    using V = typename I::V;
    const auto load = [&](int64_t k) { return k + V::kLanes <= end ? V::Load(x + k) : V::LoadN(x + k, end - k); };
    auto max = V::Set1(kLeastMax), odd = V::Zero();  // odd: 0, or NaN where x is not finite
    for (int64_t k = begin; k < end; k += V::kLanes) {
      const auto value = load(k);
      max = V::Max(V::Abs(value), max);
      odd = V::MulAdd(value, V::Zero(), odd);
    }
    const float most = V::ReduceMax(max);
    *scale = most / 127.0f + V::Sum(odd);
    const auto inverse = V::Set1(127.0f / most);
    auto sums = V::Zero();  // of whole numbers below 2^24: exact in any order
    for (int64_t k = begin; k < end; k += V::kLanes) {
      const auto value = V::Round(V::Mul(load(k), inverse));
      sums = V::Add(sums, value);
      uint32_t words[V::kLanes / 4];
      I::StoreCodes(words, value);
      for (int64_t i = 0; i < V::kLanes / 4; ++i) __builtin_memcpy(codes + (k / 4 + i) * rows * 4, &words[i], 4);
    }
    const float sum = V::Sum(sums);
    if constexpr (kFour) {
      __builtin_memcpy(correction, &sum, sizeof(sum));
    } else {
      const int32_t offset = sum == sum ? -I::kOffset * static_cast<int32_t>(sum) : 0;
      __builtin_memcpy(correction, &offset, sizeof(offset));
    }
  }

  static void Pack(const GemmPackArgs& args) noexcept {
    const int64_t padded = PanelPaddedK(kType, args.k), groups = Groups(args.k),
                  group = kRow ? args.k : PanelGroup(kType);
    for (int64_t i0 = args.m0; i0 < args.m1; i0 += kRows) {
      const int64_t rows = args.m1 - i0 < kRows ? args.m1 - i0 : kRows;
      char* tile = static_cast<char*>(args.packed) + i0 * RowBytes(args.k);
      auto* scales = reinterpret_cast<float*>(tile + rows * padded);
      for (int64_t i = 0; i < rows; ++i) {
        const float* x = args.a + (i0 + i) * args.lda;
        for (int64_t k = args.k / I::V::kLanes * I::V::kLanes; kRow && k < padded; k += 4) {
          __builtin_memset(tile + (k * rows + i * 4), 0, 4);
        }
        for (int64_t g = 0; g < groups; ++g) {
          float* meta = scales + g * 2 * rows + i;
          PackGroup(x, g * group, g * group + group, rows, tile + i * 4, meta, meta + rows);
        }
      }
    }
  }
};

// Columns computed at a time where there are several tiles of rows: the panels' part stays in the first-level cache
// while the activations pass.
constexpr int64_t kPanelKBlock = 512;

template <class I, PanelType kType>
struct Int8Gemm {
  using V = typename I::V;
  using F32 = typename V::F32;
  using Layout = Int8Layout<I, kType>;
  static constexpr bool kFour = Layout::kFour;
  static constexpr bool kRow = Layout::kRow;
  static constexpr int kVecs = I::kVecs;
  static constexpr int64_t kParts = kPanelRows / V::kLanes;  // vectors of a line
  static constexpr int64_t kLineColumns = kFour ? 8 : 4;
  static constexpr int64_t kVecBytes = V::kLanes * 4;

  // Adds `lines` lines of codes.
  template <int kRows>
  [[gnu::always_inline]] static void Lines(typename I::Ints (&sums)[kRows][kVecs], const char* const (&w)[kVecs],
                                           const char* a, int64_t lines) {
    for (int64_t line = 0; line < lines; ++line) {
      if constexpr (kFour) {
        typename I::Bytes low[kVecs], high[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) {
          const auto bytes = I::Load(w[v] + line * kPanelLine);
          low[v] = I::Low(bytes);
          high[v] = I::High(bytes);
        }
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const auto x0 = I::Four(a + i * 4), x1 = I::Four(a + (kRows + i) * 4);
#pragma GCC unroll 8
          for (int v = 0; v < kVecs; ++v) sums[i][v] = I::Dot2(sums[i][v], low[v], x0, high[v], x1);
        }
      } else {
        typename I::Bytes codes[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) codes[v] = I::Signed(I::Load(w[v] + line * kPanelLine));
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const auto x = I::Four(a + i * 4);
#pragma GCC unroll 8
          for (int v = 0; v < kVecs; ++v) sums[i][v] = I::Dot(sums[i][v], codes[v], x);
        }
      }
      a += kRows * kLineColumns;
    }
  }

  // kRows x kVecs vectors of c over columns [k0, k1). `w`: the vectors' places in the first line of their panels.
  template <int kRows>
  static void Tile(const GemmArgs& args, const char* tile, const char* const (&w)[kVecs], int64_t k0, int64_t k1,
                   float* c, int64_t ldc) {
    const int64_t padded = PanelPaddedK(kType, args.k);
    const char* a = tile + k0 * kRows;
    const auto* meta = reinterpret_cast<const float*>(tile + kRows * padded);  // scales and corrections
    if constexpr (kRow) {
      // Sums of earlier columns wait in c as integers.
      typename I::Ints sums[kRows][kVecs];
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) {
          sums[i][v] = k0 == 0 ? I::Set1(meta + kRows + i) : I::LoadInts(c + i * ldc + v * V::kLanes);
        }
      }
      const char* codes[kVecs];
      for (int v = 0; v < kVecs; ++v) codes[v] = w[v] + k0 * kPanelRows;
      Lines<kRows>(sums, codes, a, (k1 - k0) / kLineColumns);
      for (int v = 0; v < kVecs; ++v) {
        const auto scale = V::Load(reinterpret_cast<const float*>(w[v] + padded * kPanelRows));
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          float* out = c + i * ldc + v * V::kLanes;
          if (k1 < padded) {
            I::StoreInts(out, sums[i][v]);
          } else {
            V::Store(out, V::Mul(I::ToFloat(sums[i][v]), V::Mul(scale, V::Set1(meta[i]))));
          }
        }
      }
    } else {
      constexpr int64_t kGroup = PanelGroup(kType), kGroupBytes = PanelGroupBytes(kType);
      for (int64_t g = k0 / kGroup; g < k1 / kGroup; ++g) {
        typename I::Ints sums[kRows][kVecs];
        const float* scales = meta + g * 2 * kRows;
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
          for (int v = 0; v < kVecs; ++v) sums[i][v] = kFour ? I::Zero() : I::Set1(scales + kRows + i);
        }
        const char* codes[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) codes[v] = w[v] + g * kGroupBytes + kPanelLine;
        Lines<kRows>(sums, codes, a, kGroup / kLineColumns);
        a += kGroup * kRows;
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) {
          // Scales are as wide as a lane or half as wide.
          const char* line = w[v] + g * kGroupBytes - (kFour ? v % kParts * kVecBytes / 2 : 0);
          F32 scale, zero;
          if constexpr (kFour) {
            scale = V::template LoadAs<FloatType::kF16>(line);
            zero = V::template LoadAs<FloatType::kF16>(line + kPanelRows * 2);
          } else {
            scale = V::Load(reinterpret_cast<const float*>(line));
          }
#pragma GCC unroll 16
          for (int i = 0; i < kRows; ++i) {
            float* out = c + i * ldc + v * V::kLanes;
            const F32 before = g == 0 ? V::Zero() : V::Load(out);
            F32 dot = I::ToFloat(sums[i][v]);
            if constexpr (kFour) dot = V::NegMulAdd(zero, V::Set1(scales[kRows + i]), dot);
            V::Store(out, V::MulAdd(dot, V::Mul(scale, V::Set1(scales[i])), before));
          }
        }
      }
    }
  }

  // The tile for `rows` in [1, kRows].
  template <int kRows>
  static void TileOf(int64_t rows, const GemmArgs& args, const char* tile, const char* const (&w)[kVecs], int64_t k0,
                     int64_t k1, float* c, int64_t ldc) {
    if constexpr (kRows > 1) {
      if (rows < kRows) return TileOf<kRows - 1>(rows, args, tile, w, k0, k1, c, ldc);
    }
    Tile<kRows>(args, tile, w, k0, k1, c, ldc);
  }

  static void Run(const GemmArgs& args) noexcept {
    constexpr int64_t kCols = kVecs * V::kLanes;
    const int64_t padded = PanelPaddedK(kType, args.k), panel_bytes = PanelBytes(kType, args.k);
    const int64_t last = (args.n1 - 1) / kPanelRows;
    const int64_t block = args.m1 - args.m0 <= I::kRows ? padded : kPanelKBlock;
    for (int64_t k0 = 0; k0 < padded; k0 += block) {
      const int64_t k1 = padded - k0 < block ? padded : k0 + block;
      for (int64_t j = args.n0; j < args.n1; j += kCols) {
        const char* w[kVecs];
        for (int64_t v = 0; v < kVecs; ++v) {  // the last panel stands in for one that is missing
          const int64_t panel = j / kPanelRows + v / kParts;
          w[v] =
              static_cast<const char*>(args.w) + (panel < last ? panel : last) * panel_bytes + v % kParts * kVecBytes;
        }
        const int64_t cols = args.n1 - j < kCols ? args.n1 - j : kCols;
        for (int64_t i = args.m0; i < args.m1; i += I::kRows) {
          const int64_t rows = args.m1 - i < I::kRows ? args.m1 - i : I::kRows;
          const char* tile = static_cast<const char*>(args.a) + i * Layout::RowBytes(args.k);
          float* c = args.c + (i - args.m0) * args.ldc + (j - args.n0);
          if (cols == kCols) {
            TileOf<I::kRows>(rows, args, tile, w, k0, k1, c, args.ldc);
            continue;
          }
          alignas(64) float whole[I::kRows * kCols];
          if (k0 > 0) CopyRows(rows, cols, c, args.ldc, whole, kCols);
          TileOf<I::kRows>(rows, args, tile, w, k0, k1, whole, kCols);
          CopyRows(rows, cols, whole, kCols, c, args.ldc);
        }
      }
    }
  }

  static void CopyRows(int64_t rows, int64_t cols, const float* from, int64_t ld_from, float* to, int64_t ld_to) {
    for (int64_t i = 0; i < rows; ++i) {
      __builtin_memcpy(to + i * ld_to, from + i * ld_from, static_cast<unsigned long>(cols) * sizeof(float));
    }
  }
};

template <class I, PanelType kType>
void OverrideInt8(KernelTable& table) {
  table.panel_gemm[static_cast<int>(Precision::kInt8)][static_cast<int>(kType)] = {
      I::kRows, Int8Layout<I, kType>::Bytes, Int8Layout<I, kType>::Pack, Int8Gemm<I, kType>::Run};
}

template <class I>
void OverrideInt8Gemm(KernelTable& table) {
  OverrideInt8<I, PanelType::kW4G32>(table);
  OverrideInt8<I, PanelType::kW4G64>(table);
  OverrideInt8<I, PanelType::kW4G128>(table);
  OverrideInt8<I, PanelType::kW8G16>(table);
  OverrideInt8<I, PanelType::kW8G32>(table);
  OverrideInt8<I, PanelType::kW8G128>(table);
  OverrideInt8<I, PanelType::kW8Row>(table);
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_PANEL_GEMM_INL_H_
