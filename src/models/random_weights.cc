#include "src/models/random_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "src/base/check.h"
#include "src/tensor/convert.h"
#include "src/tensor/float16.h"
#include "src/tensor/panels.h"

namespace galago::models {
namespace {

// Long enough that neighbouring rows differ, short enough to be made in milliseconds.
constexpr size_t kPeriod = size_t{1} << 18;
// Rows that are quantised; those after them repeat these.
constexpr int64_t kPanelPeriod = 4 * kPanelRows;

// splitmix64 (Sebastiano Vigna, public domain).
uint64_t Next(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t SeedOf(std::string_view name, uint64_t seed) {
  for (const char c : name) seed = (seed ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  return seed;
}

// `out` becomes copies of `period`, each from another place of it on. The period counts whole elements.
void Tile(std::span<const std::byte> period, size_t element, uint64_t seed, std::span<std::byte> out) {
  while (!out.empty()) {
    const size_t start = Next(seed) % (period.size() / element) * element;
    const size_t size = std::min(out.size(), period.size() - start);
    std::memcpy(out.data(), period.data() + start, size);
    out = out.subspan(size);
  }
}

// Codes uniform over `levels` of them, `least` the first.
template <class Code>
void FillCodes(int least, int levels, uint64_t seed, std::vector<Code>& codes) {
  for (Code& code : codes)
    code = static_cast<Code>(least + static_cast<int>(Next(seed) % static_cast<uint64_t>(levels)));
}

void PackRows(DType dtype, int64_t rows, int64_t cols, uint64_t seed, std::span<std::byte> out) {
  const PanelType type = PanelTypeOf(dtype);
  const int64_t group = PanelGroup(type) == 0 ? cols : PanelGroup(type);
  const float bound = std::sqrt(3.0f / static_cast<float>(cols));  // of a uniform number of variance 1 / K
  if (PanelBits(type) == 4) {
    GroupedWeights weights = MakeGroupedWeights(rows, cols, group);
    FillCodes(0, 16, seed, weights.codes);
    std::ranges::fill(weights.scales, F32ToF16(bound / 8.0f));
    std::ranges::fill(weights.zeros, F32ToF16(8.0f));
    PackPanels(dtype, weights, out);
  } else {
    GroupedWeights8 weights = MakeGroupedWeights8(rows, cols, group);
    const int most = (1 << (PanelBits(type) - 1)) - 1;
    FillCodes(-most, 2 * most + 1, seed, weights.codes);
    std::ranges::fill(weights.scales, bound / static_cast<float>(most));
    PackPanels(dtype, weights, out);
  }
}

Tensor RandomPanels(DType dtype, const Shape& shape, uint64_t seed) {
  Tensor tensor(dtype, shape);
  const int64_t rows = shape[0], cols = shape[1];
  const auto panel = static_cast<size_t>(PanelBytes(PanelTypeOf(dtype), cols));
  const std::span<std::byte> all(tensor.data(), tensor.num_bytes());
  const auto full = static_cast<size_t>(rows / kPanelRows) * panel;
  if (full > 0) {
    std::vector<std::byte> period(std::min(full, static_cast<size_t>(kPanelPeriod / kPanelRows) * panel));
    PackRows(dtype, static_cast<int64_t>(period.size() / panel) * kPanelRows, cols, seed, period);
    Tile(period, panel, seed, all.first(full));
  }
  if (full < all.size()) PackRows(dtype, rows % kPanelRows, cols, seed, all.subspan(full));
  return tensor;
}

}  // namespace

RandomWeights::RandomWeights(const RandomFormat& format, Part part) : format_(format), part_(part), noise_(kPeriod) {
  uint64_t state = format.seed;
  for (float& value : noise_) {
    value = std::sqrt(3.0f) * (static_cast<float>(Next(state) >> 40) * 0x1p-23f - 1.0f);
  }
}

DType RandomWeights::TypeOf(std::string_view name, const Shape& shape) const {
  DType type = DType::kBF16;
  if (part_ == Part::kLanguage) {
    const bool table = name.ends_with("lm_head.weight") || name.ends_with("embed_tokens.weight");
    type = table ? format_.head : format_.decoder;
  } else if (part_ == Part::kVision && name.find("layers.") != std::string_view::npos) {
    type = format_.tower;
  }
  if (!IsPanelType(type)) return type;
  const int64_t group = PanelGroup(PanelTypeOf(type));
  return shape.rank() == 2 && (group == 0 || shape[1] % group == 0) ? type : DType::kBF16;
}

Tensor RandomWeights::Matrix(std::string_view name, const Shape& shape) const {
  const DType type = TypeOf(name, shape);
  const uint64_t seed = SeedOf(name, format_.seed);
  if (IsPanelType(type)) return RandomPanels(type, shape, seed);
  CHECK(IsFloat(type));
  const auto fan_in = static_cast<float>(shape.NumElements() / shape[0]);
  Tensor period = Tensor::F32({static_cast<int64_t>(kPeriod)});
  for (size_t i = 0; i < kPeriod; ++i) period.f32()[i] = noise_[i] / std::sqrt(fan_in);
  const Tensor converted = Converted(period.view(), type);
  Tensor tensor(type, shape);
  Tile({converted.data(), converted.num_bytes()}, InfoOf(type).block_bytes, seed, {tensor.data(), tensor.num_bytes()});
  return tensor;
}

Tensor RandomWeights::Floats(std::string_view name, const Shape& shape) const {
  Tensor tensor = Tensor::F32(shape);
  // One dimension called "weight" belongs to a norm.
  const float centre = shape.rank() == 1 && name.ends_with(".weight") ? 1.0f : 0.0f;
  uint64_t seed = SeedOf(name, format_.seed);
  size_t at = Next(seed);
  for (float& value : tensor.f32()) value = centre + 0.02f * noise_[at++ % kPeriod];
  return tensor;
}

}  // namespace galago::models
