#include <cmath>

#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {
namespace {

void LayerNorm(const NormArgs& args) noexcept {
  const auto count = static_cast<double>(args.cols);
  for (int64_t i = 0; i < args.rows; ++i) {
    const float* x = args.x + i * args.ldx;
    double sum = 0.0;
    for (int64_t j = 0; j < args.cols; ++j) sum += x[j];
    const double mean = sum / count;
    double squares = 0.0;
    for (int64_t j = 0; j < args.cols; ++j) squares += (x[j] - mean) * (x[j] - mean);
    const double scale = 1.0 / std::sqrt(squares / count + args.eps);
    for (int64_t j = 0; j < args.cols; ++j) {
      const double normalised = (x[j] - mean) * scale * args.weight[j];
      args.out[i * args.ld_out + j] = static_cast<float>(normalised + (args.bias != nullptr ? args.bias[j] : 0.0f));
    }
  }
}

void RmsNorm(const NormArgs& args) noexcept {
  for (int64_t i = 0; i < args.rows; ++i) {
    const float* x = args.x + i * args.ldx;
    double squares = 0.0;
    for (int64_t j = 0; j < args.cols; ++j) squares += static_cast<double>(x[j]) * x[j];
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(args.cols) + args.eps);
    for (int64_t j = 0; j < args.cols; ++j) {
      args.out[i * args.ld_out + j] = static_cast<float>(x[j] * scale * args.weight[j]);
    }
  }
}

}  // namespace

void FillNorm(KernelTable& table) {
  table.layer_norm = LayerNorm;
  table.rms_norm = RmsNorm;
}

}  // namespace galago::kernels::ref
