#include "src/tensor/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "src/tensor/convert.h"
#include "src/tensor/float16.h"
#include "src/tensor/tensor.h"

namespace galago {
namespace {

constexpr DType kFourBits[] = {DType::kW4G32, DType::kW4G64, DType::kW4G128};
constexpr DType kSignedCodes[] = {DType::kW6G16, DType::kW6G32,  DType::kW6G128, DType::kW8G16,
                                  DType::kW8G32, DType::kW8G128, DType::kW8Row};

int64_t GroupOf(DType dtype, int64_t cols) { return dtype == DType::kW8Row ? cols : PanelGroup(PanelTypeOf(dtype)); }

GroupedWeights Random4(int64_t rows, int64_t cols, int64_t group) {
  std::mt19937 random(static_cast<unsigned>(rows * 7 + cols));
  GroupedWeights weights = MakeGroupedWeights(rows, cols, group);
  for (uint8_t& code : weights.codes) code = static_cast<uint8_t>(random() % 16);
  for (uint16_t& scale : weights.scales) scale = static_cast<uint16_t>(random());  // any bits
  for (uint16_t& zero : weights.zeros) zero = static_cast<uint16_t>(random());
  return weights;
}

GroupedWeights8 Random8(DType dtype, int64_t rows, int64_t cols) {
  const int64_t group = GroupOf(dtype, cols);
  const int half = PanelBits(PanelTypeOf(dtype)) == 6 ? 32 : 128;
  std::mt19937 random(static_cast<unsigned>(rows * 7 + cols));
  GroupedWeights8 weights = MakeGroupedWeights8(rows, cols, group);
  for (int8_t& code : weights.codes) code = static_cast<int8_t>(static_cast<int>(random() % 256) % (2 * half) - half);
  for (float& scale : weights.scales) scale = static_cast<float>(random()) * 0x1p-40f;
  return weights;
}

template <class Weights>
std::vector<std::byte> Packed(DType dtype, const Weights& weights) {
  std::vector<std::byte> panels(PanelMatrixBytes(dtype, weights.rows, weights.cols), std::byte{0xee});
  PackPanels(dtype, weights, panels);
  return panels;
}

TEST(Panels, TypesAndBytes) {
  EXPECT_EQ(PanelTypeOf(DType::kW4G32), PanelType::kW4G32);
  EXPECT_EQ(PanelTypeOf(DType::kW8Row), PanelType::kW8Row);
  EXPECT_TRUE(IsPanelType(DType::kW4G128));
  EXPECT_FALSE(IsPanelType(DType::kQ6_K));
  EXPECT_FALSE(IsBlockType(DType::kW4G32));
  EXPECT_EQ(PanelDType(4, 64), DType::kW4G64);
  EXPECT_EQ(PanelDType(6, 128), DType::kW6G128);
  EXPECT_EQ(PanelDType(8, 16), DType::kW8G16);
  EXPECT_FALSE(PanelDType(4, 16).has_value());
  EXPECT_FALSE(PanelDType(6, 64).has_value());
  EXPECT_FALSE(PanelDType(8, 0).has_value());
  // 4.25 bits a weight with groups of 128; rows are padded to 16.
  EXPECT_EQ((TensorView{DType::kW4G128, {32, 256}, nullptr}.NumBytes()), 2u * 2 * (64 + 1024));
  EXPECT_EQ((TensorView{DType::kW4G128, {17, 256}, nullptr}.NumBytes()), 2u * 2 * (64 + 1024));
  // 6.25 bits.
  EXPECT_EQ((TensorView{DType::kW6G128, {17, 256}, nullptr}.NumBytes()), 2u * 2 * (64 + 1536));
  EXPECT_EQ((TensorView{DType::kW8G16, {1, 48}, nullptr}.NumBytes()), 3u * (64 + 256));
  EXPECT_EQ((TensorView{DType::kW8Row, {16, 4304}, nullptr}.NumBytes()), 16u * 4352 + 128);
  for (const DType dtype : kFourBits) {
    EXPECT_EQ(InfoOf(dtype).block_bytes, static_cast<size_t>(PanelGroupBytes(PanelTypeOf(dtype))));
  }
}

TEST(Panels, FourBitsRoundTrip) {
  for (const DType dtype : kFourBits) {
    const int64_t group = GroupOf(dtype, 0);
    for (const int64_t rows : {1, 8, 15, 16, 17, 40}) {
      for (const int64_t groups : {1, 2, 3}) {
        const GroupedWeights weights = Random4(rows, groups * group, group);
        const std::vector<std::byte> panels = Packed(dtype, weights);
        EXPECT_TRUE(UnpackPanels4(dtype, rows, weights.cols, panels.data()) == weights) << DTypeName(dtype);
      }
    }
  }
}

TEST(Panels, SignedCodesRoundTrip) {
  for (const DType dtype : kSignedCodes) {
    for (const int64_t rows : {1, 8, 15, 16, 17, 40}) {
      for (const int64_t cols : {128, 256, 384, 1, 3, 66, 588}) {
        if (cols % GroupOf(dtype, cols) != 0) continue;
        const GroupedWeights8 weights = Random8(dtype, rows, cols);
        const std::vector<std::byte> panels = Packed(dtype, weights);
        EXPECT_TRUE(UnpackSignedPanels(dtype, rows, cols, panels.data()) == weights) << DTypeName(dtype);
      }
    }
  }
}

// One code of 15 sets exactly the nibble the formula says: catches errors of order a round trip hides.
TEST(Panels, OneHotFourBits) {
  constexpr int64_t kN = 17, kK = 128;
  GroupedWeights weights = MakeGroupedWeights(kN, kK, 64);
  for (int64_t n = 0; n < kN; ++n) {
    for (int64_t k = 0; k < kK; ++k) {
      weights.codes[static_cast<size_t>(n * kK + k)] = 15;
      const std::vector<std::byte> panels = Packed(DType::kW4G64, weights);
      weights.codes[static_cast<size_t>(n * kK + k)] = 0;
      const int64_t group_bytes = 64 + 8 * 64;
      const int64_t at = (n / 16 * 2 + k / 64) * group_bytes + 64 + k % 64 / 8 * 64 + n % 16 * 4 + k % 4;
      const std::byte value{static_cast<uint8_t>(k % 8 < 4 ? 0x0f : 0xf0)};
      ASSERT_EQ(panels[static_cast<size_t>(at)], value) << n << "," << k;
      ASSERT_EQ(std::ranges::count(panels, std::byte{0}), static_cast<int64_t>(panels.size()) - 1);
    }
  }
}

// Codes of -32 are all zero bits; one of -32 + 33 sets the lowest bit of its nibble and the upper of its two.
TEST(Panels, OneHotSixBits) {
  constexpr int64_t kN = 17, kK = 64;
  GroupedWeights8 weights = MakeGroupedWeights8(kN, kK, 32);
  std::ranges::fill(weights.codes, int8_t{-32});
  for (int64_t n = 0; n < kN; ++n) {
    for (int64_t k = 0; k < kK; ++k) {
      weights.codes[static_cast<size_t>(n * kK + k)] = 1;
      const std::vector<std::byte> panels = Packed(DType::kW6G32, weights);
      weights.codes[static_cast<size_t>(n * kK + k)] = -32;
      constexpr int64_t kGroupBytes = 64 + 6 * 64;
      const int64_t word = (n / 16 * 2 + k / 32) * kGroupBytes + 64 + k % 32 / 16 * 3 * 64 + n % 16 * 4 + k % 4;
      const std::byte low{static_cast<uint8_t>(k % 8 < 4 ? 0x01 : 0x10)};
      const std::byte top{static_cast<uint8_t>(2 << k % 16 / 4 * 2)};
      ASSERT_EQ(panels[static_cast<size_t>(word + k % 16 / 8 * 64)], low) << n << "," << k;
      ASSERT_EQ(panels[static_cast<size_t>(word + 2 * 64)], top) << n << "," << k;
      ASSERT_EQ(std::ranges::count(panels, std::byte{0}), static_cast<int64_t>(panels.size()) - 2);
    }
  }
}

TEST(Panels, OneHotEightBits) {
  constexpr int64_t kN = 17, kK = 32;
  GroupedWeights8 weights = MakeGroupedWeights8(kN, kK, 16);
  for (int64_t n = 0; n < kN; ++n) {
    for (int64_t k = 0; k < kK; ++k) {
      weights.codes[static_cast<size_t>(n * kK + k)] = -2;
      const std::vector<std::byte> panels = Packed(DType::kW8G16, weights);
      weights.codes[static_cast<size_t>(n * kK + k)] = 0;
      const int64_t at = (n / 16 * 2 + k / 16) * (64 + 256) + 64 + k % 16 / 4 * 64 + n % 16 * 4 + k % 4;
      ASSERT_EQ(panels[static_cast<size_t>(at)], std::byte{0xfe}) << n << "," << k;
      ASSERT_EQ(std::ranges::count(panels, std::byte{0}), static_cast<int64_t>(panels.size()) - 1);
    }
  }
}

TEST(Panels, ScalesZerosAndSumsHaveTheirPlaces) {
  GroupedWeights four = MakeGroupedWeights(20, 256, 128);
  four.scales[18 * 2 + 1] = 0x1234;
  four.zeros[18 * 2 + 1] = 0x5678;
  const std::vector<std::byte> panels = Packed(DType::kW4G128, four);
  const size_t line = 3 * (64 + 1024);  // panel 1, group 1
  EXPECT_EQ(panels[line + 4], std::byte{0x34});
  EXPECT_EQ(panels[line + 5], std::byte{0x12});
  EXPECT_EQ(panels[line + 32 + 4], std::byte{0x78});
  EXPECT_EQ(panels[line + 32 + 5], std::byte{0x56});

  GroupedWeights8 eight = MakeGroupedWeights8(3, 70, 70);
  std::ranges::fill(eight.codes, int8_t{-127});
  eight.scales = {1.0f, 2.0f, 3.0f};
  const std::vector<std::byte> rows = Packed(DType::kW8Row, eight);
  float scale;
  int32_t sum;
  std::memcpy(&scale, rows.data() + 16 * 128 + 2 * 4, sizeof(scale));
  std::memcpy(&sum, rows.data() + 16 * 128 + 64 + 2 * 4, sizeof(sum));
  EXPECT_EQ(scale, 3.0f);
  EXPECT_EQ(sum, -127 * 70);
  EXPECT_EQ(rows[17 * 64 + 2 * 4 + 2], std::byte{0});  // column 70 is padding
}

TEST(Panels, RowsDequantizeAsTheMatrixDoes) {
  for (const DType dtype : kFourBits) {
    GroupedWeights weights = Random4(19, 256, GroupOf(dtype, 0));
    for (uint16_t& scale : weights.scales) scale &= 0x3fff;  // finite
    for (uint16_t& zero : weights.zeros) zero &= 0x4fff;
    std::vector<float> want(weights.codes.size());
    Dequantize(weights, want);
    const std::vector<std::byte> panels = Packed(dtype, weights);
    const Tensor got = Converted({dtype, {19, 256}, panels.data()}, DType::kF32);
    EXPECT_TRUE(std::ranges::equal(got.f32(), want));
    const Tensor half = Converted({dtype, {19, 256}, panels.data()}, DType::kBF16);
    EXPECT_EQ(half.view().As<uint16_t>()[300], F32ToBf16(want[300]));
  }
  for (const DType dtype : kSignedCodes) {
    const GroupedWeights8 weights = Random8(dtype, 19, 256);
    std::vector<float> want(weights.codes.size());
    Dequantize(weights, want);
    const std::vector<std::byte> panels = Packed(dtype, weights);
    const Tensor got = Converted({dtype, {19, 256}, panels.data()}, DType::kF32);
    EXPECT_TRUE(std::ranges::equal(got.f32(), want));
  }
}

}  // namespace
}  // namespace galago
