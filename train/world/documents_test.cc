#include "train/world/documents.h"

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
#include "train/world/question_reading.h"

namespace galago::world {
namespace {

constexpr int kSamples = 500;

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

TEST(Amounts, AreReadInCents) {
  EXPECT_EQ(AmountOf("$3"), 300);
  EXPECT_EQ(AmountOf("$12.05"), 1205);
  EXPECT_EQ(AmountOf("17"), 17);
  EXPECT_EQ(AmountOf("Monday"), -1);
  EXPECT_EQ(AmountOf("9:30"), -1);
}

TEST(Documents, TheSameSeedDrawsTheSameDocument) {
  const auto task = MakeDocuments({});
  ASSERT_TRUE(task.ok()) << task.status();
  for (uint64_t i = 0; i < 20; ++i) {
    const Sample first = DrawSample(**task, Split::kTrain, 5, i);
    DrawSample(**task, Split::kHeldout, 6, i + 1);
    const Sample second = DrawSample(**task, Split::kTrain, 5, i);
    EXPECT_TRUE(std::get<media::Image>(first.media[0]) == std::get<media::Image>(second.media[0])) << i;
    ASSERT_EQ(first.exchanges.size(), second.exchanges.size());
    EXPECT_EQ(first.exchanges.back().question, second.exchanges.back().question);
    EXPECT_EQ(first.exchanges.back().answer, second.exchanges.back().answer);
  }
}

TEST(Documents, TotalsAreSums) {
  int receipts = 0;
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    Rng rng(seed);
    const Sheet sheet = WriteSheet(rng, Split::kTrain);
    if (sheet.genre != Genre::kReceipt) continue;
    ++receipts;
    int64_t sum = 0;
    for (const auto& row : sheet.rows) sum += AmountOf(row[1]);
    EXPECT_EQ(AmountOf(sheet.total), sum);
  }
  EXPECT_GT(receipts, 50);
}

// A question names its row; the answer stands in that row, and in the column that the kind of question means.
TEST(Documents, AnswersStandWhereTheQuestionsPoint) {
  const std::map<std::string, Matter> columns = {{"price", Matter::kPrice},   {"count", Matter::kCount},
                                                 {"points", Matter::kPoints}, {"age", Matter::kAge},
                                                 {"team", Matter::kTeam},     {"pet", Matter::kPet}};
  int checked = 0;
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (uint64_t seed = 0; seed < kSamples; ++seed) {
      Rng rng(seed);
      const Sheet sheet = WriteSheet(rng, split);
      for (const Exchange& exchange : AskSheet(sheet, rng, split)) {
        EXPECT_EQ(exchange.metric, Metric::kAnls) << exchange.kind;
        EXPECT_FALSE(exchange.answer.empty()) << exchange.question;
        EXPECT_EQ(exchange.question.find('{'), std::string::npos);
        if (exchange.kind == "total") {
          EXPECT_EQ(exchange.answer, sheet.total);
        }
        if (exchange.kind == "title" || exchange.kind == "shop") {
          EXPECT_EQ(exchange.answer, sheet.title);
        }
        if (exchange.kind == "rows") {
          EXPECT_EQ(exchange.answer, StrCat(sheet.rows.size()));
        }
        if (exchange.kind == "last") {
          EXPECT_EQ(exchange.answer, sheet.rows.back()[0]);
        }
        const auto column = columns.find(exchange.kind);
        if (column == columns.end() || (sheet.genre != Genre::kTable && sheet.genre != Genre::kReceipt)) continue;
        const auto c = std::find(sheet.matters.begin(), sheet.matters.end(), column->second) - sheet.matters.begin();
        // The longest name in the question: "corn" may stand in "popcorn".
        const std::vector<std::string>* row = nullptr;
        for (const auto& candidate : sheet.rows) {
          if (exchange.question.find(candidate[0]) == std::string::npos) continue;
          if (row == nullptr || candidate[0].size() > (*row)[0].size()) row = &candidate;
        }
        ASSERT_NE(row, nullptr) << exchange.question;
        EXPECT_EQ(exchange.answer, (*row)[static_cast<size_t>(c)]) << exchange.question;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 500);
}

// Cells stand beside their names in the column that the question names; names come as they stand or in its order.
TEST(Documents, ListsFollowTheSheet) {
  std::map<std::string, int> lists;
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    Rng rng(seed);
    const Sheet sheet = WriteSheet(rng, Split::kTrain);
    for (const Exchange& exchange : AskSheet(sheet, rng, Split::kTrain)) {
      ++lists[exchange.kind];
      if (exchange.kind == "names") {
        std::vector<std::string> names;
        for (const auto& row : sheet.rows) names.push_back(row[0]);
        EXPECT_EQ(testing::Parts(exchange.answer), names);
      }
      if (exchange.kind == "fields") {
        for (const auto& [field, cell] : testing::ReadList(exchange)) {
          const auto head = std::find_if(sheet.heads.begin(), sheet.heads.end(),
                                         [&](const std::string& head) { return Lower(head) == Lower(field); });
          ASSERT_NE(head, sheet.heads.end()) << exchange.question;
          EXPECT_EQ(cell, sheet.rows[0][static_cast<size_t>(head - sheet.heads.begin())]);
        }
      }
      if (exchange.kind != "cells" && exchange.kind != "rows of" && exchange.kind != "ranking") continue;
      size_t column = 0;
      const std::string asked = Lower(exchange.question.substr(0, exchange.question.find(": ")));
      for (size_t c = 1; c < sheet.heads.size(); ++c) {
        if (asked.find(Lower(sheet.heads[c])) != std::string::npos) column = c;
      }
      ASSERT_GT(column, 0U) << exchange.question;
      std::map<std::string, std::string> cells;
      for (const auto& row : sheet.rows) cells[row[0]] = row[column];
      if (exchange.kind == "ranking") {
        const std::vector<std::string> ranking = testing::Parts(exchange.answer);
        ASSERT_EQ(ranking.size(), sheet.rows.size());
        for (size_t i = 1; i < ranking.size(); ++i) {
          EXPECT_GT(AmountOf(cells[ranking[i - 1]]), AmountOf(cells[ranking[i]])) << exchange.question;
        }
        continue;
      }
      for (const auto& [item, answer] : testing::ReadList(exchange)) {
        const bool by_name = exchange.kind == "cells";
        EXPECT_EQ(cells[by_name ? item : answer], by_name ? answer : item) << exchange.question;
      }
    }
  }
  for (const char* kind : {"names", "cells", "rows of", "fields", "ranking"}) EXPECT_GT(lists[kind], 20) << kind;
}

TEST(Documents, RankedAnswersAreTheOnlyOnes) {
  int checked = 0;
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    Rng rng(seed);
    const Sheet sheet = WriteSheet(rng, Split::kHeldout);
    for (const Exchange& exchange : AskSheet(sheet, rng, Split::kHeldout)) {
      if (exchange.kind != "most" && exchange.kind != "least") continue;
      // In some column the answer's row is above (below) every other.
      bool found = false;
      for (size_t c = 1; c < sheet.heads.size(); ++c) {
        int64_t own = -1;
        for (const auto& row : sheet.rows) {
          if (row[0] == exchange.answer) own = AmountOf(row[c]);
        }
        bool all = own >= 0;
        for (const auto& row : sheet.rows) {
          const int64_t other = AmountOf(row[c]);
          if (row[0] != exchange.answer) all = all && (exchange.kind == "most" ? other < own : other > own);
        }
        found = found || all;
      }
      EXPECT_TRUE(found) << exchange.question << " " << exchange.answer;
      ++checked;
    }
  }
  EXPECT_GT(checked, 50);
}

