#include "train/world/charts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "src/base/strings.h"
#include "train/world/fonts.h"
#include "train/world/makers.h"
#include "train/world/question_reading.h"

namespace galago::world {
namespace {

constexpr int kSamples = 600;

TEST(Charts, TheSameSeedDrawsTheSameChart) {
  const auto task = MakeCharts({});
  ASSERT_TRUE(task.ok()) << task.status();
  for (uint64_t i = 0; i < 20; ++i) {
    const Sample first = DrawSample(**task, Split::kTrain, 5, i);
    DrawSample(**task, Split::kHeldout, 6, i + 1);
    const Sample second = DrawSample(**task, Split::kTrain, 5, i);
    EXPECT_TRUE(std::get<media::Image>(first.media[0]) == std::get<media::Image>(second.media[0])) << i;
    EXPECT_EQ(first.exchanges.back().answer, second.exchanges.back().answer);
  }
}

TEST(Charts, ValuesCanBeReadOffTheAxis) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (uint64_t seed = 0; seed < kSamples; ++seed) {
      Rng rng(seed);
      const Chart chart = PlanChart(rng, split);
      ASSERT_EQ(chart.names.size(), chart.values.size());
      EXPECT_EQ(std::set<std::string>(chart.names.begin(), chart.names.end()).size(), chart.names.size());
      EXPECT_EQ(std::set<int64_t>(chart.values.begin(), chart.values.end()).size(), chart.values.size());
      if (chart.kind == ChartKind::kPie) {
        EXPECT_EQ(std::accumulate(chart.values.begin(), chart.values.end(), int64_t{0}), 100);
        EXPECT_GE(*std::min_element(chart.values.begin(), chart.values.end()), 10);
        continue;
      }
      for (const int64_t value : chart.values) {
        EXPECT_GT(value, 0);
        EXPECT_LE(value, chart.step * chart.ticks);
        if (!chart.labelled) {
          EXPECT_EQ(2 * value % chart.step, 0) << "on a tick or half way between two";
        }
      }
    }
  }
}

size_t IndexOf(const Chart& chart, const std::string& name) {
  return static_cast<size_t>(std::find(chart.names.begin(), chart.names.end(), name) - chart.names.begin());
}

TEST(Charts, AnswersFollowFromTheValues) {
  std::map<std::string, int> checked;
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (uint64_t seed = 0; seed < kSamples; ++seed) {
      Rng rng(seed);
      const Chart chart = PlanChart(rng, split);
      for (const Exchange& exchange : AskChart(chart, rng, split)) {
        const bool name = std::find(chart.names.begin(), chart.names.end(), exchange.answer) != chart.names.end();
        EXPECT_EQ(exchange.metric, name ? Metric::kExact : Metric::kRelaxed) << exchange.answer;
        EXPECT_EQ(exchange.question.find('{'), std::string::npos);
        ++checked[exchange.kind];
        if (exchange.kind == "value" || exchange.kind == "share") {
          EXPECT_NE(exchange.kind == "share", exchange.answer.find('%') == std::string::npos);
          bool named = false;
          for (size_t i = 0; i < chart.names.size(); ++i) {
            const bool fits = StrCat(chart.values[i], exchange.kind == "share" ? "%" : "") == exchange.answer;
            named = named || (fits && exchange.question.find(chart.names[i]) != std::string::npos);
          }
          EXPECT_TRUE(named) << exchange.question << " " << exchange.answer;
        }
        if (exchange.kind == "values") {
          for (const auto& [item, value] : testing::ReadList(exchange)) {
            const size_t i = IndexOf(chart, item);
            ASSERT_LT(i, chart.values.size()) << exchange.question;
            EXPECT_EQ(value, StrCat(chart.values[i], chart.kind == ChartKind::kPie ? "%" : ""));
          }
        }
        if (exchange.kind == "colours") {
          for (const auto& [item, colour] : testing::ReadList(exchange)) {
            const size_t i = IndexOf(chart, item);
            ASSERT_LT(i, chart.paints.size()) << exchange.question;
            EXPECT_EQ(colour, chart.paints[i]);
          }
        }
        if (exchange.kind == "ranking") {
          const std::vector<std::string> ranking = testing::Parts(exchange.answer);
          EXPECT_EQ(ranking.size(), chart.names.size());
          int64_t above = std::numeric_limits<int64_t>::max();
          for (const std::string& item : ranking) {
            const size_t i = IndexOf(chart, item);
            ASSERT_LT(i, chart.values.size()) << exchange.answer;
            EXPECT_LT(chart.values[i], above);
            above = chart.values[i];
          }
        }
        if (exchange.kind == "most" || exchange.kind == "least") {
          const size_t i = IndexOf(chart, exchange.answer);
          ASSERT_LT(i, chart.values.size());
          const auto [least, most] = std::minmax_element(chart.values.begin(), chart.values.end());
          EXPECT_EQ(chart.values[i], exchange.kind == "most" ? *most : *least);
        }
        if (exchange.kind == "count") {
          EXPECT_EQ(exchange.answer, StrCat(chart.names.size()));
        }
        if (exchange.kind == "title") {
          EXPECT_EQ(exchange.answer, chart.title);
        }
        if (exchange.kind == "trend") {
          const size_t from = exchange.question.find("rom ") + 4;
          const std::string name = exchange.question.substr(from, exchange.question.find(' ', from) - from);
          const size_t i = IndexOf(chart, name);
          ASSERT_LT(i + 1, chart.values.size()) << exchange.question;
          EXPECT_EQ(exchange.answer, chart.values[i + 1] > chart.values[i] ? "up" : "down");
        }
      }
    }
  }
  for (const std::string_view kind : {"value", "share", "most", "least", "more", "which", "trend", "colour", "title",
                                      "values", "colours", "ranking"}) {
    EXPECT_GT(checked[std::string(kind)], 20) << kind;
  }
}

