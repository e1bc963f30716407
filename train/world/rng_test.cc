#include "train/world/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace galago::world {
namespace {

// Both generators are published with reference code; these values come from an implementation independent of ours
// (xoshiro256** seeded with splitmix64 of 0).
TEST(Rng, FollowsItsReference) {
  Rng rng(0);
  EXPECT_EQ(rng.Next(), 11091344671253066420U);
  EXPECT_EQ(rng.Next(), 13793997310169335082U);
  EXPECT_EQ(rng.Next(), 1900383378846508768U);
}

TEST(Rng, IntegersAreUniformAndIncludeBothEnds) {
  Rng rng(1);
  std::vector<int> counts(6);
  constexpr int kDraws = 60000;
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(rng.Int(-2, 3) + 2)];
  // Five standard deviations of a binomial count.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 6, 5 * 91);
  EXPECT_EQ(rng.Int(7, 7), 7);
  EXPECT_NO_FATAL_FAILURE(rng.Int(INT64_MIN, INT64_MAX));
}

TEST(Rng, UniformLiesInItsRange) {
  Rng rng(2);
  double least = 1.0;
  double most = 0.0;
  for (int i = 0; i < 10000; ++i) {
    const double value = rng.Uniform();
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_GE(least, 0.0);
  EXPECT_LT(least, 0.01);
  EXPECT_LT(most, 1.0);
  EXPECT_GT(most, 0.99);
}

TEST(Rng, ShuffleKeepsTheItems) {
  Rng rng(3);
  std::vector<int> items = {1, 2, 3, 4, 5, 6, 7, 8};
  std::set<std::vector<int>> orders;
  for (int i = 0; i < 20; ++i) {
    rng.Shuffle(items);
    orders.insert(items);
    std::vector<int> sorted = items;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  }
  EXPECT_GT(orders.size(), 15U);
}

TEST(Rng, SeedsOfDifferentSamplesDiffer) {
  std::set<uint64_t> seeds;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (const char* text : {"", "a", "b", "ab", "ba"}) {
      for (uint64_t number = 0; number < 10; ++number) seeds.insert(MixSeed(seed, text, number));
    }
  }
  EXPECT_EQ(seeds.size(), 500U);
  EXPECT_EQ(MixSeed(1, "scenes", 2), MixSeed(1, "scenes", 2));
}

}  // namespace
}  // namespace galago::world
