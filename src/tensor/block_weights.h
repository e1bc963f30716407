#ifndef GALAGO_TENSOR_BLOCK_WEIGHTS_H_
#define GALAGO_TENSOR_BLOCK_WEIGHTS_H_

#include <optional>
#include <string_view>

#include "galago/status.h"
#include "src/tensor/grouped_weights.h"
#include "src/tensor/tensor.h"

// GGUF's block types as grouped weights, for those whose groups and codes a panel type has. Blocks of Q4_0, Q8_0 and
// Q6_K keep every bit of their meaning. Those of Q4_1 and Q4_K are step * code + offset, where step and offset have
// more bits than a f16 scale and zero: each of the two terms is kept to 2^-11 of itself.
namespace galago {

struct BlockGroups {
  int bits;  // 4, 6 or 8, of panels
  int64_t group;
  bool exact;
};
// nullopt: no panel type suits, the matrix is to be expanded.
std::optional<BlockGroups> GroupsOfBlockType(DType dtype);

// blocks [N, K] of a type with 4 bits (6 or 8). DataLoss names a scale that is no number.
StatusOr<GroupedWeights> GroupedFromBlocks(const TensorView& blocks, std::string_view what);
StatusOr<GroupedWeights8> GroupedFromBlocks8(const TensorView& blocks, std::string_view what);

}  // namespace galago

#endif  // GALAGO_TENSOR_BLOCK_WEIGHTS_H_
