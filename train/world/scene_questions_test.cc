#include "train/world/scene_questions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "src/base/strings.h"
#include "train/world/question_reading.h"
#include "train/world/scenes.h"

namespace galago::world {
namespace {

using testing::Read;
using testing::Reading;
using testing::TheOne;

constexpr int kScenes = 3000;

struct Asked {
  Scene scene;
  std::vector<Exchange> exchanges;
};
Asked Draw(Split split, int index) {
  Rng rng(MixSeed(77, Name(split), static_cast<uint64_t>(index)));
  Asked asked;
  asked.scene = DrawScene(rng, split);
  asked.exchanges = AskAbout(asked.scene, 6, rng, split);
  return asked;
}

std::vector<Exchange> DrawLists(int index) {
  Rng rng(MixSeed(79, "lists", static_cast<uint64_t>(index)));
  const Scene scene = DrawScene(rng, Split::kTrain);
  return QuestionsOf(ListsOf(scene, rng), Metric::kExact, rng);
}

const char* YesNo(bool yes) { return yes ? "yes" : "no"; }

// How far b lies from a in the direction the question names.
double Along(const Reading& reading, const Thing& a, const Thing& b) {
  if (reading.Has("left")) return a.x - b.x;
  if (reading.Has("right")) return b.x - a.x;
  if (reading.Has("above")) return a.y - b.y;
  EXPECT_TRUE(reading.Has("below") || reading.Has("under"));
  return b.y - a.y;
}

// Thirds of the picture, from words and from a place: 0, 1, 2.
std::pair<int, int> CellNamed(const Reading& reading) {
  const int column = reading.Has("left") ? 0 : reading.Has("right") ? 2 : 1;
  const int row = reading.Has("top") ? 0 : reading.Has("bottom") ? 2 : 1;
  return {column, row};
}
std::pair<int, int> CellOf(const Scene& scene, const Thing& thing) {
  return {static_cast<int>(3 * thing.x / static_cast<double>(scene.width)),
          static_cast<int>(3 * thing.y / static_cast<double>(scene.height))};
}

// The answer as a person would find it: from the question's text and the list of things alone.
std::string Solve(const Scene& scene, const Exchange& exchange) {
  const Reading reading = Read(exchange.question);
  const std::string& kind = exchange.kind;
  if (kind == "what-at") {
    // Side words alone ask for everything on that side.
    const auto [column, row] = CellNamed(reading);
    std::string found = "nothing";
    int count = 0;
    for (const Thing& thing : scene.things) {
      const auto cell = CellOf(scene, thing);
      const bool whole_column = row == 1 && column != 1;
      const bool whole_row = column == 1 && row != 1;
      if ((cell.first != column && !whole_row) || (cell.second != row && !whole_column)) continue;
      found = Shapes()[thing.shape].one;
      ++count;
    }
    return count == 1 ? found : "several";
  }
  if (reading.mentions.empty()) return "no thing mentioned";
  const Description& last = reading.mentions.back();
  const Thing* one = TheOne(scene, last);
  if (kind == "exist") return YesNo(CountOf(scene, last) > 0);
  if (kind == "count") return StrCat(CountOf(scene, last));
  if (kind == "more" || kind == "bigger" || kind == "relation" || kind == "same-colour") {
    if (reading.mentions.size() < 2) return "too few things mentioned";
    const Description& first = reading.mentions[reading.mentions.size() - 2];
    if (kind == "more") {
      const int64_t difference = CountOf(scene, first) - CountOf(scene, last);
      EXPECT_NE(difference, 0);
      return YesNo(reading.Has("more") == (difference > 0));
    }
    const Thing* other = TheOne(scene, first);
    if (one == nullptr || other == nullptr) return "ambiguous";
    if (kind == "same-colour") return YesNo(one->colour == other->colour);
    if (kind == "bigger") {
      const double ratio = other->radius / one->radius;
      EXPECT_GE(std::max(ratio, 1 / ratio), 1.49);
      return (ratio > 1) == reading.Has("bigger") ? first.One() : last.One();
    }
    const double along = Along(reading, *one, *other);
    EXPECT_GE(std::abs(along), one->radius + other->radius);
    return YesNo(along > 0 ? true : false);
  }
  if (one == nullptr) return "ambiguous";
  if (kind == "colour") return std::string(Palette()[one->colour].name);
  if (kind == "shape") return std::string(Shapes()[one->shape].one);
  if (kind == "material") return std::string(Name(one->material));
  if (kind == "size") return one->big ? "big" : "small";
  if (kind == "beside") {
    std::string found = "nothing";
    int count = 0;
    for (const Thing& thing : scene.things) {
      if (&thing == one || Along(reading, *one, thing) <= 0.2 * one->radius) continue;
      found = Shapes()[thing.shape].one;
      ++count;
    }
    return count == 1 ? found : "several";
  }
  if (kind == "where") {
    const auto [column, row] = CellOf(scene, *one);
    static constexpr const char* kCells[3][3] = {
        {"top left", "top", "top right"}, {"left", "middle", "right"}, {"bottom left", "bottom", "bottom right"}};
    return kCells[row][column];
  }
  return "unknown kind";
}

TEST(SceneQuestions, AnswersAreWhatAPersonFinds) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    std::map<std::string, int> kinds;
    for (int i = 0; i < kScenes; ++i) {
      const Asked asked = Draw(split, i);
      for (const Exchange& exchange : asked.exchanges) {
        ++kinds[exchange.kind];
        if (exchange.kind == "box" || exchange.kind == "in-box") continue;
        ASSERT_EQ(Solve(asked.scene, exchange), exchange.answer) << i << ": " << exchange.question;
      }
    }
    for (const QueryKind& kind : SceneQueries()) {
      const bool expected = split == Split::kTrain || !kind.train_only;
      EXPECT_EQ(kinds.count(std::string(kind.name)), expected ? 1U : 0U) << kind.name;
    }
  }
}

