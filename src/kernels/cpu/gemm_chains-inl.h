#ifndef GALAGO_KERNELS_CPU_GEMM_CHAINS_INL_H_
#define GALAGO_KERNELS_CPU_GEMM_CHAINS_INL_H_

#include "src/kernels/cpu/copy_rows-inl.h"
#include "src/kernels/kernel_table.h"

// Products of bf16 activations and bf16 weights as they lie in a checkpoint, both contiguous along k. A vector of
// running sums holds four outputs, each in four chains: chain c adds the pairs of columns 8 s + 2 c of every step s. So
// a vector of weights, 16 bytes of four rows each, serves all activations of a tile, a vector of activations is 16
// bytes in every quarter, and little is left to be added up across lanes.
//
// Weights are put into that order a block at a time and wait in the first-level cache while the activations pass; one
// row of activations does without. An output is the sum, in order, of its blocks' sums, whichever tile computes it.
//
// A policy B: V, its vectors of floats; Pairs; kRows and kVecs, a tile; Turn, four vectors of four rows' columns into
// four steps; Four, 16 bytes in every quarter; MulAdd; Fold, (0 + 2) + (1 + 3) of the chains of four vectors;
// AddHalves.
namespace galago::kernels {

template <class B>
struct GemmChains {
  using V = typename B::V;
  using F32 = typename V::F32;
  using Pairs = typename B::Pairs;
  static constexpr int kRows = B::kRows, kVecs = B::kVecs;
  static constexpr int64_t kOutputs = V::kLanes / 4;  // of a vector
  static constexpr int64_t kCols = kVecs * kOutputs;
  static constexpr int64_t kStep = 8;                 // columns
  static constexpr int64_t kTurn = kOutputs * kStep;  // columns turned at once
  static_assert(kOutputs == 4 && kVecs == 2);

  // Columns of a block. Its weights, 16 bytes a column, stay in the first-level cache, and what is asked for early of
  // the activations, 24 a column, streams by from the second, where 240 rows of it lie.
  static constexpr int64_t kMostColumns = 896;
  static constexpr int64_t kAhead = 3072;  // bytes
  // Up to so many tiles of rows the weights are what is read from memory, and the loop over them goes outside.
  static constexpr int64_t kFewTiles = 3;
  static int64_t PaddedColumns(int64_t k) { return (k + kTurn - 1) / kTurn * kTurn; }
  static int64_t BlockColumns(int64_t k) {
    const int64_t blocks = (k + kMostColumns - 1) / kMostColumns;
    return PaddedColumns((k + blocks - 1) / blocks);
  }
  static int64_t PackedBytes(int64_t m, int64_t k) { return m * PaddedColumns(k) * 2; }

  // A tile of R rows (the last may have fewer): K/8 times [R][8].
  static void Pack(const GemmPackArgs& args) {
    const int64_t padded = PaddedColumns(args.k);
    for (int64_t i0 = args.m0; i0 < args.m1; i0 += kRows) {
      const int64_t rows = args.m1 - i0 < kRows ? args.m1 - i0 : kRows;
      char* tile = static_cast<char*>(args.packed) + i0 * padded * 2;
      for (int64_t i = 0; i < rows; ++i) {
        const float* x = args.a + (i0 + i) * args.lda;
        for (int64_t k = 0; k < padded; k += V::kLanes) {
          const int64_t left = args.k - k;
          char bits[V::kLanes * 2];
          const F32 value = left >= V::kLanes ? V::Load(x + k) : left > 0 ? V::LoadN(x + k, left) : V::Zero();
          V::template StoreAs<FloatType::kBF16>(bits, value);
          for (int64_t step = 0; step < V::kLanes / kStep; ++step) {
            __builtin_memcpy(tile + ((k / kStep + step) * rows + i) * 16, bits + step * 16, 16);
          }
        }
      }
    }
  }

