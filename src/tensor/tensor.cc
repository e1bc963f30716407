#include "src/tensor/tensor.h"

#include <cstring>

namespace galago {

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  const size_t num_bytes = TensorView{dtype, shape, nullptr}.NumBytes();
  data_ = AllocateMemory(num_bytes);
  std::memset(data_.get(), 0, num_bytes);
}

}  // namespace galago
