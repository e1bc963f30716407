#ifndef GALAGO_TENSOR_WEIGHT_LAYOUTS_H_
#define GALAGO_TENSOR_WEIGHT_LAYOUTS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/tensor/grouped_weights.h"
#include "src/tensor/tensor.h"

// How the tools of the field lay 4-bit matrices out in files. Each layout is a codec to and from GroupedWeights, exact
// both ways; so a matrix passes from any to any other without a bit changing, except that GPTQ stores no zero of 0 and
// the others none of 16.
namespace galago {

// N outputs, K inputs, groups of G inputs, R = PaddedGroups(K, G). Integers are bit containers, little-endian.
enum class WeightLayout {
  // AutoAWQ version "gemm" (casper-hansen/AutoAWQ: awq/modules/linear/gemm.py):
  //   qweight i32 [K, N/8], qzeros i32 [K/G, N/8], scales [K/G, N]; nibbles of a word in the order 0 2 4 6 1 3 5 7
  kAwqGemm,
  // llm-awq v1 (mit-han-lab/llm-awq: tinychat/offline-weight-repacker.py) and AutoAWQ "gemv":
  //   qweight i32 [N, K/8], qzeros i32 [N, R/8], scales [N, R]; nibbles in order
  kAwqGemv,
  // llm-awq v2 (mit-han-lab/llm-awq: awq/quantize/qmodule.py), whose zeros are "scaled_zeros", and AutoAWQ "gemv_fast",
  // where the same are called "qzeros":
  //   qweight i16 [N/4, K], scales [R, N], zeros as floats -scale * zero [R, N]; four rows interleaved in strips of 64
  //   columns
  kAwqInterleaved,
  // GPTQ (AutoGPTQ/AutoGPTQ: auto_gptq/nn_modules/qlinear): zeros are stored less one, z & 15 after adding it back.
  //   qweight i32 [K/8, N], qzeros i32 [K/G, N/8], scales [K/G, N], optional g_idx i32 [K]; nibbles in order
  kGptq,
  // The same without the "less one" (checkpoint_format "gptq_v2").
  kGptqV2,
};
std::string_view Name(WeightLayout layout);

// Groups for which kAwqGemv and kAwqInterleaved have room (awq/quantize/qmodule.py: calculate_zeros_width, times 8).
int64_t PaddedGroups(int64_t cols, int64_t group);

// The tensors of one matrix as they lie in a file.
struct PackedWeights {
  TensorView qweight, scales, zeros;
  TensorView g_idx;  // kGptq*: group of each column; may be absent
};

struct UnpackedWeights {
  GroupedWeights weights;
  // Column j of `weights` is column order[j] of the file's matrix; empty where that is j. GPTQ with activation order
  // scatters a group over the row; here its columns lie side by side.
  std::vector<int32_t> order;
  bool nonzero_padding = false;  // groups beyond K / G are not zero: harmless, and unlike what the tools write
};

// The matrix [rows, cols] in groups of `group`. Types, shapes, scales (finite, not negative) and zeros (integers of the
// layout's range) are checked; `what` names file and matrix in messages.
StatusOr<UnpackedWeights> Unpack(WeightLayout layout, const PackedWeights& packed, int64_t rows, int64_t cols,
                                 int64_t group, std::string_view what);

// Group size of a kAwqInterleaved or kAwqGemv matrix with room for `padded_groups`: 128, 64 or 32. Nothing in those
// files states it.
StatusOr<int64_t> GroupFromPadding(int64_t cols, int64_t padded_groups, std::string_view what);

struct PackedTensors {
  Tensor qweight, scales, zeros;
  PackedWeights view() const { return {qweight.view(), scales.view(), zeros.view(), {}}; }
};

// InvalidArgument if the layout cannot hold the matrix: a zero that is no integer of its range, a shape that does not
// divide.
StatusOr<PackedTensors> Pack(WeightLayout layout, const GroupedWeights& weights);

}  // namespace galago

#endif  // GALAGO_TENSOR_WEIGHT_LAYOUTS_H_
