#include "src/tensor/block_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "src/tensor/block_types.h"
#include "src/tensor/convert.h"
#include "src/tensor/float16.h"

namespace galago {
namespace {

using ::testing::HasSubstr;

// Random blocks of a type, 3 rows of 512 columns, with scales up to about 1.
std::vector<std::byte> RandomBlocks(DType dtype, uint32_t seed) {
  std::mt19937 random(seed);
  const DTypeInfo& info = InfoOf(dtype);
  const size_t count = 3 * 512 / info.block_elements;
  std::vector<std::byte> bytes(count * info.block_bytes);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  const auto half = [&](size_t block, size_t offset) {
    const auto bits = static_cast<uint16_t>(random() % 0x3c00 | (random() % 2) << 15);
    std::memcpy(bytes.data() + block * info.block_bytes + offset, &bits, 2);
  };
  for (size_t i = 0; i < count; ++i) {
    half(i, dtype == DType::kQ6_K ? offsetof(BlockQ6_K, d) : 0);
    if (dtype == DType::kQ4_1 || dtype == DType::kQ4_K) half(i, 2);
  }
  return bytes;
}

std::vector<float> Reference(const TensorView& view) {
  std::vector<float> out(static_cast<size_t>(view.shape.NumElements()));
  ToF32(view.dtype, view.data, out);
  return out;
}

std::vector<float> ThroughGroups(const TensorView& view) {
  std::vector<float> out(static_cast<size_t>(view.shape.NumElements()));
  if (GroupsOfBlockType(view.dtype)->bits == 4) {
    const auto weights = GroupedFromBlocks(view, "w");
    EXPECT_TRUE(weights.ok()) << weights.status();
    if (weights.ok()) Dequantize(*weights, out);
  } else {
    const auto weights = GroupedFromBlocks8(view, "w");
    EXPECT_TRUE(weights.ok()) << weights.status();
    if (weights.ok()) Dequantize(*weights, out);
  }
  return out;
}

TEST(BlockWeights, ExactTypesKeepEveryBit) {
  for (const DType dtype : {DType::kQ4_0, DType::kQ8_0, DType::kQ6_K}) {
    EXPECT_TRUE(GroupsOfBlockType(dtype)->exact);
    for (uint32_t seed = 0; seed < 20; ++seed) {
      const std::vector<std::byte> bytes = RandomBlocks(dtype, seed);
      const TensorView view{dtype, {3, 512}, bytes.data()};
      EXPECT_EQ(ThroughGroups(view), Reference(view)) << DTypeName(dtype);
    }
  }
}

TEST(BlockWeights, TypesWithAnOffsetStayWithinTheRoundingOfTheirTerms) {
  for (const DType dtype : {DType::kQ4_1, DType::kQ4_K}) {
    EXPECT_FALSE(GroupsOfBlockType(dtype)->exact);
    for (uint32_t seed = 0; seed < 50; ++seed) {
      const std::vector<std::byte> bytes = RandomBlocks(dtype, seed);
      const TensorView view{dtype, {3, 512}, bytes.data()};
      const std::vector<float> want = Reference(view);
      const std::vector<float> got = ThroughGroups(view);
      for (size_t i = 0; i < want.size(); ++i) {
        // Terms of this weight: x = step * code + offset.
        double step, offset;
        if (dtype == DType::kQ4_1) {
          BlockQ4_1 block;
          std::memcpy(&block, bytes.data() + i / 32 * sizeof(block), sizeof(block));
          step = F16ToF32(block.d);
          offset = F16ToF32(block.m);
        } else {
          BlockQ4_K block;
          std::memcpy(&block, bytes.data() + i / 256 * sizeof(block), sizeof(block));
          const auto [scale, min] = ScaleMinK4(block.scales, static_cast<int>(i % 256 / 32));
          step = double{F16ToF32(block.d)} * scale;
          offset = -double{F16ToF32(block.dmin)} * min;
        }
        // 2^-11 for each rounding; half of 2^-24 where a f16 is subnormal; float32's own roundings beside it.
        const double bound =
            0x1.1p-11 * (std::abs(want[i] - offset) + 2 * std::abs(offset)) + 0x1p-24 * (1 + std::abs(step));
        ASSERT_LE(std::abs(double{got[i]} - double{want[i]}), bound)
            << DTypeName(dtype) << " seed " << seed << " " << i;
      }
    }
  }
}

BlockQ4_1 Q4_1Block(float d, float m) {
  BlockQ4_1 block{F32ToF16(d), F32ToF16(m), {}};
  for (size_t i = 0; i < 16; ++i) block.qs[i] = static_cast<uint8_t>(i * 17);
  return block;
}

TEST(BlockWeights, GroupsOfOneValueAndOffsetsEqualToTheStep) {
  struct Case {
    float d, m;
  };
  for (const Case& c :
       {Case{0, 0.75f}, Case{0, 0}, Case{0x1p-24f, 1.0f}, Case{0.25f, 0.25f}, Case{-0.5f, 1.0f}, Case{0.5f, 0}}) {
    const BlockQ4_1 block = Q4_1Block(c.d, c.m);
    const TensorView view{DType::kQ4_1, {1, 32}, reinterpret_cast<const std::byte*>(&block)};
    const std::vector<float> want = Reference(view);
    const std::vector<float> got = ThroughGroups(view);
    for (size_t i = 0; i < 32; ++i) EXPECT_NEAR(got[i], want[i], 0x1p-20) << c.d << " " << c.m;
  }
}

TEST(BlockWeights, ScalesThatAreNoNumbersAreRefused) {
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ4_K, DType::kQ8_0, DType::kQ6_K}) {
    std::vector<std::byte> bytes = RandomBlocks(dtype, 1);
    const DTypeInfo& info = InfoOf(dtype);
    const size_t at = info.block_bytes * (512 / info.block_elements) +  // the first block of row 1
                      (dtype == DType::kQ6_K ? offsetof(BlockQ6_K, d) : 0);
    const uint16_t nan = 0x7e00;
    std::memcpy(bytes.data() + at, &nan, 2);
    const TensorView view{dtype, {3, 512}, bytes.data()};
    const Status status = GroupsOfBlockType(dtype)->bits == 4 ? GroupedFromBlocks(view, "model.gguf: w").status()
                                                              : GroupedFromBlocks8(view, "model.gguf: w").status();
    EXPECT_THAT(MessageOf(status), HasSubstr("model.gguf: w: the scale of block 0 of row 1")) << DTypeName(dtype);
  }
  EXPECT_FALSE(GroupsOfBlockType(DType::kQ5_K).has_value());
  EXPECT_FALSE(GroupsOfBlockType(DType::kBF16).has_value());
}

}  // namespace
}  // namespace galago
