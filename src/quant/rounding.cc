#include "src/quant/rounding.h"

#include <algorithm>
#include <cmath>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/tensor/float16.h"

namespace galago::quant {
namespace {

constexpr float kMaxCode = 15.0f;
constexpr float kMaxF16 = 65504.0f;

float H(float x) { return F16ToF32(F32ToF16(x)); }

// rne(x) for |x| < 2^22 without a library call, so that loops over it become vector code: the adder rounds to even.
// Larger quotients only come from groups far from 0, whose codes saturate all the same.
float RoundEven(float x) {
  constexpr float kMagic = 0x1.8p23f;
  return (std::clamp(x, -0x1p21f, 0x1p21f) + kMagic) - kMagic;
}

float Code(float quotient, float zero) { return std::clamp(RoundEven(quotient) + zero, 0.0f, kMaxCode); }

}  // namespace

GroupGrid GridOf(std::span<const float> group, Arithmetic arithmetic) {
  float most = group[0], least = group[0];
  for (const float w : group) {
    most = std::max(most, w);
    least = std::min(least, w);
  }
  GroupGrid grid;
  if (arithmetic == Arithmetic::kReferenceF16) {
    grid.scale = H(std::max(H(most - least), H(1e-5f)) / kMaxCode);
    grid.zero = std::clamp(-RoundEven(H(least / grid.scale)), 0.0f, kMaxCode);
    return grid;
  }
  if (arithmetic == Arithmetic::kF16Scales) {
    most = std::max(most, 0.0f);
    least = std::min(least, 0.0f);
  }
  grid.scale = std::max(most - least, 1e-5f) / kMaxCode;
  if (arithmetic == Arithmetic::kF16Scales) grid.scale = H(grid.scale);
  grid.zero = std::clamp(-RoundEven(least / grid.scale), 0.0f, kMaxCode);
  return grid;
}

void RoundGroup(std::span<const float> group, const GroupGrid& grid, Arithmetic arithmetic, std::span<uint8_t> codes) {
  CHECK_EQ(group.size(), codes.size());
  if (arithmetic == Arithmetic::kReferenceF16) {
    for (size_t k = 0; k < group.size(); ++k) {
      codes[k] = static_cast<uint8_t>(Code(H(group[k] / grid.scale), grid.zero));
    }
    return;
  }
  for (size_t k = 0; k < group.size(); ++k) codes[k] = static_cast<uint8_t>(Code(group[k] / grid.scale, grid.zero));
}

void FakeQuantizeGroup(std::span<const float> group, Arithmetic arithmetic, std::span<float> out) {
  CHECK_EQ(group.size(), out.size());
  const GroupGrid grid = GridOf(group, arithmetic);
  if (arithmetic == Arithmetic::kReferenceF16) {
    for (size_t k = 0; k < group.size(); ++k) {
      out[k] = H((Code(H(group[k] / grid.scale), grid.zero) - grid.zero) * grid.scale);
    }
    return;
  }
  for (size_t k = 0; k < group.size(); ++k) {
    out[k] = (Code(group[k] / grid.scale, grid.zero) - grid.zero) * grid.scale;
  }
}

Status CheckFinite(std::span<const float> weight, int64_t cols, std::string_view what) {
  // 0 * w is 0 unless w is infinite or not a number; a sum of such is fast, and then the first is looked for.
  float sum = 0.0f;
  for (const float w : weight) sum += w * 0.0f;
  if (sum == 0.0f) return OkStatus();
  for (size_t i = 0; i < weight.size(); ++i) {
    if (!std::isfinite(weight[i])) {
      const auto at = static_cast<int64_t>(i);
      return DataLoss(StrCat(what, ": element [", at / cols, ", ", at % cols, "] is ",
                             std::isnan(weight[i]) ? "not a number" : "infinite", ", it cannot be quantised"));
    }
  }
  return OkStatus();
}

Status CheckGroup(int64_t cols, int64_t group, std::string_view what) {
  CHECK_GT(group, 0);
  if (cols % group == 0) return OkStatus();
  std::string fitting;
  for (const int64_t smaller : {64, 32}) {
    if (smaller < group && cols % smaller == 0) fitting = StrCat(fitting, fitting.empty() ? "" : " or ", smaller);
  }
  return InvalidArgument(StrCat(what, " has ", cols, " inputs, which groups of ", group, " do not divide",
                                fitting.empty() ? "" : StrCat("; groups of ", fitting, " do")));
}

StatusOr<GroupedWeights> Round4(ThreadPool& pool, std::span<const float> weight, int64_t rows, int64_t cols,
                                int64_t group, Arithmetic arithmetic, std::string_view what) {
  CHECK_EQ(static_cast<int64_t>(weight.size()), rows * cols);
  CHECK(arithmetic != Arithmetic::kReferenceF32);
  GroupedWeights result = MakeGroupedWeights(rows, cols, group);
  const auto size = static_cast<size_t>(group);
  const auto groups = static_cast<size_t>(cols / group);
  pool.ParallelFor(rows, [&](int64_t n) {
    for (size_t g = static_cast<size_t>(n) * groups; g < (static_cast<size_t>(n) + 1) * groups; ++g) {
      const std::span<const float> values = weight.subspan(g * size, size);
      const GroupGrid grid = GridOf(values, arithmetic);
      result.scales[g] = F32ToF16(grid.scale);
      result.zeros[g] = F32ToF16(grid.zero);
      RoundGroup(values, grid, arithmetic, std::span(result.codes).subspan(g * size, size));
    }
  });
  for (size_t g = 0; g < result.scales.size(); ++g) {
    if (!(F16ToF32(result.scales[g]) <= kMaxF16)) {
      return OutOfRange(StrCat(what, ": the weights of row ", g / groups, " span more than 4-bit scales can express (",
                               15.0f * kMaxF16, ")"));
    }
  }
  return result;
}

GroupedWeights RoundTo(std::span<const float> weight, const GroupedWeights& grid, Arithmetic arithmetic) {
  GroupedWeights result = grid;
  const auto size = static_cast<size_t>(grid.group);
  for (size_t g = 0; g < grid.scales.size(); ++g) {
    RoundGroup(weight.subspan(g * size, size), {F16ToF32(grid.scales[g]), F16ToF32(grid.zeros[g])}, arithmetic,
               std::span(result.codes).subspan(g * size, size));
  }
  return result;
}

GroupedWeights8 RoundSigned(ThreadPool& pool, std::span<const float> weight, int64_t rows, int64_t cols, int64_t group,
                            int bits) {
  CHECK_EQ(static_cast<int64_t>(weight.size()), rows * cols);
  CHECK_EQ(cols % group, 0);
  GroupedWeights8 result = MakeGroupedWeights8(rows, cols, group);
  const auto size = static_cast<size_t>(group);
  const auto groups = static_cast<size_t>(cols / group);
  const auto most = static_cast<float>((1 << (bits - 1)) - 1);
  pool.ParallelFor(rows, [&](int64_t n) {
    for (size_t g = static_cast<size_t>(n) * groups; g < (static_cast<size_t>(n) + 1) * groups; ++g) {
      const std::span<const float> values = weight.subspan(g * size, size);
      float largest = 0.0f;
      for (const float w : values) largest = std::max(largest, std::abs(w));
      // Codes of zeros are zero whatever the scale is.
      const float scale = std::max(largest, 1e-5f) / most;
      result.scales[g] = scale;
      for (size_t k = 0; k < size; ++k) {
        result.codes[g * size + k] = static_cast<int8_t>(std::clamp(RoundEven(values[k] / scale), -most, most));
      }
    }
  });
  return result;
}

}  // namespace galago::quant
