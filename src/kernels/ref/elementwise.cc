#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {
namespace {

double Apply(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGeluTanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kGeluErf:
      return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
    case Activation::kQuickGelu:
      return x / (1.0 + std::exp(-1.702 * x));
    case Activation::kSilu:
      return x / (1.0 + std::exp(-x));
    case Activation::kRelu:
      return x < 0.0 ? 0.0 : x;
    case Activation::kHardSwish:
      return x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0;
    case Activation::kHardSigmoid:
      return std::clamp(x + 3.0, 0.0, 6.0) / 6.0;
  }
  return x;
}

void Activate(Activation activation, const float* x, float* out, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(Apply(activation, x[i]));
}

void ActivateMultiply(Activation activation, const float* gate, const float* up, float* out, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(Apply(activation, gate[i])) * up[i];
}

void Add(const float* a, const float* b, float* out, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] + b[i];
}

void Multiply(const float* a, const float* b, float* out, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) out[i] = a[i] * b[i];
}

void Epilogue(const EpilogueArgs& args) noexcept {
  for (int64_t i = 0; i < args.m; ++i) {
    for (int64_t j = 0; j < args.n; ++j) {
      float value = args.c[i * args.ldc + j];
      if (args.bias != nullptr) value += args.bias[j];
      value = static_cast<float>(Apply(args.activation, value));
      if (args.scale != nullptr) value *= args.scale[j];
      if (args.residual != nullptr) value += args.residual[i * args.ld_residual + j];
      args.out[i * args.ld_out + j] = value;
    }
  }
}

void ToF32(FloatType type, const void* in, float* out, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) out[i] = Element(type, in, i);
}

void FromF32(FloatType type, const float* in, void* out, int64_t n) noexcept {
  auto* bytes = static_cast<std::byte*>(out);
  for (int64_t i = 0; i < n; ++i) {
    if (type == FloatType::kF32) {
      std::memcpy(bytes + i * 4, &in[i], 4);
    } else {
      const uint16_t bits = type == FloatType::kF16 ? F32ToF16(in[i]) : F32ToBf16(in[i]);
      std::memcpy(bytes + i * 2, &bits, 2);
    }
  }
}

void Rope(const RopeArgs& args) noexcept {
  const int64_t half = args.head_dim / 2;
  for (int64_t t = 0; t < args.rows; ++t) {
    for (int64_t head = 0; head < args.heads; ++head) {
      float* x = args.x + t * args.ldx + head * args.head_dim;
      for (int64_t i = 0; i < half; ++i) {
        float& a = args.pairs == RopePairs::kHalfSplit ? x[i] : x[2 * i];
        float& b = args.pairs == RopePairs::kHalfSplit ? x[i + half] : x[2 * i + 1];
        const float cos = args.cos[t * half + i];
        const float sin = args.sin[t * half + i];
        const float rotated_a = a * cos - b * sin;
        const float rotated_b = b * cos + a * sin;
        a = rotated_a;
        b = rotated_b;
      }
    }
  }
}

}  // namespace

void FillElementwise(KernelTable& table) {
  table.activate = Activate;
  table.activate_multiply = ActivateMultiply;
  table.add = Add;
  table.multiply = Multiply;
  table.epilogue = Epilogue;
  table.to_f32 = ToF32;
  table.from_f32 = FromF32;
  table.rope = Rope;
}

}  // namespace galago::kernels::ref
