#include "train/world/phrases.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace galago::world {
namespace {

TEST(Phrases, FillPutsValuesInTheirPlaces) {
  EXPECT_EQ(Fill("Is the {x} {side} the {y}?", {{"x", "star"}, {"y", "cup"}, {"side", "left of"}}),
            "Is the star left of the cup?");
  EXPECT_EQ(Fill("{x}{x}", {{"x", "a"}}), "aa");
  EXPECT_EQ(Fill("nothing", {{"x", "a"}}), "nothing");
  EXPECT_EQ(Fill("", {}), "");
}

TEST(PhrasesDeathTest, EveryMarkNeedsAValue) {
  EXPECT_DEATH(Fill("the {y}", {{"x", "a"}}), "found");
  EXPECT_DEATH(Fill("the {y", {{"y", "a"}}), "npos");
}

TEST(Phrases, EachSplitHasItsWordings) {
  const Wordings wordings = {{"a {x}", "b {x}"}, {"c {x}"}};
  Rng rng(1);
  bool saw_a = false;
  bool saw_b = false;
  for (int i = 0; i < 50; ++i) {
    const std::string train = Say(wordings, rng, Split::kTrain, {{"x", "1"}});
    saw_a = saw_a || train == "a 1";
    saw_b = saw_b || train == "b 1";
    EXPECT_TRUE(train == "a 1" || train == "b 1");
    EXPECT_EQ(Say(wordings, rng, Split::kHeldout, {{"x", "1"}}), "c 1");
  }
  EXPECT_TRUE(saw_a && saw_b);
}

TEST(PhrasesDeathTest, TrainingShowsNoHeldOutWording) {
  EXPECT_DEATH(Wordings({"a {x}", "b {x}"}, {"c {x}", "b {x}"}), "find");
}

TEST(Phrases, FramesLeaveTheQuestionWhole) {
  Rng rng(2);
  std::set<std::string> framed;
  int untouched = 0;
  constexpr int kDraws = 2000;
  for (int i = 0; i < kDraws; ++i) {
    std::string text = Framed("Is it red?", rng);
    EXPECT_TRUE(text.find("Is it red?") != std::string::npos || text.find(": is it red?") != std::string::npos) << text;
    untouched += text == "Is it red?" ? 1 : 0;
    framed.insert(std::move(text));
    EXPECT_NE(Framed("Anna has a hat. Who has it?", rng).find("Anna"), std::string::npos);
    EXPECT_EQ(Framed("", rng), "");
    EXPECT_EQ(Framed("Image 1: <image>\nIs it red?", rng), "Image 1: <image>\nIs it red?");
    EXPECT_TRUE(Framed("Sort: 3 1 2", rng).ends_with("ort: 3 1 2"));  // nothing may lengthen the list
  }
  EXPECT_NEAR(untouched, kDraws * 0.8, 5 * std::sqrt(kDraws * 0.8 * 0.2));  // five standard deviations
  EXPECT_GT(framed.size(), 15U);
}

TEST(Phrases, Words) {
  EXPECT_EQ(WithArticle("star"), "a star");
  EXPECT_EQ(WithArticle("orange cup"), "an orange cup");
  const std::vector<std::string> words = {"a", "b", "c"};
  EXPECT_EQ(JoinWords(words), "a, b and c");
  EXPECT_EQ(JoinWords(std::span(words).first(2)), "a and b");
  EXPECT_EQ(JoinWords(std::span(words).first(1)), "a");
  EXPECT_EQ(JoinWords({}), "");
  EXPECT_EQ(Capitalised("two cups"), "Two cups");
  EXPECT_EQ(Capitalised(""), "");
  EXPECT_EQ(Capitalised("7 cups"), "7 cups");
  EXPECT_EQ(Upper("b2 Red fish"), "B2 RED FISH");
  EXPECT_EQ(NumberWord(0), "zero");
  EXPECT_EQ(NumberWord(12), "twelve");
}

}  // namespace
}  // namespace galago::world
