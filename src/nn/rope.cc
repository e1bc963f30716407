#include "src/nn/rope.h"

#include <cmath>
#include <numbers>

namespace galago::nn {

std::vector<float> RopeInverseFrequencies(double theta, int64_t head_dim) {
  std::vector<float> inv_freq;
  for (int64_t i = 0; i < head_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(head_dim);
    inv_freq.push_back(1.0f / std::pow(static_cast<float>(theta), exponent));
  }
  return inv_freq;
}

void ScaleRopeLinear(double factor, std::span<float> inv_freq) {
  for (float& f : inv_freq) f /= static_cast<float>(factor);
}

void ScaleRopeLlama3(const Llama3Scaling& scaling, std::span<float> inv_freq) {
  const auto original = static_cast<double>(scaling.original_max_position_embeddings);
  const auto longest = static_cast<float>(original / scaling.low_freq_factor);
  const auto shortest = static_cast<float>(original / scaling.high_freq_factor);
  for (float& f : inv_freq) {
    const float wavelength = 2.0f * std::numbers::pi_v<float> / f;
    if (wavelength < shortest) continue;
    const float slowed = f / static_cast<float>(scaling.factor);
    if (wavelength > longest) {
      f = slowed;
      continue;
    }
    const float smooth = (static_cast<float>(original) / wavelength - static_cast<float>(scaling.low_freq_factor)) /
                         static_cast<float>(scaling.high_freq_factor - scaling.low_freq_factor);
    f = (1.0f - smooth) * slowed + smooth * f;
  }
}

}  // namespace galago::nn