  // Four rows' columns [k, k + kTurn) as four vectors; zeros from column `end` on.
  [[gnu::always_inline]] static void LoadTurned(const char* const* row, int64_t k, int64_t end,
                                                Pairs (&out)[kOutputs]) {
    if (k + kTurn <= end) {
#pragma GCC unroll 4
      for (int r = 0; r < kOutputs; ++r) out[r] = B::Load(row[r] + k * 2);
    } else {
#pragma GCC unroll 4
      for (int r = 0; r < kOutputs; ++r) out[r] = B::LoadN(row[r] + k * 2, end - k);
    }
    B::Turn(out);
  }

  // Rows from j on of [N, K]; the last stands in for those that are missing.
  template <int kMany>
  static void RowsAt(const GemmArgs& args, int64_t j, const char* (&row)[kMany]) {
    for (int64_t r = 0; r < kMany; ++r) {
      row[r] = static_cast<const char*>(args.w) + (j + r < args.n1 ? j + r : args.n1 - 1) * args.k * 2;
    }
  }

  struct Block {
    const Pairs* weights;  // [steps][kVecs]
    int64_t steps;
    bool first;  // writes c, others add to it
  };

  // `stride`: rows packed together.
  template <int kTile>
  static void Tile(const Block& block, const char* a, int64_t stride, float* c, int64_t ldc) {
    F32 sums[kTile][kVecs];
#pragma GCC unroll 16
    for (int i = 0; i < kTile; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) sums[i][v] = V::Zero();
    }
    const Pairs* w = block.weights;
    for (int64_t step = 0; step < block.steps; ++step) {
      Pairs w_step[kVecs];
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) w_step[v] = w[v];
#pragma GCC unroll 16
      for (int i = 0; i < kTile; ++i) {
        const Pairs x = B::Four(a + i * 16);
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) sums[i][v] = B::MulAdd(x, w_step[v], sums[i][v]);
      }
      if constexpr (kTile == kRows) {
#pragma GCC unroll 4
        for (int line = 0; line < kRows * 16; line += 64) __builtin_prefetch(a + kAhead + line);
      }
      w += kVecs;
      a += stride * 16;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kTile; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) B::KeepInRegister(sums[i][v]);  // see panel_gemm-inl.h
    }
