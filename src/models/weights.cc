#include "src/models/weights.h"

#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

#include "src/base/strings.h"
#include "src/tensor/convert.h"
#include "src/tensor/panels.h"

namespace galago::models {
namespace {

// GGUF drops dimensions of 1 that PyTorch keeps: [D, 1, 3, 3] is [D, 3, 3] there, [S, D, 1, 1] is [S, D].
bool SameShape(const Shape& a, const Shape& b) {
  const auto squeezed = [](const Shape& shape) {
    std::vector<int64_t> dims;
    for (const int64_t dim : shape.dims()) {
      if (dim != 1) dims.push_back(dim);
    }
    return dims;
  };
  return squeezed(a) == squeezed(b);
}

std::string_view WithoutSuffix(std::string_view name) {
  constexpr std::string_view kSuffix = ".weight";
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  return name;
}

std::string OrderName(std::string_view name) { return StrCat(WithoutSuffix(name), ".input_order"); }

bool IsAligned(const std::byte* data, size_t alignment) { return reinterpret_cast<uintptr_t>(data) % alignment == 0; }

}  // namespace

Status Weights::CheckCancel() const {
  if (options_.cancel != nullptr && *options_.cancel) return Cancelled("stopped while the weights were loaded");
  return OkStatus();
}

StatusOr<TensorView> Weights::FindShaped(std::string_view name, const Shape& shape) const {
  RETURN_IF_ERROR(CheckCancel());
  ASSIGN_OR_RETURN(TensorView view, store_.Find(name));
  if (!SameShape(view.shape, shape)) {
    return DataLoss(
        StrCat(store_.name(), ": ", name, " is ", view.shape.ToString(), ", the config needs ", shape.ToString()));
  }
  if (!IsFloat(view.dtype) && !IsBlockType(view.dtype)) {
    return Unimplemented(StrCat(store_.name(), ": ", name, " is of type ", DTypeName(view.dtype),
                                ", weights must be f32, f16, bf16 or a GGUF block type"));
  }
  return view;
}

const Tensor& Weights::Keep(Tensor tensor, DType from) {
  if (IsBlockType(from)) ++expanded_[from];
  converted_bytes_ += tensor.num_bytes();
  return converted_.emplace_back(std::move(tensor));
}

StatusOr<TensorView> Weights::Matrix(std::string_view name, const Shape& shape) {
  std::optional<TensorView> view;
  if (random_) {
    RETURN_IF_ERROR(CheckCancel());
    view = Keep(random_->Matrix(name, shape), DType::kF32).view();
  } else if (shape.rank() == 2) {
    ASSIGN_OR_RETURN(view, Panels(name, shape));
  }
  if (!view) {
    ASSIGN_OR_RETURN(view, FloatMatrix(name, shape));
  }
  used_[std::string(name)] = *view;
  return *view;
}

StatusOr<TensorView> Weights::FloatMatrix(std::string_view name, const Shape& shape) {
  ASSIGN_OR_RETURN(TensorView view, FindShaped(name, shape));
  if (IsBlockType(view.dtype)) {
    const DType to = options_.precision == ops::Precision::kF32 ? DType::kF32 : DType::kBF16;
    view = Keep(Converted(view, to), view.dtype).view();
  } else {
    mapped_bytes_ += view.NumBytes();
  }
  view.shape = shape;
  return view;
}

StatusOr<std::optional<TensorView>> Weights::Panels(std::string_view name, const Shape& shape) {
  RETURN_IF_ERROR(CheckCancel());
  const auto start = std::chrono::steady_clock::now();
  const std::string what = StrCat(store_.name(), ": ", name);
  const std::string_view stem = WithoutSuffix(name);
  PanelMatrix made;
  if (!store_.Contains(name)) {
    if (!HasPacked(store_, stem)) return std::nullopt;
    ASSIGN_OR_RETURN(made, PanelsFromPacked(store_, stem, shape[0], shape[1], quantization_));
  } else {
    ASSIGN_OR_RETURN(TensorView view, store_.Find(name));
    const std::string scale_name = StrCat(stem, ".weight_scale");
    const bool bytes = view.dtype == DType::kI8 && store_.Contains(scale_name);
    if (!IsPanelType(view.dtype) && !bytes && !HasPanels(view, options_.precision)) return std::nullopt;
    if (view.shape != shape) {
      return DataLoss(StrCat(what, " is ", view.shape.ToString(), ", the config needs ", shape.ToString()));
    }
    if (IsPanelType(view.dtype)) {
      if (!IsAligned(view.data, kPanelLine)) {
        Tensor aligned(view.dtype, view.shape);
        std::memcpy(aligned.data(), view.data, view.NumBytes());
        return Keep(std::move(aligned), view.dtype).view();
      }
      mapped_bytes_ += view.NumBytes();
      return view;
    }
    if (bytes) {
      ASSIGN_OR_RETURN(const TensorView scale, store_.Find(scale_name));
      ASSIGN_OR_RETURN(made, PanelsFromBytes(view, scale, what));
    } else {
      ASSIGN_OR_RETURN(made, PanelsFromBlocks(view, what));
    }
  }
  Repacked& repacked = repacked_[made.source];
  ++repacked.matrices;
  repacked.bytes += made.panels.num_bytes();
  repacked.nonzero_padding = repacked.nonzero_padding || made.nonzero_padding;
  if (!made.order.empty()) {
    Tensor order(DType::kI32, {shape[1]});
    std::memcpy(order.data(), made.order.data(), order.num_bytes());
    used_[OrderName(name)] = Keep(std::move(order), DType::kI32).view();
  }
  const TensorView view = Keep(std::move(made.panels), DType::kI8).view();
  repacked.ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return view;
}

// Set by Panels where the file's columns were sorted, or stored beside panels that were made so.
StatusOr<std::span<const int32_t>> Weights::InputOrder(std::string_view name, int64_t in) {
  const std::string order_name = OrderName(name);
  if (const auto it = used_.find(order_name); it != used_.end()) {
    return std::span(it->second.As<int32_t>(), static_cast<size_t>(in));
  }
  if (random_ || !store_.Contains(order_name)) return std::span<const int32_t>();
  ASSIGN_OR_RETURN(const TensorView view, store_.Find(order_name));
  const std::string what = StrCat(store_.name(), ": ", order_name);
  if (view.dtype != DType::kI32 || view.shape != Shape{in} || !IsAligned(view.data, alignof(int32_t))) {
    return DataLoss(
        StrCat(what, " is ", view.shape.ToString(), " of ", DTypeName(view.dtype), ", [", in, "] of i32 is needed"));
  }
  const std::span order(view.As<int32_t>(), static_cast<size_t>(in));
  for (const int32_t j : order) {
    if (j < 0 || j >= in) return DataLoss(StrCat(what, " names input ", j, " of ", in));
  }
  used_[order_name] = view;
  return order;
}

StatusOr<std::span<const float>> Weights::Floats(std::string_view name, const Shape& shape) {
  TensorView floats;
  if (random_) {
    floats = Keep(random_->Floats(name, shape), DType::kF32).view();
  } else {
    ASSIGN_OR_RETURN(floats, FindShaped(name, shape));
    if (floats.dtype == DType::kF32 && IsAligned(floats.data, alignof(float))) {
      mapped_bytes_ += floats.NumBytes();
    } else {
      floats = Keep(Converted(floats, DType::kF32), floats.dtype).view();
    }
  }
  used_[std::string(name)] = floats;
  return std::span<const float>(floats.As<float>(), static_cast<size_t>(shape.NumElements()));
}

StatusOr<nn::Linear> Weights::Linear(std::string_view name, int64_t out, int64_t in, bool bias) {
  nn::Linear linear;
  const std::string weight = StrCat(name, ".weight");
  ASSIGN_OR_RETURN(linear.weight, Matrix(weight, {out, in}));
  ASSIGN_OR_RETURN(linear.input_order, InputOrder(weight, in));
  if (bias) {
    ASSIGN_OR_RETURN(linear.bias, Vector(StrCat(name, ".bias"), out));
  }
  return linear;
}

StatusOr<nn::Norm> Weights::Norm(std::string_view name, nn::NormKind kind, int64_t width, double eps) {
  nn::Norm norm = {.kind = kind, .eps = eps};
  ASSIGN_OR_RETURN(norm.weight, Vector(StrCat(name, ".weight"), width));
  if (kind == nn::NormKind::kLayerNorm) {
    ASSIGN_OR_RETURN(norm.bias, Vector(StrCat(name, ".bias"), width));
  }
  return norm;
}

void Weights::Report(LoadReport& report) const {
  report.mapped_bytes += mapped_bytes_;
  report.converted_bytes += converted_bytes_;
  for (const auto& [dtype, count] : expanded_) {
    report.notes.push_back(StrCat(store_.name(), ": ", count, " tensors of type ", DTypeName(dtype), " expanded to ",
                                  options_.precision == ops::Precision::kF32 ? "f32" : "bf16"));
  }
  for (const auto& [source, repacked] : repacked_) {
    report.notes.push_back(StrCat(store_.name(), ": ", repacked.matrices, " matrices (", source,
                                  ") repacked for the kernels: ", (repacked.bytes + 500'000) / 1'000'000, " MB in ",
                                  static_cast<int64_t>(repacked.ms + 0.5), " ms"));
    if (repacked.nonzero_padding) {
      report.notes.push_back(
          StrCat(store_.name(), ": scales behind the last group (", source, ") are not zero; they are not used"));
    }
  }
}

}  // namespace galago::models
