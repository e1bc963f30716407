#ifndef GALAGO_BASE_MEMORY_H_
#define GALAGO_BASE_MEMORY_H_

#include <cstddef>
#include <memory>

namespace galago {

struct FreeMemory {
  void operator()(std::byte* data) const;
};
using Memory = std::unique_ptr<std::byte[], FreeMemory>;

// At least num_bytes, aligned to 64 and not cleared. Blocks of several MiB ask the system for huge pages: weights that
// are read once a token in pages of 4 KiB cost a fifth of the memory bandwidth (docs/benchmarks.md). Throws
// std::bad_alloc as new does; the program ends with exit code 5.
Memory AllocateMemory(size_t num_bytes);

}  // namespace galago

#endif  // GALAGO_BASE_MEMORY_H_
