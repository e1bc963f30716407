#ifndef GALAGO_IO_UNPICKLE_H_
#define GALAGO_IO_UNPICKLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "galago/status.h"
#include "src/tensor/dtype.h"

// Reads the data.pkl of torch.save. A pickle is a program for a stack machine that may call any function of any module;
// this machine has the opcodes that torch emits (protocols 2 to 5) and exactly these globals: collections.OrderedDict,
// torch._utils._rebuild_tensor_v2, torch._utils._rebuild_parameter and torch's storage classes. Anything else is
// refused by name, and nothing is ever called.
namespace galago::io {

struct PickleLimits {
  size_t max_bytes = size_t{64} << 20;
  size_t max_nodes = size_t{1} << 20;  // values made, and values held in lists and dicts; a tensor makes about fifteen
  size_t max_stack = size_t{1} << 20;
};

// A storage's place: member "data/KEY" of the archive.
struct PickledStorage {
  DType dtype = DType::kF32;
  std::string_view key;
  uint64_t num_elements = 0;
};

struct PickledTensor {
  PickledStorage storage;
  uint64_t offset = 0;            // in elements
  std::vector<uint64_t> sizes;    // at most Shape::kMaxRank
  std::vector<uint64_t> strides;  // in elements; as many as sizes
};

// The dict that was pickled, or the "state_dict" in it. Entries with other than text keys are left out.
struct PickledDict {
  struct Entry {
    std::string_view key;
    std::optional<size_t> tensor;  // index in `tensors`; none for values of other kinds
  };
  std::vector<Entry> entries;
  std::vector<PickledTensor> tensors;
};

// The views point into `pickle`. `what` names file and member in messages.
StatusOr<PickledDict> Unpickle(std::span<const std::byte> pickle, std::string_view what,
                               const PickleLimits& limits = {});

}  // namespace galago::io

#endif  // GALAGO_IO_UNPICKLE_H_
