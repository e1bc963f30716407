#ifndef GALAGO_KERNELS_CPU_PANEL_GEMM_INL_H_
#define GALAGO_KERNELS_CPU_PANEL_GEMM_INL_H_

#include "src/kernels/cpu/copy_rows-inl.h"
#include "src/kernels/kernel_table.h"

// Products of 8-bit activations with panels of 4, 6 or 8 bits: the lanes of a vector are outputs, each lane adds
// products of four consecutive columns, and no sum crosses lanes; or, where an instruction multiplies two rows by two
// outputs, of eight columns (kPairs). The definition, to the last bit, is in
// ref/panel_gemm.cc.
//
// An Int8 policy says how an instruction set multiplies bytes:
//   V                  its vectors of floats; Ints: as many 32-bit integers; Bytes: four bytes for each of them
//   kRows, kVecs       a tile: rows of activations times vectors of outputs (a whole panel or more)
//   kOffset            what Signed adds to codes of 8 bits; sums start at -kOffset times the sum of the activations
//   Load, Low, High    a vector of panel bytes; its low and high nibbles
//   WithTop<kShift>    nibbles with bits 4 and 5 of another vector, after a shift to the left (negative: right), above
//   Signed             codes of 8 bits as Dot wants them
//   Four               four bytes in every lane
//   Dot, Dot2          sum + w x; sum + w0 x0 + w1 x1 with w in 0..63
//   MulAddPairs        where the set multiplies matrices of 2 x 8 bytes: sums of two rows by two outputs + rows times
//                      outputs, with TwoRows, FirstOutputs, LastOutputs and SwapHalves, which bring operands and sums
//                      into that form
//   Plus               sums of integers
//   StoreCodes         whole numbers in -128..127 as bytes
namespace galago::kernels {

enum class PanelForm { k4, k6, k8, kRow };  // groups of 4, 6 or 8 bits; rows of 8 bits
[[gnu::always_inline]] constexpr PanelForm FormOf(PanelType type) {
  if (type == PanelType::kW8Row) return PanelForm::kRow;
  return PanelBits(type) == 4 ? PanelForm::k4 : PanelBits(type) == 6 ? PanelForm::k6 : PanelForm::k8;
}

// Activations: a tile of rows (the last may have fewer) after the other. Of a tile of R rows: K/4 times [R][4] codes,
// then for each group [R] scales and [R] corrections: the sum of the codes as a float before 4-bit weights; before
// others where their sums start, -kOffset times the sum as an integer, -32 times of 6 bits.
template <class I, PanelForm kForm>
struct Int8Activations {
  using V = typename I::V;
  int64_t k, padded, group, groups;

  Int8Activations(PanelType type, int64_t columns) {
    k = columns;
    padded = PanelPaddedK(type, columns);
    group = kForm == PanelForm::kRow ? columns : PanelGroup(type);
    groups = columns / group;
  }
  int64_t RowBytes() const { return padded + groups * 8; }

  // Columns [begin, end) of one row, a group, to codes 4 R bytes apart. Writes the scale and the correction.
  static void PackGroup(const float* x, int64_t begin, int64_t end, int64_t rows, char* codes, float* scale,
                        void* correction) {
    const auto load = [&](int64_t at) { return at + V::kLanes <= end ? V::Load(x + at) : V::LoadN(x + at, end - at); };
    auto max = V::Set1(kLeastMax);
    for (int64_t at = begin; at < end; at += V::kLanes) max = V::MaxMagnitude(max, load(at));
    const float most = V::ReduceMagnitude(max);
    *scale = most / 127.0f + most * 0.0f;  // NaN where x is not finite
    const auto inverse = V::Set1(127.0f / most);
    auto sums = V::Zero();  // of whole numbers below 2^24: exact in any order
    for (int64_t at = begin; at < end; at += V::kLanes) {
      const auto value = V::Round(V::Mul(load(at), inverse));
      sums = V::Add(sums, value);
      uint32_t words[V::kLanes / 4];
      I::StoreCodes(words, value);
      for (int64_t i = 0; i < V::kLanes / 4; ++i) __builtin_memcpy(codes + (at / 4 + i) * rows * 4, &words[i], 4);
    }
    const float sum = V::Sum(sums);
    if constexpr (kForm == PanelForm::k4) {
      __builtin_memcpy(correction, &sum, sizeof(sum));
    } else {
      constexpr int32_t kOffset = kForm == PanelForm::k6 ? 32 : I::kOffset;
      const int32_t offset = sum == sum ? -kOffset * static_cast<int32_t>(sum) : 0;
      __builtin_memcpy(correction, &offset, sizeof(offset));
    }
  }

