#include "src/models/lora.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "src/base/arena.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "src/ops/matmul.h"
#include "src/tensor/convert.h"

namespace galago::models {
namespace {

namespace fs = std::filesystem;

// Keys of adapter_config.json that make an adapter more than W + (alpha / r) B A unless they hold nothing.
constexpr std::array<const char*, 11> kMore = {"use_rslora",
                                               "use_dora",
                                               "use_qalora",
                                               "fan_in_fan_out",
                                               "rank_pattern",
                                               "alpha_pattern",
                                               "modules_to_save",
                                               "lora_bias",
                                               "layer_replication",
                                               "trainable_token_indices",
                                               "alora_invocation_tokens"};
// Ways to begin training that leave the base weights as they were; the others (pissa, olora, ...) do not.
constexpr std::array<std::string_view, 3> kInits = {"gaussian", "eva", "orthogonal"};

bool HoldsNothing(const Json& value) { return value.is_null() || value == false || value.empty(); }

struct Config {
  int64_t rank;
  float scale;
};

StatusOr<Config> ReadConfig(const fs::path& file) {
  ASSIGN_OR_RETURN(const Json config, ReadJsonFile(file));
  const std::string what = file.string();
  ASSIGN_OR_RETURN(const auto type, JsonString(config, "peft_type", what));
  if (type != "LORA") return Unimplemented(StrCat(what, ": peft_type is ", Printable(type.value_or("")), ", not LORA"));
  for (const char* key : kMore) {
    const Json* value = JsonFind(config, key);
    if (value != nullptr && !HoldsNothing(*value)) {
      return Unimplemented(StrCat(what, ": ", key, " is set, which is not supported"));
    }
  }
  if (const Json* init = JsonFind(config, "init_lora_weights"); init != nullptr && init->is_string()) {
    if (std::ranges::find(kInits, init->get<std::string>()) == kInits.end()) {
      return Unimplemented(StrCat(what, ": init_lora_weights is ", Printable(init->get<std::string>()),
                                  ", which changes the base weights"));
    }
  }
  ASSIGN_OR_RETURN(const auto rank, JsonInt(config, "r", what, 1, 1 << 20));
  ASSIGN_OR_RETURN(const auto alpha, JsonNumber(config, "lora_alpha", what));
  if (!rank || !alpha) return DataLoss(StrCat(what, ": r or lora_alpha is missing"));
  constexpr double kMostScale = 1e6;
  const double scale = *alpha / static_cast<double>(*rank);
  if (std::abs(scale) > kMostScale) return DataLoss(StrCat(what, ": lora_alpha is ", *alpha, " and r ", *rank));
  return Config{*rank, static_cast<float>(scale)};
}

StatusOr<TensorView> FloatsOf(const io::TensorStore& store, std::string_view name) {
  ASSIGN_OR_RETURN(const TensorView view, store.Find(name));
  if (IsFloat(view.dtype)) return view;
  return Unimplemented(StrCat(store.name(), ": ", Printable(name, 256), " is of type ", DTypeName(view.dtype),
                              "; an adapter goes on f32, f16 or bf16 weights"));
}

std::vector<float> Floats(const TensorView& view) {
  std::vector<float> out(static_cast<size_t>(view.shape.NumElements()));
  ToF32(view.dtype, view.data, out);
  return out;
}

Tensor OfType(std::vector<float> values, const TensorView& like) {
  const TensorView floats = {DType::kF32, like.shape, reinterpret_cast<const std::byte*>(values.data())};
  return Converted(floats, like.dtype);
}

class Adder {
 public:
  explicit Adder(const kernels::KernelTable& kernels) : kernels_(kernels), pool_(0) {}

