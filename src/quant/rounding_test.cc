#include "src/quant/rounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "src/quant/test_util.h"
#include "src/tensor/float16.h"

namespace galago::quant {
namespace {

using testing::Floats;
using testing::Normal;

constexpr int64_t kGroup = 32;

TEST(Rounding, F16ArithmeticGivesTheCodesOfTheReference) {
  const io::TensorStore golden =
      io::OpenSafetensors(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/awq/rounding.safetensors").value();
  const std::vector<float> weight = Floats(golden, "weight");
  const auto rows = static_cast<int64_t>(weight.size()) / kGroup;
  ThreadPool pool(1);
  const GroupedWeights got = Round4(pool, weight, rows, kGroup, kGroup, Arithmetic::kReferenceF16, "w").value();
  const std::vector<float> scales = Floats(golden, "scales"), zeros = Floats(golden, "zeros"),
                           codes = Floats(golden, "codes"), fake = Floats(golden, "fake");
  for (size_t g = 0; g < scales.size(); ++g) {
    EXPECT_EQ(F16ToF32(got.scales[g]), scales[g]) << "group " << g;
    EXPECT_EQ(F16ToF32(got.zeros[g]), zeros[g]) << "group " << g;
  }
  std::vector<float> rounded(kGroup);
  for (size_t i = 0; i < codes.size(); ++i) {
    EXPECT_EQ(got.codes[i], static_cast<uint8_t>(codes[i])) << "group " << i / kGroup << " element " << i % kGroup;
  }
  for (size_t i = 0; i < weight.size(); i += kGroup) {
    FakeQuantizeGroup(std::span(weight).subspan(i, kGroup), Arithmetic::kReferenceF16, rounded);
    for (size_t k = 0; k < kGroup; ++k) EXPECT_EQ(rounded[k], fake[i + k]) << "group " << i / kGroup;
  }
}

TEST(Rounding, WeightsMoveByAtMostHalfAScale) {
  ThreadPool pool(2);
  constexpr int64_t kRows = 40, kCols = 256;
  const std::vector<float> weight = Normal(kRows * kCols, 3, 0.05f);
  for (const Arithmetic arithmetic : {Arithmetic::kF16Scales, Arithmetic::kReferenceF16}) {
    const GroupedWeights got = Round4(pool, weight, kRows, kCols, 64, arithmetic, "w").value();
    std::vector<float> back(weight.size());
    Dequantize(got, back);
    for (size_t i = 0; i < back.size(); ++i) {
      const float scale = F16ToF32(got.scales[i / 64]);
      // The scale's own rounding moves the ends of the range by 15 / 2^11 of a scale.
      EXPECT_LE(std::abs(back[i] - weight[i]), scale * (0.5f + 0.02f)) << i;
    }
  }
}

TEST(Rounding, RoundingWhatWasRoundedChangesNoCode) {
  ThreadPool pool(2);
  constexpr int64_t kRows = 24, kCols = 256;
  const std::vector<float> weight = Normal(kRows * kCols, 5, 0.05f);
  for (const Arithmetic arithmetic : {Arithmetic::kF16Scales, Arithmetic::kReferenceF16}) {
    const GroupedWeights once = Round4(pool, weight, kRows, kCols, 128, arithmetic, "w").value();
    std::vector<float> back(weight.size());
    Dequantize(once, back);
    EXPECT_EQ(RoundTo(back, once, arithmetic), once);
  }
}

TEST(Rounding, GroupsOfOneSignAreExactInF32) {
  ThreadPool pool(1);
  std::vector<float> weight;
  for (const float constant : {0.5f, -0.25f, 0.0f, 1e-30f}) weight.insert(weight.end(), kGroup, constant);
  for (int k = 0; k < kGroup; ++k) weight.push_back(0.3f + 0.01f * static_cast<float>(k % 3));
  const GroupedWeights got = Round4(pool, weight, 5, kGroup, kGroup, Arithmetic::kF16Scales, "w").value();
  std::vector<float> back(weight.size());
  Dequantize(got, back);
  for (size_t i = 0; i < back.size(); ++i) {
    EXPECT_LE(std::abs(back[i] - weight[i]), F16ToF32(got.scales[i / kGroup]) * 0.52f) << i;
  }
  for (size_t i = 2 * kGroup; i < 3 * kGroup; ++i) EXPECT_EQ(back[i], 0.0f);
}

TEST(Rounding, SignedCodes) {
  ThreadPool pool(2);
  constexpr int64_t kRows = 9, kCols = 128;
  std::vector<float> weight = Normal(kRows * kCols, 7, 0.02f);
  std::fill(weight.begin(), weight.begin() + 64, 0.0f);
  for (const int bits : {6, 8}) {
    const int8_t most = bits == 6 ? 31 : 127;
    const GroupedWeights8 got = RoundSigned(pool, weight, kRows, kCols, 32, bits);
    std::vector<float> back(weight.size());
    Dequantize(got, back);
    for (size_t i = 0; i < back.size(); ++i) {
      EXPECT_LE(std::abs(back[i] - weight[i]), got.scales[i / 32] * 0.5001f);
      EXPECT_LE(std::abs(got.codes[i]), most);
    }
    EXPECT_GE(std::ranges::count(got.codes, most) + std::ranges::count(got.codes, -most), kRows * kCols / 32 - 2);
    for (size_t i = 0; i < 64; ++i) EXPECT_EQ(back[i], 0.0f);
  }
}

TEST(Rounding, WhatCannotBeRoundedIsNamed) {
  std::vector<float> weight(64, 0.1f);
  EXPECT_TRUE(CheckFinite(weight, 32, "a.weight").ok());
  weight[35] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(MessageOf(CheckFinite(weight, 32, "a.weight")),
            "a.weight: element [1, 3] is not a number, it cannot be quantised");
  weight[35] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(MessageOf(CheckFinite(weight, 32, "a.weight")),
            "a.weight: element [1, 3] is infinite, it cannot be quantised");
  EXPECT_TRUE(CheckGroup(256, 128, "a.weight").ok());
  EXPECT_EQ(MessageOf(CheckGroup(576, 128, "a.weight")),
            "a.weight has 576 inputs, which groups of 128 do not divide; groups of 64 or 32 do");
  EXPECT_EQ(MessageOf(CheckGroup(100, 64, "a.weight")), "a.weight has 100 inputs, which groups of 64 do not divide");
  ThreadPool pool(1);
  weight.assign(32, 3e6f);
  EXPECT_THAT(MessageOf(Round4(pool, weight, 1, 32, 32, Arithmetic::kF16Scales, "a.weight").status()),
              ::testing::HasSubstr("a.weight: the weights of row 0 span more than 4-bit scales can express"));
}

}  // namespace
}  // namespace galago::quant
