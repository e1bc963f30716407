#include "src/base/arena.h"

#include <algorithm>

namespace galago {
namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kMinChunk = size_t{1} << 20;
}  // namespace

Arena::Chunk Arena::MakeChunk(size_t size) { return {AllocateMemory(size), size}; }

void* Arena::TakeBytes(size_t num_bytes) {
  num_bytes = (num_bytes + kAlignment - 1) / kAlignment * kAlignment;
  while (chunk_ < chunks_.size() && chunks_[chunk_].size - used_ < num_bytes) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) chunks_.push_back(MakeChunk(std::max({num_bytes, kMinChunk, capacity() / 2})));
  void* piece = chunks_[chunk_].data.get() + used_;
  used_ += num_bytes;
  return piece;
}

void Arena::Rewind(size_t chunk, size_t used) {
  chunk_ = chunk;
  used_ = used;
  if (chunk == 0 && used == 0 && chunks_.size() > 1) {
    const size_t total = capacity();
    chunks_.clear();
    chunks_.push_back(MakeChunk(total));
  }
}

size_t Arena::capacity() const {
  size_t total = 0;
  for (const Chunk& chunk : chunks_) total += chunk.size;
  return total;
}

}  // namespace galago
