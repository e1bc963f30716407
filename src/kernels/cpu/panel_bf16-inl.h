#ifndef GALAGO_KERNELS_CPU_PANEL_BF16_INL_H_
#define GALAGO_KERNELS_CPU_PANEL_BF16_INL_H_

#include "src/kernels/kernel_table.h"

// Products of bf16 activations with panels: codes (of 4 bits: less 8) are bf16 numbers as they are. They are expanded a
// group at a time, for a few panels, and wait in the first-level cache while the activations pass. Lanes are outputs;
// after each group y = y + s (sum x q), of 4 bits y = y + s (sum x (q - 8) - (z - 8) sum x).
//
// A Bf16 policy says how: V; Pairs, two bf16 for each lane; kRows and kVecs, a tile, whole panels side by side; Load
// and Set1 (of four bytes) of pairs; MulAdd; Nibbles<kShift>, less 8, SixBits<kShift, kTopShift>, less 32, and
// SignedBytes<kHigh>, pairs of the codes in bits kShift and kShift + 16 on, in bytes 0 and 2 or 1 and 3 of every 32-bit
// word. So columns are taken in the order 0 2, 1 3 of each four.
namespace galago::kernels {

template <class B>
struct PanelBf16 {
  using V = typename B::V;
  using F32 = typename V::F32;
  static constexpr int kVecs = B::kVecs;
  static constexpr int64_t kParts = kPanelRows / V::kLanes;  // vectors of a panel
  static constexpr int64_t kCols = kVecs * V::kLanes;
  static constexpr int64_t kVecBytes = V::kLanes * 4;
  static constexpr int64_t kLongest = 128;  // columns expanded at a time
  static_assert(kCols % kPanelRows == 0);

  struct Columns {
    int bits;
    bool row;
    int64_t k, padded, chunk, chunks;
    Columns(PanelType type, int64_t columns) {
      bits = PanelBits(type);
      row = type == PanelType::kW8Row;
      k = columns;
      padded = PanelPaddedK(type, columns);
      chunk = row ? kPanelRowPad : PanelGroup(type);
      chunks = padded / chunk;
    }
    int64_t RowBytes() const { return padded * 2 + chunks * 4; }
  };

  // A tile of R rows (the last may have fewer): K/2 times [R] pairs, then for each chunk [R] sums.
  static void Pack(PanelType type, const GemmPackArgs& args) {
    const Columns columns(type, args.k);
    for (int64_t i0 = args.m0; i0 < args.m1; i0 += B::kRows) {
      const int64_t rows = args.m1 - i0 < B::kRows ? args.m1 - i0 : B::kRows;
      char* tile = static_cast<char*>(args.packed) + i0 * columns.RowBytes();
      auto* sums = reinterpret_cast<float*>(tile + rows * columns.padded * 2);
      for (int64_t i = 0; i < rows; ++i) {
        const float* x = args.a + (i0 + i) * args.lda;
        for (int64_t chunk = 0; chunk < columns.chunks; ++chunk) {
          auto sum = V::Zero();
          for (int64_t k = chunk * columns.chunk; k < (chunk + 1) * columns.chunk; k += V::kLanes) {
            const int64_t left = args.k - k;
            uint16_t bits[V::kLanes];
            const F32 value = left >= V::kLanes ? V::Load(x + k) : left > 0 ? V::LoadN(x + k, left) : V::Zero();
            V::template StoreAs<FloatType::kBF16>(bits, value);
            sum = V::Add(sum, V::template LoadAs<FloatType::kBF16>(bits));
            for (int64_t four = 0; four < V::kLanes; four += 4) {
              const uint32_t even = bits[four] | static_cast<uint32_t>(bits[four + 2]) << 16;
              const uint32_t odd = bits[four + 1] | static_cast<uint32_t>(bits[four + 3]) << 16;
              char* out = tile + ((k + four) / 2 * rows + i) * 4;
              __builtin_memcpy(out, &even, sizeof(even));
              __builtin_memcpy(out + rows * 4, &odd, sizeof(odd));
            }
          }
          sums[chunk * rows + i] = V::Sum(sum);
        }
      }
    }
  }

  // `count` columns of one vector of outputs to out[pair * kCols].
  static void Expand(int bits, const char* line, int64_t count, uint32_t* out) {
    if (bits == 6) {
      for (int64_t k = 0; k < count; k += 16, line += 3 * kPanelLine, out += 8 * kCols) {
        const char *next = line + kPanelLine, *top = next + kPanelLine;
        B::Store(out, B::template SixBits<0, 0>(line, top));
        B::Store(out + kCols, B::template SixBits<8, 8>(line, top));
        B::Store(out + 2 * kCols, B::template SixBits<4, 2>(line, top));
        B::Store(out + 3 * kCols, B::template SixBits<12, 10>(line, top));
        B::Store(out + 4 * kCols, B::template SixBits<0, 4>(next, top));
        B::Store(out + 5 * kCols, B::template SixBits<8, 12>(next, top));
        B::Store(out + 6 * kCols, B::template SixBits<4, 6>(next, top));
        B::Store(out + 7 * kCols, B::template SixBits<12, 14>(next, top));
      }
      return;
    }
    for (int64_t k = 0; k < count; k += bits == 4 ? 8 : 4, line += kPanelLine) {
      if (bits == 4) {
        B::Store(out, B::template Nibbles<0>(line));
        B::Store(out + kCols, B::template Nibbles<8>(line));
        B::Store(out + 2 * kCols, B::template Nibbles<4>(line));
        B::Store(out + 3 * kCols, B::template Nibbles<12>(line));
        out += 4 * kCols;
      } else {
        B::Store(out, B::template SignedBytes<false>(line));
        B::Store(out + kCols, B::template SignedBytes<true>(line));
        out += 2 * kCols;
      }
    }
  }

