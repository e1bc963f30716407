#include <cmath>

#include "src/kernels/ref/ref.h"

// Products with quantised weights. With 8-bit activations these are the definition, to the last bit: for each group of
// columns, in order, with weights of scale s, zero z and codes q, activations of scale a and codes x,
//   4 bits:        y = fma(fma(-z, sum x, sum q x), s a, y)
//   6 and 8 bits:  y = fma(sum q x, s a, y), of 6 bits with q - 32
//   kW8Row:        y = sum q x (s a)
// from y = 0; sums of codes are integers, the rest is float32.
namespace galago::kernels::ref {
namespace {

template <class T>
T Read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

struct Weight {
  int code;
  float scale, zero;
};

// Element [n, k] of a matrix with K columns.
template <PanelType kType>
Weight At(const void* w, int64_t n, int64_t k, int64_t columns) {
  const std::byte* panel = static_cast<const std::byte*>(w) + n / kPanelRows * PanelBytes(kType, columns);
  const int64_t row = n % kPanelRows;
  if constexpr (kType == PanelType::kW8Row) {
    const std::byte* scales = panel + kPanelRows * PanelPaddedK(kType, columns);
    return {Read<int8_t>(panel + k / 4 * kPanelLine + row * 4 + k % 4), Read<float>(scales + row * 4), 0.0f};
  } else {
    constexpr int64_t kGroup = PanelGroup(kType);
    const std::byte* scales = panel + k / kGroup * PanelGroupBytes(kType);
    const std::byte* codes = scales + kPanelLine;
    k %= kGroup;
    if constexpr (PanelBits(kType) == 4) {
      const auto byte = Read<uint8_t>(codes + k / 8 * kPanelLine + row * 4 + k % 4);
      return {k % 8 < 4 ? byte & 15 : byte >> 4, F16ToF32(Read<uint16_t>(scales + row * 2)),
              F16ToF32(Read<uint16_t>(scales + kPanelRows * 2 + row * 2))};
    } else if constexpr (PanelBits(kType) == 6) {
      const std::byte* lines = codes + k / 16 * 3 * kPanelLine + row * 4 + k % 4;
      const auto low = Read<uint8_t>(lines + k % 16 / 8 * kPanelLine), top = Read<uint8_t>(lines + 2 * kPanelLine);
      const int code = (low >> k % 8 / 4 * 4 & 15) | (top >> k % 16 / 4 * 2 & 3) << 4;
      return {code - 32, Read<float>(scales + row * 4), 0.0f};
    } else {
      return {Read<int8_t>(codes + k / 4 * kPanelLine + row * 4 + k % 4), Read<float>(scales + row * 4), 0.0f};
    }
  }
}

template <PanelType kType>
void Exact(const GemmArgs& args) noexcept {
  const auto* a = static_cast<const float*>(args.a);
  for (int64_t j = args.n0; j < args.n1; ++j) {
    for (int64_t i = args.m0; i < args.m1; ++i) {
      double sum = 0.0;
      for (int64_t k = 0; k < args.k; ++k) {
        const Weight w = At<kType>(args.w, j, k, args.k);
        sum += static_cast<double>(a[i * args.lda + k]) * w.scale * (static_cast<double>(w.code) - w.zero);
      }
      args.c[(i - args.m0) * args.ldc + (j - args.n0)] = static_cast<float>(sum);
    }
  }
}

template <PanelType kType>
void ExactPacked(const GemmArgs& args) noexcept {
  GemmArgs rows = args;
  rows.lda = args.k;
  Exact<kType>(rows);
}

// Activations of 8 bits. A row: K codes padded to a multiple of 4, then for each group a scale and the sum of its
// codes.
template <PanelType kType>
struct Quantised {
  static int64_t Group(int64_t k) { return kType == PanelType::kW8Row ? k : PanelGroup(kType); }
  static int64_t CodeBytes(int64_t k) { return (k + 3) / 4 * 4; }
  static int64_t RowBytes(int64_t k) { return CodeBytes(k) + k / Group(k) * 8; }

  static int64_t Bytes(int64_t m, int64_t k) noexcept { return m * RowBytes(k); }

  static void Pack(const GemmPackArgs& args) noexcept {
    const int64_t group = Group(args.k);
    for (int64_t i = args.m0; i < args.m1; ++i) {
      const float* x = args.a + i * args.lda;
      std::byte* row = static_cast<std::byte*>(args.packed) + i * RowBytes(args.k);
      for (int64_t g = 0; g < args.k / group; ++g) {
        float max = kLeastMax;
        bool finite = true;
        for (int64_t k = g * group; k < (g + 1) * group; ++k) {
          finite = finite && std::isfinite(x[k]);
          max = std::fmax(max, std::fabs(x[k]));
        }
        const float scale = finite ? max / 127.0f : std::nanf("");
        const float inverse = 127.0f / max;
        int32_t sum = 0;
        for (int64_t k = g * group; k < (g + 1) * group; ++k) {
          const auto code = static_cast<int8_t>(finite ? std::nearbyint(x[k] * inverse) : 0.0f);
          std::memcpy(row + k, &code, sizeof(code));
          sum += code;
        }
        std::memcpy(row + CodeBytes(args.k) + g * 8, &scale, sizeof(scale));
        std::memcpy(row + CodeBytes(args.k) + g * 8 + 4, &sum, sizeof(sum));
      }
    }
  }

  static void Run(const GemmArgs& args) noexcept {
    const int64_t group = Group(args.k);
    for (int64_t j = args.n0; j < args.n1; ++j) {
      for (int64_t i = args.m0; i < args.m1; ++i) {
        const std::byte* row = static_cast<const std::byte*>(args.a) + i * RowBytes(args.k);
        float y = 0.0f;
        for (int64_t g = 0; g < args.k / group; ++g) {
          int32_t dot = 0;
          Weight w = {};
          for (int64_t k = g * group; k < (g + 1) * group; ++k) {
            w = At<kType>(args.w, j, k, args.k);
            dot += w.code * Read<int8_t>(row + k);
          }
          const auto scale = Read<float>(row + CodeBytes(args.k) + g * 8);
          const auto sum = static_cast<float>(Read<int32_t>(row + CodeBytes(args.k) + g * 8 + 4));
          if constexpr (kType == PanelType::kW8Row) {
            y = static_cast<float>(dot) * (w.scale * scale);
          } else {
            const float difference = std::fma(-w.zero, sum, static_cast<float>(dot));
            y = std::fma(difference, w.scale * scale, y);
          }
        }
        args.c[(i - args.m0) * args.ldc + (j - args.n0)] = y;
      }
    }
  }
};

template <PanelType kType>
void Fill(KernelTable& table, const GemmKernel& rounded) {
  const auto set = [&](Precision precision, const GemmKernel& kernel) {
    table.panel_gemm[static_cast<int>(precision)][static_cast<int>(kType)] = kernel;
  };
  set(Precision::kF32, {1, nullptr, nullptr, Exact<kType>});
  set(Precision::kBf16, {1, rounded.packed_bytes, rounded.pack, ExactPacked<kType>});
  set(Precision::kInt8, {1, Quantised<kType>::Bytes, Quantised<kType>::Pack, Quantised<kType>::Run});
}

}  // namespace

void FillPanelGemm(KernelTable& table) {
  const GemmKernel& rounded = table.Gemm(Precision::kBf16, FloatType::kBF16);
  ForEachPanelType([&]<PanelType kType>() { Fill<kType>(table, rounded); });
}

}  // namespace galago::kernels::ref
