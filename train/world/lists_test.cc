#include "train/world/lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
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
  const Exchange exchange = FindsExchange({"finds", "place", nullptr, {{"fish", "top left"}, {"red cup", "no"}}});
  EXPECT_EQ(exchange.answer, "place: fish top left, red cup no.");
  ASSERT_EQ(exchange.told.size(), 2U);
  const auto text = [&](const ByteRange& told) { return exchange.answer.substr(told.begin, told.end - told.begin); };
  EXPECT_EQ(text(exchange.told[0]), " top left");
  EXPECT_EQ(text(exchange.told[1]), " no");
}

// Whatever came before, the next is there as often as not.
TEST(Lists, SoughtItemsSayNothingOfTheNext) {
  std::map<std::string, std::pair<int, int>> next;  // by the answers before: yes, all
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    Rng rng(seed);
    const auto absent = [] { return std::optional(ListItem{"x", "no"}); };
    std::string before;
    for (const ListItem& item : SoughtItems({{"a", "yes"}, {"b", "yes"}}, 6, 0.5, rng, absent)) {
      auto& [yes, all] = next[before];
      yes += item.answer == "yes" ? 1 : 0;
      ++all;
      before += item.answer == "yes" ? 'y' : 'n';
    }
  }
  EXPECT_TRUE(next.contains("nynnn"));
  EXPECT_FALSE(next.contains("yy")) << "both were found";
  for (const auto& [before, votes] : next) {
    EXPECT_NEAR(votes.first, 0.5 * votes.second, 2.5 * std::sqrt(votes.second)) << before;
  }
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

// Of a scene whose things are known: what is found is true, and nothing is asked twice.
TEST(Finds, AreTrueOfTheirScene) {
  std::map<std::string, std::pair<int, int>> votes;  // by title: in vain, all
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Rng rng(seed);
    const Scene scene = DrawScene(rng, Split::kTrain);
    const List list = FindsOf(scene, rng, Split::kTrain);
    std::set<std::string> names;
    std::set<const Thing*> found;
    for (const ListItem& item : list.items) {
      EXPECT_TRUE(names.insert(item.name).second) << item.name;
      const std::vector<const Thing*> meant = Meant(scene, item.name);
      const bool absent = item.answer == "no" || item.answer == "0";
      ASSERT_EQ(meant.empty(), absent) << item.name << " " << item.answer;
      votes[list.title].first += absent ? 1 : 0;
      ++votes[list.title].second;
      if (absent) continue;
      if (list.title == "place" || list.title == "colour") {
        EXPECT_EQ(meant.size(), 1U) << item.name;
        EXPECT_TRUE(found.insert(meant[0]).second) << item.name << " is one that was asked for before";
      }
      const std::map<std::string, std::string> truth = {{"count", std::to_string(meant.size())},
                                                        {"there", "yes"},
                                                        {"place", std::string(PlaceOf(scene, *meant[0]).value_or(""))},
                                                        {"colour", std::string(Palette()[meant[0]->colour].name)}};
      EXPECT_EQ(item.answer, truth.at(list.title)) << item.name;
    }
  }
  EXPECT_EQ(votes.size(), 4U);
  for (const auto& [title, in_vain] : votes) {
    const double share = title == "count" ? 0.25 : 0.5;
    EXPECT_NEAR(in_vain.first, share * in_vain.second, 2.5 * std::sqrt(in_vain.second)) << title;
  }
}

TEST(Finds, CompareTruly) {
  std::map<std::string, int> answers;
  std::set<bool> of_numbers;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    Rng rng(seed);
    const Scene scene = DrawScene(rng, Split::kTrain);
    for (const ListItem& item : ComparisonsOf(scene, rng).items) {
      CheckComparison(scene, item);
      ++answers[item.answer];
      of_numbers.insert(item.name.find(" than ") != std::string::npos);
    }
  }
  EXPECT_EQ(of_numbers.size(), 2U);
  const int all = answers["yes"] + answers["no"];
  EXPECT_GT(all, 500);
  EXPECT_NEAR(answers["yes"], 0.5 * all, 2.5 * std::sqrt(all));
}

TEST(Finds, AreTextsWhosePartsAreToldOrQuestions) {
  const auto task = MakeFinds({});
  ASSERT_TRUE(task.ok()) << MessageOf(task.status());
  constexpr int kSamples = 400;
  int texts = 0;
  for (uint64_t i = 0; i < kSamples; ++i) {
    const Sample sample = DrawSample(**task, Split::kTrain, 1, i);
    ASSERT_FALSE(sample.exchanges.empty());
    std::set<std::string> kinds;
    for (const Exchange& exchange : sample.exchanges) {
      kinds.insert(exchange.kind);
      const bool text = sample.form == Form::kCaption;
      EXPECT_EQ(exchange.question.empty(), text);
      EXPECT_EQ(exchange.told.empty(), !text);
    }
    EXPECT_EQ(kinds.size(), 1U);
    texts += sample.form == Form::kCaption ? 1 : 0;
  }
  EXPECT_NEAR(texts, 0.5 * kSamples, 2.5 * std::sqrt(kSamples));
}

}  // namespace
}  // namespace galago::world
