#include "train/loop/adapter.h"

#include <cstring>
#include <set>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/safetensors.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTargets[] = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

// PEFT wraps the language model alone: its names lack the folder.
std::string AdapterName(const Parameter& parameter) {
  const size_t slash = parameter.name.find('/');
  return slash == std::string::npos ? parameter.name : parameter.name.substr(slash + 1);
}

std::string OtherName(const Parameter& parameter) { return ReplaceAll(parameter.name, "/", "."); }

io::NamedTensor Named(std::string name, torch::Tensor& value) {
  const std::vector<int64_t> shape = value.sizes().vec();
  return {std::move(name), {DType::kF32, Shape(shape), static_cast<const std::byte*>(value.data_ptr())}};
}

Status CopyInto(torch::Tensor& value, const io::TensorStore& store, const std::string& name) {
  ASSIGN_OR_RETURN(const TensorView view, store.Find(name));
  const std::vector<int64_t> shape = value.sizes().vec();
  if (view.dtype != DType::kF32 || view.shape != Shape(shape)) {
    return DataLoss(StrCat(store.name(), ": ", name, " is ", DTypeName(view.dtype), " ", view.shape.ToString(),
                           ", the model needs f32 ", ShapeText(shape)));
  }
  std::memcpy(value.data_ptr(), view.data, view.NumBytes());
  return OkStatus();
}

}  // namespace

Status SaveAdapter(Vlm& model, const LoraOptions& options, const fs::path& base_model, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Unavailable(StrCat(folder.string(), ": cannot be made: ", error.message()));
  std::vector<io::NamedTensor> adapters, others;
  for (Parameter& parameter : model.parameters()) {
    if (parameter.is_lora) {
      adapters.push_back(Named(AdapterName(parameter), parameter.value));
    } else if (parameter.value.requires_grad()) {
      others.push_back(Named(OtherName(parameter), parameter.value));
    }
  }
  const std::map<std::string, std::string> metadata = {{"format", "pt"}};
  RETURN_IF_ERROR(io::WriteSafetensors(folder / "adapter_model.safetensors", adapters, metadata));
  RETURN_IF_ERROR(io::WriteSafetensors(folder / "non_lora_trainables.safetensors", others, metadata));
  const Json config = {{"peft_type", "LORA"},
                       {"task_type", "CAUSAL_LM"},
                       {"base_model_name_or_path", base_model.string()},
                       {"r", options.rank},
                       {"lora_alpha", options.alpha},
                       {"lora_dropout", 0.0},
                       {"bias", "none"},
                       {"fan_in_fan_out", false},
                       {"inference_mode", true},
                       {"target_modules", kTargets}};
  return WriteFileAtomically(folder / "adapter_config.json", config.dump(2) + "\n");
}

Status LoadAdapter(Vlm& model, const fs::path& folder) {
  const fs::path config_file = folder / "adapter_config.json";
  ASSIGN_OR_RETURN(const Json config, ReadJsonFile(config_file));
  const std::string what = config_file.string();
  ASSIGN_OR_RETURN(const auto rank, JsonInt(config, "r", what, 1, 1 << 20));
  ASSIGN_OR_RETURN(const auto alpha, JsonNumber(config, "lora_alpha", what));
  ASSIGN_OR_RETURN(const auto type, JsonString(config, "peft_type", what));
  if (!rank || !alpha) return DataLoss(StrCat(what, ": r or lora_alpha is missing"));
  if (type != "LORA") return Unimplemented(StrCat(what, ": peft_type is ", Printable(type.value_or("")), ", not LORA"));
  ASSIGN_OR_RETURN(const io::TensorStore adapters, io::OpenSafetensors(folder / "adapter_model.safetensors"));
  io::TensorStore others;
  if (fs::exists(folder / "non_lora_trainables.safetensors")) {
    ASSIGN_OR_RETURN(others, io::OpenSafetensors(folder / "non_lora_trainables.safetensors"));
  }
  RETURN_IF_ERROR(model.AddLora({.rank = *rank, .alpha = *alpha}));
  size_t num_adapters = 0, num_others = 0;
  for (Parameter& parameter : model.parameters()) {
    if (parameter.is_lora) {
      RETURN_IF_ERROR(CopyInto(parameter.value, adapters, AdapterName(parameter)));
      ++num_adapters;
    } else if (others.Contains(OtherName(parameter))) {
      RETURN_IF_ERROR(CopyInto(parameter.value, others, OtherName(parameter)));
      ++num_others;
    }
  }
  if (num_adapters != adapters.tensors().size() || num_others != others.tensors().size()) {
    return DataLoss(StrCat(folder.string(), ": holds ", adapters.tensors().size() + others.tensors().size(),
                           " tensors, the model takes ", num_adapters + num_others,
                           " of them: is it of another model?"));
  }
  model.WeightsChanged();
  return OkStatus();
}

}  // namespace galago::train
