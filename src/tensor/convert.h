#ifndef GALAGO_TENSOR_CONVERT_H_
#define GALAGO_TENSOR_CONVERT_H_

#include <cstddef>
#include <span>

#include "galago/status.h"
#include "src/tensor/dtype.h"
#include "src/tensor/tensor.h"

namespace galago {

// Expands `out.size()` consecutive elements of `dtype` (a float type, an integer type or a block type; whole blocks) to
// float32. `data` may be unaligned. The formulas for block types are those of ggml's reference dequantisers.
void ToF32(DType dtype, const std::byte* data, std::span<float> out);

// A copy of `source` as kF32, kF16 or kBF16 (round to nearest even). Block and panel types go through float32 row by
// row.
Tensor Converted(const TensorView& source, DType to);

}  // namespace galago

#endif  // GALAGO_TENSOR_CONVERT_H_
