#ifndef GALAGO_MODELS_RANDOM_WEIGHTS_H_
#define GALAGO_MODELS_RANDOM_WEIGHTS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/models/runner.h"
#include "src/tensor/tensor.h"

namespace galago::models {

// Tensors made up when they are asked for. Matrices are uniform noise of variance 1 / K, so that activations keep their
// size from layer to layer; norm weights are near 1, biases near 0. Equal names, shapes and seeds give equal tensors.
class RandomWeights {
 public:
  enum class Part { kLanguage, kVision, kProjector };
  RandomWeights(const RandomFormat& format, Part part);

  // A matrix or filter of this shape. Those of the decoder's and the tower's layers and the two tables of the
  // vocabulary are of the types the format says, where their columns divide into its groups; the others are bf16.
  Tensor Matrix(std::string_view name, const Shape& shape) const;
  // Float32 of this shape.
  Tensor Floats(std::string_view name, const Shape& shape) const;

 private:
  DType TypeOf(std::string_view name, const Shape& shape) const;

  RandomFormat format_;
  Part part_;
  std::vector<float> noise_;  // one period
};

}  // namespace galago::models

#endif  // GALAGO_MODELS_RANDOM_WEIGHTS_H_
