#include "train/data/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace galago::train {
namespace {

using ::testing::ElementsAre;

const std::vector<int64_t> kLengths = {103, 8, 40, 3};

std::vector<int64_t> Order(int64_t world_size, int64_t rank, int64_t epoch = 0, uint64_t seed = 5) {
  return EpochOrder(kLengths,
                    {.world_size = world_size, .rank = rank, .micro_batch = 2, .accumulation = 2, .seed = seed}, epoch);
}

TEST(Sampler, EveryRankSeesItsOwnChunksOnce) {
  // A global batch is 2 * 2 * 2 = 8: 96 of 103, 8, 40, none of 3.
  std::set<int64_t> seen;
  for (const int64_t rank : {0, 1}) {
    const std::vector<int64_t> order = Order(2, rank);
    EXPECT_EQ(order.size(), 72u);
    for (const int64_t index : order) {
      EXPECT_TRUE(seen.insert(index).second) << index;
      const bool first_set = index < 96;
      const bool second_set = index >= 103 && index < 111;
      const bool third_set = index >= 111 && index < 151;
      EXPECT_TRUE(first_set || second_set || third_set) << index;
      if (first_set) {
        EXPECT_EQ(index / 48, rank);
      }
      if (second_set) {
        EXPECT_EQ((index - 103) / 4, rank);
      }
    }
  }
  EXPECT_EQ(seen.size(), 144u);
}

TEST(Sampler, SetsAreSpreadEvenly) {
  const std::vector<int64_t> order = Order(1, 0);
  ASSERT_EQ(order.size(), 148u);
  // The largest set takes every slot at i * 148 / 100; the others fill what is left, evenly as well.
  for (size_t begin = 0; begin + 37 <= order.size(); begin += 37) {
    const auto count = [&](int64_t low, int64_t high) {
      return std::count_if(order.begin() + static_cast<std::ptrdiff_t>(begin),
                           order.begin() + static_cast<std::ptrdiff_t>(begin + 37),
                           [&](int64_t i) { return i >= low && i < high; });
    };
    EXPECT_NEAR(static_cast<double>(count(0, 103)), 25.0, 1.0);
    EXPECT_NEAR(static_cast<double>(count(103, 111)), 2.0, 1.0);
    EXPECT_NEAR(static_cast<double>(count(111, 151)), 10.0, 1.0);
  }
}

// Two sets of 4 and 2 in six slots: the larger takes 0, 1, 3, 4, the smaller what is left.
TEST(Sampler, SlotsOfASmallCase) {
  const std::vector<int64_t> lengths = {2, 4};
  std::vector<int64_t> sets;
  for (const int64_t index : EpochOrder(lengths, {}, 0)) sets.push_back(index < 2 ? 0 : 1);
  EXPECT_THAT(sets, ElementsAre(1, 1, 0, 1, 1, 0));
}

TEST(Sampler, DependsOnSeedAndEpochAlone) {
  EXPECT_EQ(Order(2, 1), Order(2, 1));
  EXPECT_NE(Order(2, 1), Order(2, 1, /*epoch=*/1));
  EXPECT_NE(Order(2, 1), Order(2, 1, 0, /*seed=*/6));
  EXPECT_EQ(Order(2, 1, 1, 5), Order(2, 1, 0, 6));  // the generator starts from seed + epoch, as in the reference
  EXPECT_EQ(EpochLength(kLengths, {.world_size = 2, .micro_batch = 2, .accumulation = 2}), 72);
  EXPECT_TRUE(EpochOrder({}, {}, 0).empty());
}

TEST(Sampler, StepsHoldTheSameSamplesOnAnyNumberOfRanks) {
  const auto order = [](int64_t world_size, int64_t rank) {
    return EpochOrder(kLengths,
                      {.world_size = world_size,
                       .rank = rank,
                       .micro_batch = 2,
                       .accumulation = 4 / world_size,
                       .division = Division::kSteps},
                      1);
  };
  const std::vector<int64_t> alone = order(1, 0), first = order(2, 0), second = order(2, 1);
  ASSERT_EQ(alone.size(), first.size() + second.size());
  for (size_t i = 0; i < alone.size(); ++i) {
    const size_t step = i / 8, within = i % 8;
    EXPECT_EQ(alone[i], (within < 4 ? first : second)[step * 4 + within % 4]) << i;
  }
}

}  // namespace
}  // namespace galago::train
