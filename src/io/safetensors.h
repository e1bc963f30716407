#ifndef GALAGO_IO_SAFETENSORS_H_
#define GALAGO_IO_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "galago/status.h"
#include "src/io/tensor_store.h"

// safetensors: u64 header length, JSON header {name: {dtype, shape, data_offsets}}, then the elements. The same rules
// as the official reader (huggingface/safetensors: safetensors/src/tensor.rs): header at most 100 MB, the tensors tile
// the data section without gap, overlap or rest.
namespace galago::io {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

// The tensors of a safetensors image in memory; the views borrow `bytes`. `what` names the file in messages.
StatusOr<TensorStore> ParseSafetensors(std::span<const std::byte> bytes, std::string_view what);

// Only the free-form strings of its header, whatever else stands in it.
StatusOr<std::map<std::string, std::string, std::less<>>> ReadSafetensorsMetadata(std::span<const std::byte> bytes,
                                                                                  std::string_view what);

// How safetensors spells a type; empty for types it has none for.
std::string_view SafetensorsName(DType dtype);

struct NamedTensor {
  std::string name;
  TensorView view;
};

// Writes beside the target and renames. Order in the file, as the official writer's: larger elements first, then by
// name, so the bytes depend on the contents alone and every tensor is aligned to its element. The data section starts
// at a multiple of 64 bytes. Block types and names given twice are InvalidArgument.
Status WriteSafetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                        const std::map<std::string, std::string>& metadata = {});

}  // namespace galago::io

#endif  // GALAGO_IO_SAFETENSORS_H_
