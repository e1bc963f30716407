#include "src/base/byte_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace galago {
namespace {

using ::testing::HasSubstr;

std::span<const std::byte> Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(ByteReader, ReadsInOrder) {
  const std::string data("\x01\x02\x00hello", 8);
  ByteReader reader(Bytes(data), "f");
  EXPECT_EQ(*reader.Read<uint8_t>("a"), 1);
  EXPECT_EQ(*reader.Read<uint16_t>("b"), 2);
  EXPECT_EQ(*reader.ReadText(5, "c"), "hello");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_TRUE(reader.ReadBytes(0, "nothing").ok());
}

TEST(ByteReader, ShortReadsNameFileFieldAndNumbersAndDoNotMove) {
  ByteReader reader(Bytes("abc"), "f.bin");
  const Status status = reader.Read<uint32_t>("count").status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(MessageOf(status), "f.bin: count needs 4 bytes at offset 0, 3 remain");
  EXPECT_FALSE(reader.ReadBytes(~uint64_t{0}, "all").ok());
  EXPECT_FALSE(reader.ReadText(4, "text").ok());
  EXPECT_EQ(reader.position(), 0u);
  EXPECT_EQ(*reader.ReadText(3, "text"), "abc");
}

}  // namespace
}  // namespace galago