TEST(Charts, TrainingShowsNothingOfTheHeldoutSplit) {
  std::set<std::string_view> families;
  for (const Font& font : Fonts(Split::kTrain)) families.insert(font.family);
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    Rng rng(seed);
    const Chart chart = PlanChart(rng, Split::kTrain);
    const ChartLook look = ChooseLook(chart, rng, Split::kTrain);
    EXPECT_TRUE(families.contains(look.family));
    EXPECT_NE(look.grid, ChartLook::Grid::kDashes);
    EXPECT_FALSE(look.pins || look.axis_right || look.ring);
    EXPECT_LE(chart.names.size(), 5U);
  }
}

// The highest bar's top is where the axis says: the column of pixels through its middle changes colour there.
TEST(Charts, BarsEndAtTheirValues) {
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.names = {"A", "B"};
  chart.values = {10, 5};
  chart.labelled = true;
  chart.step = 2;
  chart.ticks = 5;
  chart.paints = {"black"};
  ChartLook look;
  look.family = "DejaVu Sans";
  look.paper = {1, 1, 1};
  look.ink = {1, 0, 0};
  look.fills = {{0, 0, 0}};
  Rng rng(1);
  const media::Image image = PaintChart(chart, look, rng);
  const auto height_at = [&](int64_t x) {
    int64_t black = 0;
    for (int64_t y = 0; y < image.height; ++y) {
      const uint8_t* pixel = image.Row(y) + 3 * x;
      black += pixel[0] < 60 && pixel[1] < 60 && pixel[2] < 60 ? 1 : 0;
    }
    return black;
  };
  EXPECT_GT(height_at(60), 140);
  EXPECT_NEAR(static_cast<double>(height_at(168)) / static_cast<double>(height_at(60)), 0.5, 0.02);
}

TEST(Charts, YesAndNoAreAsFrequent) {
  std::map<std::string, int> answers;
  for (uint64_t seed = 0; seed < 2 * kSamples; ++seed) {
    Rng rng(seed);
    const Chart chart = PlanChart(rng, Split::kTrain);
    for (const Exchange& exchange : AskChart(chart, rng, Split::kTrain)) {
      if (exchange.kind == "more") ++answers[exchange.answer];
    }
  }
  EXPECT_NEAR(static_cast<double>(answers["yes"]) / (answers["yes"] + answers["no"]), 0.5, 0.1);
}

}  // namespace
}  // namespace galago::world
