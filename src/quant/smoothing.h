#ifndef GALAGO_QUANT_SMOOTHING_H_
#define GALAGO_QUANT_SMOOTHING_H_

#include <cstdint>
#include <span>
#include <vector>

#include "src/models/vision_encoder.h"
#include "src/ops/exec_context.h"
#include "src/tensor/tensor.h"

// SmoothQuant for the vision tower (Xiao et al., arXiv 2211.10438; mit-han-lab/llm-awq: awq/quantize/smooth.py): what
// is hard to round in the activations moves to the weights through the norm in front of them.
namespace galago::quant {

// Largest |x| of each channel, over all that was shown, of the inputs behind the two norms of every layer.
struct TowerMaxima {
  std::vector<std::vector<float>> attention, mlp;  // by layer, [C]
  bool empty() const { return attention.empty(); }
};

// Watches a tower encode: recomputes each layer's norms and attention from its input. `ctx` is the context to compute
// in, without an observer.
class TowerWatcher : public ops::Observer {
 public:
  TowerWatcher(const ops::ExecContext& ctx, const models::VisionEncoder& tower) : ctx_(ctx), tower_(tower) {}
  void OnTensor(std::string_view name, const Shape& shape, std::span<const float> values) override;
  const TowerMaxima& maxima() const { return maxima_; }

 private:
  ops::ExecContext ctx_;
  const models::VisionEncoder& tower_;
  TowerMaxima maxima_;
};

// max(1e-5, maxima^alpha / largest weight of the column^(1 - alpha)); matrices [N, K] in float32 that read one input.
std::vector<float> SmoothingScales(std::span<const float> maxima, std::span<const Tensor* const> matrices,
                                   double alpha);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_SMOOTHING_H_
