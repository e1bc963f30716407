#include "src/quant/smoothing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "src/base/check.h"
#include "src/ops/scratch.h"

namespace galago::quant {
namespace {

// L of "vision.I.hidden.L", or -1.
int64_t LevelOf(std::string_view name) {
  constexpr std::string_view kMiddle = ".hidden.";
  const size_t at = name.find(kMiddle);
  if (!name.starts_with("vision.") || at == std::string_view::npos) return -1;
  const std::string_view digits = name.substr(at + kMiddle.size());
  int64_t level = -1;
  std::from_chars(digits.data(), digits.data() + digits.size(), level);
  return level;
}

void Raise(ops::ConstView rows, std::vector<float>& maxima) {
  maxima.resize(static_cast<size_t>(rows.cols));
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t k = 0; k < rows.cols; ++k) {
      float& most = maxima[static_cast<size_t>(k)];
      const float magnitude = std::abs(rows.row(i)[k]);
      if (!(magnitude <= most)) most = magnitude;  // what is no number stays to be found
    }
  }
}

}  // namespace

void TowerWatcher::OnTensor(std::string_view name, const Shape& shape, std::span<const float> values) {
  const int64_t level = LevelOf(name);
  const auto layers = static_cast<int64_t>(tower_.layers().size());
  if (level < 0 || level >= layers) return;  // the last level is the output
  maxima_.attention.resize(static_cast<size_t>(layers));
  maxima_.mlp.resize(static_cast<size_t>(layers));
  const nn::EncoderLayer& layer = tower_.layers()[static_cast<size_t>(level)];
  const int64_t positions = shape[1], width = shape[2];
  for (int64_t call = 0; call < shape[0]; ++call) {
    const Arena::Scope scope(*ctx_.arena);
    const ops::ConstView h(values.data() + call * positions * width, positions, width);
    const ops::View normed = ops::Scratch(ctx_, positions, width);
    const ops::View after = ops::Scratch(ctx_, positions, width);
    layer.norm1.Apply(ctx_, h, normed);
    Raise(normed, maxima_.attention[static_cast<size_t>(level)]);
    layer.attention.ApplyAndAdd(ctx_, normed, 1, h, layer.layer_scale1, after);
    layer.norm2.Apply(ctx_, after, normed);
    Raise(normed, maxima_.mlp[static_cast<size_t>(level)]);
  }
}

std::vector<float> SmoothingScales(std::span<const float> maxima, std::span<const Tensor* const> matrices,
                                   double alpha) {
  std::vector<float> largest(maxima.size(), 1e-5f);
  for (const Tensor* matrix : matrices) {
    const std::span<const float> values = matrix->f32();
    CHECK_EQ(matrix->shape()[1], static_cast<int64_t>(maxima.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      float& most = largest[i % maxima.size()];
      most = std::max(most, std::abs(values[i]));
    }
  }
  std::vector<float> scales(maxima.size());
  for (size_t k = 0; k < scales.size(); ++k) {
    scales[k] = std::max(
        1e-5f, std::pow(maxima[k], static_cast<float>(alpha)) / std::pow(largest[k], static_cast<float>(1.0 - alpha)));
  }
  return scales;
}

}  // namespace galago::quant
