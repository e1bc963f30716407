#ifndef GALAGO_NN_ROPE_H_
#define GALAGO_NN_ROPE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "src/ops/rope.h"

namespace galago::nn {

// theta^(-2i / H) for i < H / 2, in float32 the way transformers computes it.
std::vector<float> RopeInverseFrequencies(double theta, int64_t head_dim);

// "linear" scaling: positions count 1 / factor.
void ScaleRopeLinear(double factor, std::span<float> inv_freq);

// "llama3" scaling: long waves are slowed by `factor`, short ones kept, those between blended.
struct Llama3Scaling {
  double factor = 1.0;
  double low_freq_factor = 1.0;
  double high_freq_factor = 4.0;
  int64_t original_max_position_embeddings = 0;
};
void ScaleRopeLlama3(const Llama3Scaling& scaling, std::span<float> inv_freq);

}  // namespace galago::nn

#endif  // GALAGO_NN_ROPE_H_
