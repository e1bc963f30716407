#ifndef GALAGO_TRAIN_MODULES_PROJECTOR_H_
#define GALAGO_TRAIN_MODULES_PROJECTOR_H_

#include <array>
#include <optional>
#include <variant>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"
#include "train/modules/blocks.h"
#include "train/modules/weights.h"

namespace galago::train {

// Linear, then [GELU, Linear] as often as wanted. "linear" is one of length 1.
struct MlpStack {
  std::vector<Linear> linears;
  RowActivation gelu = RowActivation::kGeluErf;
  // [N, in] f32 -> [N, out] f32.
  Tensor operator()(const Tensor& x, torch::ScalarType type) const;
};

struct DownsampleStack {
  struct Stage {
    Norm norm;
    Linear linear;
  };
  int64_t factor = 2;
  spec::TokenOrder order = spec::TokenOrder::kRowMajor;
  std::vector<Stage> stages;
  MlpStack last;
};

// MobileVLM's, float32 throughout but for the Linears.
struct Ldp {
  struct Block {
    int64_t stride = 1;
    Tensor depthwise;  // [D, 1, 3, 3]
    Norm norm1, norm2;
    Linear squeeze, excite, pointwise;
    Tensor operator()(const Tensor& x) const;  // [T, D, G, G] -> [T, D, G / stride, G / stride]
  };
  MlpStack mlp;
  std::array<Block, 2> blocks;
};

struct LdpV2 {
  MlpStack mlp;
  int64_t pool = 12;
  Tensor peg;  // [D, 1, 3, 3]
  Tensor peg_bias;
};

class Projector {
 public:
  static StatusOr<Projector> Make(const spec::ProjectorSpec& spec, ParameterList& list);
  // Features [T, N, M] f32 of T projector inputs -> [T, R, D] f32. Kinds that look at the picture in two dimensions
  // take N for a square.
  Tensor operator()(const Tensor& features, torch::ScalarType type) const;
  void Forget() const;

 private:
  struct Identity {};
  std::variant<Identity, MlpStack, DownsampleStack, Ldp, LdpV2> kind_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_PROJECTOR_H_
