#ifndef GALAGO_QUANT_LAYER_SEARCH_H_
#define GALAGO_QUANT_LAYER_SEARCH_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "galago/status.h"
#include "src/ops/exec_context.h"
#include "src/quant/float_layer.h"
#include "src/quant/rounding.h"

// Activation-aware weight quantisation of one decoder layer: which scales of the inputs, and which limits of the
// weights, make 4-bit weights cost least (Lin et al., arXiv 2306.00978; mit-han-lab/llm-awq:
// awq/quantize/auto_scale.py, auto_clip.py). All searches see the layer as it was; the next layer's inputs are its
// unquantised outputs.
namespace galago::quant {

inline constexpr int kScaleCandidates = 20;  // exponents 0, 0.05, ... 0.95 of the mean magnitudes
inline constexpr int kClipCandidates = 10;   // limits 1, 0.95, ... 0.55 of the largest magnitude

struct SearchOptions {
  int64_t group = 128;
  Arithmetic arithmetic = Arithmetic::kF16Scales;
  // Candidates are compared on about so many tokens, spread evenly; mean magnitudes are over all of them. The reference
  // takes all for both.
  int64_t loss_tokens = 1024;
  int64_t clip_tokens = 512;  // as the reference: every (T / 512)-th token
  bool clip = true;
};

struct ScaleChoice {
  std::vector<float> scales;  // of the input's channels; empty: the point cannot be scaled
  int candidate = 0;
  double rounding_loss = 0;  // mean squared error of the outputs with plain rounding
  double loss = 0;           // with these scales
};

struct LayerSearch {
  std::array<ScaleChoice, 4> scales;  // by ScalePoint
  std::array<std::vector<float>, 7>
      limits;  // by Matrix, [N, K / group]; empty for q and k, whose products do not add up
};

// Sequences of hidden rows [T, D]: inputs of a layer, and then its outputs.
using Sequences = std::vector<Tensor>;

// Takes `sequences` through the layer.
Status RunLayer(const ops::ExecContext& ctx, const nn::DecoderLayer& layer, std::span<const float> inv_freq,
                Sequences& sequences);

// The same, and what the inputs of its matrices say about rounding them. InvalidArgument if activations are not finite.
StatusOr<LayerSearch> SearchLayer(const ops::ExecContext& ctx, const FloatLayer& layer, std::span<const float> inv_freq,
                                  const SearchOptions& options, Sequences& sequences);

// Scales, then limits.
void Apply(const LayerSearch& search, int64_t group, FloatLayer& layer);

// Limits of one matrix [N, K] on inputs x [T, K], both scaled already; all of x is used.
std::vector<float> SearchLimits(const ops::ExecContext& ctx, const Tensor& weight, ops::ConstView x,
                                const SearchOptions& options);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_LAYER_SEARCH_H_
