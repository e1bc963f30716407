#ifndef GALAGO_TENSOR_PANELS_H_
#define GALAGO_TENSOR_PANELS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "src/tensor/dtype.h"
#include "src/tensor/grouped_weights.h"
#include "src/tensor/panel_layout.h"

// Quantised matrices to and from panels (panel_layout.h). A tensor of a panel dtype has shape [N, K]; its bytes are
// those of whole panels. The group of the weights is that of the dtype; for kW8Row it is all K columns.
namespace galago {

PanelType PanelTypeOf(DType dtype);  // of a panel dtype

// The panel dtype of groups of so many columns whose codes have `bits` bits, when there is one.
std::optional<DType> PanelDType(int bits, int64_t group);

// Bytes of a matrix [rows, cols] in panels.
size_t PanelMatrixBytes(DType dtype, int64_t rows, int64_t cols);

// `out` has PanelMatrixBytes and is written whole. cols is a multiple of the dtype's group; for kW8Row at most
// kMaxRowK. Signed codes go to panels of 8 bits, and of 6 where all are in -32..31.
void PackPanels(DType dtype, const GroupedWeights& weights, std::span<std::byte> out);
void PackPanels(DType dtype, const GroupedWeights8& weights, std::span<std::byte> out);

// What was packed, bit for bit.
GroupedWeights UnpackPanels4(DType dtype, int64_t rows, int64_t cols, const std::byte* panels);
GroupedWeights8 UnpackSignedPanels(DType dtype, int64_t rows, int64_t cols, const std::byte* panels);

// Row `row` as floats, out [K]: differences and products are rounded to float32 as Dequantize does.
void DequantizePanelRow(DType dtype, const std::byte* panels, int64_t row, std::span<float> out);

}  // namespace galago

#endif  // GALAGO_TENSOR_PANELS_H_
