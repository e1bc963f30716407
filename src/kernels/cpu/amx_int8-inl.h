#ifndef GALAGO_KERNELS_CPU_AMX_INT8_INL_H_
#define GALAGO_KERNELS_CPU_AMX_INT8_INL_H_

#include "src/kernels/cpu/panel_gemm-inl.h"

// Products of 8-bit activations with panels on 16 x 16 tiles. 16 lines of signed codes, 64 columns of 16 outputs, are a
// tile's second operand as they lie; lines of 4 bits are taken apart once for all rows of a call. A tile of sums is [16
// rows of m, 16 outputs]. It is folded into floats after every group, so groups are whole numbers of 64 columns.
//
// Up to kFew rows left over go through vectors: `I` is an Int8 policy (panel_gemm-inl.h). Both have the same bits.
namespace galago::kernels {

template <class I, class Tiles, PanelForm kForm>
struct AmxInt8 {
  using V = typename I::V;
  using F32 = typename V::F32;
  static constexpr int64_t kRows = 16;
  static constexpr int64_t kStep = 64;
  static constexpr int64_t kFew = 4;
  static constexpr bool kFour = kForm == PanelForm::k4;
  static_assert(kForm != PanelForm::k6, "codes of 6 bits go through vectors");
  static constexpr int64_t kTileBytes = 1024;
  static constexpr int64_t kBlock = 512;  // columns of 4 bits taken apart at a time

  // Activations, for each 16 rows: [16] rows of codes `ld` bytes apart, which is no power of two, then for each group
  // [16] scales and [16] corrections. The last rows, when they are few, as Int8Activations lays them.
  struct Activations : Int8Activations<I, kForm> {
    using Int8Activations<I, kForm>::Int8Activations;
    int64_t ld() const { return this->padded + kStep; }
    int64_t BlockBytes() const { return kRows * (ld() + this->groups * 8); }
    int64_t Bytes(int64_t m) const { return (m + kRows - 1) / kRows * BlockBytes(); }
    const char* Block(const void* packed, int64_t i) const {
      return static_cast<const char*>(packed) + i / kRows * BlockBytes();
    }

    void PackAll(const GemmPackArgs& args) const {
      for (int64_t i0 = args.m0; i0 < args.m1; i0 += kRows) {
        const int64_t rows = args.m1 - i0 < kRows ? args.m1 - i0 : kRows;
        char* block = static_cast<char*>(args.packed) + i0 / kRows * BlockBytes();
        if (rows <= kFew) {
          this->Pack({args.a + i0 * args.lda, args.lda, 0, rows, args.k, block});
          continue;
        }
        __builtin_memset(block, 0, static_cast<unsigned long>(BlockBytes()));
        auto* scales = reinterpret_cast<float*>(block + kRows * ld());
        for (int64_t i = 0; i < rows; ++i) {
          const float* x = args.a + (i0 + i) * args.lda;
          for (int64_t g = 0; g < this->groups; ++g) {
            float* scale = scales + g * 2 * kRows + i;
            this->PackGroup(x, g * this->group, (g + 1) * this->group, 1, block + i * ld(), scale, scale + kRows);
          }
        }
      }
    }
  };

  // 16 lines of codes for each 64 columns, from half as many.
  static void TakeApart(const char* line, int64_t columns, char* out) {
    for (int64_t k = 0; k < columns; k += 8, line += kPanelLine, out += 2 * kPanelLine) {
      for (int64_t at = 0; at < kPanelLine; at += V::kLanes * 4) {
        const auto bytes = I::Load(line + at);
        I::StoreBytes(out + at, I::Low(bytes));
        I::StoreBytes(out + kPanelLine + at, I::High(bytes));
      }
    }
  }

  // What is multiplied: up to two blocks of 16 rows by two panels.
  struct Operands {
    const char* a[2];         // codes at the first column
    const char* w[2];         // lines of codes at the first column
    const float* meta[2];     // scales and corrections of the first group
    const char* scales[2];    // of the panels' first group
    int64_t ld, group_bytes;  // between rows of a; between groups of w
    int64_t scales_bytes;     // between groups of scales
  };

