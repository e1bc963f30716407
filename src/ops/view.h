#ifndef GALAGO_OPS_VIEW_H_
#define GALAGO_OPS_VIEW_H_

#include <cstdint>
#include <span>

#include "src/base/check.h"
#include "src/tensor/tensor.h"

namespace galago::ops {

// Borrowed float32 matrix to read: [rows, cols], row i at data + i * stride.
struct ConstView {
  const float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // floats between rows, >= cols

  ConstView() = default;
  ConstView(const float* data, int64_t rows, int64_t cols) : ConstView(data, rows, cols, cols) {}
  ConstView(const float* data, int64_t rows, int64_t cols, int64_t stride)
      : data(data), rows(rows), cols(cols), stride(stride) {}
  ConstView(std::span<const float> all, int64_t rows, int64_t cols) : ConstView(all.data(), rows, cols, cols) {
    CHECK_LE(rows * cols, static_cast<int64_t>(all.size()));
  }

  explicit operator bool() const { return data != nullptr; }
  const float* row(int64_t i) const { return data + i * stride; }
  bool contiguous() const { return stride == cols || rows <= 1; }
  ConstView Rows(int64_t begin, int64_t count) const { return {row(begin), count, cols, stride}; }
  ConstView Cols(int64_t begin, int64_t count) const { return {data + begin, rows, count, stride}; }
  // All elements of a contiguous view.
  std::span<const float> span() const {
    CHECK(contiguous());
    return {data, static_cast<size_t>(rows * cols)};
  }
};

// The same, to write.
struct View {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  View() = default;
  View(float* data, int64_t rows, int64_t cols) : View(data, rows, cols, cols) {}
  View(float* data, int64_t rows, int64_t cols, int64_t stride) : data(data), rows(rows), cols(cols), stride(stride) {}
  View(std::span<float> all, int64_t rows, int64_t cols) : View(all.data(), rows, cols, cols) {
    CHECK_LE(rows * cols, static_cast<int64_t>(all.size()));
  }

  operator ConstView() const { return {data, rows, cols, stride}; }  // NOLINT: reading is always allowed
  explicit operator bool() const { return data != nullptr; }
  float* row(int64_t i) const { return data + i * stride; }
  bool contiguous() const { return stride == cols || rows <= 1; }
  View Rows(int64_t begin, int64_t count) const { return {row(begin), count, cols, stride}; }
  View Cols(int64_t begin, int64_t count) const { return {data + begin, rows, count, stride}; }
  std::span<float> span() const {
    CHECK(contiguous());
    return {data, static_cast<size_t>(rows * cols)};
  }
};

}  // namespace galago::ops

#endif  // GALAGO_OPS_VIEW_H_
