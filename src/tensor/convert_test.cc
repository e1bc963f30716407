#include "src/tensor/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "src/tensor/block_types.h"
#include "src/tensor/float16.h"

namespace galago {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr uint16_t kHalfOne = 0x3c00;  // f16 1.0
constexpr uint16_t kHalfTwo = 0x4000;

template <class Block>
std::vector<float> Expanded(DType dtype, const Block& block) {
  std::vector<float> out(InfoOf(dtype).block_elements);
  EXPECT_EQ(sizeof(Block), InfoOf(dtype).block_bytes);
  ToF32(dtype, reinterpret_cast<const std::byte*>(&block), out);
  return out;
}

template <class T>
std::vector<float> Cast(DType dtype, const std::vector<T>& values) {
  // One byte off, as in a mapped file.
  std::vector<std::byte> bytes(1);
  for (const std::byte byte : std::as_bytes(std::span(values))) bytes.push_back(byte);
  std::vector<float> out(values.size());
  ToF32(dtype, bytes.data() + 1, out);
  return out;
}

TEST(ToF32, PlainTypesFromUnalignedBytes) {
  EXPECT_THAT(Cast<float>(DType::kF32, {1.5f, -0.0f}), ElementsAre(1.5f, 0.0f));
  EXPECT_THAT(Cast<double>(DType::kF64, {0.1, -2.0}), ElementsAre(0.1f, -2.0f));
  EXPECT_THAT(Cast<uint16_t>(DType::kF16, {kHalfOne, 0xc000, 0x0001}), ElementsAre(1.0f, -2.0f, 0x1p-24f));
  EXPECT_THAT(Cast<uint16_t>(DType::kBF16, {0x3f80, 0xc000}), ElementsAre(1.0f, -2.0f));
  EXPECT_THAT(Cast<int8_t>(DType::kI8, {-128, 127}), ElementsAre(-128, 127));
  EXPECT_THAT(Cast<uint8_t>(DType::kU8, {0, 255}), ElementsAre(0, 255));
  EXPECT_THAT(Cast<int16_t>(DType::kI16, {-32768, 32767}), ElementsAre(-32768, 32767));
  EXPECT_THAT(Cast<uint16_t>(DType::kU16, {65535}), ElementsAre(65535));
  EXPECT_THAT(Cast<int32_t>(DType::kI32, {-16777216}), ElementsAre(-16777216));
  EXPECT_THAT(Cast<uint32_t>(DType::kU32, {4294967040u}), ElementsAre(4294967040.0f));
  EXPECT_THAT(Cast<int64_t>(DType::kI64, {std::numeric_limits<int64_t>::min()}), ElementsAre(-0x1p63f));
  EXPECT_THAT(Cast<uint64_t>(DType::kU64, {uint64_t{1} << 63}), ElementsAre(0x1p63f));
  EXPECT_THAT(Cast<uint8_t>(DType::kBool, {0, 1, 7}), ElementsAre(0, 1, 1));
}

TEST(ToF32, NothingFromNothing) { ToF32(DType::kQ4_0, nullptr, {}); }

TEST(ToF32, Q4_0PutsHighNibblesInTheSecondHalf) {
  BlockQ4_0 block = {.d = kHalfTwo, .qs = {}};
  for (uint8_t& q : block.qs) q = 0x88;  // 8 is zero
  block.qs[3] = 0xf0;
  const auto x = Expanded(DType::kQ4_0, block);
  EXPECT_EQ(x[3], -16.0f);
  EXPECT_EQ(x[19], 14.0f);
  EXPECT_EQ(x[0], 0.0f);
  EXPECT_EQ(x[31], 0.0f);
}

TEST(ToF32, Q4_1AddsTheMinimum) {
  const auto x = Expanded(DType::kQ4_1, BlockQ4_1{.d = kHalfTwo, .m = kHalfOne, .qs = {0x21}});
  EXPECT_EQ(x[0], 3.0f);
  EXPECT_EQ(x[16], 5.0f);
  EXPECT_EQ(x[1], 1.0f);
}

TEST(ToF32, Q5FifthBitsAreInElementOrder) {
  BlockQ5_0 block = {.d = kHalfOne, .qh = {}, .qs = {}};
  block.qh[0] = 1 << 2;  // element 2
  block.qh[2] = 1 << 4;  // element 20
  const auto x = Expanded(DType::kQ5_0, block);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(x[static_cast<size_t>(i)], i == 2 || i == 20 ? 0.0f : -16.0f) << i;
  const BlockQ5_1 other = {.d = kHalfOne, .m = kHalfTwo, .qh = {0, 0x80, 0, 0}, .qs = {}};
  EXPECT_EQ(Expanded(DType::kQ5_1, other)[15], 18.0f);
  EXPECT_EQ(Expanded(DType::kQ5_1, other)[14], 2.0f);
}

TEST(ToF32, Q8_0IsScaledBytes) {
  const auto x = Expanded(DType::kQ8_0, BlockQ8_0{.d = kHalfTwo, .qs = {-128, 127}});
  EXPECT_EQ(x[0], -256.0f);
  EXPECT_EQ(x[1], 254.0f);
}

TEST(ToF32, KTypesWithEqualGroupsAreConstant) {
  BlockQ2_K q2 = {.scales = {}, .qs = {}, .d = kHalfOne, .dmin = kHalfTwo};
  std::memset(q2.scales, 0x13, sizeof(q2.scales));  // scale 3, min 1
  std::memset(q2.qs, 0xff, sizeof(q2.qs));          // q = 3
  EXPECT_THAT(Expanded(DType::kQ2_K, q2), Each(3.0f * 3 - 2));

  BlockQ3_K q3 = {.hmask = {}, .qs = {}, .scales = {}, .d = kHalfOne};  // scale 0 - 32, q = 0 - 4
  EXPECT_THAT(Expanded(DType::kQ3_K, q3), Each(128.0f));
  std::memset(q3.hmask, 0xff, sizeof(q3.hmask));
  std::memset(q3.qs, 0xaa, sizeof(q3.qs));          // q = 2
  std::memset(q3.scales, 0xff, sizeof(q3.scales));  // scale 63 - 32
  EXPECT_THAT(Expanded(DType::kQ3_K, q3), Each(62.0f));

  BlockQ6_K q6 = {.ql = {}, .qh = {}, .scales = {}, .d = kHalfOne};
  std::memset(q6.scales, 0xff, sizeof(q6.scales));  // -1
  EXPECT_THAT(Expanded(DType::kQ6_K, q6), Each(32.0f));
}

TEST(ScaleMinK4, UnpacksSixBitsOfEachGroup) {
  // Packed by the layout's description from scale g * 8 + 1 and min 63 - g.
  uint8_t packed[12] = {};
  for (int g = 0; g < 8; ++g) {
    const int scale = g * 8 + 1;
    const int min = 63 - g;
    if (g < 4) {
      packed[g] |= static_cast<uint8_t>(scale);
      packed[g + 4] |= static_cast<uint8_t>(min);
    } else {
      packed[g + 4] = static_cast<uint8_t>((scale & 15) | ((min & 15) << 4));
      packed[g - 4] |= static_cast<uint8_t>((scale >> 4) << 6);
      packed[g] |= static_cast<uint8_t>((min >> 4) << 6);
    }
  }
  for (int g = 0; g < 8; ++g) {
    EXPECT_EQ(ScaleMinK4(packed, g).scale, g * 8 + 1) << g;
    EXPECT_EQ(ScaleMinK4(packed, g).min, 63 - g) << g;
  }
}

TEST(Converted, RoundsToNearestEven) {
  Tensor source = Tensor::F32({2, 2});
  const std::vector<float> values = {1.0f, 1.00390625f, 1.01171875f, -65536.0f};
  std::copy(values.begin(), values.end(), source.f32().begin());
  const Tensor bf16 = Converted(source.view(), DType::kBF16);
  EXPECT_EQ(bf16.shape(), (Shape{2, 2}));
  // Halfway between 0x3f80 and 0x3f81 goes to the even one, as does halfway between 0x3f81 and 0x3f82.
  const auto* bits = bf16.view().As<uint16_t>();
  EXPECT_EQ(bits[0], 0x3f80);
  EXPECT_EQ(bits[1], 0x3f80);
  EXPECT_EQ(bits[2], 0x3f82);
  EXPECT_EQ(Converted(source.view(), DType::kF16).view().As<uint16_t>()[3], 0xfc00);  // above f16: infinity
}

TEST(Converted, ManyPiecesEqualOneByOne) {
  // Longer than the pieces it works in, and not a multiple of them.
  const int64_t count = 3 * 4096 + 17;
  Tensor source = Tensor::F32({count});
  for (int64_t i = 0; i < count; ++i) source.f32()[static_cast<size_t>(i)] = std::sin(static_cast<float>(i));
  const Tensor bf16 = Converted(source.view(), DType::kBF16);
  const Tensor f16 = Converted(source.view(), DType::kF16);
  const Tensor back = Converted(bf16.view(), DType::kF32);
  const Tensor crossed = Converted(f16.view(), DType::kBF16);
  for (int64_t i = 0; i < count; ++i) {
    const float value = source.f32()[static_cast<size_t>(i)];
    ASSERT_EQ(bf16.view().As<uint16_t>()[i], F32ToBf16(value)) << i;
    ASSERT_EQ(f16.view().As<uint16_t>()[i], F32ToF16(value)) << i;
    ASSERT_EQ(back.f32()[static_cast<size_t>(i)], Bf16ToF32(F32ToBf16(value))) << i;
    ASSERT_EQ(crossed.view().As<uint16_t>()[i], F32ToBf16(F16ToF32(F32ToF16(value)))) << i;
  }
}

TEST(Converted, BlocksGoThroughFloat) {
  const int64_t blocks = 200;  // 6400 elements: more than one piece
  std::vector<BlockQ8_0> data(blocks);
  for (size_t b = 0; b < data.size(); ++b) {
    data[b].d = kHalfOne;
    for (int i = 0; i < 32; ++i) data[b].qs[i] = static_cast<int8_t>(b + static_cast<size_t>(i));
  }
  const TensorView view{DType::kQ8_0, Shape{blocks, 32}, reinterpret_cast<const std::byte*>(data.data())};
  const Tensor f32 = Converted(view, DType::kF32);
  const Tensor bf16 = Converted(view, DType::kBF16);
  for (size_t i = 0; i < 6400; ++i) {
    const auto want = static_cast<float>(static_cast<int8_t>(i / 32 + i % 32));
    ASSERT_EQ(f32.f32()[i], want) << i;
    ASSERT_EQ(bf16.view().As<uint16_t>()[i], F32ToBf16(want)) << i;
  }
}

TEST(Converted, SameTypeIsACopyAndEmptyStaysEmpty) {
  const uint16_t nan[2] = {0x7fc1, 0xffff};
  const TensorView view{DType::kBF16, Shape{2}, reinterpret_cast<const std::byte*>(nan)};
  EXPECT_EQ(std::memcmp(Converted(view, DType::kBF16).data(), nan, sizeof(nan)), 0);
  EXPECT_EQ(Converted({DType::kF32, Shape{0, 3}, nullptr}, DType::kF16).shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace galago
