#include "eval/world_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "eval/world_fixture.h"

namespace galago::eval {
namespace {

using ::testing::HasSubstr;

class WorldSetTest : public ::testing::Test {
 protected:
  // The fixture after `change` must be refused with this code and text.
  void ExpectRefused(const std::function<void()>& change, StatusCode code, const std::string& text) {
    change();
    world_.WriteAll();
    const StatusOr<WorldSet> set = ReadWorldSet(world_.dir(), {});
    EXPECT_EQ(set.status().code(), code) << set.status();
    EXPECT_THAT(MessageOf(set.status()), HasSubstr(text));
  }
  WorldFixture world_{::testing::TempDir()};
};

TEST_F(WorldSetTest, ReadsQuestionsAsTheyAreAsked) {
  const StatusOr<WorldSet> set = ReadWorldSet(world_.dir(), {});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->split, "heldout");
  EXPECT_EQ(set->seed, 1);
  EXPECT_EQ(set->tasks, (std::vector<std::string>{"scenes", "incontext", "temporal", "captions"}));
  EXPECT_EQ(set->num_questions(), 7);
  EXPECT_EQ(set->num_unscored, 1);
  ASSERT_EQ(set->records.size(), 4u);
  const Record& scene = set->records[0];
  EXPECT_EQ(scene.media, (std::vector<Medium>{{PartKind::kImage, "pictures/a.png"}}));
  EXPECT_EQ(scene.questions[0], (Question{.id = "scenes-000000#1",
                                          .kind = "colour",
                                          .metric = Metric::kExact,
                                          .text = "What colour is it?",
                                          .answer = "red"}));
  EXPECT_EQ(scene.questions[1].text, "How many?");
  EXPECT_EQ(scene.questions[1].metric, Metric::kRelaxed);
  const Record& series = set->records[2];
  EXPECT_EQ(series.media.size(), 2u);
  EXPECT_TRUE(series.questions[0].in_place);
  EXPECT_EQ(series.questions[0].text, "<image> is lom. <image> is?");
  EXPECT_FALSE(series.questions[1].in_place);
  EXPECT_EQ(set->records[3].media[0].kind, PartKind::kVideo);
  EXPECT_EQ(set->records[3].duration_s, 4);
}

TEST_F(WorldSetTest, SeveralMediaInFrontAreNotInPlace) {
  world_.incontext()[0]["conversations"][0]["value"] = "<image>\n<image>\nWhich is larger?";
  world_.WriteAll();
  const StatusOr<WorldSet> set = ReadWorldSet(world_.dir(), {.tasks = {"incontext"}});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->records[0].questions[0].text, "Which is larger?");
  EXPECT_FALSE(set->records[0].questions[0].in_place);
}

TEST_F(WorldSetTest, ChoosesTasksAndLimits) {
  StatusOr<WorldSet> set = ReadWorldSet(world_.dir(), {.tasks = {"temporal", "scenes"}, .limit = 3});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->tasks, (std::vector<std::string>{"scenes", "temporal"}));
  ASSERT_EQ(set->records.size(), 3u);
  EXPECT_EQ(set->records[1].questions.size(), 1u) << "the limit counts questions";
  set = ReadWorldSet(world_.dir(), {.tasks = {"sences"}});
  EXPECT_EQ(set.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(set.status()), HasSubstr("no task 'sences'; there are scenes, incontext, temporal, captions"));
}

TEST_F(WorldSetTest, RefusesWhatIsNoWorld) {
  EXPECT_EQ(ReadWorldSet("/nonexistent", {}).status().code(), StatusCode::kNotFound);
  ExpectRefused([&] { world_.head()["version"] = 2; }, StatusCode::kUnimplemented, "version 2, this program reads 1");
  ExpectRefused([&] { world_.head()["format"] = "zip"; }, StatusCode::kDataLoss, "format is 'zip'");
  world_.head()["format"] = "galago-world";
  world_.head()["version"] = 1;
  ExpectRefused([&] { world_.head()["layout"] = "shards"; }, StatusCode::kUnimplemented, "the layout is shards");
  world_.Write("world.json", R"({"format": "galago-world", )");
  EXPECT_EQ(ReadWorldSet(world_.dir(), {}).status().code(), StatusCode::kDataLoss);
}

