#include "src/quant/output_directory.h"

#include <string>
#include <vector>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/model_directory.h"
#include "src/io/tensor_store.h"
#include "src/tensor/convert.h"
#include "src/tensor/panels.h"

namespace galago::quant {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kShardBytes = uint64_t{2} << 30;

// The decoder's folder of the checkpoint.
std::string FolderOf(const spec::ModelSpec& spec) { return spec.layout == spec::Layout::kSubfolders ? "llm" : ""; }

// One shard as it grows: what is made for it, and views of that and of the model's own tensors.
struct Shard {
  std::vector<io::AwqLinear> linears;
  std::vector<Tensor> vectors;
  std::vector<io::NamedTensor> plain;
  uint64_t bytes = 0;

  std::vector<io::NamedTensor> views() const {
    std::vector<io::NamedTensor> all = plain;
    for (const io::AwqLinear& linear : linears) {
      for (io::NamedTensor& tensor : linear.views()) all.push_back(std::move(tensor));
    }
    return all;
  }
};

Status AddTo(Shard& shard, const std::string& name, const TensorView& source, const Replacements& language) {
  constexpr std::string_view kSuffix = ".weight";
  const TensorView* replaced = language.Find(name);
  if (replaced == nullptr) {
    shard.plain.push_back({name, source});
    shard.bytes += source.NumBytes();
    return OkStatus();
  }
  const TensorView& view = *replaced;
  if (!IsPanelType(view.dtype)) {
    shard.vectors.push_back(Converted(view, DType::kF16));
    shard.plain.push_back({name, shard.vectors.back().view()});
    return OkStatus();
  }
  ASSIGN_OR_RETURN(io::AwqLinear linear,
                   io::MakeAwqLinear(name.substr(0, name.size() - kSuffix.size()),
                                     UnpackPanels4(view.dtype, view.shape[0], view.shape[1], view.data)));
  shard.bytes += view.NumBytes();
  shard.linears.push_back(std::move(linear));
  return OkStatus();
}

}  // namespace

Status CheckDirectoryLayout(const spec::ModelSpec& spec) {
  const bool text = spec.family == spec::Family::kText && spec.layout == spec::Layout::kSingleFolder;
  if (text || spec.layout == spec::Layout::kSubfolders || spec.layout == spec::Layout::kMobileVlm) return OkStatus();
  return InvalidArgument(StrCat(spec.path.string(), ": cannot be written as a directory of AutoAWQ, whose decoder has ",
                                "a config of its own; a name that ends in .galago gives one file"));
}

Status WriteAwqDirectory(const spec::ModelSpec& spec, const Replacements& language, int64_t group,
                         const fs::path& output) {
  const std::string folder = FolderOf(spec);
  ASSIGN_OR_RETURN(const io::TensorStore store, io::OpenTensorDirectory(spec.path / folder));
  ASSIGN_OR_RETURN(io::ModelDirectoryWriter writer, io::ModelDirectoryWriter::Create(output));
  Shard shard;
  for (const auto& [name, view] : store.tensors()) {
    RETURN_IF_ERROR(AddTo(shard, name, view, language));
    if (shard.bytes < kShardBytes) continue;
    RETURN_IF_ERROR(writer.AddShard(folder, shard.views()));
    shard = {};
  }
  if (!shard.views().empty()) RETURN_IF_ERROR(writer.AddShard(folder, shard.views()));

  const std::string config_name = folder.empty() ? "config.json" : folder + "/config.json";
  ASSIGN_OR_RETURN(Json config, ReadJsonFile(spec.path / config_name));
  // MobileVLM's tower and projector lie in the same folder and stay as they are.
  const std::vector<std::string> kept = spec.layout == spec::Layout::kMobileVlm
                                            ? std::vector<std::string>{"mm_projector", "vision_tower"}
                                            : std::vector<std::string>{};
  config["quantization_config"] = io::AwqQuantizationConfig(group, kept);
  RETURN_IF_ERROR(writer.PutFile(config_name, config.dump(2) + "\n"));
  RETURN_IF_ERROR(writer.CopyRest(spec.path));
  return writer.Finish();
}

}  // namespace galago::quant
