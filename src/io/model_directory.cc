#include "src/io/model_directory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::io {
namespace {

namespace fs = std::filesystem;

Status SystemFailure(const fs::path& path, std::string_view action, const std::error_code& error) {
  const std::string message = StrCat(path.string(), ": cannot ", action, ": ", error.message());
  const bool full = error == std::errc::no_space_on_device || error == std::errc::not_enough_memory;
  return full ? ResourceExhausted(message) : Unavailable(message);
}

// 00001 ... as transformers names shards.
std::string Padded(int64_t number) {
  std::string text = StrCat(number);
  return std::string(text.size() < 5 ? 5 - text.size() : 0, '0') + text;
}

std::string TemporaryShard(int64_t index) { return StrCat("shard-", Padded(index), ".partial"); }

bool IsWeightFile(const fs::path& file) {
  constexpr std::array<std::string_view, 5> kExtensions = {".safetensors", ".bin", ".pt", ".pth", ".partial"};
  const std::string name = file.filename().string();
  return name.ends_with(".index.json") ||
         std::ranges::find(kExtensions, file.extension().string()) != kExtensions.end();
}

}  // namespace

std::vector<NamedTensor> AwqLinear::views() const {
  return {{name + ".qweight", tensors.qweight.view()},
          {name + ".qzeros", tensors.zeros.view()},
          {name + ".scales", tensors.scales.view()}};
}

StatusOr<AwqLinear> MakeAwqLinear(std::string name, const GroupedWeights& weights) {
  auto packed = Pack(WeightLayout::kAwqGemm, weights);
  if (!packed.ok()) return Annotate(packed.status(), name);
  return AwqLinear{std::move(name), *std::move(packed)};
}

Json AwqQuantizationConfig(int64_t group_size, std::span<const std::string> modules_to_not_convert) {
  Json modules = nullptr;
  if (!modules_to_not_convert.empty()) {
    modules = Json::array();
    for (const std::string& module : modules_to_not_convert) modules.push_back(module);
  }
  return {{"bits", 4},
          {"group_size", group_size},
          {"modules_to_not_convert", std::move(modules)},
          {"quant_method", "awq"},
          {"version", "gemm"},
          {"zero_point", true}};
}

StatusOr<ModelDirectoryWriter> ModelDirectoryWriter::Create(const fs::path& output) {
  std::error_code error;
  const fs::path named = output.has_filename() ? output : output.parent_path();
  if (fs::exists(named, error) && !(fs::is_directory(named, error) && fs::is_empty(named, error))) {
    return InvalidArgument(StrCat(named.string(), ": exists and is not an empty directory"));
  }
  const fs::path partial = StrCat(named.string(), ".", ::getpid(), ".partial");
  fs::create_directories(partial, error);
  if (error) return SystemFailure(partial, "create", error);
  return ModelDirectoryWriter(named, partial);
}

ModelDirectoryWriter::ModelDirectoryWriter(ModelDirectoryWriter&& other) noexcept
    : output_(std::move(other.output_)),
      partial_(std::move(other.partial_)),
      folders_(std::move(other.folders_)),
      put_(std::move(other.put_)),
      done_(std::exchange(other.done_, true)) {}

ModelDirectoryWriter::~ModelDirectoryWriter() {
  std::error_code ignored;
  if (!done_) fs::remove_all(partial_, ignored);
}

Status ModelDirectoryWriter::AddShard(std::string_view folder, std::span<const NamedTensor> tensors) {
  Folder& to = folders_[std::string(folder)];
  const int64_t index = to.shards + 1;
  for (const NamedTensor& tensor : tensors) {
    if (!to.shard_of.emplace(tensor.name, index).second) {
      return InvalidArgument(StrCat(output_.string(), ": two tensors are named ", tensor.name));
    }
    to.bytes += tensor.view.NumBytes();
  }
  const fs::path path = partial_ / std::string(folder) / TemporaryShard(index);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return SystemFailure(path.parent_path(), "create", error);
  RETURN_IF_ERROR(WriteSafetensors(path, tensors, {{"format", "pt"}}));
  to.shards = index;
  return OkStatus();
}

Status ModelDirectoryWriter::PutFile(std::string_view name, std::string_view contents) {
  const fs::path path = partial_ / std::string(name);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return SystemFailure(path.parent_path(), "create", error);
  put_.emplace(name);
  return WriteFileAtomically(path, contents);
}

Status ModelDirectoryWriter::CopyRest(const fs::path& source) {
  std::error_code error;
  fs::recursive_directory_iterator it(source, error);
  for (const fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    std::error_code failure;
    if (!it->is_regular_file(failure)) continue;
    const fs::path relative = it->path().lexically_relative(source);
    const std::string name = relative.generic_string();
    if (put_.contains(name)) continue;
    if (folders_.contains(relative.parent_path().generic_string()) && IsWeightFile(relative)) continue;
    const fs::path to = partial_ / relative;
    fs::create_directories(to.parent_path(), failure);
    if (failure) return SystemFailure(to.parent_path(), "create", failure);
    constexpr size_t kMostBytes = size_t{1} << 30;
    ASSIGN_OR_RETURN(const std::string contents, ReadFile(it->path(), kMostBytes));
    RETURN_IF_ERROR(WriteFileAtomically(to, contents));
  }
  return error ? SystemFailure(source, "list", error) : OkStatus();
}

Status ModelDirectoryWriter::WriteIndex(const std::string& name, const Folder& folder) const {
  const fs::path at = partial_ / name;
  std::error_code error;
  if (folder.shards == 1) {
    fs::rename(at / TemporaryShard(1), at / "model.safetensors", error);
    return error ? SystemFailure(at, "rename in", error) : OkStatus();
  }
  const auto shard_name = [&](int64_t index) {
    return StrCat("model-", Padded(index), "-of-", Padded(folder.shards), ".safetensors");
  };
  for (int64_t i = 1; i <= folder.shards; ++i) {
    fs::rename(at / TemporaryShard(i), at / shard_name(i), error);
    if (error) return SystemFailure(at, "rename in", error);
  }
  Json map = Json::object();
  auto& members = static_cast<std::vector<std::pair<const std::string, Json>>&>(map.get_ref<Json::object_t&>());
  for (const auto& [tensor, shard] : folder.shard_of) members.emplace_back(tensor, shard_name(shard));
  const Json index = {{"metadata", {{"total_size", folder.bytes}}}, {"weight_map", std::move(map)}};
  return WriteFileAtomically(at / "model.safetensors.index.json", index.dump(2) + "\n");
}

Status ModelDirectoryWriter::Finish() {
  for (const auto& [name, folder] : folders_) {
    if (folder.shards > 0) RETURN_IF_ERROR(WriteIndex(name, folder));
  }
  std::error_code error;
  fs::rename(partial_, output_, error);  // takes the place of an empty directory
  if (error) return SystemFailure(output_, "rename to", error);
  done_ = true;
  return OkStatus();
}

}  // namespace galago::io
