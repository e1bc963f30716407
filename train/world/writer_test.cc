#include "train/world/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/media/decode/decode_image.h"
#include "train/world/gallery.h"
#include "train/world/sample_json.h"
#include "train/world/tar_shard.h"

namespace galago::world {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class WorldWriter : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / StrCat("galago_world_", ::getpid());
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  // Every file below a directory, by its relative path.
  static std::map<std::string, std::string> Contents(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file()) {
        files[fs::relative(entry.path(), directory).string()] = *ReadFile(entry.path(), size_t{1} << 28);
      }
    }
    return files;
  }

  fs::path root_;
  Plan plan_ = {.split = Split::kHeldout, .seed = 7, .tasks = {{"scenes", 70}, {"temporal", 5}}};
};

TEST_F(WorldWriter, BytesDoNotDependOnTheNumberOfThreads) {
  for (const Layout layout : {Layout::kFiles, Layout::kShards}) {
    const std::string name = layout == Layout::kFiles ? "files" : "shards";
    for (const int jobs : {1, 3}) {
      const auto summary = WriteWorld(plan_, root_ / StrCat(name, jobs), {.layout = layout, .jobs = jobs});
      ASSERT_TRUE(summary.ok()) << MessageOf(summary.status());
      EXPECT_EQ(summary->num_samples, 75);
    }
    const auto one = Contents(root_ / (name + "1"));
    EXPECT_EQ(one, Contents(root_ / (name + "3"))) << name;
    EXPECT_TRUE(one.contains("world.json"));
    EXPECT_FALSE(one.contains("unfinished"));
  }
}

TEST_F(WorldWriter, RecordsNameTheirMediaAndQuestions) {
  ASSERT_TRUE(WriteWorld(plan_, root_ / "w").ok());
  for (const TaskCount& task : plan_.tasks) {
    const auto records = ReadJsonFile(root_ / "w" / (task.task + ".json"));
    ASSERT_TRUE(records.ok()) << MessageOf(records.status());
    ASSERT_EQ(static_cast<int64_t>(records->size()), task.count);
    for (const Json& record : *records) {
      const bool video = record.contains("video");
      const std::string path = record[video ? "video" : "image"].get<std::string>();
      const auto bytes = ReadFile(root_ / "w" / path, size_t{1} << 24);
      ASSERT_TRUE(bytes.ok()) << MessageOf(bytes.status());
      if (!video) {
        EXPECT_TRUE(media::DecodeImage(std::as_bytes(std::span(*bytes)), path).ok());
      }
      EXPECT_EQ(record["conversations"].size(), 2 * record["world"]["exchanges"].size());
      EXPECT_THAT(record["conversations"][0]["value"].get<std::string>(), HasSubstr(video ? "<video>\n" : "<image>\n"));
      EXPECT_EQ(record["world"].contains("duration"), video);
    }
  }
}

TEST_F(WorldWriter, ReplacesOnlyWorldDirectoriesAndOnlyWhenAsked) {
  plan_.tasks = {{"scenes", 2}};
  ASSERT_TRUE(WriteWorld(plan_, root_ / "w").ok());
  EXPECT_EQ(WriteWorld(plan_, root_ / "w").status().code(), StatusCode::kInvalidArgument);
  plan_.tasks = {{"scenes", 3}};
  ASSERT_TRUE(WriteWorld(plan_, root_ / "w/", {.replace = true}).ok());
  EXPECT_EQ(ReadJsonFile(root_ / "w" / "scenes.json")->size(), 3U);

  fs::create_directories(root_ / "mine");
  std::ofstream(root_ / "mine" / "thesis.txt") << "years of work";
  const auto refused = WriteWorld(plan_, root_ / "mine", {.replace = true});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr("left alone"));
  fs::create_directories(root_ / "other.partial" / "thesis");
  EXPECT_EQ(WriteWorld(plan_, root_ / "other").status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(fs::exists(root_ / "other.partial" / "thesis"));
  // What an interrupted run left is ours.
  fs::create_directories(root_ / "again.partial" / "pictures");
  std::ofstream(root_ / "again.partial" / "unfinished") << "";
  EXPECT_TRUE(WriteWorld(plan_, root_ / "again").ok());
  EXPECT_FALSE(fs::exists(root_ / "again.partial"));
}

