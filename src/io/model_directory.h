#ifndef GALAGO_IO_MODEL_DIRECTORY_H_
#define GALAGO_IO_MODEL_DIRECTORY_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/json.h"
#include "src/io/safetensors.h"
#include "src/tensor/weight_layouts.h"

// Writing a quantised model as a Hugging Face directory that AutoAWQ's readers load (transformers, vLLM and others).
namespace galago::io {

// NAME.qweight, NAME.qzeros, NAME.scales of AutoAWQ's "gemm" layout.
struct AwqLinear {
  std::string name;
  PackedTensors tensors;
  std::vector<NamedTensor> views() const;
};
StatusOr<AwqLinear> MakeAwqLinear(std::string name, const GroupedWeights& weights);

// "quantization_config" of such a directory. modules_to_not_convert: fragments of the names of linear layers that stay
// plain, "lm_head" apart, which these readers never convert.
Json AwqQuantizationConfig(int64_t group_size, std::span<const std::string> modules_to_not_convert = {});

// A model directory that is written beside its final name, shard by shard, and gets that name when it is whole. A
// writer that goes before Finish takes what it wrote with it.
class ModelDirectoryWriter {
 public:
  // InvalidArgument if `output` exists and is not an empty directory.
  static StatusOr<ModelDirectoryWriter> Create(const std::filesystem::path& output);
  ModelDirectoryWriter(ModelDirectoryWriter&& other) noexcept;
  ModelDirectoryWriter& operator=(ModelDirectoryWriter&&) = delete;
  ~ModelDirectoryWriter();

  // The next shard of `folder` ("" or "llm"), on disk when this returns.
  Status AddShard(std::string_view folder, std::span<const NamedTensor> tensors);
  // A small file by its name relative to the directory.
  Status PutFile(std::string_view name, std::string_view contents);
  // All files of the model this one is made of, but those put before and the weights of folders that have shards.
  Status CopyRest(const std::filesystem::path& source);
  // Names the shards, writes their index and gives the directory its name.
  Status Finish();

  // Where it is written until Finish: the place for notes that let an interrupted run go on.
  const std::filesystem::path& partial() const { return partial_; }

 private:
  explicit ModelDirectoryWriter(std::filesystem::path output, std::filesystem::path partial)
      : output_(std::move(output)), partial_(std::move(partial)) {}

  struct Folder {
    int64_t shards = 0;
    uint64_t bytes = 0;
    std::map<std::string, int64_t> shard_of;  // tensor -> shard
  };
  Status WriteIndex(const std::string& name, const Folder& folder) const;

  std::filesystem::path output_;
  std::filesystem::path partial_;
  std::map<std::string, Folder> folders_;
  std::set<std::string> put_;
  bool done_ = false;
};

}  // namespace galago::io

#endif  // GALAGO_IO_MODEL_DIRECTORY_H_
