#ifndef GALAGO_MODELS_WEIGHTS_H_
#define GALAGO_MODELS_WEIGHTS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "galago/status.h"
#include "src/io/tensor_store.h"
#include "src/models/panel_matrix.h"
#include "src/models/random_weights.h"
#include "src/models/runner.h"
#include "src/nn/linear.h"

namespace galago::models {

// The tensors of one part of a model: borrowed from its files where the kernels can use them as they lie, converted
// where not. Everything handed out lives as long as this object, which moves freely.
class Weights {
 public:
  // quantization: what the config says of packed matrices, if anything.
  Weights(io::TensorStore store, const LoadOptions& options,
          std::optional<spec::QuantizationSpec> quantization = std::nullopt)
      : store_(std::move(store)), options_(options), quantization_(quantization) {}
  // Made up as they are asked for; options.random is set.
  Weights(RandomWeights::Part part, const LoadOptions& options)
      : store_("random weights"), options_(options), random_(std::in_place, *options.random, part) {}

  // A matrix or filter of this shape (dimensions of 1 do not count), as f32, f16, bf16 or panels. Packed, 8-bit and
  // block-type matrices [N, K] are repacked as panels, other block types are expanded.
  StatusOr<TensorView> Matrix(std::string_view name, const Shape& shape);
  // [size] and [rows, cols] as float32.
  StatusOr<std::span<const float>> Vector(std::string_view name, int64_t size) { return Floats(name, {size}); }
  StatusOr<std::span<const float>> Table(std::string_view name, int64_t rows, int64_t cols) {
    return Floats(name, {rows, cols});
  }
  // NAME.weight [out, in] and, if wanted, NAME.bias [out].
  StatusOr<nn::Linear> Linear(std::string_view name, int64_t out, int64_t in, bool bias);
  // NAME.weight [width] and, for LayerNorm, NAME.bias [width].
  StatusOr<nn::Norm> Norm(std::string_view name, nn::NormKind kind, int64_t width, double eps);

  // What was handed out, by the names it was asked for, in the form the kernels read: all that another load needs.
  const std::map<std::string, TensorView, std::less<>>& used() const { return used_; }

  // Adds what this part used to the report.
  void Report(LoadReport& report) const;

 private:
  StatusOr<std::span<const float>> Floats(std::string_view name, const Shape& shape);
  StatusOr<TensorView> FloatMatrix(std::string_view name, const Shape& shape);
  // nullopt: the matrix is no quantised one.
  StatusOr<std::optional<TensorView>> Panels(std::string_view name, const Shape& shape);
  StatusOr<std::span<const int32_t>> InputOrder(std::string_view name, int64_t in);
  Status CheckCancel() const;
  StatusOr<TensorView> FindShaped(std::string_view name, const Shape& shape) const;
  const Tensor& Keep(Tensor tensor, DType from);

  io::TensorStore store_;
  LoadOptions options_;
  std::optional<spec::QuantizationSpec> quantization_;
  std::optional<RandomWeights> random_;
  std::deque<Tensor> converted_;  // grows without moving its elements
  uint64_t mapped_bytes_ = 0;
  uint64_t converted_bytes_ = 0;
  std::map<DType, int64_t> expanded_;  // matrices by the block type they had
  struct Repacked {
    int64_t matrices = 0;
    uint64_t bytes = 0;
    double ms = 0;
    bool nonzero_padding = false;
  };
  std::map<std::string, Repacked> repacked_;  // by what they were made of
  std::map<std::string, TensorView, std::less<>> used_;
};

}  // namespace galago::models

#endif  // GALAGO_MODELS_WEIGHTS_H_
