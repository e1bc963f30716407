#ifndef GALAGO_ENGINE_KV_CACHE_H_
#define GALAGO_ENGINE_KV_CACHE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "galago/status.h"
#include "src/nn/kv_view.h"
#include "src/spec/model_spec.h"

namespace galago::engine {

// What one position of the cache was computed from: a token, or row `row` of a picture known by a number. Positions
// with equal cells before them hold equal keys and values.
struct Cell {
  int64_t id = 0;   // token id, or -1 - number of the media item
  int64_t row = 0;  // of the media item
  bool operator==(const Cell&) const = default;
};

// Keys and values of one sequence, [L][2][K, S, H], and what each position came from. Memory is reserved in full and
// taken from the system as positions are first written.
class KvCache {
 public:
  static StatusOr<KvCache> Create(const spec::LanguageModelSpec& spec, int64_t capacity, DType dtype);
  static uint64_t NumBytes(const spec::LanguageModelSpec& spec, int64_t capacity, DType dtype);

  nn::KvView view() const;
  int64_t capacity() const { return capacity_; }

  // Positions whose cells equal the beginning of `wanted`; the rest is forgotten.
  int64_t KeepCommonPrefix(const std::vector<Cell>& wanted);
  // Positions [cells().size(), ...) have been written for these cells.
  void Append(const Cell& cell) { cells_.push_back(cell); }
  void Truncate(int64_t length) { cells_.resize(static_cast<size_t>(length)); }
  const std::vector<Cell>& cells() const { return cells_; }
  int64_t length() const { return static_cast<int64_t>(cells_.size()); }

 private:
  struct Unmap {
    size_t num_bytes;
    void operator()(std::byte* data) const;
  };
  KvCache() = default;

  DType dtype_ = DType::kBF16;
  int64_t capacity_ = 0, kv_heads_ = 0, head_dim_ = 0;
  std::unique_ptr<std::byte[], Unmap> data_{nullptr, Unmap{0}};
  std::vector<nn::KvPointers> layers_;
  std::vector<Cell> cells_;
};

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_KV_CACHE_H_
