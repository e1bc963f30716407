#include "src/tensor/tensor.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "src/tensor/dtype.h"
#include "src/tensor/float16.h"

namespace galago {
namespace {

TEST(Shape, CountsAndPrints) {
  EXPECT_EQ(Shape().NumElements(), 1);
  EXPECT_EQ(Shape().ToString(), "[]");
  EXPECT_EQ((Shape{2, 3, 4}).NumElements(), 24);
  EXPECT_EQ((Shape{2, 0}).NumElements(), 0);
  EXPECT_EQ((Shape{2, 3}).ToString(), "[2, 3]");
  EXPECT_TRUE((Shape{2, 3}) == (Shape{2, 3}));
  EXPECT_FALSE((Shape{2, 3}) == (Shape{2, 3, 1}));
}

TEST(DType, BlockTypesKnowTheirBytes) {
  EXPECT_EQ((TensorView{DType::kQ4_0, Shape{2, 64}, nullptr}.NumBytes()), 4u * 18);
  EXPECT_EQ((TensorView{DType::kQ6_K, Shape{256}, nullptr}.NumBytes()), 210u);
  EXPECT_EQ((TensorView{DType::kBF16, Shape{3, 5}, nullptr}.NumBytes()), 30u);
  EXPECT_TRUE(IsBlockType(DType::kQ8_0));
  EXPECT_FALSE(IsBlockType(DType::kI8));
  EXPECT_EQ(DTypeName(DType::kQ4_K), "q4_k");
}

TEST(Tensor, IsZeroedAndAligned) {
  for (const int64_t n : {0, 1, 63, 64, 1000}) {
    const Tensor tensor = Tensor::F32({n});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0u);
    EXPECT_TRUE(tensor.view());
    for (const float value : tensor.f32()) EXPECT_EQ(value, 0.0f);
  }
}

// The definition of IEEE 754 binary16, for every bit pattern.
TEST(Float16, EveryHalfHasItsValue) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint32_t exponent = (bits >> 10) & 31;
    const auto mantissa = static_cast<float>(bits & 1023);
    const float magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, static_cast<int>(exponent) - 25);
    const float value = F16ToF32(static_cast<uint16_t>(bits));
    EXPECT_EQ(std::signbit(value), bits >= 32768);
    if (exponent < 31) {
      ASSERT_EQ(std::fabs(value), magnitude) << bits;
    } else if (mantissa == 0) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_TRUE(std::isnan(value)) << bits;
    }
  }
}

TEST(Float16, EveryHalfSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = F16ToF32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(F16ToF32(F32ToF16(value)))) << bits;
    } else {
      ASSERT_EQ(F32ToF16(value), half) << bits;
    }
  }
}

TEST(Float16, EveryBf16SurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto bf16 = static_cast<uint16_t>(bits);
    const float value = Bf16ToF32(bf16);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Bf16ToF32(F32ToBf16(value)))) << bits;
    } else {
      ASSERT_EQ(F32ToBf16(value), bf16) << bits;
    }
  }
}

// Between two neighbours the nearer one wins, halfway the even one; checked around every boundary of finite halves.
TEST(Float16, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = F16ToF32(static_cast<uint16_t>(bits));
    const float high = F16ToF32(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;  // exact: one bit more than a half has
    const float below = std::nextafter(middle, low);
    const float above = std::nextafter(middle, high);
    ASSERT_EQ(F32ToF16(middle), bits + (bits & 1)) << bits;
    ASSERT_EQ(F32ToF16(below), bits) << bits;
    ASSERT_EQ(F32ToF16(above), bits + 1) << bits;
  }
  EXPECT_EQ(F32ToF16(65519.996f), 0x7bff);
  EXPECT_EQ(F32ToF16(65520.0f), 0x7c00);
  EXPECT_EQ(F32ToF16(-std::numeric_limits<float>::infinity()), 0xfc00);
}

}  // namespace
}  // namespace galago