#pragma GCC unroll 16
    for (int i = 0; i < kTile; i += 2) {
      const int next = i + 1 < kTile ? i + 1 : i;
      const F32 both = B::Fold(sums[i][0], sums[i][1], sums[next][0], sums[next][1]);
      B::AddHalves(both, c + i * ldc, c + next * ldc, block.first);
    }
  }

  static void Rows(int64_t rows, const Block& block, const char* a, float* c, int64_t ldc) {
    if (rows == kRows) return Tile<kRows>(block, a, rows, c, ldc);
    int64_t i = 0;
    const auto tile = [&]<int kTile>() {
      Tile<kTile>(block, a + i * 16, rows, c + i * ldc, ldc);
      i += kTile;
    };
    if (i + 8 <= rows) tile.template operator()<8>();
    if (i + 4 <= rows) tile.template operator()<4>();
    if (i + 2 <= rows) tile.template operator()<2>();
    if (i < rows) tile.template operator()<1>();
  }

  // One row: weights are used once and pass through registers alone. 16 outputs, for four sums to be under way at once.
  static void OneRow(const GemmArgs& args, const char* a) {
    constexpr int64_t kMany = V::kLanes;
    constexpr int64_t kRowAhead = 512;  // bytes of a row asked for early
    const int64_t columns = BlockColumns(args.k);
    for (int64_t j = args.n0; j < args.n1; j += kMany) {
      const char* row[kMany];
      RowsAt(args, j, row);
      F32 total = V::Zero();
      for (int64_t k0 = 0; k0 < args.k; k0 += columns) {
        const int64_t k1 = args.k - k0 < columns ? args.k : k0 + columns;
        F32 sums[4] = {V::Zero(), V::Zero(), V::Zero(), V::Zero()};
        for (int64_t k = k0; k < k1; k += kTurn) {
#pragma GCC unroll 4
          for (int v = 0; v < 4; ++v) {
            Pairs w[kOutputs];
#pragma GCC unroll 4
            for (int r = 0; r < kOutputs; ++r) __builtin_prefetch(row[v * kOutputs + r] + k * 2 + kRowAhead);
            LoadTurned(row + v * kOutputs, k, args.k, w);
#pragma GCC unroll 4
            for (int s = 0; s < kOutputs; ++s) sums[v] = B::MulAdd(B::Four(a + k * 2 + s * 16), w[s], sums[v]);
          }
        }
        const F32 sum = B::Fold(sums[0], sums[1], sums[2], sums[3]);
        total = k0 == 0 ? sum : V::Add(total, sum);
      }
      const int64_t cols = args.n1 - j;
      if (cols >= kMany) {
        V::Store(args.c + (j - args.n0), total);
      } else {
        V::StoreN(args.c + (j - args.n0), total, cols);
      }
    }
  }

  // A block of kCols outputs, columns [k0, k1), of all rows.
  static void RunBlock(const GemmArgs& args, int64_t j, int64_t k0, int64_t k1) {
    alignas(64) Pairs weights[kMostColumns / kStep * kVecs];
    const char* row[kCols];
    RowsAt(args, j, row);
    Pairs* out = weights;
    for (int64_t k = k0; k < k1; k += kTurn, out += kOutputs * kVecs) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) {
        Pairs w[kOutputs];
#pragma GCC unroll 4
        for (int r = 0; r < kOutputs; ++r) {  // of the block after
          __builtin_prefetch(row[v * kOutputs + r] + (k + kCols * args.k) * 2, 0, 2);
        }
        LoadTurned(row + v * kOutputs, k, args.k, w);
#pragma GCC unroll 4
        for (int s = 0; s < kOutputs; ++s) out[s * kVecs + v] = w[s];
      }
    }
    const Block block = {weights, (out - weights) / kVecs, k0 == 0};
    const int64_t cols = args.n1 - j < kCols ? args.n1 - j : kCols, row_bytes = PaddedColumns(args.k) * 2;
    for (int64_t i = args.m0; i < args.m1; i += kRows) {
      const int64_t rows = args.m1 - i < kRows ? args.m1 - i : kRows;
      const char* tile = static_cast<const char*>(args.a) + i * row_bytes + k0 * 2 * rows;
      float* c = args.c + (i - args.m0) * args.ldc + (j - args.n0);
      if (cols == kCols) {
        Rows(rows, block, tile, c, args.ldc);
        continue;
      }
      float whole[kRows * kCols];
      if (!block.first) CopyRows(rows, cols, c, args.ldc, whole, kCols);
      Rows(rows, block, tile, whole, kCols);
      CopyRows(rows, cols, whole, kCols, c, args.ldc);
    }
  }

  static void Run(const GemmArgs& args) {
    const int64_t columns = BlockColumns(args.k);
    if (args.m1 - args.m0 == 1) {
      return OneRow(args, static_cast<const char*>(args.a) + args.m0 * PaddedColumns(args.k) * 2);
    }
    const auto run = [&](int64_t j, int64_t k0) {
      RunBlock(args, j, k0, args.k - k0 < columns ? args.k : k0 + columns);
    };
    // An output's blocks come in order either way.
    if (args.m1 - args.m0 <= kFewTiles * kRows) {  // weights pass once, front to back; activations stay in a cache
      for (int64_t j = args.n0; j < args.n1; j += kCols) {
        for (int64_t k0 = 0; k0 < args.k; k0 += columns) run(j, k0);
      }
    } else {  // a block's activations stay, its weights pass
      for (int64_t k0 = 0; k0 < args.k; k0 += columns) {
        for (int64_t j = args.n0; j < args.n1; j += kCols) run(j, k0);
      }
    }
  }
};

template <class B>
void OverrideGemmChains(KernelTable& table) {
  table.gemm[static_cast<int>(Precision::kBf16)][static_cast<int>(FloatType::kBF16)] = {
      B::kRows, [](int64_t m, int64_t k) noexcept { return GemmChains<B>::PackedBytes(m, k); },
      [](const GemmPackArgs& args) noexcept { GemmChains<B>::Pack(args); },
      [](const GemmArgs& args) noexcept { GemmChains<B>::Run(args); }};
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_GEMM_CHAINS_INL_H_
