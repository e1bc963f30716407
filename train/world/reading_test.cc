#include "train/world/reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "src/base/strings.h"
#include "train/world/fonts.h"
#include "train/world/lexicon.h"
#include "train/world/makers.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr int kSamples = 400;

struct Drawn {
  Board board;
  media::Image image;
  std::vector<Exchange> exchanges;
};

Drawn Draw(uint64_t seed, Split split) {
  Rng rng(seed);
  Drawn drawn;
  drawn.board = PlanBoard(rng, split);
  drawn.image = PaintBoard(drawn.board, rng);
  drawn.exchanges = AskBoard(drawn.board, rng, split);
  return drawn;
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

const Exchange* Find(const Drawn& drawn, std::string_view kind) {
  for (const Exchange& exchange : drawn.exchanges) {
    if (exchange.kind == kind) return &exchange;
  }
  return nullptr;
}

TEST(Reading, TheSameSeedDrawsTheSamePicture) {
  const auto task = MakeReading({});
  ASSERT_TRUE(task.ok()) << task.status();
  for (uint64_t i = 0; i < 20; ++i) {
    const Sample first = DrawSample(**task, Split::kTrain, 5, i);
    DrawSample(**task, Split::kHeldout, 6, i + 1);  // what was drawn before does not matter
    const Sample second = DrawSample(**task, Split::kTrain, 5, i);
    EXPECT_TRUE(std::get<media::Image>(first.media[0]) == std::get<media::Image>(second.media[0])) << i;
    ASSERT_EQ(first.exchanges.size(), second.exchanges.size());
    for (size_t e = 0; e < first.exchanges.size(); ++e) {
      EXPECT_EQ(first.exchanges[e].question, second.exchanges[e].question);
      EXPECT_EQ(first.exchanges[e].answer, second.exchanges[e].answer);
    }
  }
}

TEST(Reading, AnswersFollowFromTheTextThatIsDrawn) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (uint64_t seed = 0; seed < kSamples; ++seed) {
      const Drawn drawn = Draw(seed, split);
      const std::string text = drawn.board.signs[0].Text();
      EXPECT_GE(drawn.exchanges.size(), 2U);
      EXPECT_LE(drawn.exchanges.size(), split == Split::kTrain ? 9U : 5U);
      for (const std::string_view kind : {"word", "line", "code", "number"}) {
        if (const Exchange* read = Find(drawn, kind)) {
          EXPECT_EQ(read->answer, text);
        }
      }
      if (const Exchange* spell = Find(drawn, "spell")) {
        EXPECT_EQ(ReplaceAll(spell->answer, " ", ""), text);
      }
      if (const Exchange* count = Find(drawn, "letter-count")) {
        EXPECT_EQ(count->answer, StrCat(text.size()));
      }
      if (const Exchange* last = Find(drawn, "last-letter")) {
        EXPECT_EQ(last->answer, text.substr(text.size() - 1));
      }
      if (const Exchange* match = Find(drawn, "match")) {
        const bool asked = match->question.find(StrCat("\"", text, "\"")) != std::string::npos;
        EXPECT_EQ(match->answer, asked ? "yes" : "no") << match->question;
      }
      if (const Exchange* count = Find(drawn, "word-count")) {
        EXPECT_EQ(count->answer, StrCat(1 + std::count(text.begin(), text.end(), ' ')));
      }
      if (const Exchange* first = Find(drawn, "first-word")) {
        EXPECT_EQ(first->answer, text.substr(0, text.find(' ')));
      }
      for (const Exchange& exchange : drawn.exchanges) {
        EXPECT_EQ(exchange.question.find('{'), std::string::npos);
        if (exchange.kind != "sign-word") continue;
        // Exactly one sign has the colour that is named, and the answer stands on it.
        int named = 0;
        for (const Sign& sign : drawn.board.signs) {
          if (exchange.question.find(StrCat("the ", sign.paper_name, " sign")) == std::string::npos) continue;
          ++named;
          EXPECT_EQ(exchange.answer, sign.Text());
        }
        EXPECT_EQ(named, 1) << exchange.question;
      }
    }
  }
}