  // W [out, in] + scale B [out, r] A [r, in].
  Tensor Sum(const TensorView& weight, const TensorView& down, const TensorView& up, float scale) {
    const int64_t in = weight.shape[1], out = weight.shape[0], rank = down.shape[0];
    const std::vector<float> a = Floats(down), w = Floats(weight);
    std::vector<float> b = Floats(up), turned(a.size()), sum(w.size());
    for (float& value : b) value *= scale;
    for (int64_t r = 0; r < rank; ++r) {
      for (int64_t i = 0; i < in; ++i) turned[static_cast<size_t>(i * rank + r)] = a[static_cast<size_t>(r * in + i)];
    }
    const ops::ExecContext ctx = {.pool = &pool_, .kernels = &kernels_, .arena = &arena_};
    const TensorView a_turned = {DType::kF32, {in, rank}, reinterpret_cast<const std::byte*>(turned.data())};
    ops::MatMul(ctx, {b, out, rank}, a_turned, {sum, out, in}, {.residual = {w, out, in}});
    return OfType(std::move(sum), weight);
  }

 private:
  kernels::KernelTable kernels_;
  ThreadPool pool_;
  Arena arena_;
};

// Removes `prefix` from the front of `text`, or tells that it is not there.
std::optional<std::string_view> After(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

Status CheckShape(const io::TensorStore& store, std::string_view name, const Shape& shape, const Shape& needed) {
  if (shape == needed) return OkStatus();
  return DataLoss(StrCat(store.name(), ": ", Printable(name, 256), " is ", shape.ToString(), ", the model needs ",
                         needed.ToString(), ": is it of another model?"));
}

// Puts in place of the model's tensors what was trained whole. Names of parts in folders begin with the folder's.
Status ReplaceOthers(const io::TensorStore& others, bool one_folder, PartStores& stores) {
  const std::pair<std::string_view, io::TensorStore*> folders[] = {
      {"llm.", &stores.language}, {"vision_tower.", &stores.vision}, {"mm_projector.", &stores.projector}};
  const std::pair<std::string_view, io::TensorStore*> whole[] = {{"", &stores.language}};
  const auto parts = one_folder ? std::span<const std::pair<std::string_view, io::TensorStore*>>(whole) : folders;
  for (const auto& [name, view] : others.tensors()) {
    bool found = false;
    for (const auto& [prefix, store] : parts) {
      const std::string_view inside = After(name, prefix).value_or("");
      if (!store->Contains(inside)) continue;
      ASSIGN_OR_RETURN(const TensorView base, FloatsOf(*store, inside));
      RETURN_IF_ERROR(CheckShape(others, name, view.shape, base.shape));
      ASSIGN_OR_RETURN(const TensorView value, FloatsOf(others, name));
      store->Replace(inside, Converted(value, base.dtype));
      found = true;
    }
    if (!found) return DataLoss(StrCat(others.name(), ": ", Printable(name, 256), " is no tensor of the model"));
  }
  return OkStatus();
}

constexpr std::string_view kFront = "base_model.model.", kDown = ".lora_A.weight", kUp = ".lora_B.weight";

// Adds the pair of STEM.lora_A and STEM.lora_B to the matrix STEM.weight.
Status AddPair(const io::TensorStore& adapter, std::string_view stem, const Config& config, const spec::ModelSpec& spec,
               Adder& adder, io::TensorStore& model) {
  const std::string down_name = StrCat(kFront, stem, kDown), up_name = StrCat(kFront, stem, kUp);
  const std::string weight_name = StrCat(stem, ".weight");
  ASSIGN_OR_RETURN(const TensorView down, FloatsOf(adapter, down_name));
  ASSIGN_OR_RETURN(const TensorView up, FloatsOf(adapter, up_name));
  if (model.Contains(StrCat(stem, ".qweight"))) {
    return Unimplemented(
        StrCat(model.name(), ": ", Printable(stem, 256), " is quantised; merge the adapter first, then quantise"));
  }
  if (!model.Contains(weight_name)) {
    return DataLoss(StrCat(adapter.name(), ": ", Printable(down_name, 256), " is of no matrix of ", model.name(),
                           ": is it of another model?"));
  }
  if (stem.ends_with("lm_head") && spec.language.tie_word_embeddings) {
    return Unimplemented(StrCat(adapter.name(), ": lm_head is the table of embeddings in this model"));
  }
  ASSIGN_OR_RETURN(const TensorView weight, FloatsOf(model, weight_name));
  if (weight.shape.rank() != 2) {
    return DataLoss(StrCat(model.name(), ": ", Printable(weight_name, 256), " is no matrix"));
  }
  RETURN_IF_ERROR(CheckShape(adapter, down_name, down.shape, {config.rank, weight.shape[1]}));
  RETURN_IF_ERROR(CheckShape(adapter, up_name, up.shape, {weight.shape[0], config.rank}));
  model.Replace(weight_name, adder.Sum(weight, down, up, config.scale));
  return OkStatus();
}

// Adds all pairs; the number of them.
StatusOr<size_t> AddPairs(const io::TensorStore& adapter, const Config& config, const spec::ModelSpec& spec,
                          io::TensorStore& model, const std::atomic<bool>* cancel) {
  ASSIGN_OR_RETURN(const kernels::KernelTable kernels, ops::ChooseKernels(""));
  Adder adder(kernels);
  size_t pairs = 0;
  for (const auto& tensor : adapter.tensors()) {
    if (cancel != nullptr && *cancel) return Cancelled("stopped while an adapter was added");
    const auto inside = After(tensor.first, kFront);
    if (!inside || !(inside->ends_with(kDown) || inside->ends_with(kUp))) {
      return Unimplemented(StrCat(adapter.name(), ": ", Printable(tensor.first, 256), " is neither lora_A nor lora_B"));
    }
    if (inside->ends_with(kUp)) continue;
    const std::string_view stem = inside->substr(0, inside->size() - kDown.size());
    RETURN_IF_ERROR(AddPair(adapter, stem, config, spec, adder, model));
    ++pairs;
  }
  if (2 * pairs == adapter.tensors().size()) return pairs;
  return DataLoss(StrCat(adapter.name(), ": holds ", adapter.tensors().size(), " tensors, ", 2 * pairs,
                         " of them in pairs of lora_A and lora_B"));
}

// non_lora_trainables beside the adapter, if there are any: what was trained whole.
StatusOr<io::TensorStore> OpenOthers(const fs::path& folder) {
  constexpr std::string_view kOthers = "non_lora_trainables";
  std::error_code error;
  const auto is_there = [&](const fs::path& file) { return fs::exists(fs::symlink_status(file, error)); };
  const fs::path file = folder / StrCat(kOthers, ".safetensors");
  if (is_there(file)) return io::OpenSafetensors(file);
  if (!is_there(folder / StrCat(kOthers, ".bin"))) return io::TensorStore();
  return Unimplemented(StrCat(folder.string(), ": ", kOthers, ".bin is not read; ", kOthers, ".safetensors would be"));
}

}  // namespace

StatusOr<std::string> AddAdapter(const fs::path& folder, const spec::ModelSpec& spec, PartStores& stores,
                                 const std::atomic<bool>* cancel) {
  if (spec.layout == spec::Layout::kGguf || spec.layout == spec::Layout::kGalago) {
    return InvalidArgument(
        StrCat("an adapter goes on a model directory, ", spec.path.string(), " is one file with names of its own"));
  }
  const bool one_folder = spec.layout != spec::Layout::kSubfolders;
  ASSIGN_OR_RETURN(const Config config, ReadConfig(folder / "adapter_config.json"));
  ASSIGN_OR_RETURN(const io::TensorStore adapter, io::OpenSafetensors(folder / "adapter_model.safetensors"));
  ASSIGN_OR_RETURN(const io::TensorStore others, OpenOthers(folder));
  ASSIGN_OR_RETURN(const size_t pairs, AddPairs(adapter, config, spec, stores.language, cancel));
  RETURN_IF_ERROR(ReplaceOthers(others, one_folder, stores));
  if (one_folder) {
    stores.vision = stores.language;
    stores.projector = stores.language;
  }
  return StrCat(folder.string(), ": rank ", config.rank, " added to ", pairs, " matrices, ", others.tensors().size(),
                " tensors replaced");
}

}  // namespace galago::models
