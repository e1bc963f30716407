#include "train/world/lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "train/world/makers.h"
#include "train/world/question_reading.h"

namespace galago::world {
namespace {

using ::testing::UnorderedElementsAre;

List Colours() {
  static const Wordings kWordings = {{"What {head}: {names}?"}, {}};
  return {"colours", "colour", &kWordings, {{"fish", "red"}, {"cup", "blue"}, {"big star", "green"}}};
}

TEST(Lists, AnswersComeInTheOrderOfTheNames) {
  std::set<std::string> questions;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    const std::vector<Exchange> exchanges = QuestionsOf(std::vector<List>{Colours()}, Metric::kAnls, rng);
    ASSERT_EQ(exchanges.size(), 1U);
    EXPECT_EQ(exchanges[0].kind, "colours");
    EXPECT_EQ(exchanges[0].metric, Metric::kAnls);
    EXPECT_TRUE(exchanges[0].question.starts_with("What colour: "));
    EXPECT_THAT(
        testing::ReadList(exchanges[0]),
        UnorderedElementsAre(std::pair("fish", "red"), std::pair("cup", "blue"), std::pair("big star", "green")));
    questions.insert(exchanges[0].question);
  }
  EXPECT_EQ(questions.size(), 6U);
}

TEST(Lists, LongOnesAreCut) {
  List list = Colours();
  for (const char* name : {"key", "moon", "ring", "car"}) list.items.push_back({name, "black"});
  Rng rng(1);
  const std::vector<Exchange> exchanges = QuestionsOf(std::vector<List>{list}, Metric::kExact, rng);
  EXPECT_EQ(testing::ReadList(exchanges[0]).size(), 6U);
}

TEST(Lists, TextTellsEveryItemOnce) {
  std::set<std::string> texts;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const std::string text = FactsOf({Colours(), {"counts", "count", nullptr, {{"moons", "0"}}}}, rng);
    const size_t cut = text.find(". ");
    ASSERT_NE(cut, std::string::npos);
    std::string first = text.substr(0, cut);
    std::string second = text.substr(cut + 2, text.size() - cut - 3);
    EXPECT_EQ(text.back(), '.');
    if (first.starts_with("count")) first.swap(second);
    EXPECT_EQ(second, "count: moons 0");
    ASSERT_TRUE(first.starts_with("colour: ")) << text;
    EXPECT_THAT(testing::Parts(first.substr(8)), UnorderedElementsAre("fish red", "cup blue", "big star green"));
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), 12U) << "every order of lists and items";
}

TEST(Facts, AreCaptionsOfOnePicture) {
  const auto task = MakeFacts({});
  ASSERT_TRUE(task.ok()) << MessageOf(task.status());
  std::set<std::string> titles;
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (uint64_t i = 0; i < 100; ++i) {
      const Sample sample = DrawSample(**task, split, 1, i);
      EXPECT_EQ(sample.form, Form::kCaption);
      EXPECT_EQ(sample.media.size(), 1U);
      ASSERT_EQ(sample.exchanges.size(), 1U);
      EXPECT_EQ(sample.exchanges[0].question, "");
      std::string_view text = sample.exchanges[0].answer;
      for (size_t colon = text.find(": "); colon != std::string_view::npos; colon = text.find(": ")) {
        titles.emplace(text.substr(0, colon));
        text.remove_prefix(std::min(text.find(". ", colon) + 2, text.size()));
      }
    }
  }
  for (const char* title :
       {"colour", "place", "count", "there", "value", "size", "pattern", "side", "at", "price", "read"}) {
    EXPECT_TRUE(titles.contains(title)) << title;
  }
}

}  // namespace
}  // namespace galago::world
