#ifndef GALAGO_SRC_BASE_BYTE_RANGE_H_
#define GALAGO_SRC_BASE_BYTE_RANGE_H_

#include <cstddef>

namespace galago {

// Bytes [begin, end) of a text.
struct ByteRange {
  size_t begin = 0, end = 0;
};

}  // namespace galago

#endif  // GALAGO_SRC_BASE_BYTE_RANGE_H_