TEST_F(WorldWriter, StoppingLeavesNothingAndKeepsTheOlderOne) {
  plan_.tasks = {{"scenes", 2}};
  ASSERT_TRUE(WriteWorld(plan_, root_ / "w").ok());
  plan_.tasks = {{"scenes", 1000}};
  WriteOptions options = {.replace = true};
  options.on_progress = [](const Progress& progress) { return progress.done == 0; };
  EXPECT_EQ(WriteWorld(plan_, root_ / "w", options).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(ReadJsonFile(root_ / "w" / "scenes.json")->size(), 2U);
  EXPECT_FALSE(fs::exists(root_ / "w.partial"));
}

TEST_F(WorldWriter, AWriteThatFailsIsNamedAndLeavesNothing) {
  // A file where a directory must come: the first write below it fails.
  std::ofstream(root_ / "file") << "";
  const auto failed = WriteWorld(plan_, root_ / "file" / "w");
  EXPECT_EQ(failed.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(failed.status()), HasSubstr("file/w.partial"));
}

TEST(Plan, TasksAndCounts) {
  const auto tasks = ParseTasks("things, video:30", 12);
  ASSERT_TRUE(tasks.ok()) << MessageOf(tasks.status());
  EXPECT_EQ(*tasks, (std::vector<TaskCount>{{"things", 12}, {"video", 30}}));
  EXPECT_EQ(ParseTasks("", 5)->size(), TaskNames().size());
  for (const char* bad :
       {"nothing", "things,things", "things:0", "things:-1", "things:x", "things:", ",", "things:99999999999"}) {
    EXPECT_EQ(ParseTasks(bad, 1).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(Plan, TheEvaluationSetIsMadeOfTasks) {
  const std::vector<std::string> names = TaskNames();
  for (const TaskCount& task : EvalTasks()) EXPECT_THAT(names, ::testing::Contains(task.task));
}

TEST(RecordJson, Forms) {
  Sample sample = {.task = "t", .form = Form::kInterleaved, .media = {media::Image(2, 2), media::Image(2, 2)}};
  sample.exchanges = {{"Is <image> like <image>?", "no", "same"}};
  const std::vector<std::string> paths = {"a.png", "b.png"};
  Json record = RecordJson(sample, "t-0", paths);
  EXPECT_EQ(record["image"], (Json{"a.png", "b.png"}));
  EXPECT_EQ(record["conversations"][0]["value"], "Is <image> like <image>?");

  sample.form = Form::kConversation;
  sample.exchanges[0].question = "Alike?";
  EXPECT_EQ(RecordJson(sample, "t-0", paths)["conversations"][0]["value"], "<image>\n<image>\nAlike?");

  sample.form = Form::kDocument;
  sample.exchanges[0] = {"", "A <image> and <image>."};
  record = RecordJson(sample, "t-0", paths);
  EXPECT_EQ(record["text"], "A <image> and <image>.");
  EXPECT_FALSE(record.contains("conversations"));

  sample.form = Form::kCaption;
  sample.media.resize(1);
  sample.exchanges[0] = {"", "A dog."};
  record = RecordJson(sample, "t-0", std::span(paths).first(1));
  EXPECT_EQ(record["image"], "a.png");
  EXPECT_EQ(record["conversations"][0]["value"], "<image>");
  EXPECT_EQ(record["conversations"][1]["value"], "A dog.");

  sample.form = Form::kText;
  sample.media.clear();
  sample.exchanges[0] = {"Two and two?", "4", "sum"};
  EXPECT_EQ(RecordJson(sample, "t-0", {})["conversations"][0]["value"], "Two and two?");
}

TEST(Tar, HeaderFields) {
  const std::string member = TarMember("000001.json", "{}");
  ASSERT_EQ(member.size(), 1024U);
  EXPECT_EQ(member.substr(0, 12), std::string("000001.json\0", 12));
  EXPECT_EQ(member.substr(124, 12), std::string("00000000002\0", 12));
  EXPECT_EQ(member.substr(257, 8), std::string("ustar\0"
                                               "00",
                                               8));
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(member[i]);
  EXPECT_EQ(std::stoul(member.substr(148, 6), nullptr, 8), sum);
  EXPECT_EQ(member.substr(512, 2), "{}");
}

TEST(Gallery, NeedsNoOtherFile) {
  const auto page = GalleryPage({.split = Split::kTrain, .seed = 1, .tasks = {{"scenes", 2}, {"temporal", 1}}});
  ASSERT_TRUE(page.ok()) << MessageOf(page.status());
  EXPECT_THAT(*page, HasSubstr("data:image/png;base64,iVBORw0KGgo"));
  EXPECT_THAT(*page, HasSubstr("&lt;"));  // the times of temporal answers
  EXPECT_EQ(page->find("src=\"http"), std::string::npos);
}

}  // namespace
}  // namespace galago::world
