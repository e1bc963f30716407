#ifndef GALAGO_IO_CHECKED_H_
#define GALAGO_IO_CHECKED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "galago/status.h"
#include "src/tensor/tensor.h"

// Sizes claimed by files, before they are believed.
namespace galago::io {

inline std::optional<uint64_t> CheckedMultiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}
inline std::optional<uint64_t> CheckedAdd(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

// The shape, if its rank is at most Shape::kMaxRank, the last dimension is whole blocks of `dtype`, and neither the
// number of elements nor that of bytes leaves int64, also when a dimension of zero hides the others. `what` names file
// and tensor.
StatusOr<Shape> CheckedShape(std::span<const uint64_t> dims, DType dtype, std::string_view what);

// A Git LFS pointer is the text file that stands in for a large one when a clone did not fetch it: NotFound, else OK.
Status RefuseLfsPointer(std::span<const std::byte> bytes, std::string_view what);

}  // namespace galago::io

#endif  // GALAGO_IO_CHECKED_H_
