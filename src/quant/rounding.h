#ifndef GALAGO_QUANT_ROUNDING_H_
#define GALAGO_QUANT_ROUNDING_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "galago/status.h"
#include "src/base/thread_pool.h"
#include "src/tensor/grouped_weights.h"

// Rounding of weights to codes: the arithmetic of mit-han-lab/llm-awq: awq/quantize/quantizer.py
// (pseudo_quantize_tensor) for 4 bits, plain symmetric rounding for 6 and 8.
namespace galago::quant {

enum class Arithmetic {
  // What is stored: scales are rounded to f16, everything else is float32. A group's range always holds 0, so that
  // groups of one sign, constant ones too, are as exact as others.
  kF16Scales,
  // The reference in f16: every operation is rounded to that type, weights are values of it. Its codes, bit for bit.
  // Groups of one sign saturate, as they do there.
  kReferenceF16,
  // The reference in float32: what it searches with. Scales need not be values of f16.
  kReferenceF32,
};

// One group: the scale and zero that asymmetric 4-bit rounding gives it.
struct GroupGrid {
  float scale = 0;
  float zero = 0;  // 0..15
};
GroupGrid GridOf(std::span<const float> group, Arithmetic arithmetic);
// clamp(rne(w / scale) + zero, 0, 15)
void RoundGroup(std::span<const float> group, const GroupGrid& grid, Arithmetic arithmetic, std::span<uint8_t> codes);

// The group with its weights replaced by what their codes stand for.
void FakeQuantizeGroup(std::span<const float> group, Arithmetic arithmetic, std::span<float> out);

// DataLoss names the first element of weight [N, K] that is not finite; `what` names the tensor.
Status CheckFinite(std::span<const float> weight, int64_t cols, std::string_view what);
// InvalidArgument unless `group` divides `cols`, with the groups that would.
Status CheckGroup(int64_t cols, int64_t group, std::string_view what);

// weight [rows, cols], all finite; `group` divides cols. Not with kReferenceF32. OutOfRange if a scale has no f16.
StatusOr<GroupedWeights> Round4(ThreadPool& pool, std::span<const float> weight, int64_t rows, int64_t cols,
                                int64_t group, Arithmetic arithmetic, std::string_view what);
// The same codes for weights that lie on such a grid already.
GroupedWeights RoundTo(std::span<const float> weight, const GroupedWeights& grid, Arithmetic arithmetic);

// Symmetric: scale = max |w| / most of the group, codes -most..most, where most is 127 of 8 bits and 31 of 6. Scales
// and quotients in float32.
GroupedWeights8 RoundSigned(ThreadPool& pool, std::span<const float> weight, int64_t rows, int64_t cols, int64_t group,
                            int bits);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_ROUNDING_H_
