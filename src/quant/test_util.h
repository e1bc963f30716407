#ifndef GALAGO_QUANT_TEST_UTIL_H_
#define GALAGO_QUANT_TEST_UTIL_H_

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "src/io/tensor_store.h"
#include "src/nn/decoder.h"
#include "src/ops/exec_context.h"
#include "src/tensor/convert.h"

namespace galago::quant::testing {

struct Computer {
  explicit Computer(int threads = 2) : pool(threads), kernels(ops::ChooseKernels("").value()) {}
  ops::ExecContext Context() {
    return {.pool = &pool, .kernels = &kernels, .precision = ops::Precision::kF32, .arena = &arena};
  }
  ThreadPool pool;
  kernels::KernelTable kernels;
  Arena arena;
};

inline std::vector<float> Normal(int64_t count, uint64_t seed, float scale = 1.0f) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& x : out) x = scale * normal(engine);
  return out;
}

inline Tensor AsTensor(const Shape& shape, std::span<const float> values) {
  Tensor tensor = Tensor::F32(shape);
  std::ranges::copy(values, tensor.f32().begin());
  return tensor;
}

inline std::vector<float> Floats(const io::TensorStore& store, const std::string& name) {
  const TensorView view = store.Find(name).value();
  std::vector<float> out(static_cast<size_t>(view.shape.NumElements()));
  ToF32(view.dtype, view.data, out);
  return out;
}

// ||got - want|| / ||want||
inline double Nrmse(std::span<const float> got, std::span<const float> want) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += std::pow(double{got[i]} - double{want[i]}, 2);
    norm += std::pow(double{want[i]}, 2);
  }
  return std::sqrt(error / norm);
}

}  // namespace galago::quant::testing

#endif  // GALAGO_QUANT_TEST_UTIL_H_