// Each item of a list is a question of its own.
TEST(SceneQuestions, ListsAnswerWhatTheyName) {
  const std::map<std::string, std::string> single = {{"colours", "colour"}, {"places", "where"},
                                                     {"sizes", "size"},     {"patterns", "material"},
                                                     {"present", "exist"},  {"counts", "count"}};
  std::map<std::string, int> lists;
  for (int i = 0; i < kScenes; ++i) {
    Rng rng(MixSeed(78, "lists", static_cast<uint64_t>(i)));
    const Scene scene = DrawScene(rng, Split::kTrain);
    for (const Exchange& list : QuestionsOf(ListsOf(scene, rng), Metric::kExact, rng)) {
      ++lists[list.kind];
      for (const auto& [name, answer] : testing::ReadList(list)) {
        ASSERT_EQ(Solve(scene, {.question = name, .kind = single.at(list.kind)}), answer) << list.question;
      }
    }
  }
  for (const auto& [kind, of_one] : single) EXPECT_GT(lists[kind], kScenes / 10) << kind;
}

TEST(SceneQuestions, BoxesHoldTheirThing) {
  for (int i = 0; i < kScenes; ++i) {
    const Asked asked = Draw(Split::kTrain, i);
    for (const Exchange& exchange : asked.exchanges) {
      if (exchange.kind != "box") continue;
      const Thing* thing = TheOne(asked.scene, Read(exchange.question).mentions.back());
      ASSERT_NE(thing, nullptr) << exchange.question;
      int64_t box[4];
      ASSERT_EQ(std::sscanf(exchange.answer.c_str(), "%ld %ld %ld %ld", &box[0], &box[1], &box[2], &box[3]), 4);
      const auto width = static_cast<double>(asked.scene.width);
      const auto height = static_cast<double>(asked.scene.height);
      EXPECT_NEAR(static_cast<double>(box[0] + box[2]) / 200 * width, thing->x, width / 100);
      EXPECT_NEAR(static_cast<double>(box[1] + box[3]) / 200 * height, thing->y, height / 100);
      EXPECT_NEAR(static_cast<double>(box[2] - box[0]) / 100 * width, 2 * thing->radius, width / 50);
    }
  }
}

// The question alone must not give the answer away.
TEST(SceneQuestions, NoAnswerDominatesItsKind) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    std::map<std::string, std::map<std::string, int>> answers;
    for (int i = 0; i < kScenes; ++i) {
      for (const Exchange& exchange : Draw(split, i).exchanges) ++answers[exchange.kind][exchange.answer];
    }
    for (const auto& [kind, counts] : answers) {
      int total = 0;
      int most = 0;
      for (const auto& [answer, count] : counts) {
        total += count;
        most = std::max(most, count);
      }
      // Two answers: a fair coin, within four standard deviations. More answers: none above three in ten.
      const double share = static_cast<double>(most) / total;
      const double limit = counts.size() == 2 ? 0.5 + 4 * 0.5 / std::sqrt(total) + 0.02 : 0.3;
      EXPECT_LE(share, limit) << kind;
    }
  }
}

TEST(SceneQuestions, ListsSayYesAsOftenAsNo) {
  double yes = 0;
  double all = 0;
  for (int i = 0; i < kScenes; ++i) {
    for (const Exchange& list : DrawLists(i)) {
      if (list.kind != "present") continue;
      for (const auto& [name, answer] : testing::ReadList(list)) {
        yes += answer == "yes" ? 1 : 0;
        ++all;
      }
    }
  }
  // A coin each; but what is there repeats sooner than what is not, and is then left out.
  EXPECT_GT(yes / all, 0.4);
  EXPECT_LT(yes / all, 0.55);
}

