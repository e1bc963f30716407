#include "src/tensor/weight_layouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "src/tensor/float16.h"
#include "src/tensor/panels.h"

namespace galago {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr WeightLayout kAll[] = {WeightLayout::kAwqGemm, WeightLayout::kAwqGemv, WeightLayout::kAwqInterleaved,
                                 WeightLayout::kGptq, WeightLayout::kGptqV2};

GroupedWeights Random(int64_t rows, int64_t cols, int64_t group, int least_zero, uint32_t seed) {
  std::mt19937 random(seed);
  GroupedWeights weights = MakeGroupedWeights(rows, cols, group);
  for (uint8_t& code : weights.codes) code = static_cast<uint8_t>(random() % 16);
  // From the smallest f16 to 4094, all magnitudes as likely: 16 times it is still finite.
  for (uint16_t& scale : weights.scales) scale = static_cast<uint16_t>(1 + random() % 0x6bff);
  for (uint16_t& zero : weights.zeros) {
    zero = F32ToF16(static_cast<float>(least_zero + static_cast<int>(random() % 16)));
  }
  return weights;
}
int LeastZero(WeightLayout layout) { return layout == WeightLayout::kGptq ? 1 : 0; }

uint32_t WordAt(const Tensor& tensor, int64_t index) {
  if (tensor.dtype() == DType::kI16) {
    uint16_t word;
    std::memcpy(&word, tensor.data() + 2 * index, 2);
    return word;
  }
  uint32_t word;
  std::memcpy(&word, tensor.data() + 4 * index, 4);
  return word;
}

std::string MessageOfUnpack(WeightLayout layout, const PackedWeights& packed, int64_t rows, int64_t cols,
                            int64_t group) {
  const auto unpacked = Unpack(layout, packed, rows, cols, group, "a.qweight");
  EXPECT_FALSE(unpacked.ok());
  return MessageOf(unpacked.status());
}

TEST(WeightLayouts, UnpackOfPackIsTheSame) {
  struct Size {
    int64_t rows, cols, group;
  };
  for (const WeightLayout layout : kAll) {
    for (const Size& size : {Size{8, 64, 64}, Size{8, 64, 32}, Size{24, 128, 128}, Size{136, 384, 128},
                             Size{16, 1536, 128}, Size{40, 320, 64}, Size{8, 512, 256}, Size{8, 8960, 128}}) {
      const GroupedWeights want = Random(size.rows, size.cols, size.group, LeastZero(layout), 7);
      const auto packed = Pack(layout, want);
      ASSERT_TRUE(packed.ok()) << Name(layout) << packed.status();
      const auto got = Unpack(layout, packed->view(), size.rows, size.cols, size.group, "w");
      ASSERT_TRUE(got.ok()) << Name(layout) << got.status();
      EXPECT_EQ(got->weights, want) << Name(layout) << " " << size.rows << " " << size.cols << " " << size.group;
      EXPECT_TRUE(got->order.empty());
      EXPECT_FALSE(got->nonzero_padding);
    }
  }
}

// A round trip hides a wrong order; the place of each single code does not.
TEST(WeightLayouts, EachCodeLiesWhereTheFormulaSays) {
  constexpr int64_t kRows = 8;
  constexpr int64_t kCols = 128;
  constexpr int kInverse[8] = {0, 4, 1, 5, 2, 6, 3, 7};  // nibble of column n % 8 in AutoAWQ's gemm
  for (const WeightLayout layout : kAll) {
    GroupedWeights weights = MakeGroupedWeights(kRows, kCols, 128);
    for (uint16_t& zero : weights.zeros) zero = F32ToF16(static_cast<float>(LeastZero(layout)));
    for (int64_t n = 0; n < kRows; ++n) {
      for (int64_t k = 0; k < kCols; ++k) {
        weights.codes[static_cast<size_t>(n * kCols + k)] = 15;
        const auto packed = Pack(layout, weights);
        ASSERT_TRUE(packed.ok());
        weights.codes[static_cast<size_t>(n * kCols + k)] = 0;
        int64_t word = 0;
        int64_t nibble = 0;
        switch (layout) {
          case WeightLayout::kAwqGemm:
            word = k * (kRows / 8) + n / 8;
            nibble = kInverse[n % 8];
            break;
          case WeightLayout::kAwqGemv:
            word = n * (kCols / 8) + k / 8;
            nibble = k % 8;
            break;
          case WeightLayout::kAwqInterleaved:
            word = n / 4 * kCols + 64 * (k / 64) + 16 * (n % 4) + 8 * ((k % 64) / 32) + k % 8;
            nibble = (k % 32) / 8;
            break;
          case WeightLayout::kGptq:
          case WeightLayout::kGptqV2:
            word = k / 8 * kRows + n;
            nibble = k % 8;
            break;
        }
        const int64_t words = packed->qweight.shape().NumElements();
        for (int64_t i = 0; i < words; ++i) {
          ASSERT_EQ(WordAt(packed->qweight, i), i == word ? 15u << (4 * nibble) : 0u)
              << Name(layout) << " code (" << n << ", " << k << "), word " << i;
        }
      }
    }
  }
}

TEST(WeightLayouts, InterleavedPlacesOfTheSpecification) {
  struct Spot {
    int64_t n, k, row, col, shift;
  };
  GroupedWeights weights = MakeGroupedWeights(132, 4096, 128);
  for (const Spot& spot : {Spot{0, 0, 0, 0, 0}, Spot{5, 77, 1, 85, 4}, Spot{130, 4095, 32, 4079, 12}}) {
    auto& code = weights.codes[static_cast<size_t>(spot.n * 4096 + spot.k)];
    code = 9;
    const auto packed = Pack(WeightLayout::kAwqInterleaved, weights);
    ASSERT_TRUE(packed.ok());
    EXPECT_EQ(WordAt(packed->qweight, spot.row * 4096 + spot.col), 9u << spot.shift);
    code = 0;
  }
}

TEST(WeightLayouts, AnyLayoutToAnyOtherAndPanelsAndBack) {
  const GroupedWeights want = Random(40, 512, 64, 1, 3);  // zeros 1..16
  GroupedWeights weights = want;
  for (uint16_t& zero : weights.zeros) {
    if (F16ToF32(zero) == 16.0f) zero = F32ToF16(15.0f);
  }
  const GroupedWeights start = weights;
  for (const WeightLayout layout : {WeightLayout::kAwqGemv, WeightLayout::kAwqInterleaved, WeightLayout::kAwqGemm,
                                    WeightLayout::kGptq, WeightLayout::kGptqV2, WeightLayout::kAwqInterleaved}) {
    const auto packed = Pack(layout, weights);
    ASSERT_TRUE(packed.ok()) << packed.status();
    auto unpacked = Unpack(layout, packed->view(), 40, 512, 64, "w");
    ASSERT_TRUE(unpacked.ok()) << unpacked.status();
    weights = std::move(unpacked->weights);
  }
  std::vector<std::byte> panels(PanelMatrixBytes(DType::kW4G64, 40, 512));
  PackPanels(DType::kW4G64, weights, panels);
  EXPECT_EQ(UnpackPanels4(DType::kW4G64, 40, 512, panels.data()), start);
}

TEST(WeightLayouts, PaddedGroupsOfPublishedWidths) {
  const std::pair<int64_t, int64_t> kWidths[] = {{1536, 16},   {2048, 16},   {2560, 24},   {3584, 32},  {4096, 32},
                                                 {5120, 40},   {6912, 56},   {7168, 56},   {8960, 72},  {11008, 88},
                                                 {13824, 112}, {14336, 112}, {18944, 152}, {20480, 160}};
  for (const auto& [cols, groups] : kWidths) {
    EXPECT_EQ(PaddedGroups(cols, 128), groups) << cols;
    for (const int64_t group : {128, 64, 32}) {
      const auto found = GroupFromPadding(cols, PaddedGroups(cols, group), "w");
      ASSERT_TRUE(found.ok());
      EXPECT_EQ(*found, group) << cols;
    }
  }
  EXPECT_EQ(PaddedGroups(1536, 64), 32);
  EXPECT_EQ(PaddedGroups(1536, 32), 64);
  EXPECT_EQ(PaddedGroups(128, 64), 16);
  EXPECT_EQ(PaddedGroups(128, 32), 32);
  EXPECT_FALSE(GroupFromPadding(4096, 24, "w").ok());
}

TEST(WeightLayouts, ScaledZerosGiveBackEveryZero) {
  std::mt19937 random(1);
  GroupedWeights weights = MakeGroupedWeights(4, 64, 64);
  float farthest = 0;
  for (int i = 0; i < 25000; ++i) {
    for (uint16_t& scale : weights.scales) {
      do {
        scale = static_cast<uint16_t>(1 + random() % 0x7bff);  // to the largest f16
      } while (F16ToF32(scale) * 15.0f > 65504.0f);
    }
    for (uint16_t& zero : weights.zeros) zero = F32ToF16(static_cast<float>(random() % 16));
    const auto packed = Pack(WeightLayout::kAwqInterleaved, weights);
    ASSERT_TRUE(packed.ok());
    const auto unpacked = Unpack(WeightLayout::kAwqInterleaved, packed->view(), 4, 64, 64, "w");
    ASSERT_TRUE(unpacked.ok()) << unpacked.status();
    ASSERT_EQ(unpacked->weights.zeros, weights.zeros);
    for (size_t n = 0; n < 4; ++n) {
      uint16_t scaled;
      std::memcpy(&scaled, packed->zeros.data() + 2 * n, 2);
      const float zero = -F16ToF32(scaled) / F16ToF32(weights.scales[n]);
      farthest = std::max(farthest, std::abs(zero - F16ToF32(weights.zeros[n])));
    }
  }
  EXPECT_LE(farthest, 0.0074f);
  EXPECT_GT(farthest, 0.005f);  // or the test tests nothing
}

TEST(WeightLayouts, ActivationOrderSortsColumnsByGroup) {
  const GroupedWeights sorted = Random(8, 64, 32, 1, 5);
  // Column k of the file belongs to group k % 2.
  std::vector<int32_t> g_idx(64);
  GroupedWeights file = sorted;
  for (size_t k = 0; k < 64; ++k) {
    g_idx[k] = static_cast<int32_t>(k % 2);
    const size_t j = k % 2 * 32 + k / 2;
    for (size_t n = 0; n < 8; ++n) file.codes[n * 64 + k] = sorted.codes[n * 64 + j];
  }
  const auto packed = Pack(WeightLayout::kGptq, file);
  ASSERT_TRUE(packed.ok());
  PackedWeights view = packed->view();
  view.g_idx = {DType::kI32, {64}, reinterpret_cast<const std::byte*>(g_idx.data())};
  const auto unpacked = Unpack(WeightLayout::kGptq, view, 8, 64, 32, "w");
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(unpacked->weights, sorted);
  ASSERT_EQ(unpacked->order.size(), 64u);
  for (size_t j = 0; j < 64; ++j) EXPECT_EQ(unpacked->order[j], static_cast<int32_t>(j % 32 * 2 + j / 32));

  g_idx[0] = 2;
  EXPECT_THAT(MessageOfUnpack(WeightLayout::kGptq, view, 8, 64, 32), HasSubstr("column 0 in group 2 of 2"));
  g_idx[0] = 1;
  EXPECT_THAT(MessageOfUnpack(WeightLayout::kGptq, view, 8, 64, 32), HasSubstr("group 0 31 columns, not 32"));
}

TEST(WeightLayouts, RefusesWhatIsNoneOfThem) {
  constexpr auto kV2 = WeightLayout::kAwqInterleaved;
  const GroupedWeights weights = Random(8, 128, 64, 0, 2);
  auto packed = Pack(kV2, weights);
  ASSERT_TRUE(packed.ok());
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 96),
              AllOf(HasSubstr("a.qweight"), HasSubstr("128 columns are not whole groups of 96")));
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 16), HasSubstr("groups of 16"));
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 0), HasSubstr("groups of 0"));
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 10, 128, 64), HasSubstr("[10, 128] does not divide by [4, 64]"));
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 12, 128, 64),
              HasSubstr("qweight is [2, 128], the layout needs [3, 128]"));
  // Room for 8 groups where 16 are needed.
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 128),
              HasSubstr("scales is [16, 8], the layout needs [8, 8]"));
  PackedWeights view = packed->view();
  view.qweight.dtype = DType::kF16;
  EXPECT_THAT(MessageOfUnpack(kV2, view, 8, 128, 64), HasSubstr("qweight is of type f16, i16 is needed"));
  view = packed->view();
  view.zeros.dtype = DType::kI16;
  EXPECT_THAT(MessageOfUnpack(kV2, view, 8, 128, 64), HasSubstr("scaled zeros is of type i16"));
  view = packed->view();
  view.scales.data = nullptr;
  EXPECT_THAT(MessageOfUnpack(kV2, view, 8, 128, 64), HasSubstr("has no scales"));

  const auto set = [](Tensor& tensor, size_t index, float value) {
    const uint16_t bits = F32ToF16(value);
    std::memcpy(tensor.data() + 2 * index, &bits, 2);
  };
  const float scale = F16ToF32(weights.scales[0]);
  set(packed->zeros, 0, -scale * 3.3f);
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("not an integer from 0 to 15"));
  set(packed->scales, 0, 1.0f);
  set(packed->zeros, 0, -16.0f);
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("give the zero 16"));
  set(packed->zeros, 0, 1.0f);
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("give the zero -1"));
  set(packed->zeros, 0, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("not an integer"));
  set(packed->zeros, 0, -0.0f);
  set(packed->scales, 0, -1.0f);
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("the scale of row 0, group 0 is -1"));
  set(packed->scales, 0, std::numeric_limits<float>::infinity());
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("group 0 is inf"));
  set(packed->scales, 0, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(MessageOfUnpack(kV2, packed->view(), 8, 128, 64), HasSubstr("nan"));

  // A group of zeros is a legal one; what stands behind the last group is told, not refused.
  set(packed->scales, 0, 0.0f);
  set(packed->zeros, 0, 0.0f);
  set(packed->scales, 2 * 8, 1.0f);
  const auto unpacked = Unpack(kV2, packed->view(), 8, 128, 64, "w");
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_TRUE(unpacked->nonzero_padding);
}

