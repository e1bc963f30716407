#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {
namespace {

template <FloatType kWeight>
void Gemm(const GemmArgs& args) noexcept {
  const auto* a = static_cast<const float*>(args.a);
  for (int64_t i = args.m0; i < args.m1; ++i) {
    for (int64_t j = args.n0; j < args.n1; ++j) {
      double sum = 0.0;
      for (int64_t k = 0; k < args.k; ++k) {
        sum += static_cast<double>(a[i * args.lda + k]) * Element(kWeight, args.w, j * args.k + k);
      }
      args.c[(i - args.m0) * args.ldc + (j - args.n0)] = static_cast<float>(sum);
    }
  }
}

// Rows rounded to bf16, kept as float32 [M, K].
int64_t RoundedBytes(int64_t m, int64_t k) noexcept { return m * k * SizeOf(FloatType::kF32); }
void PackRounded(const GemmPackArgs& args) noexcept {
  auto* packed = static_cast<float*>(args.packed);
  for (int64_t i = args.m0; i < args.m1; ++i) {
    for (int64_t k = 0; k < args.k; ++k) packed[i * args.k + k] = Bf16ToF32(F32ToBf16(args.a[i * args.lda + k]));
  }
}
void GemmRounded(const GemmArgs& args) noexcept {
  GemmArgs rows = args;
  rows.lda = args.k;
  Gemm<FloatType::kBF16>(rows);
}

}  // namespace

void FillGemm(KernelTable& table) {
  const GemmKernel f32 = {1, nullptr, nullptr, Gemm<FloatType::kF32>};
  const GemmKernel f16 = {1, nullptr, nullptr, Gemm<FloatType::kF16>};
  const GemmKernel bf16 = {1, nullptr, nullptr, Gemm<FloatType::kBF16>};
  const GemmKernel bf16_rounded = {1, RoundedBytes, PackRounded, GemmRounded};
  const GemmKernel kernels[2][kNumFloatTypes] = {{f32, f16, bf16}, {f32, f16, bf16_rounded}};
  for (int p = 0; p < 2; ++p) {
    for (int t = 0; t < kNumFloatTypes; ++t) table.gemm[p][t] = kernels[p][t];
  }
}

}  // namespace galago::kernels::ref