  // Adds to y [32, 32] the products of `groups` groups of `columns` columns.
  template <bool kTwoM, bool kTwoN>
  static void Multiply(Tiles& tiles, const Operands& o, int64_t groups, int64_t columns, float* y) {
    for (int64_t g = 0; g < groups; ++g) {
      tiles.template Zero<0>();
      if constexpr (kTwoN) tiles.template Zero<1>();
      if constexpr (kTwoM) tiles.template Zero<2>();
      if constexpr (kTwoM && kTwoN) tiles.template Zero<3>();
      for (int64_t k = 0; k < columns; k += kStep) {
        const int64_t at = g * columns + k, lines = g * o.group_bytes + k * kPanelRows;
        tiles.template Load<4>(o.a[0] + at, o.ld);
        tiles.template Load<6>(o.w[0] + lines, kPanelLine);
        tiles.template MulAddInt<0, kFour>();
        if constexpr (kTwoN) {
          tiles.template Load<7>(o.w[1] + lines, kPanelLine);
          tiles.template MulAddInt<1, kFour>();
        }
        if constexpr (kTwoM) {
          tiles.template Load<5>(o.a[1] + at, o.ld);
          tiles.template MulAddInt<2, kFour>();
          if constexpr (kTwoN) tiles.template MulAddInt<3, kFour>();
        }
      }
      alignas(64) int32_t sums[4][kRows * kPanelRows];
      tiles.template Store<0>(sums[0], kPanelLine);
      if constexpr (kTwoN) tiles.template Store<1>(sums[1], kPanelLine);
      if constexpr (kTwoM) tiles.template Store<2>(sums[2], kPanelLine);
      if constexpr (kTwoM && kTwoN) tiles.template Store<3>(sums[3], kPanelLine);
      for (int64_t m = 0; m < (kTwoM ? 2 : 1); ++m) {
        for (int64_t n = 0; n < (kTwoN ? 2 : 1); ++n) {
          Fold(sums[m * 2 + n], o.meta[m] + g * 2 * kRows, o.scales[n] + g * o.scales_bytes,
               y + m * kRows * 32 + n * kPanelRows);
        }
      }
    }
  }

  // The float operations of ref/panel_gemm.cc.
  static void Fold(const int32_t* sums, const float* meta, const char* scales, float* y) {
    for (int64_t at = 0; at < kPanelRows; at += V::kLanes) {
      F32 scale, zero = V::Zero();
      if constexpr (kFour) {
        scale = V::template LoadAs<FloatType::kF16>(scales + at * 2);
        zero = V::template LoadAs<FloatType::kF16>(scales + (kPanelRows + at) * 2);
      } else {
        scale = V::Load(reinterpret_cast<const float*>(scales) + at);
      }
      for (int64_t i = 0; i < kRows; ++i) {
        float* out = y + i * 32 + at;
        F32 dot = I::ToFloat(I::LoadInts(sums + i * kPanelRows + at));
        const F32 both = V::Mul(scale, V::Set1(meta[i]));
        if constexpr (kForm == PanelForm::kRow) {
          V::Store(out, V::Mul(dot, both));
        } else {
          if constexpr (kFour) dot = V::NegMulAdd(zero, V::Set1(meta[kRows + i]), dot);
          V::Store(out, V::MulAdd(dot, both, V::Load(out)));
        }
      }
    }
  }

