#include "src/base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace galago {
namespace {

std::vector<std::byte> Sevens(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7);
  return bytes;
}

uint64_t ChecksumOf(std::string_view text) { return Checksum64(std::as_bytes(std::span(text))); }

// Files hold these sums: another value would call every file written before altered. The figures come from the formula
// worked in Python's integers.
TEST(Checksum64, IsWhatFilesHold) {
  EXPECT_EQ(ChecksumOf(""), 0x1cc0573e03338c8du);
  EXPECT_EQ(ChecksumOf("galago"), 0x311cad1bcb31f817u);
  EXPECT_EQ(Checksum64(Sevens(1000)), 0x55ce8d07ea2e192au);
}

TEST(Checksum64, EveryByteAndTheLengthCount) {
  std::vector<std::byte> bytes = Sevens(200);
  const uint64_t sum = Checksum64(bytes);
  for (std::byte& byte : bytes) {
    byte ^= std::byte{16};
    EXPECT_NE(Checksum64(bytes), sum) << "byte " << &byte - bytes.data();
    byte ^= std::byte{16};
  }
  EXPECT_EQ(Checksum64(bytes), sum);
  bytes.push_back(std::byte{0});
  EXPECT_NE(Checksum64(bytes), sum);
}

TEST(Checksum64, WordsDoNotTradePlaces) {
  std::vector<std::byte> bytes = Sevens(256);
  const uint64_t sum = Checksum64(bytes);
  std::swap_ranges(bytes.begin(), bytes.begin() + 8, bytes.begin() + 64);  // of one lane
  EXPECT_NE(Checksum64(bytes), sum);
}

}  // namespace
}  // namespace galago
