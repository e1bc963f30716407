#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/checked.h"
#include "src/io/tensor_store.h"

namespace galago::io {
namespace {

using std::filesystem::path;

constexpr JsonLimits kIndexLimits = {.max_bytes = size_t{64} << 20, .max_depth = 8};

StatusOr<TensorStore> OpenFile(const path& file) {
  return file.extension() == ".safetensors" ? OpenSafetensors(file) : OpenTorch(file);
}

bool Exists(const path& file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored);
}

struct ShardIndex {
  path file;
  std::map<std::string, std::string> shard_of;  // tensor -> file name
  std::vector<std::string> shards;              // sorted, each once
  std::vector<std::string> missing;             // those of them that do not exist
};

// {"metadata": ..., "weight_map": {tensor: shard file}} (huggingface/transformers: modeling_utils.py,
// shard_checkpoint).
StatusOr<ShardIndex> ReadIndex(const path& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kIndexLimits.max_bytes));
  RETURN_IF_ERROR(RefuseLfsPointer(std::as_bytes(std::span(text)), file.string()));
  ASSIGN_OR_RETURN(const Json json, ParseJson(text, file.string(), kIndexLimits));
  const Json* map = JsonFind(json, "weight_map");
  if (map == nullptr || !map->is_object()) return DataLoss(StrCat(file.string(), ": has no \"weight_map\" object"));
  ShardIndex index;
  index.file = file;
  for (const auto& [tensor, shard] : map->get_ref<const Json::object_t&>()) {
    const auto* name = shard.get_ptr<const std::string*>();
    // A shard lies beside its index: names that lead elsewhere are refused, the file may be a stranger's.
    if (name == nullptr || name->empty() || name->front() == '.' || name->find('/') != std::string::npos ||
        name->find('\0') != std::string::npos) {
      return DataLoss(StrCat(file.string(), ": tensor ", Printable(tensor, 200), " lies in ",
                             Printable(shard.dump(-1, ' ', true, Json::error_handler_t::replace), 80),
                             ", which is no file name"));
    }
    index.shard_of[tensor] = *name;
    index.shards.push_back(*name);
  }
  std::ranges::sort(index.shards);
  index.shards.erase(std::unique(index.shards.begin(), index.shards.end()), index.shards.end());
  for (const std::string& shard : index.shards) {
    if (!Exists(file.parent_path() / shard)) index.missing.push_back(shard);
  }
  return index;
}

// Tensors come from the shard the index names; those the index does not name come along.
StatusOr<TensorStore> OpenShards(const ShardIndex& index) {
  const path directory = index.file.parent_path();
  TensorStore all(directory.string());
  for (const std::string& shard : index.shards) {
    ASSIGN_OR_RETURN(const TensorStore part, OpenFile(directory / shard));
    for (const auto& [tensor, view] : part.tensors()) {
      const auto it = index.shard_of.find(tensor);
      if (it == index.shard_of.end() || it->second == shard) RETURN_IF_ERROR(all.Add(tensor, view));
    }
    all.KeepMemoryOf(part);
  }
  for (const auto& [tensor, shard] : index.shard_of) {
    if (!all.Contains(tensor)) {
      return DataLoss(StrCat(index.file.string(), ": says that tensor ", Printable(tensor, 200), " lies in ", shard,
                             ", which does not hold it"));
    }
  }
  return all;
}

// What a trainer leaves beside the weights; pickles of other things.
bool IsTrainerState(const path& file) {
  const std::string name = file.filename().string();
  constexpr std::array<std::string_view, 6> kStems = {"training_args", "optimizer", "scheduler",
                                                      "scaler",        "rng_state", "trainer_state"};
  return std::ranges::any_of(kStems, [&](std::string_view stem) { return name.starts_with(stem); });
}

StatusOr<std::vector<path>> FilesWith(const path& directory, std::span<const std::string_view> extensions) {
  std::vector<path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const path& file = it->path();
    const std::string extension = file.extension().string();
    if (std::ranges::find(extensions, extension) != extensions.end() && Exists(file) && !IsTrainerState(file)) {
      files.push_back(file);
    }
  }
  if (error) return Unavailable(StrCat(directory.string(), ": cannot list: ", error.message()));
  std::ranges::sort(files);
  return files;
}

}  // namespace

StatusOr<TensorStore> OpenTensorDirectory(const path& directory) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    return NotFound(StrCat(directory.string(), ": is not a directory"));
  }
  std::optional<ShardIndex> incomplete;
  for (const std::string_view name : {"model.safetensors", "pytorch_model.bin"}) {
    if (const path whole = directory / name; Exists(whole)) return OpenFile(whole);
    const path index_file = directory / StrCat(name, ".index.json");
    if (!Exists(index_file)) continue;
    ASSIGN_OR_RETURN(ShardIndex index, ReadIndex(index_file));
    if (index.missing.empty()) return OpenShards(index);
    if (!incomplete) incomplete = std::move(index);
  }
  constexpr std::array<std::string_view, 1> kSafetensors = {".safetensors"};
  constexpr std::array<std::string_view, 3> kTorch = {".bin", ".pt", ".pth"};
  for (const std::span<const std::string_view> extensions :
       {std::span<const std::string_view>(kSafetensors), std::span<const std::string_view>(kTorch)}) {
    ASSIGN_OR_RETURN(std::vector<path> files, FilesWith(directory, extensions));
    if (incomplete) {
      std::erase_if(files, [&](const path& file) {
        return std::ranges::binary_search(incomplete->shards, file.filename().string());
      });
    }
    if (files.empty()) continue;
    if (files.size() == 1) return OpenFile(files.front());
    return NotFound(StrCat(directory.string(), ": holds ", files.size(), " weight files (",
                           files[0].filename().string(), ", ", files[1].filename().string(),
                           "...) and no index that says which to read"));
  }
  if (incomplete) {
    return NotFound(StrCat(incomplete->file.string(), ": ", incomplete->missing.size(), " of ",
                           incomplete->shards.size(), " shards are missing, the first is ",
                           Printable(incomplete->missing.front(), 200)));
  }
  return NotFound(StrCat(directory.string(), ": holds no model.safetensors, pytorch_model.bin or other weights"));
}

}  // namespace galago::io
