#include "src/base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace galago {
namespace {

TEST(Arena, PiecesAreAlignedAndApart) {
  Arena arena;
  Arena::Scope scope(arena);
  const auto a = arena.Take<uint8_t>(3);
  const auto b = arena.Floats(5);
  std::memset(a.data(), 1, a.size());
  for (float& value : b) value = 2.0f;
  EXPECT_EQ(a[2], 1);
  EXPECT_EQ(b[4], 2.0f);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % 64, 0u);
  EXPECT_TRUE(arena.Floats(0).empty());
}

TEST(Arena, ScopesNestAndGiveBack) {
  Arena arena;
  Arena::Scope outer(arena);
  float* kept = arena.Floats(16).data();
  kept[0] = 7.0f;
  float* inner_first = nullptr;
  {
    Arena::Scope inner(arena);
    inner_first = arena.Floats(16).data();
    arena.Floats(10 << 20);  // grows
  }
  EXPECT_EQ(arena.Floats(16).data(), inner_first);
  EXPECT_EQ(kept[0], 7.0f);
}

TEST(Arena, SteadyLoopStopsGrowing) {
  Arena arena;
  const auto step = [&] {
    Arena::Scope scope(arena);
    for (int i = 0; i < 5; ++i) arena.Floats(300'000);
  };
  step();
  const size_t capacity = arena.capacity();
  EXPECT_GE(capacity, 5 * 300'000 * sizeof(float));
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(arena.capacity(), capacity);
}

}  // namespace
}  // namespace galago
