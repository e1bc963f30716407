#include "train/world/several.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include "src/base/strings.h"
#include "train/world/question_reading.h"
#include "train/world/scene_questions.h"
#include "train/world/scenes.h"

namespace galago::world {
namespace {

using testing::Read;
using testing::Reading;

const char* YesNo(bool yes) { return yes ? "yes" : "no"; }

// Numbers that follow "image" or "picture": which pictures the question names, from 0.
std::vector<size_t> PicturesNamed(const Reading& reading) {
  std::vector<size_t> pictures;
  for (size_t i = 0; i + 1 < reading.words.size(); ++i) {
    const bool noun = reading.words[i] == "image" || reading.words[i] == "picture";
    if (noun && std::isdigit(static_cast<unsigned char>(reading.words[i + 1][0])) != 0) {
      pictures.push_back(std::stoul(reading.words[i + 1]) - 1);
    }
  }
  return pictures;
}

std::string Ranked(const std::vector<double>& keys, bool rising) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return rising ? keys[a] < keys[b] : keys[a] > keys[b]; });
  std::string text;
  for (const size_t index : order) text += StrCat(text.empty() ? "" : " ", index + 1);
  return text;
}

// Things of `a` that `b` has not, exactly as they are.
std::vector<Thing> Lacking(const Scene& a, const Scene& b) {
  std::vector<Thing> things;
  for (const Thing& thing : a.things) {
    if (std::find(b.things.begin(), b.things.end(), thing) == b.things.end()) things.push_back(thing);
  }
  return things;
}

std::string Solve(const Several& several, const Exchange& exchange) {
  const Reading reading = Read(exchange.question);
  const std::vector<Scene>& scenes = several.scenes;
  const std::string& kind = exchange.kind;
  const std::vector<size_t> named = PicturesNamed(reading);
  const auto counts = [&](const Description& description) {
    std::vector<double> numbers;
    for (const Scene& scene : scenes) numbers.push_back(static_cast<double>(CountOf(scene, description)));
    return numbers;
  };
  std::vector<double> radii;
  for (const Scene& scene : scenes) radii.push_back(scene.things[0].radius);
  const auto first_word = [](const std::string& text) { return text.substr(0, text.find(' ')); };
  if (kind == "same" || kind == "what-changed" || kind == "which-changed" || kind == "new" || kind == "missing") {
    const auto gone = Lacking(scenes[0], scenes[1]);
    const auto come = Lacking(scenes[1], scenes[0]);
    if (kind == "same") return YesNo(gone.empty() && come.empty());
    if (kind == "new") return come.size() == 1 && gone.empty() ? std::string(Shapes()[come[0].shape].one) : "unclear";
    if (kind == "missing")
      return gone.size() == 1 && come.empty() ? std::string(Shapes()[gone[0].shape].one) : "unclear";
    if (gone.size() != 1 || come.size() != 1 || gone[0].shape != come[0].shape) return "unclear";
    if (kind == "which-changed") return std::string(Shapes()[gone[0].shape].one);
    if (gone[0].colour != come[0].colour) return "colour";
    return gone[0].radius != come[0].radius ? "size" : "place";
  }
  if (kind == "odd") {
    std::string odd = "none";
    for (size_t i = 0; i < scenes.size(); ++i) {
      const Thing& thing = scenes[i].things[0];
      const Description same = {.shape = thing.shape, .colour = thing.colour};
      int alike = 0;
      for (const Scene& scene : scenes) alike += CountOf(scene, same) > 0 ? 1 : 0;
      if (alike == 1) odd = odd == "none" ? StrCat(i + 1) : "several";
    }
    return odd;
  }
  if (kind == "biggest") return first_word(Ranked(radii, false));
  if (kind == "smallest") return first_word(Ranked(radii, true));
  if (kind == "order-size") return Ranked(radii, exchange.question.find("smallest to") != std::string::npos);
  if (kind == "bigger-in") {
    if (named.size() != 2) return "pictures not named";
    return YesNo(radii[named[0]] > radii[named[1]]);
  }
  if (reading.mentions.empty()) return "no thing mentioned";
  const Description& last = reading.mentions.back();
  if (kind == "most") return first_word(Ranked(counts(last), false));
  if (kind == "fewest") return first_word(Ranked(counts(last), true));
  if (kind == "order-number") return Ranked(counts(last), exchange.question.find("fewest to") != std::string::npos);
  if (kind == "total") {
    const auto numbers = counts(last);
    return StrCat(static_cast<int64_t>(std::accumulate(numbers.begin(), numbers.end(), 0.0)));
  }
  if (kind == "more-in") {
    if (named.size() != 2) return "pictures not named";
    return YesNo(counts(last)[named[0]] > counts(last)[named[1]]);
  }
  if (kind == "which-has") {
    std::string found = "none";
    for (size_t i = 0; i < scenes.size(); ++i) {
      if (CountOf(scenes[i], last) > 0) found = found == "none" ? StrCat(i + 1) : "several";
    }
    return found;
  }
  if (named.size() != 1) return "picture not named";
  const Scene& scene = scenes[named[0]];
  if (kind == "one-exist") return YesNo(CountOf(scene, last) > 0);
  if (kind == "one-count") return StrCat(CountOf(scene, last));
  const Thing* one = testing::TheOne(scene, last);
  if (one == nullptr) return "ambiguous";
  if (kind == "one-colour") return std::string(Palette()[one->colour].name);
  if (kind == "one-shape") return std::string(Shapes()[one->shape].one);
  return "unknown kind";
}