  void Pack(const GemmPackArgs& args) const {
    for (int64_t i0 = args.m0; i0 < args.m1; i0 += I::kRows) {
      const int64_t rows = args.m1 - i0 < I::kRows ? args.m1 - i0 : I::kRows;
      char* tile = static_cast<char*>(args.packed) + i0 * RowBytes();
      auto* scales = reinterpret_cast<float*>(tile + rows * padded);
      // What lies beyond K; a vector may end there, and writes over this.
      for (int64_t at = k / 4; at < padded / 4; ++at) {
        __builtin_memset(tile + at * rows * 4, 0, static_cast<unsigned long>(rows) * 4);
      }
      for (int64_t i = 0; i < rows; ++i) {
        const float* x = args.a + (i0 + i) * args.lda;
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

template <class I, PanelForm kForm>
struct Int8Gemm {
  using V = typename I::V;
  using F32 = typename V::F32;
  using Ints = typename I::Ints;
  static constexpr bool kFour = kForm == PanelForm::k4, kSix = kForm == PanelForm::k6;
  static constexpr bool kPairs = requires(Ints sums, typename I::Bytes b) { I::MulAddPairs(sums, b, b); };
  template <int kRows>
  static constexpr bool kInPairs = (kRows % 2 == 0) && kPairs;
  static constexpr bool kEights = kFour || kSix || kPairs;  // codes are taken by eight columns
  static constexpr int kVecs = I::kVecs;
  static constexpr int64_t kParts = kPanelRows / V::kLanes;  // vectors of a line
  // A step is the lines that are taken together, and their columns.
  static constexpr int64_t kStepColumns = kSix ? 16 : kEights ? 8 : 4;
  static constexpr int64_t kStepLines = kStepColumns * kPanelRows * (kFour ? 4 : kSix ? 6 : 8) / (8 * kPanelLine);
  static constexpr int64_t kVecBytes = V::kLanes * 4;

  // What tiles of one product share.
  struct Product {
    int64_t padded, group, group_bytes;
    int64_t stride;  // rows of activations packed together
    int64_t ldc;
    // Bytes to what is asked for from memory meanwhile: codes where the panels pass once, else the next tile's rows.
    int64_t codes_ahead, rows_ahead;
  };

  // Eight columns of 4 or 8 bits at `w`, or half `kHalf` of a step of 6 bits: the codes of the first four and of the
  // rest.
  template <int kHalf>
  [[gnu::always_inline]] static void TakeEight(const char* w, typename I::Bytes& first, typename I::Bytes& rest) {
    if constexpr (kFour || kSix) {
      const auto bytes = I::Load(w + kHalf * kPanelLine);
      first = I::Low(bytes);
      rest = I::High(bytes);
      if constexpr (kSix) {
        const auto top = I::Load(w + 2 * kPanelLine);
        first = I::template WithTop<4 - 4 * kHalf>(first, top);
        rest = I::template WithTop<2 - 4 * kHalf>(rest, top);
      }
    } else {
      first = I::Signed(I::Load(w));
      rest = I::Signed(I::Load(w + kPanelLine));
    }
  }

  // Sums as they are added up: of kRows rows two at a time by two outputs where that is what is multiplied, and back.
  template <int kRows>
  [[gnu::always_inline]] static void SwapForm(Ints (&sums)[kRows][kVecs]) {
    if constexpr (kInPairs<kRows>) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; i += 2) {
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) I::SwapHalves(sums[i][v], sums[i + 1][v]);
      }
    }
  }

  // Adds those eight columns at w + `at` of every vector, times rows at `a`.
  template <int kHalf, int kRows>
  [[gnu::always_inline]] static void AddEight(Ints (&sums)[kRows][kVecs], const char* const (&w)[kVecs], int64_t at,
                                              const char* a, int64_t stride) {
    typename I::Bytes first[kVecs], rest[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) TakeEight<kHalf>(w[v] + at, first[v], rest[v]);
    if constexpr (kInPairs<kRows>) {
      typename I::Bytes outputs[2][kVecs];
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) {
        outputs[0][v] = I::FirstOutputs(first[v], rest[v]);
        outputs[1][v] = I::LastOutputs(first[v], rest[v]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const auto x = I::TwoRows(a + i / 2 * 8, a + stride * 4 + i / 2 * 8);
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) sums[i][v] = I::MulAddPairs(sums[i][v], x, outputs[i % 2][v]);
      }
      return;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const auto x0 = I::Four(a + i * 4), x1 = I::Four(a + (stride + i) * 4);
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) sums[i][v] = I::Dot2(sums[i][v], first[v], x0, rest[v], x1);
    }
  }

