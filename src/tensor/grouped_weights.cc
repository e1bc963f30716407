#include "src/tensor/grouped_weights.h"

#include <utility>

#include "src/base/check.h"
#include "src/tensor/float16.h"

namespace galago {

GroupedWeights MakeGroupedWeights(int64_t rows, int64_t cols, int64_t group) {
  CHECK_GT(group, 0);
  CHECK_EQ(cols % group, 0);
  GroupedWeights weights{.rows = rows, .cols = cols, .group = group};
  weights.codes.resize(static_cast<size_t>(rows * cols));
  weights.scales.resize(static_cast<size_t>(rows * (cols / group)));
  weights.zeros.resize(weights.scales.size());
  return weights;
}

GroupedWeights8 MakeGroupedWeights8(int64_t rows, int64_t cols, int64_t group) {
  CHECK_GT(group, 0);
  CHECK_EQ(cols % group, 0);
  GroupedWeights8 weights{.rows = rows, .cols = cols, .group = group};
  weights.codes.resize(static_cast<size_t>(rows * cols));
  weights.scales.resize(static_cast<size_t>(rows * (cols / group)));
  return weights;
}

GroupedWeights Regrouped(GroupedWeights weights, int64_t group) {
  CHECK_GT(group, 0);
  CHECK_EQ(weights.group % group, 0);
  const auto times = static_cast<size_t>(weights.group / group);
  if (times == 1) return weights;
  for (std::vector<uint16_t>* values : {&weights.scales, &weights.zeros}) {
    std::vector<uint16_t> repeated;
    repeated.reserve(values->size() * times);
    for (const uint16_t value : *values) repeated.insert(repeated.end(), times, value);
    *values = std::move(repeated);
  }
  weights.group = group;
  return weights;
}

void Dequantize(const GroupedWeights& weights, std::span<float> out) {
  CHECK_EQ(out.size(), weights.codes.size());
  const auto group = static_cast<size_t>(weights.group);
  for (size_t i = 0; i < weights.scales.size(); ++i) {
    const float scale = F16ToF32(weights.scales[i]);
    const float zero = F16ToF32(weights.zeros[i]);
    for (size_t j = i * group; j < (i + 1) * group; ++j) {
      out[j] = scale * (static_cast<float>(weights.codes[j]) - zero);
    }
  }
}

void Dequantize(const GroupedWeights8& weights, std::span<float> out) {
  CHECK_EQ(out.size(), weights.codes.size());
  const auto group = static_cast<size_t>(weights.group);
  for (size_t i = 0; i < weights.scales.size(); ++i) {
    for (size_t j = i * group; j < (i + 1) * group; ++j) {
      out[j] = weights.scales[i] * static_cast<float>(weights.codes[j]);
    }
  }
}

}  // namespace galago
