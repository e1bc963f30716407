#include "src/base/memory.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace galago {
namespace {

TEST(AllocateMemory, IsAlignedAndMayBeWrittenWhole) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65}, size_t{4} << 20, (size_t{5} << 20) + 3}) {
    const Memory memory = AllocateMemory(size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.get()) % 64, 0u) << size;
    for (size_t i = 0; i < size; ++i) memory[i] = std::byte{0x5a};
  }
}

}  // namespace
}  // namespace galago
