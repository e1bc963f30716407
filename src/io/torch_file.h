#ifndef GALAGO_IO_TORCH_FILE_H_
#define GALAGO_IO_TORCH_FILE_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "galago/status.h"
#include "src/io/tensor_store.h"

namespace galago::io {

// The tensors of a torch.save image in memory (PyTorch 1.6 and later: a zip of stored members, data.pkl among them).
// The object saved is a dict of tensors, or a dict whose "state_dict" is one; entries that are not tensors are left
// out.
//
// data.pkl is a program for Python's unpickler. Here it is read by one that knows tensors and dicts and nothing else,
// so a file that asks for any other class or function is refused by name. Contiguous tensors are views of `bytes`;
// others are copied into row-major order, together at most as many bytes as the file has (an expanded tensor could
// claim any size). Checksums are not verified: that would read every page at start, and torch can be told not to write
// them.
StatusOr<TensorStore> ParseTorch(std::span<const std::byte> bytes, std::string_view what);

}  // namespace galago::io

#endif  // GALAGO_IO_TORCH_FILE_H_