TEST(Several, AnswersAreWhatAPersonFinds) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    Rng rng(11);
    std::map<std::string, int> kinds;
    for (int i = 0; i < 4000; ++i) {
      const Several several = DrawSeveral(rng, split);
      ASSERT_GE(several.scenes.size(), 2U);
      ASSERT_LE(several.scenes.size(), 4U);
      ASSERT_GE(several.exchanges.size(), 1U);
      for (const Exchange& exchange : several.exchanges) {
        ++kinds[exchange.kind];
        ASSERT_EQ(Solve(several, exchange), exchange.answer) << i << " " << exchange.kind << ": " << exchange.question;
      }
      if (split == Split::kHeldout) continue;
      for (const Scene& scene : several.scenes) {
        for (const Thing& thing : scene.things) ASSERT_FALSE(IsHeldOut(thing.colour, thing.shape)) << i;
      }
    }
    EXPECT_EQ(kinds.size(), 20U);
  }
}

TEST(Several, NoAnswerDominatesItsKind) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    Rng rng(12);
    std::map<std::string, std::map<std::string, int>> answers;
    for (int i = 0; i < 6000; ++i) {
      for (const Exchange& exchange : DrawSeveral(rng, split).exchanges) ++answers[exchange.kind][exchange.answer];
    }
    for (const auto& [kind, counts] : answers) {
      int total = 0;
      int most = 0;
      for (const auto& [answer, count] : counts) {
        total += count;
        most = std::max(most, count);
      }
      EXPECT_LE(most, total * 0.5 + 4 * 0.5 * std::sqrt(total)) << kind;
    }
  }
}

TEST(Several, HeldOutWordingsAreNewButTheirWordsAreNot) {
  std::set<std::string> skeletons;
  std::set<std::string> words;
  Rng rng(14);
  for (int i = 0; i < 4000; ++i) {
    for (const Exchange& exchange : DrawSeveral(rng, Split::kTrain).exchanges) {
      const Reading reading = Read(exchange.question);
      skeletons.insert(reading.skeleton);
      words.insert(reading.words.begin(), reading.words.end());
    }
    // Words may also come from the questions about single pictures.
    for (const Exchange& exchange : AskAbout(DrawScene(rng, Split::kTrain), 3, rng, Split::kTrain)) {
      const Reading reading = Read(exchange.question);
      words.insert(reading.words.begin(), reading.words.end());
    }
  }
  for (int i = 0; i < 2000; ++i) {
    for (const Exchange& exchange : DrawSeveral(rng, Split::kHeldout).exchanges) {
      const Reading reading = Read(exchange.question);
      EXPECT_EQ(skeletons.count(reading.skeleton), 0U) << exchange.question;
      for (const std::string& word : reading.words) EXPECT_EQ(words.count(word), 1U) << word;
    }
  }
}

TEST(Several, SizesInARowDifferByHalf) {
  Rng rng(13);
  for (int i = 0; i < 2000; ++i) {
    const Several several = DrawSeveral(rng, Split::kTrain);
    const bool sized = std::any_of(several.exchanges.begin(), several.exchanges.end(),
                                   [](const Exchange& exchange) { return exchange.kind == "order-size"; });
    if (!sized) continue;
    for (size_t a = 0; a < several.scenes.size(); ++a) {
      for (size_t b = 0; b < a; ++b) {
        const double ratio = several.scenes[a].things[0].radius / several.scenes[b].things[0].radius;
        EXPECT_GE(std::max(ratio, 1 / ratio), 1.4);
      }
    }
  }
}

}  // namespace
}  // namespace galago::world
