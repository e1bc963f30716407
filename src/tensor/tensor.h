#ifndef GALAGO_TENSOR_TENSOR_H_
#define GALAGO_TENSOR_TENSOR_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "src/base/check.h"
#include "src/base/memory.h"
#include "src/base/strings.h"
#include "src/tensor/dtype.h"
#include "src/tensor/panels.h"

namespace galago {

// Up to 5 dimensions, row-major, the last one contiguous. A default Shape is a scalar.
class Shape {
 public:
  static constexpr size_t kMaxRank = 5;
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span<const int64_t>(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) : rank_(dims.size()) {
    CHECK_LE(rank_, kMaxRank);
    std::copy(dims.begin(), dims.end(), dims_.begin());
  }
  size_t rank() const { return rank_; }
  int64_t operator[](size_t i) const {
    DCHECK(i < rank_);
    return dims_[i];
  }
  std::span<const int64_t> dims() const { return {dims_.data(), rank_}; }
  int64_t NumElements() const {
    int64_t n = 1;
    for (size_t i = 0; i < rank_; ++i) n *= dims_[i];
    return n;
  }
  std::string ToString() const { return ShapeText(dims()); }
  friend bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.dims(), b.dims()); }

 private:
  std::array<int64_t, kMaxRank> dims_ = {};
  size_t rank_ = 0;
};

// Borrowed, read-only, contiguous elements of any type: how weights are passed around. Never stored past the call
// unless the holder also keeps the owner alive. `data` may be unaligned when it points into a file.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* data = nullptr;

  explicit operator bool() const { return data != nullptr; }
  size_t NumBytes() const {
    if (IsPanelType(dtype)) {  // of whole panels
      CHECK_EQ(shape.rank(), size_t{2});
      return PanelMatrixBytes(dtype, shape[0], shape[1]);
    }
    const DTypeInfo& info = InfoOf(dtype);
    return static_cast<size_t>(shape.NumElements()) / info.block_elements * info.block_bytes;
  }
  template <class T>
  const T* As() const {
    return reinterpret_cast<const T*>(data);
  }
};

// Owned elements, aligned to 64 bytes, zero-filled when made. Move-only.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, const Shape& shape);
  static Tensor F32(const Shape& shape) { return Tensor(DType::kF32, shape); }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t num_bytes() const { return view().NumBytes(); }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  TensorView view() const { return {dtype_, shape_, data_.get()}; }
  // The elements of a float32 tensor.
  std::span<float> f32() {
    CHECK(dtype_ == DType::kF32);
    return {reinterpret_cast<float*>(data_.get()), static_cast<size_t>(shape_.NumElements())};
  }
  std::span<const float> f32() const {
    CHECK(dtype_ == DType::kF32);
    return {reinterpret_cast<const float*>(data_.get()), static_cast<size_t>(shape_.NumElements())};
  }

 private:
  DType dtype_ = DType::kF32;
  Shape shape_;
  Memory data_;
};

}  // namespace galago

#endif  // GALAGO_TENSOR_TENSOR_H_
