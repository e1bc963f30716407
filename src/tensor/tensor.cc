#include "src/tensor/tensor.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace galago {
namespace {
constexpr size_t kAlignment = 64;
}

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  const size_t num_bytes = (TensorView{dtype, shape, nullptr}.NumBytes() + kAlignment - 1) / kAlignment * kAlignment;
  auto* data = static_cast<std::byte*>(std::aligned_alloc(kAlignment, std::max(num_bytes, kAlignment)));
  if (data == nullptr) throw std::bad_alloc();  // as new does; the program ends with exit code 5
  std::memset(data, 0, std::max(num_bytes, kAlignment));
  data_.reset(data);
}

void Tensor::Free::operator()(std::byte* data) const { std::free(data); }

}  // namespace galago
