#ifndef GALAGO_QUANT_FLOAT_LAYER_H_
#define GALAGO_QUANT_FLOAT_LAYER_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/nn/decoder.h"
#include "src/tensor/tensor.h"

// A decoder layer whose weights may be changed: a float32 copy of a model's, and the foldings that leave its output as
// it was.
namespace galago::quant {

// The matrices of a decoder layer, in the order of nn::DecoderLayer.
enum class Matrix { kQ, kK, kV, kOut, kGate, kUp, kDown };
inline constexpr std::array<Matrix, 7> kMatrices = {Matrix::kQ,    Matrix::kK,  Matrix::kV,   Matrix::kOut,
                                                    Matrix::kGate, Matrix::kUp, Matrix::kDown};
std::string_view Name(Matrix matrix);  // as checkpoints spell it: "q_proj"

// Groups of matrices that read the same input, so share one scale for each of its channels.
enum class ScalePoint {
  kAttention,  // input_layernorm -> q, k, v
  kOut,        // v -> out; not with grouped-query attention
  kMlp,        // post_attention_layernorm -> gate, up
  kDown,       // up -> down
};
inline constexpr std::array<ScalePoint, 4> kScalePoints = {ScalePoint::kAttention, ScalePoint::kOut, ScalePoint::kMlp,
                                                           ScalePoint::kDown};
std::string_view Name(ScalePoint point);
std::span<const Matrix> MatricesAt(ScalePoint point);
ScalePoint PointOf(Matrix matrix);

class FloatLayer {
 public:
  // A copy. InvalidArgument for a matrix whose inputs are reordered.
  static StatusOr<FloatLayer> CopyOf(const nn::DecoderLayer& layer);

  nn::DecoderLayer View() const;  // borrows
  Tensor& weight(Matrix matrix) { return weights_[static_cast<size_t>(matrix)]; }
  const Tensor& weight(Matrix matrix) const { return weights_[static_cast<size_t>(matrix)]; }
  std::span<float> bias(Matrix matrix) { return biases_[static_cast<size_t>(matrix)]; }
  std::span<float> input_norm() { return input_norm_; }
  std::span<float> post_attention_norm() { return post_attention_norm_; }

  // Whether the scales of this point can be folded: kOut wants each channel of the attention's output to come from one
  // row of v (mit-han-lab/llm-awq: awq/quantize/auto_scale.py compares the shapes).
  bool CanScale(ScalePoint point) const;
  // Divides the input of the point's matrices by `scales`, all above 0, and multiplies their columns by them. CanScale
  // holds.
  void Scale(ScalePoint point, std::span<const float> scales);
  // Clamps the weights of each group to [-limit, limit]; limits [N, K / group].
  void Clip(Matrix matrix, std::span<const float> limits, int64_t group);

 private:
  nn::DecoderLayer source_;  // what is no weight
  std::array<Tensor, 7> weights_;
  std::array<std::vector<float>, 7> biases_;
  std::vector<float> input_norm_, post_attention_norm_;
};

// The steps of folding. weight [N, K] is float32.
void DivideNorm(std::span<const float> scales, std::span<float> norm_weight, std::span<float> norm_bias);
void DivideRows(std::span<const float> scales, Tensor& weight, std::span<float> bias);  // of the last rows
void MultiplyColumns(std::span<const float> scales, Tensor& weight);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_FLOAT_LAYER_H_