  struct Chunk {
    const uint32_t* weights;  // [pairs, kCols]
    int64_t pairs;
    bool four;
    F32 scale[kVecs], zero[kVecs];  // zero less 8
  };

  // `stride`: rows packed together.
  template <int kRows>
  static void Tile(const Chunk& chunk, const char* a, const float* sums_of_a, int64_t stride, float* c) {
    F32 sums[kRows][kVecs];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) sums[i][v] = V::Zero();
    }
    const uint32_t* w = chunk.weights;
    for (int64_t pair = 0; pair < chunk.pairs; ++pair) {
      typename B::Pairs w_step[kVecs];
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) w_step[v] = B::Load(w + v * V::kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const auto x = B::Set1(a + i * 4);
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) sums[i][v] = B::MulAdd(x, w_step[v], sums[i][v]);
      }
      w += kCols;
      a += stride * 4;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) B::KeepInRegister(sums[i][v]);  // see panel_gemm-inl.h
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) {
        float* out = c + i * kCols + v * V::kLanes;
        const F32 sum = V::NegMulAdd(chunk.zero[v], V::Set1(sums_of_a[i]), sums[i][v]);
        V::Store(out, V::MulAdd(chunk.scale[v], chunk.four ? sum : sums[i][v], V::Load(out)));
      }
    }
  }

  static void Rows(int64_t rows, const Chunk& chunk, const char* a, const float* sums, float* c) {
    if (rows == B::kRows) return Tile<B::kRows>(chunk, a, sums, rows, c);
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) Tile<4>(chunk, a + i * 4, sums + i, rows, c + i * kCols);
    for (; i < rows; ++i) Tile<1>(chunk, a + i * 4, sums + i, rows, c + i * kCols);
  }

  static void Run(PanelType type, const GemmArgs& args) {
    // Sums of whole vectors while the chunks pass, for so many rows at a time.
    constexpr int64_t kMostRows = 10 * B::kRows;
    alignas(64) float sums[kMostRows * kCols];
    alignas(64) uint32_t weights[kLongest / 2 * kCols];
    const Columns columns(type, args.k);
    const int64_t panel_bytes = PanelBytes(type, args.k);
    const int64_t last = (args.n1 - 1) / kPanelRows;
    for (int64_t j = args.n0; j < args.n1; j += kCols) {
      const int64_t cols = args.n1 - j < kCols ? args.n1 - j : kCols;
      for (int64_t i0 = args.m0; i0 < args.m1; i0 += kMostRows) {
        const int64_t rows = args.m1 - i0 < kMostRows ? args.m1 - i0 : kMostRows;
        for (int64_t i = 0; i < rows * kCols; ++i) sums[i] = 0.0f;
        for (int64_t at = 0; at < columns.chunks; ++at) {
          Chunk chunk = {weights, columns.chunk / 2, columns.bits == 4, {}, {}};
          for (int64_t v = 0; v < kVecs; ++v) {  // the last panel stands in for one that is missing
            const int64_t panel = j / kPanelRows + v / kParts, part = v % kParts;
            const char* w = static_cast<const char*>(args.w) + (panel < last ? panel : last) * panel_bytes;
            const char* line =
                columns.row ? w + at * columns.chunk * kPanelRows : w + at * PanelGroupBytes(type) + kPanelLine;
            const char* scales = columns.row ? w + columns.padded * kPanelRows : line - kPanelLine;
            if (chunk.four) {
              scales += part * kVecBytes / 2;
              chunk.scale[v] = V::template LoadAs<FloatType::kF16>(scales);
              chunk.zero[v] = V::Sub(V::template LoadAs<FloatType::kF16>(scales + kPanelRows * 2), V::Set1(8.0f));
            } else {
              chunk.scale[v] = V::Load(reinterpret_cast<const float*>(scales + part * kVecBytes));
              chunk.zero[v] = V::Zero();
            }
            Expand(columns.bits, line + part * kVecBytes, columns.chunk, weights + v * V::kLanes);
          }
          for (int64_t i = 0; i < rows; i += B::kRows) {
            const int64_t count = rows - i < B::kRows ? rows - i : B::kRows;
            const char* tile = static_cast<const char*>(args.a) + (i0 + i) * columns.RowBytes();
            const auto* meta = reinterpret_cast<const float*>(tile + count * columns.padded * 2);
            Rows(count, chunk, tile + at * columns.chunk * 2 * count, meta + at * count, sums + i * kCols);
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

template <class B, PanelType kType>
void OverridePanelBf16(KernelTable& table) {
  table.panel_gemm[static_cast<int>(Precision::kBf16)][static_cast<int>(kType)] = {
      B::kRows, [](int64_t m, int64_t k) noexcept { return m * typename PanelBf16<B>::Columns(kType, k).RowBytes(); },
      [](const GemmPackArgs& args) noexcept { PanelBf16<B>::Pack(kType, args); },
      [](const GemmArgs& args) noexcept { PanelBf16<B>::Run(kType, args); }};
}

template <class B>
void OverridePanelBf16s(KernelTable& table) {
  ForEachPanelType([&]<PanelType kType>() { OverridePanelBf16<B, kType>(table); });
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_PANEL_BF16_INL_H_
