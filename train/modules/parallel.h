#ifndef GALAGO_TRAIN_MODULES_PARALLEL_H_
#define GALAGO_TRAIN_MODULES_PARALLEL_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "train/modules/row_kernels.h"
#include "train/modules/torch.h"

// Sharing row kernels among LibTorch's threads, and the bridge from tensors to raw pointers.
namespace galago::train {

// Elements worth a thread of their own.
inline constexpr int64_t kGrainElements = 16384;

// Calls f(begin, end) on parts of [0, rows). Which thread gets what depends on the number of threads alone.
template <class F>
void ForRows(int64_t rows, int64_t width, const F& f) {
  at::parallel_for(0, rows, std::max<int64_t>(1, kGrainElements / std::max<int64_t>(1, width)), f);
}

// A row of sums for each thread.
class ThreadSums {
 public:
  explicit ThreadSums(int64_t width, bool wanted = true) {
    if (wanted) sums_ = at::zeros({at::get_num_threads(), width}, at::kFloat);
  }
  float* mine() const {
    return sums_.defined() ? sums_.data_ptr<float>() + at::get_thread_num() * sums_.size(1) : nullptr;
  }
  at::Tensor Total() const { return sums_.defined() ? sums_.sum(0) : at::Tensor(); }

 private:
  at::Tensor sums_;
};

// Calls f with float or uint16_t, as the tensor's elements are.
template <class F>
auto WithType(at::ScalarType type, const F& f) {
  if (type == at::kBFloat16) return f(std::type_identity<uint16_t>());
  CHECK(type == at::kFloat);
  return f(std::type_identity<float>());
}

template <class T>
const RowKernels<T>& Kernels() {
  if constexpr (std::is_same_v<T, float>) {
    return RowKernelsHere().f32;
  } else {
    return RowKernelsHere().bf16;
  }
}

template <class T>
T* Data(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  CHECK(tensor.is_contiguous());
  if constexpr (std::is_same_v<T, uint16_t>) {
    return reinterpret_cast<uint16_t*>(tensor.data_ptr<at::BFloat16>());
  } else {
    return tensor.data_ptr<T>();
  }
}

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_PARALLEL_H_