TEST(Documents, TrainingShowsNothingOfTheHeldoutSplit) {
  const std::set<std::string> nouns = [] {
    std::set<std::string> set(Lexicon().begin(), Lexicon().end());
    return set;
  }();
  std::set<std::string_view> families;
  for (const Font& font : Fonts(Split::kTrain)) families.insert(font.family);
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    Rng rng(seed);
    const Sheet sheet = WriteSheet(rng, Split::kTrain);
    const Setting setting = ChooseSetting(sheet, rng, Split::kTrain);
    EXPECT_TRUE(families.contains(setting.family));
    EXPECT_NE(setting.rules, Setting::Rules::kBoxed);
    EXPECT_FALSE(setting.values_below || setting.dotted);
    EXPECT_LE(sheet.rows.size(), 5U);
    for (size_t c = 0; c < sheet.matters.size(); ++c) {
      if (sheet.matters[c] != Matter::kItem && sheet.matters[c] != Matter::kPerson) continue;
      for (const auto& row : sheet.rows) EXPECT_FALSE(IsHeldoutWord(Lower(row[c]))) << row[c];
    }
    if (sheet.genre == Genre::kReceipt) {
      EXPECT_FALSE(IsHeldoutWord(Lower(sheet.title.substr(0, sheet.title.find(' ')))));
    }
  }
}

TEST(Documents, PicturesAreWholeTiles) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const Sheet sheet = WriteSheet(rng, Split::kHeldout);
    const Setting setting = ChooseSetting(sheet, rng, Split::kHeldout);
    const media::Image image = PaintSheet(sheet, setting, rng);
    EXPECT_EQ(image.width % 112, 0);
    EXPECT_EQ(image.height % 112, 0);
    EXPECT_LE(image.width, 224);
    EXPECT_LE(image.height, 224);
  }
}

}  // namespace
}  // namespace galago::world
