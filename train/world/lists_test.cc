#include "train/world/lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/question_reading.h"
#include "train/world/scene_questions.h"
#include "train/world/scenes.h"
#include "train/world/things.h"

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

TEST(Lists, FindsMarkWhatIsTold) {
  std::set<std::string> texts;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    const Exchange exchange =
        FindsExchange({"finds", "place", nullptr, {{"fish", "top left"}, {"red cup", "no"}}}, rng);
    ASSERT_EQ(exchange.told.size(), 2U);
    std::set<std::string> told;
    for (const auto& [begin, end] : exchange.told) told.insert(exchange.answer.substr(begin, end - begin));
    EXPECT_THAT(told, UnorderedElementsAre(" top left", " no"));
    texts.insert(exchange.answer);
  }
  EXPECT_THAT(texts, UnorderedElementsAre("place: fish top left, red cup no.", "place: red cup no, fish top left."));
}

// Things of the scene that "big red star" or "stars" may mean.
std::vector<const Thing*> Meant(const Scene& scene, std::string_view name) {
  std::vector<const Thing*> meant;
  for (const Thing& thing : scene.things) {
    for (unsigned parts = 1; parts < 16; ++parts) {
      Description description;
      if ((parts & 1U) != 0) description.shape = thing.shape;
      if ((parts & 2U) != 0) description.colour = thing.colour;
      if ((parts & 4U) != 0) description.material = thing.material;
      if ((parts & 8U) != 0) description.big = thing.big;
      if (name != description.One() && name != description.Many()) continue;
      meant.push_back(&thing);
      break;
    }
  }
  return meant;
}

// "star left of ring" or "more stars than rings": the answer says whether it is so.
void CheckComparison(const Scene& scene, const ListItem& item) {
  const bool more = item.name.starts_with("more ");
  if (more || item.name.starts_with("fewer ")) {
    const size_t begin = item.name.find(' ') + 1, than = item.name.find(" than ");
    const size_t one = Meant(scene, item.name.substr(begin, than - begin)).size();
    const size_t two = Meant(scene, item.name.substr(than + 6)).size();
    EXPECT_EQ(item.answer == "yes", more ? one > two : one < two) << item.name;
    return;
  }
  static constexpr std::array<std::pair<std::string_view, Side>, 7> kPhrases = {{{" to the left of ", Side::kLeft},
                                                                                 {" left of ", Side::kLeft},
                                                                                 {" to the right of ", Side::kRight},
                                                                                 {" right of ", Side::kRight},
                                                                                 {" above ", Side::kAbove},
                                                                                 {" below ", Side::kBelow},
                                                                                 {" under ", Side::kBelow}}};
  for (const auto& [phrase, side] : kPhrases) {
    const size_t at = item.name.find(phrase);
    if (at == std::string::npos) continue;
    const auto one = Meant(scene, item.name.substr(0, at));
    const auto two = Meant(scene, item.name.substr(at + phrase.size()));
    ASSERT_EQ(one.size(), 1U) << item.name;
    ASSERT_EQ(two.size(), 1U) << item.name;
    EXPECT_TRUE(LiesClearly(*one[0], item.answer == "yes" ? side : Opposite(side), *two[0])) << item.name;
    return;
  }
  ADD_FAILURE() << "no comparison: " << item.name;
}

// Of a scene whose things are known: what is found is true, and half is looked for in vain.
TEST(Finds, AreTrueOfTheirScene) {
  std::set<std::string> titles;
  int64_t found = 0, missed = 0;
  std::map<std::string, int64_t> comparisons;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed);
    const Scene scene = DrawScene(rng, Split::kTrain);
    const List list = FindsOf(scene, rng, Split::kTrain);
    if (list.items.empty()) continue;
    titles.insert(list.title);
    std::set<std::string> names;
    if (list.title == "so") {
      for (const ListItem& item : list.items) {
        CheckComparison(scene, item);
        ++comparisons[item.answer];
      }
      continue;
    }
    for (const ListItem& item : list.items) {
      EXPECT_TRUE(names.insert(item.name).second) << item.name;
      std::vector<const Thing*> fitting;
      for (const Thing& thing : scene.things) {
        for (const bool shape : {false, true}) {
          for (const bool colour : {false, true}) {
            Description description;
            if (shape) description.shape = thing.shape;
            if (colour) description.colour = thing.colour;
            const bool named = item.name == (list.title == "count" ? description.Many() : description.One());
            if (named && (shape || colour)) fitting.push_back(&thing);
          }
        }
      }
      const bool absent = item.answer == "no" || item.answer == "0";
      EXPECT_EQ(fitting.empty(), absent) << item.name << " " << item.answer;
      (absent ? missed : found) += 1;
      if (absent) continue;
      if (list.title == "count") {
        EXPECT_EQ(item.answer, std::to_string(fitting.size()));
      }
      if (list.title == "there") {
        EXPECT_EQ(item.answer, "yes");
      }
      if (list.title == "place") {
        EXPECT_EQ(item.answer, PlaceOf(scene, *fitting.front()));
      }
      if (list.title == "colour") {
        EXPECT_EQ(item.answer, Palette()[fitting.front()->colour].name);
      }
    }
  }
  EXPECT_THAT(titles, UnorderedElementsAre("colour", "count", "place", "so", "there"));
  EXPECT_EQ(comparisons.size(), 2U);
  EXPECT_NEAR(static_cast<double>(comparisons["yes"]) / static_cast<double>(comparisons["yes"] + comparisons["no"]),
              0.5, 0.1);
  EXPECT_NEAR(static_cast<double>(found) / static_cast<double>(found + missed), 0.5, 0.1);
}

TEST(Finds, LookForAsManyThingsInVain) {
  const auto stamps = LoadStamps({});
  ASSERT_TRUE(stamps.ok()) << MessageOf(stamps.status());
  std::set<std::string> titles;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng(seed);
    const Told told = FindThings(**stamps, rng, Split::kTrain);
    ASSERT_EQ(told.lists.size(), 1U);
    const List& list = told.lists[0];
    const auto in_vain = std::ranges::count_if(
        list.items, [](const ListItem& item) { return item.answer == "no" || item.answer == "0"; });
    EXPECT_LE(static_cast<size_t>(2 * in_vain), list.items.size() + 1) << list.title;
    if (!list.items.empty()) titles.insert(list.title);
  }
  EXPECT_THAT(titles, UnorderedElementsAre("place", "there", "count", "side", "top or bottom"));
}

TEST(Finds, AreTextsWhosePartsAreToldOrQuestionsOfOneKind) {
  const auto task = MakeFinds({});
  ASSERT_TRUE(task.ok()) << MessageOf(task.status());
  int texts = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const Sample sample = DrawSample(**task, Split::kTrain, 1, i);
    if (sample.form == Form::kCaption) {
      ++texts;
      ASSERT_EQ(sample.exchanges.size(), 1U);
      EXPECT_GE(sample.exchanges[0].told.size(), 2U) << sample.exchanges[0].answer;
      continue;
    }
    EXPECT_EQ(sample.form, Form::kConversation);
    EXPECT_GE(sample.exchanges.size(), 2U);
    for (const Exchange& exchange : sample.exchanges) {
      EXPECT_NE(exchange.question, "");
      EXPECT_TRUE(exchange.told.empty());
    }
  }
  EXPECT_GT(texts, 60);
  EXPECT_LT(texts, 140);
}

}  // namespace
}  // namespace galago::world