  // Adds `steps` steps of codes, each times rows at `a`. Integers: in whatever order, the sums are the same.
  template <int kRows>
  [[gnu::always_inline]] static void Steps(Ints (&sums)[kRows][kVecs], const char* const (&w)[kVecs], const char* a,
                                           const Product& p, int64_t steps) {
    SwapForm(sums);
    for (int64_t step = 0; step < steps; ++step) {
      const int64_t at = step * kStepLines * kPanelLine;
      if constexpr (kRows <= 4) {
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; v += kParts) {
#pragma GCC unroll 4
          for (int64_t line = 0; line < kStepLines; ++line) {
            __builtin_prefetch(w[v] + at + line * kPanelLine + p.codes_ahead, 0, 2);
          }
        }
      } else {
#pragma GCC unroll 4
        for (int64_t ahead = 0; ahead < kStepColumns / 4; ++ahead) {
          __builtin_prefetch(a + p.rows_ahead + ahead * kPanelLine);
        }
      }
      if constexpr (kEights) {
        AddEight<0>(sums, w, at, a, p.stride);
        if constexpr (kSix) AddEight<1>(sums, w, at, a + p.stride * 8, p.stride);
      } else {
        typename I::Bytes codes[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) codes[v] = I::Signed(I::Load(w[v] + at));
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const auto x = I::Four(a + i * 4);
#pragma GCC unroll 8
          for (int v = 0; v < kVecs; ++v) sums[i][v] = I::Dot(sums[i][v], codes[v], x);
        }
      }
      a += p.stride * kStepColumns;
    }
    SwapForm(sums);
    // Without this GCC 12 gives the sums a second home in memory for what follows, and stores them line by line.
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) I::KeepInRegister(sums[i][v]);
    }
  }

  // kRows x kVecs vectors of c over columns [k0, k1) of whole rows of codes. `a`: codes of the tile's first row at k0;
  // `meta`: its first scale; `w`: the vectors' places in the first line of their panels.
  template <int kRows>
  static void RowTile(const Product& p, const char* a, const float* meta, const char* const (&w)[kVecs], int64_t k0,
                      int64_t k1, float* c) {
    Ints sums[kRows][kVecs];  // those of earlier columns wait in c
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) {
        sums[i][v] = k0 == 0 ? I::Set1(meta + p.stride + i) : I::LoadInts(c + i * p.ldc + v * V::kLanes);
      }
    }
    const char* codes[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) codes[v] = w[v] + k0 * kPanelRows;
    Steps<kRows>(sums, codes, a, p, (k1 - k0) / kStepColumns);
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      const F32 scale = V::Load(reinterpret_cast<const float*>(w[v] + p.padded * kPanelRows));
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        float* out = c + i * p.ldc + v * V::kLanes;
        if (k1 < p.padded) {
          I::StoreInts(out, sums[i][v]);
        } else {
          V::Store(out, V::Mul(I::ToFloat(sums[i][v]), V::Mul(scale, V::Set1(meta[i]))));
        }
      }
    }
  }

  // What a group's sums are turned to floats with, for one vector of outputs. `line`: its place in the line of scales.
  struct GroupScale {
    F32 scale, zero;

    GroupScale(const char* line, int64_t part) {
      // Scales of 6 and 8 bits are as wide as lanes, those of 4 bits half as wide.
      if constexpr (kFour) {
        line -= part * kVecBytes / 2;
        scale = V::template LoadAs<FloatType::kF16>(line);
        zero = V::template LoadAs<FloatType::kF16>(line + kPanelRows * 2);
      } else {
        scale = V::Load(reinterpret_cast<const float*>(line));
      }
    }
    F32 AddTo(F32 c, Ints sums, float activation_scale, const float* sum_of_codes) const {
      F32 dot = I::ToFloat(sums);
      if constexpr (kFour) dot = V::NegMulAdd(zero, V::Set1(*sum_of_codes), dot);
      return V::MulAdd(dot, V::Mul(scale, V::Set1(activation_scale)), c);
    }
  };

  // The same over one group, added to c. `w`: places in the group's line of scales.
  template <int kRows>
  static void GroupTile(const Product& p, const char* a, const float* scales, const char* const (&w)[kVecs], float* c) {
    Ints sums[kRows][kVecs];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) sums[i][v] = kFour ? I::Zero() : I::Set1(scales + p.stride + i);
    }
    const char* codes[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) codes[v] = w[v] + kPanelLine;
    Steps<kRows>(sums, codes, a, p, p.group / kStepColumns);
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      const GroupScale scale(w[v], v % kParts);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        float* out = c + i * p.ldc + v * V::kLanes;
        V::Store(out, scale.AddTo(V::Load(out), sums[i][v], scales[i], scales + p.stride + i));
      }
    }
  }

  template <int kRows>
  static void Tile(const Product& p, const char* a, const float* meta, const char* const (&w)[kVecs], int64_t k0,
                   int64_t k1, float* c) {
    a += k0 * p.stride;
    if constexpr (kForm == PanelForm::kRow) {
      RowTile<kRows>(p, a, meta, w, k0, k1, c);
    } else {
      if (k0 == 0) {
        for (int i = 0; i < kRows; ++i) {
          for (int v = 0; v < kVecs; ++v) V::Store(c + i * p.ldc + v * V::kLanes, V::Zero());
        }
      }
      const char* group[kVecs];
      for (int v = 0; v < kVecs; ++v) group[v] = w[v] + k0 / p.group * p.group_bytes;
      for (int64_t g = k0 / p.group; g < k1 / p.group; ++g) {
        GroupTile<kRows>(p, a, meta + g * 2 * p.stride, group, c);
        a += p.group * p.stride;
        for (int v = 0; v < kVecs; ++v) group[v] += p.group_bytes;
      }
    }
  }

  // All `rows` rows of a tile in as few parts as can be made of I::kRows, 4, 2 and 1.
  static void Rows(int64_t rows, const Product& p, const char* a, const float* meta, const char* const (&w)[kVecs],
                   int64_t k0, int64_t k1, float* c) {
    if (rows == I::kRows) return Tile<I::kRows>(p, a, meta, w, k0, k1, c);
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4) Tile<4>(p, a + i * 4, meta + i, w, k0, k1, c + i * p.ldc);
    if (i + 2 <= rows) {
      Tile<2>(p, a + i * 4, meta + i, w, k0, k1, c + i * p.ldc);
      i += 2;
    }
    if (i < rows) Tile<1>(p, a + i * 4, meta + i, w, k0, k1, c + i * p.ldc);
  }

  // One row: every byte of the panels is used once, so they are read as what they are, one stretch of memory, and the
  // next lines are multiplied before the last ones are added up.
  static constexpr int kChains = kSix ? 2 : kParts < 4 ? static_cast<int>(4 / kParts) : 1;
  static constexpr int64_t kOneRowAhead = 4096;  // bytes asked for early

  // Adds to one vector's sums the step at `w`, or half `kHalf` of one of 6 bits, times the row at `a`.
  template <int kHalf>
  [[gnu::always_inline]] static void AddOneRow(Ints& sum, const char* w, const char* a) {
    if constexpr (kEights) {
      typename I::Bytes first, rest;
      TakeEight<kHalf>(w, first, rest);
      a += kHalf * 8;
      sum = I::Dot2(sum, first, I::Four(a), rest, I::Four(a + 4));
    } else {
      sum = I::Dot(sum, I::Signed(I::Load(w)), I::Four(a));
    }
  }

  // sums + `columns` columns of codes, whole steps of 6 bits and a multiple of kChains steps of others, times the row
  // at `a`.
  [[gnu::always_inline]] static void OneRowSteps(Ints (&sums)[kParts], const char* w, const char* a, int64_t columns) {
    Ints chains[kChains][kParts];
    for (int64_t v = 0; v < kParts; ++v) {
      chains[0][v] = sums[v];
      for (int chain = 1; chain < kChains; ++chain) chains[chain][v] = I::Zero();
    }
    constexpr int kSteps = kSix ? 1 : kChains;  // taken together: a step of 6 bits feeds both chains
    for (int64_t k = 0; k < columns; k += kSteps * kStepColumns) {
#pragma GCC unroll 4
      for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 4
        for (int64_t line = 0; line < kStepLines; ++line) __builtin_prefetch(w + kOneRowAhead + line * kPanelLine);
#pragma GCC unroll 4
        for (int64_t v = 0; v < kParts; ++v) {
          AddOneRow<0>(chains[step][v], w + v * kVecBytes, a);
          if constexpr (kSix) AddOneRow<1>(chains[1][v], w + v * kVecBytes, a);
        }
        w += kStepLines * kPanelLine;
        a += kStepColumns;
      }
    }
    for (int64_t v = 0; v < kParts; ++v) {
      sums[v] = chains[0][v];
      for (int chain = 1; chain < kChains; ++chain) sums[v] = I::Plus(sums[v], chains[chain][v]);
    }
  }

  // 16 outputs of one row from the panel at `w`.
  static void OneRowPanel(const char* w, const char* a, const float* meta, int64_t padded, int64_t group, float* c) {
    if constexpr (kForm == PanelForm::kRow) {
      Ints sums[kParts];
      for (int64_t v = 0; v < kParts; ++v) sums[v] = I::Set1(meta + 1);
      OneRowSteps(sums, w, a, padded);
      const auto* scales = reinterpret_cast<const float*>(w + padded * kPanelRows);
      for (int64_t v = 0; v < kParts; ++v) {
        const F32 scale = V::Mul(V::Load(scales + v * V::kLanes), V::Set1(meta[0]));
        V::Store(c + v * V::kLanes, V::Mul(I::ToFloat(sums[v]), scale));
      }
    } else {
      F32 total[kParts];
      for (int64_t v = 0; v < kParts; ++v) total[v] = V::Zero();
      for (int64_t k = 0; k < padded; k += group, a += group, meta += 2) {
        Ints sums[kParts];
        for (int64_t v = 0; v < kParts; ++v) sums[v] = kFour ? I::Zero() : I::Set1(meta + 1);
        OneRowSteps(sums, w + kPanelLine, a, group);
        for (int64_t v = 0; v < kParts; ++v) {
          total[v] = GroupScale(w + v * kVecBytes, v).AddTo(total[v], sums[v], meta[0], meta + 1);
        }
        w += kPanelLine + group / kStepColumns * kStepLines * kPanelLine;
      }
      for (int64_t v = 0; v < kParts; ++v) V::Store(c + v * V::kLanes, total[v]);
    }
  }

  static void RunOneRow(PanelType type, const GemmArgs& args, const Int8Activations<I, kForm>& activations) {
    const int64_t padded = activations.padded, panel_bytes = PanelBytes(type, args.k);
    const char* a = static_cast<const char*>(args.a) + args.m0 * activations.RowBytes();
    const auto* meta = reinterpret_cast<const float*>(a + padded);
    const char* w = static_cast<const char*>(args.w) + args.n0 / kPanelRows * panel_bytes;
    for (int64_t j = args.n0; j < args.n1; j += kPanelRows, w += panel_bytes) {
      float* c = args.c + (j - args.n0);
      if (args.n1 - j >= kPanelRows) {
        OneRowPanel(w, a, meta, padded, activations.group, c);
        continue;
      }
      alignas(64) float whole[kPanelRows];
      OneRowPanel(w, a, meta, padded, activations.group, whole);
      CopyRows(1, args.n1 - j, whole, kPanelRows, c, args.ldc);
    }
  }

  static void Run(PanelType type, const GemmArgs& args) {
    constexpr int64_t kCols = kVecs * V::kLanes;
    const Int8Activations<I, kForm> activations(type, args.k);
    if (args.m1 - args.m0 == 1) return RunOneRow(type, args, activations);
    const int64_t padded = activations.padded, panel_bytes = PanelBytes(type, args.k);
    const int64_t group_bytes = kForm == PanelForm::kRow ? 0 : PanelGroupBytes(type);
    const int64_t last = (args.n1 - 1) / kPanelRows;
    const bool once = args.m1 - args.m0 <= I::kRows;  // the panels pass once, front to back
    const int64_t block = once ? padded : kPanelKBlock;
    // Processors follow a long panel by themselves but lose track where one ends: there the same places of the next
    // panels are asked for. Zen 4, one row, 4 bits: 14.6 GB/s without and 21 with it at K 1536.
    constexpr int64_t kLongPanel = 32 << 10, kNear = 2048;
    const int64_t next = kCols / kPanelRows * panel_bytes;
    const int64_t codes_ahead = !once ? 0 : panel_bytes <= kLongPanel ? next : kNear;
    const int64_t rows_ahead = once ? 0 : I::kRows * activations.RowBytes();
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
          const char* a = static_cast<const char*>(args.a) + i * activations.RowBytes();
          const auto* meta = reinterpret_cast<const float*>(a + rows * padded);
          float* c = args.c + (i - args.m0) * args.ldc + (j - args.n0);
          if (cols == kCols) {
            Rows(rows, {padded, activations.group, group_bytes, rows, args.ldc, codes_ahead, rows_ahead}, a, meta, w,
                 k0, k1, c);
            continue;
          }
          alignas(64) float whole[I::kRows * kCols];
          if (k0 > 0) CopyRows(rows, cols, c, args.ldc, whole, kCols);
          Rows(rows, {padded, activations.group, group_bytes, rows, kCols, codes_ahead, rows_ahead}, a, meta, w, k0, k1,
               whole);
          CopyRows(rows, cols, whole, kCols, c, args.ldc);
        }
      }
    }
  }
};

template <class I, PanelType kType>
void OverrideInt8(KernelTable& table) {
  using Activations = Int8Activations<I, FormOf(kType)>;
  table.panel_gemm[static_cast<int>(Precision::kInt8)][static_cast<int>(kType)] = {
      I::kRows, [](int64_t m, int64_t k) noexcept { return m * Activations(kType, k).RowBytes(); },
      [](const GemmPackArgs& args) noexcept { Activations(kType, args.k).Pack(args); },
      [](const GemmArgs& args) noexcept { Int8Gemm<I, FormOf(kType)>::Run(kType, args); }};
}

template <class I>
void OverrideInt8Gemm(KernelTable& table) {
  ForEachPanelType([&]<PanelType kType>() { OverrideInt8<I, kType>(table); });
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_PANEL_GEMM_INL_H_
