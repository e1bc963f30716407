#ifndef GALAGO_MODELS_PROJECTOR_H_
#define GALAGO_MODELS_PROJECTOR_H_

#include <array>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "galago/status.h"
#include "src/models/weights.h"
#include "src/ops/exec_context.h"
#include "src/spec/model_spec.h"

// From vision features to rows of the language model's width. Each kind maps one tile's features [N, M] to out [R, D];
// kinds that see the picture in two dimensions take them as a row-major grid.
namespace galago::models {

// Linear layers with GELU between them: `linear` (one) and mlp{n}x_gelu (n).
struct MlpStack {
  std::vector<nn::Linear> linears;
  ops::Activation gelu = ops::Activation::kGeluErf;
  void Apply(const ops::ExecContext& ctx, ops::ConstView x, ops::View out) const;
};

// Space to depth, then [LayerNorm, Linear, GELU] for each width, then a last Linear.
struct DownsampleStack {
  struct Stage {
    nn::Norm norm;
    nn::Linear linear;
  };
  int64_t factor = 2;
  spec::TokenOrder order = spec::TokenOrder::kRowMajor;
  std::vector<Stage> stages;
  nn::Linear last;
  ops::Activation gelu = ops::Activation::kGeluErf;
  void Apply(const ops::ExecContext& ctx, ops::ConstView x, int64_t grid, ops::View out) const;
};

// MobileVLM v1: an MLP, then two blocks of depthwise convolution, squeeze-excitation and pointwise convolution.
struct Ldp {
  struct Block {
    TensorView depthwise;  // [D, 1, 3, 3]
    nn::Norm norm1;        // over channels at each cell
    nn::Linear squeeze;    // [S, D]
    nn::Linear excite;     // [D, S]
    nn::Linear pointwise;  // [D, D], no bias
    nn::Norm norm2;
    int64_t stride = 1;  // 1: the input is added to the output
    // x [grid^2, D] -> out [((grid - 1) / stride + 1)^2, D]; must not overlap.
    void Apply(const ops::ExecContext& ctx, ops::ConstView x, int64_t grid, ops::View out) const;
  };
  MlpStack mlp;
  std::array<Block, 2> blocks;
  void Apply(const ops::ExecContext& ctx, ops::ConstView x, int64_t grid, ops::View out) const;
};

// MobileVLM V2: an MLP, average pooling to a fixed grid, and a depthwise convolution added to its input.
struct LdpV2 {
  MlpStack mlp;
  int64_t pool = 12;
  TensorView peg;                   // [D, 1, 3, 3]
  std::span<const float> peg_bias;  // [D]
  void Apply(const ops::ExecContext& ctx, ops::ConstView x, int64_t grid, ops::View out) const;
};

class Projector {
 public:
  static StatusOr<Projector> Load(const spec::ProjectorSpec& spec, Weights& weights);

  // features [tiles * N, M] -> out [tiles * R, D]. grid: side of the square the N features of a tile form, for the
  // kinds that need one.
  void Apply(const ops::ExecContext& ctx, ops::ConstView features, int64_t tiles, int64_t grid, ops::View out) const;

 private:
  struct Identity {};
  std::variant<Identity, MlpStack, DownsampleStack, Ldp, LdpV2> kind_;
};

}  // namespace galago::models

#endif  // GALAGO_MODELS_PROJECTOR_H_
