#include "src/quant/float_layer.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/tensor/convert.h"

namespace galago::quant {
namespace {

constexpr std::array<Matrix, 3> kAttentionMatrices = {Matrix::kQ, Matrix::kK, Matrix::kV};
constexpr std::array<Matrix, 1> kOutMatrices = {Matrix::kOut};
constexpr std::array<Matrix, 2> kMlpMatrices = {Matrix::kGate, Matrix::kUp};
constexpr std::array<Matrix, 1> kDownMatrices = {Matrix::kDown};

template <class Layer>  // nn::DecoderLayer, const or not
auto& LinearOf(Layer& layer, Matrix matrix) {
  switch (matrix) {
    case Matrix::kQ:
      return layer.attention.q;
    case Matrix::kK:
      return layer.attention.k;
    case Matrix::kV:
      return layer.attention.v;
    case Matrix::kOut:
      return layer.attention.out;
    case Matrix::kGate:
      return layer.mlp.gate;
    case Matrix::kUp:
      return layer.mlp.up;
    case Matrix::kDown:
      break;
  }
  return layer.mlp.down;
}

}  // namespace

std::string_view Name(Matrix matrix) {
  constexpr std::array<std::string_view, 7> kNames = {"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                                      "gate_proj", "up_proj", "down_proj"};
  return kNames[static_cast<size_t>(matrix)];
}

std::string_view Name(ScalePoint point) {
  constexpr std::array<std::string_view, 4> kNames = {"attention", "out", "mlp", "down"};
  return kNames[static_cast<size_t>(point)];
}

std::span<const Matrix> MatricesAt(ScalePoint point) {
  switch (point) {
    case ScalePoint::kAttention:
      return kAttentionMatrices;
    case ScalePoint::kOut:
      return kOutMatrices;
    case ScalePoint::kMlp:
      return kMlpMatrices;
    case ScalePoint::kDown:
      break;
  }
  return kDownMatrices;
}

ScalePoint PointOf(Matrix matrix) {
  for (const ScalePoint point : kScalePoints) {
    if (std::ranges::find(MatricesAt(point), matrix) != MatricesAt(point).end()) return point;
  }
  CHECK(false);
}

StatusOr<FloatLayer> FloatLayer::CopyOf(const nn::DecoderLayer& layer) {
  FloatLayer copy;
  copy.source_ = layer;
  for (const Matrix matrix : kMatrices) {
    const nn::Linear& linear = LinearOf(layer, matrix);
    if (!linear.input_order.empty()) {
      return InvalidArgument(
          StrCat(Name(matrix), " is of a GPTQ checkpoint in activation order; quantise the original"));
    }
    copy.weight(matrix) = Converted(linear.weight, DType::kF32);
    copy.biases_[static_cast<size_t>(matrix)].assign(linear.bias.begin(), linear.bias.end());
  }
  copy.input_norm_.assign(layer.input_norm.weight.begin(), layer.input_norm.weight.end());
  copy.post_attention_norm_.assign(layer.post_attention_norm.weight.begin(), layer.post_attention_norm.weight.end());
  return copy;
}

nn::DecoderLayer FloatLayer::View() const {
  nn::DecoderLayer view = source_;
  for (const Matrix matrix : kMatrices) {
    nn::Linear& linear = LinearOf(view, matrix);
    linear.weight = weight(matrix).view();
    linear.bias = biases_[static_cast<size_t>(matrix)];
  }
  view.input_norm.weight = input_norm_;
  view.post_attention_norm.weight = post_attention_norm_;
  return view;
}

bool FloatLayer::CanScale(ScalePoint point) const {
  return point != ScalePoint::kOut || weight(Matrix::kV).shape() == weight(Matrix::kOut).shape();
}

void FloatLayer::Scale(ScalePoint point, std::span<const float> scales) {
  CHECK(CanScale(point));
  switch (point) {
    case ScalePoint::kAttention:
      DivideNorm(scales, input_norm_, {});
      break;
    case ScalePoint::kOut:
      DivideRows(scales, weight(Matrix::kV), bias(Matrix::kV));
      break;
    case ScalePoint::kMlp:
      DivideNorm(scales, post_attention_norm_, {});
      break;
    case ScalePoint::kDown:
      DivideRows(scales, weight(Matrix::kUp), bias(Matrix::kUp));
      break;
  }
  for (const Matrix matrix : MatricesAt(point)) MultiplyColumns(scales, weight(matrix));
}

void FloatLayer::Clip(Matrix matrix, std::span<const float> limits, int64_t group) {
  const std::span<float> values = weight(matrix).f32();
  const auto size = static_cast<size_t>(group);
  CHECK_EQ(limits.size() * size, values.size());
  for (size_t g = 0; g < limits.size(); ++g) {
    for (float& w : values.subspan(g * size, size)) w = std::clamp(w, -limits[g], limits[g]);
  }
}

void DivideNorm(std::span<const float> scales, std::span<float> norm_weight, std::span<float> norm_bias) {
  CHECK_EQ(scales.size(), norm_weight.size());
  CHECK(norm_bias.empty() || norm_bias.size() == scales.size());
  for (size_t k = 0; k < scales.size(); ++k) norm_weight[k] /= scales[k];
  for (size_t k = 0; k < norm_bias.size(); ++k) norm_bias[k] /= scales[k];
}

void DivideRows(std::span<const float> scales, Tensor& weight, std::span<float> bias) {
  const auto rows = static_cast<size_t>(weight.shape()[0]);
  const auto cols = static_cast<size_t>(weight.shape()[1]);
  CHECK_LE(scales.size(), rows);
  const size_t first = rows - scales.size();
  const std::span<float> values = weight.f32();
  for (size_t n = 0; n < scales.size(); ++n) {
    for (float& w : values.subspan((first + n) * cols, cols)) w /= scales[n];
    if (!bias.empty()) bias[first + n] /= scales[n];
  }
}

void MultiplyColumns(std::span<const float> scales, Tensor& weight) {
  const auto cols = static_cast<size_t>(weight.shape()[1]);
  CHECK_EQ(scales.size(), cols);
  const std::span<float> values = weight.f32();
  for (size_t n = 0; n < values.size(); n += cols) {
    for (size_t k = 0; k < cols; ++k) values[n + k] *= scales[k];
  }
}

}  // namespace galago::quant
