#include "train/modules/weights.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <set>

#include "src/base/hash.h"
#include "src/base/strings.h"
#include "src/tensor/convert.h"
#include "train/modules/parallel.h"

namespace galago::train {
namespace {

// Bounds of the truncated normal and the standard deviation of what is left between them.
constexpr double kTruncateAt = 2.0;
constexpr double kTruncatedStd = 0.87962566103423978;

StatusOr<std::map<Part, io::TensorStore>> OpenStores(const spec::ModelSpec& spec) {
  std::map<Part, io::TensorStore> stores;
  switch (spec.layout) {
    case spec::Layout::kSubfolders: {
      ASSIGN_OR_RETURN(stores[Part::kLanguage], io::OpenTensorDirectory(spec.path / "llm"));
      if (!spec.vision) return stores;
      ASSIGN_OR_RETURN(stores[Part::kVision], io::OpenTensorDirectory(spec.path / "vision_tower"));
      ASSIGN_OR_RETURN(stores[Part::kProjector], io::OpenTensorDirectory(spec.path / "mm_projector"));
      return stores;
    }
    case spec::Layout::kSingleFolder:
    case spec::Layout::kMobileVlm: {
      ASSIGN_OR_RETURN(stores[Part::kLanguage], io::OpenTensorDirectory(spec.path));
      stores[Part::kVision] = stores[Part::kLanguage];
      stores[Part::kProjector] = stores[Part::kLanguage];
      return stores;
    }
    case spec::Layout::kGguf:
    case spec::Layout::kGalago:
      break;
  }
  return Unimplemented(
      StrCat(spec.path.string(), ": GGUF and .galago files cannot be trained; start from the original checkpoint"));
}

std::string_view Folder(Part part) {
  switch (part) {
    case Part::kVision:
      return "vision_tower";
    case Part::kProjector:
      return "mm_projector";
    case Part::kLanguage:
      return "llm";
  }
  CHECK(false);
}

Tensor ToFloats(const TensorView& view, const std::vector<int64_t>& shape) {
  const Tensor tensor = at::empty(shape, at::TensorOptions(at::kFloat));
  ToF32(view.dtype, view.data, {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())});
  return tensor;
}

}  // namespace

Initial XavierUniform(int64_t out, int64_t in) { return Uniform(std::sqrt(6.0 / static_cast<double>(out + in))); }
Initial LecunNormal(int64_t in) {
  return {Initial::Kind::kTruncatedNormal, 1.0 / std::sqrt(static_cast<double>(in)) / kTruncatedStd};
}
Initial DefaultUniform(int64_t in) { return Uniform(1.0 / std::sqrt(static_cast<double>(in))); }

ParameterList::ParameterList(const spec::ModelSpec& spec, uint64_t seed) : layout_(spec.layout), seed_(seed) {}

StatusOr<ParameterList> ParameterList::Open(const spec::ModelSpec& spec) {
  ParameterList list;
  list.layout_ = spec.layout;
  ASSIGN_OR_RETURN(list.stores_, OpenStores(spec));
  return list;
}

void ParameterList::Begin(Part part) { part_ = part; }

std::string ParameterList::FullName(Part part, const std::string& name) const {
  return layout_ == spec::Layout::kSubfolders ? StrCat(Folder(part), "/", name) : name;
}

StatusOr<Tensor> ParameterList::Read(const std::string& name, const std::vector<int64_t>& shape) const {
  const io::TensorStore& store = stores_.at(part_);
  ASSIGN_OR_RETURN(const TensorView view, store.Find(name));
  if (!std::ranges::equal(view.shape.dims(), shape)) {
    return DataLoss(
        StrCat(store.name(), ": ", name, " is ", view.shape.ToString(), ", the config needs ", ShapeText(shape)));
  }
  if (!IsFloat(view.dtype)) {
    return Unimplemented(StrCat(store.name(), ": ", name, " is of type ", DTypeName(view.dtype),
                                ", trained weights are f32, f16 or bf16"));
  }
  return ToFloats(view, shape);
}

