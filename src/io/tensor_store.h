#ifndef GALAGO_IO_TENSOR_STORE_H_
#define GALAGO_IO_TENSOR_STORE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/file.h"
#include "src/tensor/tensor.h"

namespace galago::io {

// A named set of read-only tensors: what a checkpoint is, whatever container it came in. The views point into mapped
// files or owned memory that the store keeps alive, and may be unaligned. Copies share that memory.
class TensorStore {
 public:
  TensorStore() = default;
  explicit TensorStore(std::string name) : name_(std::move(name)) {}

  // The file or directory the tensors came from, for messages.
  const std::string& name() const { return name_; }
  const std::map<std::string, TensorView, std::less<>>& tensors() const { return tensors_; }
  // The free-form strings of a safetensors header ("__metadata__"); empty for other containers.
  const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }

  // NotFound names the store and the tensor. A tensor that exists but is of an unsupported kind gives that reason.
  StatusOr<TensorView> Find(std::string_view name) const;
  // Also true for a tensor of an unsupported kind, so that asking for it tells why.
  bool Contains(std::string_view name) const;
  // Bytes of all readable tensors.
  uint64_t num_bytes() const;
  // Asks the kernel to read the files ahead.
  void Prefetch() const;

  // Building. Add borrows: the memory must outlive the store, or its owner must be handed to Keep. A second tensor of
  // one name is DataLoss.
  Status Add(std::string name, const TensorView& view);
  Status AddOwned(std::string name, Tensor tensor);
  // Puts `tensor` in place of the one that has this name.
  void Replace(std::string_view name, Tensor tensor);
  // Records that `name` exists and why it cannot be read.
  Status AddRefused(std::string name, Status reason);
  void SetMetadata(std::string key, std::string value) { metadata_[std::move(key)] = std::move(value); }
  void Keep(std::shared_ptr<const MappedFile> file) { files_.push_back(std::move(file)); }
  // Takes over the memory that `other`'s views point to, not its tensors.
  void KeepMemoryOf(const TensorStore& other);

 private:
  std::string name_;
  std::map<std::string, TensorView, std::less<>> tensors_;
  std::map<std::string, Status, std::less<>> refused_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<std::shared_ptr<const Tensor>> owned_;
};

// One safetensors file, mapped (safetensors.h).
StatusOr<TensorStore> OpenSafetensors(const std::filesystem::path& path);

// One file of torch.save, mapped; nothing in it is executed (torch_file.h).
StatusOr<TensorStore> OpenTorch(const std::filesystem::path& path);

// The weights of a Hugging Face directory. Looked for in this order, the first complete one is used:
//   model.safetensors; the shards of model.safetensors.index.json; pytorch_model.bin; the shards of
//   pytorch_model.bin.index.json; the only *.safetensors; the only *.bin, *.pt or *.pth (trainer state left aside).
// An index whose shards are missing is reported only if nothing else is complete.
StatusOr<TensorStore> OpenTensorDirectory(const std::filesystem::path& directory);

}  // namespace galago::io

#endif  // GALAGO_IO_TENSOR_STORE_H_
