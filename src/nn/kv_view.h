#ifndef GALAGO_NN_KV_VIEW_H_
#define GALAGO_NN_KV_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/check.h"
#include "src/ops/attention.h"

namespace galago::nn {

// Where the keys and the values of one layer lie: each [K, S, H] in the cache's dtype.
struct KvPointers {
  std::byte* k = nullptr;
  std::byte* v = nullptr;
};

// A borrowed key/value cache. The engine owns the memory and decides which positions are valid.
struct KvView {
  DType dtype = DType::kBF16;  // kF32 or kBF16
  int64_t capacity = 0;        // S, positions
  int64_t num_kv_heads = 0;    // K
  int64_t head_dim = 0;        // H
  std::span<const KvPointers> layers;

  ops::KvLayer Layer(int64_t layer) const {
    CHECK_LT(static_cast<size_t>(layer), layers.size());
    const KvPointers& at = layers[static_cast<size_t>(layer)];
    return {dtype, at.k, at.v, capacity, num_kv_heads, head_dim};
  }
};

}  // namespace galago::nn

#endif  // GALAGO_NN_KV_VIEW_H_