Tensor ParameterList::Draw(const std::string& name, const std::vector<int64_t>& shape, const Initial& initial) const {
  const std::string key = StrCat(seed_, "/", FullName(part_, name));
  at::Generator generator = at::detail::createCPUGenerator(Fnv1a64(std::as_bytes(std::span(key))));
  Tensor tensor = at::empty(shape, at::TensorOptions(at::kFloat));
  switch (initial.kind) {
    case Initial::Kind::kConstant:
      return tensor.fill_(initial.value);
    case Initial::Kind::kNormal:
      return tensor.normal_(0.0, initial.value, generator);
    case Initial::Kind::kUniform:
      return tensor.uniform_(-initial.value, initial.value, generator);
    case Initial::Kind::kTruncatedNormal: {
      // The inverse distribution function of uniform numbers between those of the bounds.
      const double edge = std::erf(kTruncateAt / std::sqrt(2.0));
      const Tensor uniform = at::empty(shape, at::TensorOptions(at::kDouble)).uniform_(-edge, edge, generator);
      return tensor.copy_(uniform.erfinv_().mul_(initial.value * std::sqrt(2.0)));
    }
  }
  CHECK(false);
}

StatusOr<Tensor> ParameterList::Take(const std::string& name, const std::vector<int64_t>& shape, const Initial& initial,
                                     Role role) {
  Tensor tensor;
  if (stores_.empty()) {
    tensor = Draw(name, shape, initial);
  } else {
    ASSIGN_OR_RETURN(tensor, Read(name, shape));
  }
  Parameter parameter = {.name = FullName(part_, name),
                         .part = part_,
                         .value = tensor,
                         .decays = role == Role::kWeight || role == Role::kHidden,
                         .is_hidden = role == Role::kHidden,
                         .is_norm = role == Role::kNorm};
  (unused_now_ ? unused : parameters).push_back(std::move(parameter));
  return tensor;
}

Status ParameterList::TakeRest() {
  std::set<std::string> taken;
  for (const auto* list : {&parameters, &unused}) {
    for (const Parameter& parameter : *list) taken.insert(parameter.name);
  }
  for (const auto& [part, store] : stores_) {
    for (const auto& [name, view] : store.tensors()) {
      if (!IsFloat(view.dtype) || !taken.insert(FullName(part, name)).second) continue;
      const std::span<const int64_t> dims = view.shape.dims();
      unused.push_back({.name = FullName(part, name),
                        .part = part,
                        .value = ToFloats(view, std::vector<int64_t>(dims.begin(), dims.end()))});
    }
  }
  return OkStatus();
}

StatusOr<Linear> ParameterList::TakeLinear(const std::string& name, int64_t out, int64_t in, bool bias,
                                           const LinearInitial& initial) {
  return TakeLinears({{name, out}}, in, bias, initial);
}

StatusOr<Linear> ParameterList::TakeHead(const std::string& name, int64_t vocab, int64_t in, const Initial& initial) {
  ASSIGN_OR_RETURN(Tensor weight, Take(name + ".weight", {vocab, in}, initial, Role::kWeight));
  return Linear({std::move(weight)});
}

StatusOr<Linear> ParameterList::TakeLinears(const std::vector<LinearShape>& parts, int64_t in, bool bias,
                                            const LinearInitial& initial) {
  std::vector<Tensor> weights;
  std::vector<Tensor> biases;
  for (const LinearShape& part : parts) {
    ASSIGN_OR_RETURN(weights.emplace_back(),
                     Take(part.name + ".weight", {part.out, in}, initial.weight, Role::kHidden));
    if (!bias) continue;
    ASSIGN_OR_RETURN(biases.emplace_back(), Take(part.name + ".bias", {part.out}, initial.bias, Role::kBias));
  }
  return Linear(std::move(weights), std::move(biases));
}

StatusOr<Norm> ParameterList::TakeNorm(const std::string& name, RowNorm kind, int64_t width, double eps) {
  Norm norm = {.kind = kind, .eps = eps};
  ASSIGN_OR_RETURN(norm.gain, Take(name + ".weight", {width}, Constant(1.0), Role::kNorm));
  if (kind == RowNorm::kLayerNorm) {
    ASSIGN_OR_RETURN(norm.shift, Take(name + ".bias", {width}, Constant(0.0), Role::kNorm));
  }
  return norm;
}

}  // namespace galago::train
