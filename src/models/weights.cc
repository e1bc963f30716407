#include "src/models/weights.h"

#include <cstdint>
#include <vector>

#include "src/base/strings.h"
#include "src/tensor/convert.h"

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

// What AWQ and GPTQ checkpoints have instead of NAME.weight.
std::string PackedName(std::string_view name) {
  constexpr std::string_view kSuffix = ".weight";
  if (name.ends_with(kSuffix)) name.remove_suffix(kSuffix.size());
  return StrCat(name, ".qweight");
}

}  // namespace

Status Weights::CheckCancel() const {
  if (options_.cancel != nullptr && *options_.cancel) return Cancelled("stopped while the weights were loaded");
  return OkStatus();
}

StatusOr<TensorView> Weights::FindShaped(std::string_view name, const Shape& shape) const {
  RETURN_IF_ERROR(CheckCancel());
  if (const std::string packed = PackedName(name); !store_.Contains(name) && store_.Contains(packed)) {
    return Unimplemented(StrCat(store_.name(), ": ", packed, " in place of ", name,
                                ": 4-bit checkpoints of this kind are not supported"));
  }
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
  if (random_) {
    RETURN_IF_ERROR(CheckCancel());
    return Keep(random_->Matrix(name, shape), DType::kF32).view();
  }
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

StatusOr<std::span<const float>> Weights::Floats(std::string_view name, const Shape& shape) {
  if (random_) return Keep(random_->Floats(name, shape), DType::kF32).f32();
  ASSIGN_OR_RETURN(const TensorView view, FindShaped(name, shape));
  if (view.dtype == DType::kF32 && reinterpret_cast<uintptr_t>(view.data) % alignof(float) == 0) {
    mapped_bytes_ += view.NumBytes();
    return std::span<const float>(view.As<float>(), static_cast<size_t>(shape.NumElements()));
  }
  return Keep(Converted(view, DType::kF32), view.dtype).f32();
}

StatusOr<nn::Linear> Weights::Linear(std::string_view name, int64_t out, int64_t in, bool bias) {
  nn::Linear linear;
  ASSIGN_OR_RETURN(linear.weight, Matrix(StrCat(name, ".weight"), {out, in}));
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
}

}  // namespace galago::models
