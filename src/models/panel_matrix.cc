#include "src/models/panel_matrix.h"

#include <cmath>
#include <cstring>
#include <span>

#include "src/base/strings.h"
#include "src/tensor/block_weights.h"
#include "src/tensor/convert.h"
#include "src/tensor/panels.h"
#include "src/tensor/weight_layouts.h"

namespace galago::models {
namespace {

template <class Grouped>
Tensor Packed(DType dtype, const Grouped& weights) {
  Tensor panels(dtype, {weights.rows, weights.cols});
  PackPanels(dtype, weights, {panels.data(), panels.num_bytes()});
  return panels;
}

// The tensor, or an empty view where there is none.
StatusOr<TensorView> FindIfThere(const io::TensorStore& store, const std::string& name) {
  if (!store.Contains(name)) return TensorView();
  return store.Find(name);
}

WeightLayout LayoutOf(spec::QuantizationFormat format) {
  switch (format) {
    case spec::QuantizationFormat::kAwqGemm:
      return WeightLayout::kAwqGemm;
    case spec::QuantizationFormat::kAwqGemv:
      return WeightLayout::kAwqGemv;
    case spec::QuantizationFormat::kAwqGemvFast:
      return WeightLayout::kAwqInterleaved;
    case spec::QuantizationFormat::kGptq:
      return WeightLayout::kGptq;
    case spec::QuantizationFormat::kGptqV2:
      return WeightLayout::kGptqV2;
    case spec::QuantizationFormat::kLlmAwq:
      return WeightLayout::kAwqInterleaved;
  }
  CHECK(false);
}

struct LayoutAndGroup {
  WeightLayout layout;
  int64_t group;
};

// Where no config says it: 16-bit words are the interleaved layout's; rows and columns of 32-bit words tell the others
// apart, and the number of stored groups their size.
StatusOr<LayoutAndGroup> LayoutFromShapes(const PackedWeights& packed, int64_t rows, int64_t cols,
                                          std::string_view what) {
  const Shape& words = packed.qweight.shape;
  const Shape& scales = packed.scales.shape;
  if (words.rank() != 2 || scales.rank() != 2) {
    return DataLoss(StrCat(what, ": qweight is ", words.ToString(), " and scales is ", scales.ToString(),
                           ", two dimensions each are needed"));
  }
  const auto group_of = [&](int64_t groups) -> StatusOr<int64_t> {
    if (groups > 0 && cols % groups == 0) return cols / groups;
    return DataLoss(StrCat(what, ": ", groups, " rows of scales do not divide ", cols, " columns"));
  };
  LayoutAndGroup found{WeightLayout::kAwqInterleaved, 0};
  if (packed.qweight.dtype == DType::kI16 || packed.qweight.dtype == DType::kU16) {
    ASSIGN_OR_RETURN(found.group, GroupFromPadding(cols, scales[0], what));
  } else if (words == Shape{rows, cols / 8} && scales[0] == rows) {
    found.layout = WeightLayout::kAwqGemv;
    ASSIGN_OR_RETURN(found.group, GroupFromPadding(cols, scales[1], what));
  } else if (words == Shape{cols, rows / 8}) {
    found.layout = WeightLayout::kAwqGemm;
    ASSIGN_OR_RETURN(found.group, group_of(scales[0]));
  } else if (words == Shape{cols / 8, rows}) {
    found.layout = WeightLayout::kGptq;
    ASSIGN_OR_RETURN(found.group, group_of(scales[0]));
  } else {
    return DataLoss(StrCat(what, ": qweight is ", words.ToString(), " of ", DTypeName(packed.qweight.dtype),
                           ", no layout we know gives a matrix of [", rows, ", ", cols, "] that shape"));
  }
  return found;
}

}  // namespace

bool HasPacked(const io::TensorStore& store, std::string_view name) { return store.Contains(StrCat(name, ".qweight")); }

std::optional<spec::QuantizationSpec> LlmAwqQuantization(const io::TensorStore& store) {
  constexpr std::string_view kZeros = ".scaled_zeros";
  for (const auto& [name, zeros] : store.tensors()) {
    if (!name.ends_with(kZeros)) continue;
    const auto words = store.Find(StrCat(name.substr(0, name.size() - kZeros.size()), ".qweight"));
    if (!words.ok() || words->shape.rank() != 2 || zeros.shape.rank() != 2) continue;
    const auto group = GroupFromPadding(words->shape[1], zeros.shape[0], name);
    if (group.ok()) return spec::QuantizationSpec{spec::QuantizationFormat::kLlmAwq, *group};
  }
  return std::nullopt;
}

StatusOr<PanelMatrix> PanelsFromPacked(const io::TensorStore& store, std::string_view name, int64_t rows, int64_t cols,
                                       const std::optional<spec::QuantizationSpec>& stated) {
  const std::string what = StrCat(store.name(), ": ", name);
  PackedWeights packed;
  ASSIGN_OR_RETURN(packed.qweight, store.Find(StrCat(name, ".qweight")));
  ASSIGN_OR_RETURN(packed.scales, store.Find(StrCat(name, ".scales")));
  const std::string scaled_zeros = StrCat(name, ".scaled_zeros");
  ASSIGN_OR_RETURN(packed.zeros, store.Find(store.Contains(scaled_zeros) ? scaled_zeros : StrCat(name, ".qzeros")));
  LayoutAndGroup found{WeightLayout::kAwqInterleaved, 0};
  // llm-awq's own files come with whatever config the float model had.
  if (stated && !store.Contains(scaled_zeros)) {
    found = {LayoutOf(stated->format), stated->group_size < 0 ? cols : stated->group_size};
  } else {
    ASSIGN_OR_RETURN(found, LayoutFromShapes(packed, rows, cols, what));
  }
  if (found.layout == WeightLayout::kGptq || found.layout == WeightLayout::kGptqV2) {
    ASSIGN_OR_RETURN(packed.g_idx, FindIfThere(store, StrCat(name, ".g_idx")));
  }
  ASSIGN_OR_RETURN(UnpackedWeights unpacked, Unpack(found.layout, packed, rows, cols, found.group, what));
  int64_t group = 128;
  while (group >= 32 && found.group % group != 0) group /= 2;
  const auto dtype = PanelDType(4, group);
  if (!dtype) {
    return Unimplemented(StrCat(what, ": groups of ", found.group, " are no multiple of 32, which kernels need"));
  }
  PanelMatrix out;
  out.panels = Packed(*dtype, Regrouped(std::move(unpacked.weights), group));
  out.order = std::move(unpacked.order);
  out.source = StrCat(Name(found.layout), ", groups of ", found.group, out.order.empty() ? "" : ", activation order");
  out.nonzero_padding = unpacked.nonzero_padding;
  return out;
}

bool HasPanels(const TensorView& blocks, ops::Precision precision) {
  const auto groups = GroupsOfBlockType(blocks.dtype);
  // Panels of GGUF types begin and end with the blocks, whose columns io has checked.
  return groups && blocks.shape.rank() == 2 && (groups->exact || precision != ops::Precision::kF32);
}

uint64_t LoadedBytes(const io::TensorStore& blocks, ops::Precision precision) {
  uint64_t total = 0;
  for (const auto& [name, view] : blocks.tensors()) {
    TensorView loaded = view;
    if (HasPanels(view, precision)) {
      const auto groups = GroupsOfBlockType(view.dtype);
      loaded.dtype = *PanelDType(groups->bits, groups->group);
    } else if (view.shape.rank() == 1 || name.ends_with("position_embd.weight")) {
      loaded.dtype = DType::kF32;
    } else if (IsBlockType(view.dtype)) {
      loaded.dtype = precision == ops::Precision::kF32 ? DType::kF32 : DType::kBF16;
    }
    total += loaded.NumBytes();
  }
  return total;
}

StatusOr<PanelMatrix> PanelsFromBlocks(const TensorView& blocks, std::string_view what) {
  const auto groups = GroupsOfBlockType(blocks.dtype);
  PanelMatrix out;
  out.source = StrCat("GGUF ", DTypeName(blocks.dtype));
  const DType dtype = *PanelDType(groups->bits, groups->group);
  if (groups->bits == 4) {
    ASSIGN_OR_RETURN(const GroupedWeights weights, GroupedFromBlocks(blocks, what));
    out.panels = Packed(dtype, weights);
  } else {
    ASSIGN_OR_RETURN(const GroupedWeights8 weights, GroupedFromBlocks8(blocks, what));
    out.panels = Packed(dtype, weights);
  }
  return out;
}

StatusOr<PanelMatrix> PanelsFromBytes(const TensorView& weight, const TensorView& scale, std::string_view what) {
  const int64_t rows = weight.shape[0];
  const int64_t cols = weight.shape[1];
  if (!IsFloat(scale.dtype)) {
    return DataLoss(StrCat(what, ": weight_scale is of type ", DTypeName(scale.dtype), ", f32, f16 or bf16 is needed"));
  }
  const size_t rank = scale.shape.rank();
  const int64_t groups = rank == 2 ? scale.shape[1] : 1;
  if (rank < 1 || rank > 2 || scale.shape[0] != rows || groups < 1 || cols % groups != 0) {
    return DataLoss(StrCat(what, ": weight_scale is ", scale.shape.ToString(), ", [", rows, "] or [", rows,
                           ", groups of ", cols, "] is needed"));
  }
  const std::optional<DType> dtype = groups == 1 ? DType::kW8Row : PanelDType(8, cols / groups);
  if (!dtype || (dtype == DType::kW8Row && cols > kMaxRowK)) {
    return Unimplemented(StrCat(what, ": 8-bit groups of ", cols / groups, " columns are not supported"));
  }
  GroupedWeights8 weights = MakeGroupedWeights8(rows, cols, cols / groups);
  std::memcpy(weights.codes.data(), weight.data, weights.codes.size());
  ToF32(scale.dtype, scale.data, weights.scales);
  for (size_t i = 0; i < weights.scales.size(); ++i) {
    if (!std::isfinite(weights.scales[i])) {
      return DataLoss(StrCat(what, ": weight_scale ", i, " is ", weights.scales[i], ", a finite number is needed"));
    }
  }
  PanelMatrix out;
  out.panels = Packed(*dtype, weights);
  out.source = groups == 1 ? std::string("8 bits a row") : StrCat("8 bits, groups of ", cols / groups);
  return out;
}

}  // namespace galago::models
