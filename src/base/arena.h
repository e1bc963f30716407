#ifndef GALAGO_BASE_ARENA_H_
#define GALAGO_BASE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/base/memory.h"

namespace galago {

// Scratch memory for one computation: take pieces, give them all back at once. Pieces are aligned to 64 bytes and are
// not cleared. After a Reset that followed growth the arena is one chunk, so a steady loop allocates nothing.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <class T>
  std::span<T> Take(int64_t count) {
    return {static_cast<T*>(TakeBytes(static_cast<size_t>(count) * sizeof(T))), static_cast<size_t>(count)};
  }
  std::span<float> Floats(int64_t count) { return Take<float>(count); }

  // Everything taken while a Scope lives is given back when it ends. Scopes nest.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), chunk_(arena.chunk_), used_(arena.used_) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { arena_.Rewind(chunk_, used_); }

   private:
    Arena& arena_;
    size_t chunk_;
    size_t used_;
  };

  // Bytes held from the system.
  size_t capacity() const;

 private:
  struct Chunk {
    Memory data;
    size_t size;
  };
  static Chunk MakeChunk(size_t size);
  void* TakeBytes(size_t num_bytes);
  void Rewind(size_t chunk, size_t used);

  std::vector<Chunk> chunks_;
  size_t chunk_ = 0;  // the one being filled
  size_t used_ = 0;   // bytes used of it
};

}  // namespace galago

#endif  // GALAGO_BASE_ARENA_H_