TEST(WeightLayouts, RefusesToStoreWhatDoesNotFit) {
  GroupedWeights weights = Random(8, 64, 64, 1, 2);
  weights.zeros[3] = F32ToF16(0.0f);
  EXPECT_THAT(MessageOf(Pack(WeightLayout::kGptq, weights).status()),
              HasSubstr("the zero of row 3, group 0 is 0, the layout GPTQ holds integers from 1 to 16"));
  weights.zeros[3] = F32ToF16(7.5f);
  EXPECT_THAT(MessageOf(Pack(WeightLayout::kAwqGemv, weights).status()), HasSubstr("integers from 0 to 15"));
  EXPECT_THAT(MessageOf(Pack(WeightLayout::kGptqV2, weights).status()), HasSubstr("is 7.5"));
  weights = Random(8, 64, 64, 0, 2);
  weights.scales[1] = F32ToF16(60000.0f);
  weights.zeros[1] = F32ToF16(2.0f);
  EXPECT_THAT(MessageOf(Pack(WeightLayout::kAwqInterleaved, weights).status()), HasSubstr("beyond f16"));
  EXPECT_FALSE(Pack(WeightLayout::kAwqGemm, MakeGroupedWeights(6, 64, 64)).ok());
}

TEST(GroupedWeights, DequantizeFollowsTheFormula) {
  const GroupedWeights weights = Random(3, 64, 32, 0, 4);
  std::vector<float> out(3 * 64);
  Dequantize(weights, out);
  for (size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i], F16ToF32(weights.scales[i / 32]) *
                          (static_cast<float>(weights.codes[i]) - F16ToF32(weights.zeros[i / 32])));
  }
  std::vector<float> regrouped(out.size());
  for (const int64_t group : {32, 16, 8}) {
    const GroupedWeights smaller = Regrouped(weights, group);
    EXPECT_EQ(smaller.group, group);
    Dequantize(smaller, regrouped);
    EXPECT_EQ(regrouped, out);
  }
  GroupedWeights8 bytes = MakeGroupedWeights8(2, 32, 16);
  for (size_t i = 0; i < bytes.codes.size(); ++i) bytes.codes[i] = static_cast<int8_t>(i * 5);
  bytes.scales = {0.5f, 1.0f, 2.0f, -3.0f};
  out.resize(64);
  Dequantize(bytes, out);
  for (size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i], bytes.scales[i / 16] * static_cast<float>(bytes.codes[i]));
  }
}

}  // namespace
}  // namespace galago
