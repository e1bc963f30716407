#ifndef GALAGO_MODELS_PANEL_MATRIX_H_
#define GALAGO_MODELS_PANEL_MATRIX_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/io/tensor_store.h"
#include "src/ops/exec_context.h"
#include "src/spec/model_spec.h"
#include "src/tensor/tensor.h"

// Quantised matrices of checkpoints, whatever their layout, as panels.
namespace galago::models {

struct PanelMatrix {
  Tensor panels;               // [N, K] of a panel dtype
  std::vector<int32_t> order;  // input j of the matrix is order[j] of the layer's; empty where that is j
  std::string source;          // what it was made of, for people: "AWQ gemm, groups of 128"
  bool nonzero_padding = false;
};

// Whether NAME has a packed matrix (NAME.qweight) in place of NAME.weight.
bool HasPacked(const io::TensorStore& store, std::string_view name);

// What the tensors of llm-awq v2 say that no config does: nullopt if there are none.
std::optional<spec::QuantizationSpec> LlmAwqQuantization(const io::TensorStore& store);

// NAME.qweight and its companions [rows, cols]. The layout is the one `stated`, else the one whose types and shapes
// these are.
StatusOr<PanelMatrix> PanelsFromPacked(const io::TensorStore& store, std::string_view name, int64_t rows, int64_t cols,
                                       const std::optional<spec::QuantizationSpec>& stated);

// Whether a matrix of this GGUF type is used in panels: its type has a panel type, its columns are whole groups, and at
// this precision nothing may be lost that is not.
bool HasPanels(const TensorView& blocks, ops::Precision precision);
// HasPanels holds. `what` names file and matrix.
StatusOr<PanelMatrix> PanelsFromBlocks(const TensorView& blocks, std::string_view what);

// Bytes in memory of all tensors of a GGUF file once loaded: panels, or what is expanded at this precision.
uint64_t LoadedBytes(const io::TensorStore& blocks, ops::Precision precision);

// weight i8 [N, K], scale [N] or [N, 1] for one a row, or [N, K/G], G = 16, 32 or 128.
StatusOr<PanelMatrix> PanelsFromBytes(const TensorView& weight, const TensorView& scale, std::string_view what);

}  // namespace galago::models

#endif  // GALAGO_MODELS_PANEL_MATRIX_H_
