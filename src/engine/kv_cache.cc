#include "src/engine/kv_cache.h"

#include <sys/mman.h>

#include <algorithm>

#include "src/base/strings.h"

namespace galago::engine {
namespace {

// One layer's keys (or values), rounded up so that each starts on a cache line.
uint64_t BytesPerPlane(const spec::LanguageModelSpec& spec, int64_t capacity, DType dtype) {
  const uint64_t bytes = static_cast<uint64_t>(capacity) * static_cast<uint64_t>(spec.num_key_value_heads) *
                         static_cast<uint64_t>(spec.head_dim) * InfoOf(dtype).block_bytes;
  return (bytes + 63) / 64 * 64;
}

}  // namespace

void KvCache::Unmap::operator()(std::byte* data) const { ::munmap(data, num_bytes); }

uint64_t KvCache::NumBytes(const spec::LanguageModelSpec& spec, int64_t capacity, DType dtype) {
  return BytesPerPlane(spec, capacity, dtype) * 2 * static_cast<uint64_t>(spec.num_hidden_layers);
}

StatusOr<KvCache> KvCache::Create(const spec::LanguageModelSpec& spec, int64_t capacity, DType dtype) {
  KvCache cache;
  cache.dtype_ = dtype;
  cache.capacity_ = capacity;
  cache.kv_heads_ = spec.num_key_value_heads;
  cache.head_dim_ = spec.head_dim;
  const uint64_t num_bytes = NumBytes(spec, capacity, dtype);
  void* data = ::mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return ResourceExhausted(
        StrCat("no memory for a KV cache of ", capacity, " positions (", HumanBytes(num_bytes), ")"));
  }
  cache.data_ = {static_cast<std::byte*>(data), Unmap{num_bytes}};
  const uint64_t plane = BytesPerPlane(spec, capacity, dtype);
  std::byte* at = cache.data_.get();
  for (int64_t layer = 0; layer < spec.num_hidden_layers; ++layer, at += 2 * plane) {
    cache.layers_.push_back({at, at + plane});
  }
  cache.cells_.reserve(static_cast<size_t>(capacity));
  return cache;
}

nn::KvView KvCache::view() const {
  return {.dtype = dtype_, .capacity = capacity_, .num_kv_heads = kv_heads_, .head_dim = head_dim_, .layers = layers_};
}

int64_t KvCache::KeepCommonPrefix(const std::vector<Cell>& wanted) {
  const auto [mine, theirs] = std::mismatch(cells_.begin(), cells_.end(), wanted.begin(), wanted.end());
  cells_.erase(mine, cells_.end());
  return length();
}

}  // namespace galago::engine