TEST(SceneQuestions, TrainingNeverSpeaksOfHeldOutCombinations) {
  for (int i = 0; i < kScenes; ++i) {
    std::vector<Exchange> exchanges = Draw(Split::kTrain, i).exchanges;
    for (Exchange& list : DrawLists(i)) exchanges.push_back(std::move(list));
    Rng rng(MixSeed(85, "finds", static_cast<uint64_t>(i)));
    const Scene scene = DrawScene(rng, Split::kTrain);
    for (const ListItem& item : FindsOf(scene, rng, Split::kTrain).items) exchanges.push_back({item.name, item.answer});
    for (const Exchange& exchange : exchanges) {
      for (const Description& mention : Read(exchange.question).mentions) {
        if (!mention.shape || !mention.colour) continue;
        EXPECT_FALSE(IsHeldOut(*mention.colour, *mention.shape)) << exchange.question;
      }
    }
  }
}

TEST(SceneQuestions, HeldOutWordingsAreNewButTheirWordsAreNot) {
  std::set<std::string> skeletons;
  std::set<std::string> words;
  for (int i = 0; i < kScenes; ++i) {
    for (const Exchange& exchange : Draw(Split::kTrain, i).exchanges) {
      const Reading reading = Read(exchange.question);
      skeletons.insert(reading.skeleton);
      words.insert(reading.words.begin(), reading.words.end());
    }
    // A list of one would be "Is there: cup?".
    for (const Exchange& list : DrawLists(i))
      skeletons.insert(Read(list.question.substr(0, list.question.find(", "))).skeleton);
  }
  for (int i = 0; i < kScenes; ++i) {
    for (const Exchange& exchange : Draw(Split::kHeldout, i).exchanges) {
      const Reading reading = Read(exchange.question);
      EXPECT_EQ(skeletons.count(reading.skeleton), 0U) << exchange.question;
      for (const std::string& word : reading.words) EXPECT_EQ(words.count(word), 1U) << word;
    }
  }
}

TEST(SceneQuestions, QuestionsOfOnePictureDiffer) {
  for (int i = 0; i < kScenes; ++i) {
    std::set<std::string> questions;
    for (const Exchange& exchange : Draw(Split::kTrain, i).exchanges) {
      EXPECT_TRUE(questions.insert(exchange.question).second) << exchange.question;
    }
  }
}

TEST(SceneQuestions, ComparisonsAreAskedOnce) {
  std::set<std::string> kinds;
  for (int index = 0; index < 300; ++index) {
    Rng rng(MixSeed(81, "comparisons", static_cast<uint64_t>(index)));
    const Scene scene = DrawScene(rng, Split::kTrain);
    const std::vector<Exchange> exchanges = AskComparisons(scene, 5, rng, Split::kTrain);
    EXPECT_LE(exchanges.size(), 5U);
    std::set<std::vector<std::string>> compared;
    for (const Exchange& exchange : exchanges) {
      EXPECT_EQ(exchange.kind, exchanges[0].kind);
      EXPECT_TRUE(exchange.answer == "yes" || exchange.answer == "no");
      const Reading reading = Read(exchange.question);
      std::vector<std::string> names;
      for (const Description& mention : reading.mentions) names.push_back(mention.One());
      std::ranges::sort(names);
      EXPECT_TRUE(compared.insert(names).second) << exchange.question;
      kinds.insert(exchange.kind);
    }
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"more", "relation"}));
}

TEST(SceneQuestions, WhatIsListedIsAsked) {
  std::map<std::string, int> asked;
  for (int index = 0; index < 400; ++index) {
    Rng rng(MixSeed(83, "finds", static_cast<uint64_t>(index)));
    const Scene scene = DrawScene(rng, Split::kTrain);
    const List list = FindsOf(scene, rng, Split::kTrain);
    const std::vector<Exchange> exchanges = AskFor(list, rng, Split::kTrain);
    size_t at = 0;
    for (const ListItem& item : list.items) {
      if (item.answer == "no" && list.title != "there") continue;
      ASSERT_LT(at, exchanges.size());
      const Exchange& exchange = exchanges[at++];
      EXPECT_EQ(exchange.answer, item.answer);
      EXPECT_NE(exchange.question.find(item.name), std::string::npos) << exchange.question << " " << item.name;
      ++asked[exchange.kind];
    }
    EXPECT_EQ(at, exchanges.size());
  }
  for (const char* kind : {"exist", "where", "count", "colour"}) EXPECT_GT(asked[kind], 50) << kind;
}

TEST(SceneQuestions, TypedQuestionsKeepTheirWords) {
  Rng rng(3);
  bool changed = false;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(AsTyped("What colour is the star?", rng, Split::kHeldout), "What colour is the star?");
    std::string typed = AsTyped("What colour is the star?", rng, Split::kTrain);
    changed = changed || typed != "What colour is the star?";
    auto words = testing::WordsOf(typed);
    std::replace(words.begin(), words.end(), std::string("color"), std::string("colour"));
    EXPECT_EQ(words, testing::WordsOf("What colour is the star?"));
  }
  EXPECT_TRUE(changed);
}

}  // namespace
}  // namespace galago::world
