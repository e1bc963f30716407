#ifndef GALAGO_MODELS_TEST_UTIL_H_
#define GALAGO_MODELS_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "src/base/arena.h"
#include "src/base/thread_pool.h"
#include "src/nn/kv_view.h"
#include "src/ops/exec_context.h"
#include "src/spec/model_spec.h"

// What the tests of this folder share: a context to compute in, a cache to lend, a recorder of named results.
namespace galago::models::testing {

class Recorder : public ops::Observer {
 public:
  struct Entry {
    Shape shape;
    std::vector<float> values;
  };
  void OnTensor(std::string_view name, const Shape& shape, std::span<const float> values) override {
    entries[std::string(name)] = {shape, {values.begin(), values.end()}};
  }
  std::map<std::string, Entry> entries;
};

struct Computer {
  explicit Computer(int threads = 2) : pool(threads), kernels(ops::ChooseKernels("").value()) {}
  ops::ExecContext Context(ops::Observer* observer = nullptr) {
    return {
        .pool = &pool, .kernels = &kernels, .precision = ops::Precision::kF32, .arena = &arena, .observer = observer};
  }
  ThreadPool pool;
  kernels::KernelTable kernels;
  Arena arena;
};

struct OwnedKv {
  OwnedKv(const spec::LanguageModelSpec& spec, int64_t capacity)
      : size(static_cast<size_t>(capacity * spec.num_key_value_heads * spec.head_dim)),
        data(2 * size * static_cast<size_t>(spec.num_hidden_layers)) {
    for (size_t layer = 0; layer < static_cast<size_t>(spec.num_hidden_layers); ++layer) {
      auto* const at = reinterpret_cast<std::byte*>(data.data() + 2 * layer * size);
      layers.push_back({at, at + size * sizeof(float)});
    }
    view = {.dtype = DType::kF32,
            .capacity = capacity,
            .num_kv_heads = spec.num_key_value_heads,
            .head_dim = spec.head_dim,
            .layers = layers};
  }
  size_t size;
  std::vector<float> data;
  std::vector<nn::KvPointers> layers;
  nn::KvView view;
};

// Largest difference of two equally long vectors relative to the largest magnitude of `want`.
inline double RelativeError(std::span<const float> got, std::span<const float> want) {
  double error = 0.0;
  double largest = 0.0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double difference = std::abs(double{got[i]} - double{want[i]});
    if (!(difference <= 1e30)) return INFINITY;
    error = std::max(error, difference);
    largest = std::max(largest, std::abs(double{want[i]}));
  }
  return largest > 0.0 ? error / largest : error;
}

}  // namespace galago::models::testing

#endif  // GALAGO_MODELS_TEST_UTIL_H_
