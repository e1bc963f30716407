#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>

#include "train/world/makers.h"

namespace galago::world {
namespace {

using ::testing::AnyOf;
using ::testing::SizeIs;

int64_t NumberIn(std::string_view text) {
  const size_t at = text.find_first_of("0123456789");
  int64_t number = -1;
  if (at != std::string_view::npos) std::from_chars(text.data() + at, text.data() + text.size(), number);
  return number;
}

TEST(Dials, AnswersAgreeWithTheReading) {
  const auto task = MakeDials({});
  ASSERT_TRUE(task.ok()) << task.status();
  std::set<int64_t> values;
  int zones = 0;
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (uint64_t i = 0; i < 300; ++i) {
      const Sample sample = DrawSample(**task, split, 1, i);
      ASSERT_THAT(sample.media, SizeIs(1));
      const int64_t value = NumberIn(sample.exchanges[0].answer);
      EXPECT_EQ(sample.exchanges[0].kind, "value");
      values.insert(value);
      EXPECT_EQ(sample.exchanges[1].kind, "more");
      EXPECT_EQ(sample.exchanges[1].answer, value > NumberIn(sample.exchanges[1].question) ? "yes" : "no");
      if (sample.exchanges.size() < 3) continue;
      ++zones;
      EXPECT_THAT(sample.exchanges[2].answer, AnyOf("green", "yellow", "red"));
    }
  }
  EXPECT_EQ(*values.begin(), 0);
  EXPECT_EQ(*values.rbegin(), 10);
  EXPECT_THAT(values, SizeIs(11));
  EXPECT_GT(zones, 150);
}

TEST(Dials, HeldOutQuestionsAreWordedAnew) {
  const auto task = MakeDials({});
  ASSERT_TRUE(task.ok()) << task.status();
  std::set<std::string> shown;
  for (uint64_t i = 0; i < 300; ++i) shown.insert(DrawSample(**task, Split::kTrain, 1, i).exchanges[0].question);
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_FALSE(shown.contains(DrawSample(**task, Split::kHeldout, 1, i).exchanges[0].question));
  }
}

}  // namespace
}  // namespace galago::world
