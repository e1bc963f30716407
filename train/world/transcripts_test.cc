#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "train/world/charts.h"
#include "train/world/makers.h"

namespace galago::world {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// The task's pictures and texts come from the plans of other tasks: drawn again from the same numbers, a chart's plan
// tells what its text must hold.
TEST(Transcripts, ChartsAreToldWithEveryValue) {
  const auto task = MakeTranscripts({});
  ASSERT_TRUE(task.ok()) << task.status();
  int charts = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Rng rng(seed);
    const Sample sample = (*task)->Draw(rng, Split::kTrain);
    EXPECT_EQ(sample.form, Form::kCaption);
    ASSERT_THAT(sample.media, SizeIs(1));
    ASSERT_THAT(sample.exchanges, SizeIs(1));
    Rng again(seed);
    if (again.Int(0, 2) != 2) continue;
    ++charts;
    const Chart chart = PlanChart(again, Split::kTrain);
    for (size_t i = 0; i < chart.names.size(); ++i) {
      EXPECT_THAT(sample.exchanges[0].answer, HasSubstr(chart.names[i] + ": " + std::to_string(chart.values[i])));
    }
  }
  EXPECT_GT(charts, 10);
}

}  // namespace
}  // namespace galago::world