  static void Run(PanelType type, const GemmArgs& args) {
    const Activations activations(type, args.k);
    const int64_t padded = activations.padded, panel_bytes = PanelBytes(type, args.k);
    const int64_t columns = kForm == PanelForm::kRow ? padded : activations.group;  // of a group
    // Whole groups at a time: what fits the buffer of 4 bits, else all.
    const int64_t block = kFour ? kBlock : padded;
    Tiles tiles;
    tiles.Configure();
    alignas(64) char apart[kFour ? 2 * kBlock * kPanelRows : 1];
    alignas(64) float sums[kMostRows * 32];
    for (int64_t j = args.n0; j < args.n1; j += 32) {
      const int64_t cols = args.n1 - j < 32 ? args.n1 - j : 32;
      const bool two_n = cols > kPanelRows;
      const char* panel = static_cast<const char*>(args.w) + j / kPanelRows * panel_bytes;
      for (int64_t i0 = args.m0; i0 < args.m1; i0 += kMostRows) {
        const int64_t all = args.m1 - i0 < kMostRows ? args.m1 - i0 : kMostRows;
        const int64_t few = all % kRows <= kFew ? all % kRows : 0, rows = all - few;
        for (int64_t i = 0; i < rows * 32; ++i) sums[i] = 0.0f;
        for (int64_t i = rows * 32; i < (rows + kRows - 1) / kRows * kRows * 32; ++i) sums[i] = 0.0f;
        for (int64_t k0 = 0; rows > 0 && k0 < padded; k0 += block) {
          const int64_t k1 = padded - k0 < block ? padded : k0 + block, g0 = k0 / columns;
          Operands o = {};
          o.ld = activations.ld();
          for (int64_t n = 0; n < (two_n ? 2 : 1); ++n) {
            const char* first = panel + n * panel_bytes;
            if constexpr (kForm == PanelForm::kRow) {
              o.w[n] = first;
              o.scales[n] = first + padded * kPanelRows;
            } else {
              o.scales[n] = first + g0 * PanelGroupBytes(type);
              o.scales_bytes = PanelGroupBytes(type);
              o.w[n] = o.scales[n] + kPanelLine;
              o.group_bytes = PanelGroupBytes(type);
            }
            if constexpr (kFour) {
              char* out = apart + n * kBlock * kPanelRows;
              for (int64_t g = 0; g < (k1 - k0) / columns; ++g) {
                TakeApart(o.w[n] + g * o.group_bytes, columns, out + g * columns * kPanelRows);
              }
              o.w[n] = out;
            }
          }
          if constexpr (kFour) o.group_bytes = columns * kPanelRows;
          for (int64_t i = 0; i < rows; i += 2 * kRows) {
            const bool two_m = i + kRows < rows;
            for (int64_t m = 0; m < (two_m ? 2 : 1); ++m) {
              const char* a = activations.Block(args.a, i0 + i + m * kRows);
              o.a[m] = a + k0;
              o.meta[m] = reinterpret_cast<const float*>(a + kRows * o.ld) + g0 * 2 * kRows;
            }
            const int64_t groups = (k1 - k0) / columns;
            float* y = sums + i * 32;
            if (two_m && two_n) Multiply<true, true>(tiles, o, groups, columns, y);
            if (two_m && !two_n) Multiply<true, false>(tiles, o, groups, columns, y);
            if (!two_m && two_n) Multiply<false, true>(tiles, o, groups, columns, y);
            if (!two_m && !two_n) Multiply<false, false>(tiles, o, groups, columns, y);
          }
        }
        float* c = args.c + (i0 - args.m0) * args.ldc + (j - args.n0);
        for (int64_t i = 0; i < rows; ++i) {
          __builtin_memcpy(c + i * args.ldc, sums + i * 32, static_cast<unsigned long>(cols) * sizeof(float));
        }
        if (few > 0) {
          GemmArgs rest = args;
          rest.a = activations.Block(args.a, i0 + rows);
          rest.w = panel;
          rest.m0 = 0;
          rest.m1 = few;
          rest.n0 = 0;
          rest.n1 = cols;
          rest.c = c + rows * args.ldc;
          Int8Gemm<I, kForm>::Run(type, rest);
        }
      }
    }
    tiles.Release();
  }
  static constexpr int64_t kMostRows = 256;  // whose sums wait while the columns pass
};

template <class I, class Tiles, PanelType kType>
void OverrideAmxInt8(KernelTable& table) {
  using Amx = AmxInt8<I, Tiles, FormOf(kType)>;
  table.panel_gemm[static_cast<int>(Precision::kInt8)][static_cast<int>(kType)] = {
      Amx::kRows, [](int64_t m, int64_t k) noexcept { return typename Amx::Activations(kType, k).Bytes(m); },
      [](const GemmPackArgs& args) noexcept { typename Amx::Activations(kType, args.k).PackAll(args); },
      [](const GemmArgs& args) noexcept { Amx::Run(kType, args); }};
}

template <class I, class Tiles>
void OverrideAmxInt8Gemm(KernelTable& table) {
  OverrideAmxInt8<I, Tiles, PanelType::kW4G64>(table);
  OverrideAmxInt8<I, Tiles, PanelType::kW4G128>(table);
  OverrideAmxInt8<I, Tiles, PanelType::kW8G128>(table);
  OverrideAmxInt8<I, Tiles, PanelType::kW8Row>(table);
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_AMX_INT8_INL_H_
