#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "eval/world_fixture.h"
#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "tests/cli/program.h"

// `galago eval world` with a tiny golden checkpoint: what it says means nothing, how it is asked and counted does.
namespace galago::testing {
namespace {

using ::testing::HasSubstr;

class EvalEndToEnd : public ::testing::Test {
 protected:
  Outcome Evaluate(std::vector<std::string> more) {
    std::vector<std::string> args = {"eval",
                                     "world",
                                     world_.dir().string(),
                                     "-m",
                                     StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data/nvila_lite_2b/model"),
                                     "-c",
                                     "2048"};
    args.insert(args.end(), more.begin(), more.end());
    return RunProgram(GALAGO_PROGRAM, {.args = std::move(args)}, home_);
  }
  Folder home_;
  eval::WorldFixture world_{home_.path()};
};

TEST_F(EvalEndToEnd, AsksEveryQuestionAndReusesPictures) {
  const Outcome outcome = Evaluate({"--tasks", "scenes,incontext", "--json", "-", "--questions", "--html",
                                    home_ / "page.html", "--results", home_ / "answers.jsonl"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["n"], 6);
  EXPECT_EQ(json["complete"], true);
  EXPECT_GT(json["timings"]["median_ttft_ms"], 0);
  EXPECT_GT(json["timings"]["questions_per_second"], 0);
  EXPECT_THAT(ReadFile(home_ / "page.html", 1 << 20).value(), HasSubstr("data:image/png;base64,"));

  // Replies depend on nothing but the question: asked again one task at a time they are the same.
  const Outcome again = Evaluate({"--tasks", "incontext", "--json", "-", "--questions"});
  const Json series = Json::parse(again.out)["questions"];
  ASSERT_EQ(series.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(series[i]["reply"], json["questions"][4 + i]["reply"]);

  const Outcome resumed =
      Evaluate({"--tasks", "scenes,incontext", "--json", "-", "--results", home_ / "answers.jsonl", "--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(Json::parse(resumed.out)["tasks"], json["tasks"]);
}

TEST_F(EvalEndToEnd, ABrokenPictureIsNamedWithItsQuestion) {
  world_.Write("pictures/b.png", "no picture");
  const Outcome outcome = Evaluate({"--tasks", "scenes"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("error: scenes-000001#1: "));
  EXPECT_THAT(outcome.err, HasSubstr("pictures/b.png"));
}

TEST_F(EvalEndToEnd, AFullDiskLosesNoMoreThanOneAnswer) {
  std::vector<std::string> args = {"eval",
                                   "world",
                                   world_.dir().string(),
                                   "-m",
                                   StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data/nvila_lite_2b/model"),
                                   "-c",
                                   "2048",
                                   "--tasks",
                                   "scenes",
                                   "--results",
                                   home_ / "answers.jsonl"};
  const Outcome outcome = RunProgram(GALAGO_PROGRAM, {.args = args, .file_size_limit = 700}, home_);
  EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
  args.emplace_back("--resume");
  const Outcome resumed = RunProgram(GALAGO_PROGRAM, {.args = args}, home_);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("answers are known"));
}

}  // namespace
}  // namespace galago::testing
