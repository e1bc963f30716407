#include "train/world/lexicon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace galago::world {
namespace {

TEST(Lexicon, IsSortedLowerCaseAndHasThousandsOfWords) {
  const auto words = Lexicon();
  EXPECT_GT(words.size(), 3000U);
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
  EXPECT_EQ(std::adjacent_find(words.begin(), words.end()), words.end());
  for (const std::string_view word : words) {
    EXPECT_THAT(word.size(), testing::AllOf(testing::Ge(3), testing::Le(9))) << word;
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string_view::npos) << word;
  }
}

TEST(Lexicon, TrainingNeverDrawsAHeldoutWord) {
  Rng rng(1);
  std::set<std::string_view> drawn;
  for (int i = 0; i < 20000; ++i) {
    const std::string_view word = PickWord(rng, Split::kTrain, 3, 9);
    EXPECT_FALSE(IsHeldoutWord(word)) << word;
    drawn.insert(word);
  }
  EXPECT_GT(drawn.size(), 2000U);
}

TEST(Lexicon, AboutHalfOfAHeldoutPicturesWordsAreHeldOut) {
  Rng rng(2);
  int heldout = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) heldout += IsHeldoutWord(PickWord(rng, Split::kHeldout, 3, 6)) ? 1 : 0;
  EXPECT_NEAR(heldout, kDraws / 2, 200);  // more than six standard deviations
}

TEST(Lexicon, InventedWordsAreInNoSlice) {
  Rng rng(3);
  const auto words = Lexicon();
  for (int i = 0; i < 2000; ++i) {
    const std::string word = InventWord(rng, 3, 8);
    EXPECT_THAT(word.size(), testing::AllOf(testing::Ge(3), testing::Le(8)));
    EXPECT_FALSE(std::binary_search(words.begin(), words.end(), std::string_view(word))) << word;
  }
}

TEST(Nouns, EveryTopicHasNamesForBothSplits) {
  for (int t = 0; t <= static_cast<int>(Topic::kMonth); ++t) {
    const auto topic = static_cast<Topic>(t);
    const auto all = Nouns(topic);
    EXPECT_EQ(std::set<std::string_view>(all.begin(), all.end()).size(), all.size()) << t;
    EXPECT_GE(NounsOf(topic, Split::kTrain).size(), 7U) << t;
    Rng rng(static_cast<uint64_t>(t));
    const std::vector<std::string> picked = PickNouns(topic, 4, 9, rng, Split::kHeldout);
    EXPECT_EQ(std::set<std::string>(picked.begin(), picked.end()).size(), 4U) << t;
  }
}

}  // namespace
}  // namespace galago::world