TEST(Reading, TextHasRoomAndContrast) {
  const Canvas ruler(1, 1, {});
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    const Drawn drawn = Draw(seed, Split::kTrain);
    EXPECT_EQ(drawn.image.width, drawn.board.width);
    EXPECT_EQ(drawn.image.height, 112);
    for (const Sign& sign : drawn.board.signs) {
      EXPECT_GE(sign.style.size, 13.0) << sign.Text();
      EXPECT_TRUE(Readable(sign.style.ink, sign.paper)) << sign.Text();
      for (const auto& row : sign.rows) {
        std::string text;
        for (const std::string& word : row) text += text.empty() ? word : StrCat(" ", word);
        EXPECT_LE(ruler.Measure(text, sign.style).width, static_cast<double>(drawn.board.width)) << text;
      }
    }
  }
}

TEST(Reading, TrainingShowsEveryColour) {
  std::set<std::string_view> papers, inks;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Rng rng(seed);
    for (const Sign& sign : PlanBoard(rng, Split::kTrain).signs) {
      papers.insert(sign.paper_name);
      if (!sign.paper_name.empty()) inks.insert(sign.ink_name);
    }
  }
  papers.erase("");
  EXPECT_EQ(papers.size(), Palette().size());
  EXPECT_EQ(inks.size(), Palette().size());
}

TEST(Reading, TrainingShowsNothingOfTheHeldoutSplit) {
  std::set<std::string_view> families;
  for (const Font& font : Fonts(Split::kTrain)) families.insert(font.family);
  for (const Font& font : Fonts(Split::kHeldout)) EXPECT_FALSE(families.contains(font.family)) << font.family;
  EXPECT_GE(Fonts(Split::kHeldout).size(), 3U);
  std::set<std::string> lexicon(Lexicon().begin(), Lexicon().end());
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    const Drawn drawn = Draw(seed, Split::kTrain);
    EXPECT_NE(drawn.board.backdrop.pattern, Pattern::kWaves);
    for (const Sign& sign : drawn.board.signs) {
      EXPECT_TRUE(families.contains(sign.style.family)) << sign.style.family;
      EXPECT_NE(sign.shape, SignShape::kTag);
      EXPECT_NE(sign.shape, SignShape::kHexagon);
      if (!sign.paper_name.empty()) {
        EXPECT_FALSE(IsHeldoutPair(sign.paper_name, sign.ink_name));
      }
      for (const std::string& word : sign.Words()) {
        const std::string lower = Lower(word);
        EXPECT_FALSE(lexicon.contains(lower) && IsHeldoutWord(lower)) << word;
        EXPECT_LE(word.size(), 8U);
      }
    }
  }
}

TEST(Reading, HeldoutPicturesShowHeldoutWords) {
  int heldout = 0;
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    const std::vector<std::string> words = Draw(seed, Split::kHeldout).board.signs[0].Words();
    heldout += std::any_of(words.begin(), words.end(), [](const std::string& w) { return IsHeldoutWord(Lower(w)); });
  }
  EXPECT_GT(heldout, kSamples / 4);
}

TEST(Reading, NoAnswerCanBeGuessed) {
  std::map<std::string, std::map<std::string, int>> answers;
  for (uint64_t seed = 0; seed < 3 * kSamples; ++seed) {
    for (const Exchange& exchange : Draw(seed, Split::kTrain).exchanges) ++answers[exchange.kind][exchange.answer];
  }
  for (const auto& [kind, counts] : answers) {
    int total = 0;
    int most = 0;
    for (const auto& [answer, count] : counts) {
      total += count;
      most = std::max(most, count);
    }
    // Lines of two words are what fits into one tile.
    if (kind != "word-count") {
      EXPECT_LT(most, total * 0.6) << kind;
    }
  }
  EXPECT_GE(answers.size(), 15U);
}

}  // namespace
}  // namespace galago::world