TEST_F(WorldSetTest, RefusesTaskNamesThatClimb) {
  ExpectRefused([&] { world_.head()["tasks"]["../scenes"] = 1; }, StatusCode::kDataLoss, "'../scenes'");
}

TEST_F(WorldSetTest, RefusesCutFiles) {
  const std::string text = world_.scenes().dump();
  world_.Write("scenes.json", text.substr(0, text.size() / 2));
  const StatusOr<WorldSet> set = ReadWorldSet(world_.dir(), {});
  EXPECT_EQ(set.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(set.status()), HasSubstr("scenes.json: not valid JSON: byte "));
  ExpectRefused([&] { world_.scenes().erase(1); }, StatusCode::kDataLoss, "scenes.json: 1 records, world.json says 2");
}

TEST_F(WorldSetTest, RefusesMissingMedia) {
  std::filesystem::remove(world_.dir() / "pictures/b.png");
  ExpectRefused([] {}, StatusCode::kNotFound, "scenes-000001: the picture ");
}

TEST_F(WorldSetTest, RefusesMediaElsewhere) {
  ExpectRefused([&] { world_.scenes()[0]["image"] = "/etc/hostname"; }, StatusCode::kDataLoss, "no path below");
  ExpectRefused([&] { world_.scenes()[0]["image"] = "a/../../x"; }, StatusCode::kDataLoss, "no path below");
  ExpectRefused([&] { world_.scenes()[0]["image"] = 7; }, StatusCode::kDataLoss, "neither a path nor a list");
}

TEST_F(WorldSetTest, RefusesRecordsThatDoNotAddUp) {
  Json& record = world_.scenes()[0];
  const Json good = record;
  const auto expect = [&](const std::function<void()>& change, StatusCode code, const std::string& text) {
    ExpectRefused(change, code, text);
    record = good;
  };
  expect([&] { record["world"]["exchanges"][1]["metric"] = "bleu"; }, StatusCode::kUnimplemented,
         "exchange 2: metric 'bleu' is none of");
  expect([&] { record["world"]["exchanges"].erase(1); }, StatusCode::kDataLoss, "does not list the 2 exchanges");
  expect([&] { record.erase("world"); }, StatusCode::kDataLoss, "world is missing");
  expect([&] { record["conversations"].erase(3); }, StatusCode::kDataLoss, "no list of questions and answers");
  expect([&] { record["conversations"][2]["from"] = "gpt"; }, StatusCode::kDataLoss, "turn 3: from 'gpt'");
  expect([&] { record["conversations"][0]["value"] = "What?"; }, StatusCode::kDataLoss, "0 media markers, 1 media");
  expect([&] { record["conversations"][2]["value"] = "<image>?"; }, StatusCode::kDataLoss, "1 media markers, 0 media");
  expect([&] { record["conversations"][1]["value"] = 3; }, StatusCode::kDataLoss, "value");
  expect([&] { record["id"] = "scenes-000001"; }, StatusCode::kDataLoss, "two records have this id");
  expect([&] { record.erase("id"); }, StatusCode::kDataLoss, "id is missing");
  expect([&] { record["world"]["duration"] = -1; }, StatusCode::kDataLoss, "duration");
}

TEST_F(WorldSetTest, RefusesTimesThatCannotBeScored) {
  ExpectRefused([&] { world_.temporal()[0]["conversations"][1]["value"] = "<1.0>"; }, StatusCode::kDataLoss,
                "does not hold two times");
  ExpectRefused([&] { world_.temporal()[0]["world"].erase("duration"); }, StatusCode::kDataLoss, "needs the duration");
}

TEST(ParseRecord, DocumentsAskNothing) {
  const Json document = {{"id", "interleaved-0"}, {"image", {"a.png"}}, {"text", "<image>\nA cube."}};
  const StatusOr<Record> record = ParseRecord(document, "interleaved", "x");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_TRUE(record->questions.empty());
}

}  // namespace
}  // namespace galago::eval
