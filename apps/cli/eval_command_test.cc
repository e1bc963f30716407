#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "apps/cli/commands.h"
#include "apps/cli/eval_progress.h"
#include "apps/cli/fake_engine.h"
#include "apps/cli/world_maker.h"
#include "eval/world_fixture.h"
#include "src/base/file.h"

namespace galago::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// `galago eval` with an engine that says "red" to everything.
class EvalCommandTest : public ::testing::Test {
 protected:
  EvalCommandTest() : folder_(std::filesystem::path(::testing::TempDir()) / StrCat("eval_", ::getpid())) {
    std::filesystem::create_directories(folder_ / "model");
    Write("model/config.json", "{}");
    fake_.pieces = {"red"};
  }
  ~EvalCommandTest() override { std::filesystem::remove_all(folder_); }

  int Run(std::vector<std::string> args) {
    args.insert(args.begin(), "eval");
    out_.clear();
    err_.clear();
    Log log(err_);
    std::atomic<bool> busy = false;
    World world{.engine = engine_,
                .out = out_,
                .log = log,
                .stop = stop_,
                .busy = busy,
                .surroundings = {.env = [this](const std::string& name) -> std::optional<std::string> {
                                   const auto found = env_.find(name);
                                   return found == env_.end() ? std::nullopt : std::optional(found->second);
                                 },
                                 .system_config = "/nonexistent"},
                .read_stdin = [](size_t) { return StatusOr<std::string>(""); },
                .make_line_reader = {}};
    const int code = static_cast<int>(Main(args, world));
    EXPECT_FALSE(busy);
    stop_.Reset();
    return code;
  }
  int Evaluate(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"world", world_.dir().string(), "-m", (folder_ / "model").string()};
    args.insert(args.end(), more.begin(), more.end());
    return Run(args);
  }
  std::string File(const std::string& name) const { return (folder_ / name).string(); }
  void Write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  std::string Read(const std::string& name) const { return ReadFile(folder_ / name, 1 << 20).value_or("(missing)"); }
  // A program that makes a World directory as galago-train would, with this shell text.
  std::string Script(const std::string& body) const {
    Write("train.sh", "#!/bin/sh\n" + body);
    EXPECT_EQ(::chmod(File("train.sh").c_str(), 0755), 0);
    return File("train.sh");
  }

  eval::WorldFixture world_{::testing::TempDir()};
  std::filesystem::path folder_;
  FakeBehaviour fake_;
  FakeEngine engine_{fake_};
  StringOutput out_, err_;
  Stop stop_;
  std::map<std::string, std::string> env_;
};

TEST_F(EvalCommandTest, PrintsTheTable) {
  EXPECT_EQ(Evaluate(), 0) << err_.text();
  EXPECT_THAT(out_.text(), HasSubstr("fake on World heldout (seed 1), greedy, bf16\n"));
  EXPECT_THAT(out_.text(), HasSubstr("  colour       exact    2   50.0"));
  EXPECT_THAT(out_.text(), HasSubstr("in-context gain, 4-shot less 0-shot: +0.0 points"));
  EXPECT_THAT(out_.text(), HasSubstr("times of temporal: mIoU 50.0, P@0.5 100.0"));
  EXPECT_THAT(out_.text(), Not(HasSubstr("PARTIAL")));
  EXPECT_THAT(err_.text(), HasSubstr("1 records ask nothing"));
  EXPECT_THAT(err_.text(), HasSubstr("7/7 questions, 25.0 % so far"));
  EXPECT_EQ(fake_.conversations.size(), 7u);
  EXPECT_EQ(fake_.loads, 1);
  EXPECT_EQ(fake_.generate_options[0].sampling.temperature, 0);
  EXPECT_EQ(Evaluate({"--markdown", "-q"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("| scenes | mixed | 4 |"));
  EXPECT_EQ(err_.text(), "");
}

TEST_F(EvalCommandTest, WritesEveryForm) {
  EXPECT_EQ(Evaluate({"--json", File("r.json"), "--html", File("r.html"), "--csv", File("r.csv"), "--questions"}), 0);
  const Json json = Json::parse(Read("r.json"));
  EXPECT_EQ(json["schema"], "galago.eval/1");
  EXPECT_EQ(json["model"], "fake");
  EXPECT_EQ(json["engine"]["version"], "0.1.0");
  EXPECT_EQ(json["world"]["split"], "heldout");
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["tasks"][0]["kinds"][0]["score"], 50);
  ASSERT_EQ(json["questions"].size(), 7u);
  EXPECT_EQ(json["questions"][0]["reply"], "red");
  EXPECT_THAT(Read("r.html"), HasSubstr("data:image/png;base64,"));
  EXPECT_THAT(Read("r.csv"), HasSubstr("scenes,colour,exact,2,50.0,"));

  EXPECT_EQ(Evaluate({"--json", "-", "--tasks", "scenes", "--limit", "1"}), 0);
  EXPECT_EQ(Json::parse(out_.text())["n"], 1);
  EXPECT_FALSE(Json::parse(out_.text()).contains("questions"));
}

TEST_F(EvalCommandTest, JsonAsTheSwitchItIsElsewhere) {
  env_["GALAGO_JSON"] = "1";
  EXPECT_EQ(Evaluate(), 0);
  EXPECT_EQ(Json::parse(out_.text())["n"], 7);
  EXPECT_EQ(Evaluate({"--json", "no"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("macro"));
}

TEST_F(EvalCommandTest, AnInterruptedRunTellsAndGoesOn) {
  int said = 0;
  fake_.before_piece = [&] {
    if (++said == 4) stop_.Request(StopCause::kInterrupt);
  };
  EXPECT_EQ(Evaluate({"--results", File("a.jsonl"), "--json", File("r.json"), "--min", "total=90"}), 130);
  EXPECT_THAT(out_.text(), HasSubstr("PARTIAL: stopped after 3 of 7 questions"));
  EXPECT_EQ(Json::parse(Read("r.json"))["complete"], false);

  EXPECT_EQ(Evaluate({"--results", File("a.jsonl")}), 3) << "what is there is not overwritten";
  EXPECT_THAT(err_.text(), HasSubstr("exists; --resume goes on with it"));
  fake_.conversations.clear();
  EXPECT_EQ(Evaluate({"--results", File("a.jsonl"), "--resume"}), 0);
  EXPECT_EQ(fake_.conversations.size(), 4u);
  EXPECT_THAT(err_.text(), HasSubstr("3 answers are known"));
  const std::string resumed = out_.text();
  EXPECT_EQ(Evaluate(), 0);
  // All but the line about speed.
  EXPECT_EQ(resumed.substr(0, resumed.find("median")), out_.text().substr(0, out_.text().find("median")));

  // The checkpoint changed since.
  Write("model/config.json", "{ }");
  EXPECT_EQ(Evaluate({"--results", File("a.jsonl"), "--resume"}), 3);
  EXPECT_THAT(err_.text(), HasSubstr("a.jsonl:1: the answers are of "));
}

TEST_F(EvalCommandTest, WhatStoppedTheProgramDecidesTheExitCode) {
  fake_.load = Cancelled("loading was stopped");
  stop_.Request(StopCause::kDeadline);
  EXPECT_EQ(Evaluate(), 9);
  fake_.load = OkStatus();
  stop_.Request(StopCause::kTerminate);
  EXPECT_EQ(Evaluate(), 143);
  EXPECT_THAT(out_.text(), HasSubstr("PARTIAL: stopped after 0 of 7 questions"));
}

TEST_F(EvalCommandTest, ThresholdsDecideTheExitCode) {
  EXPECT_EQ(Evaluate({"--min", "scenes=20", "--min", "temporal.p@0.5=100"}), 0);
  EXPECT_EQ(Evaluate({"--min", "scenes=90,total=1"}), 2);
  EXPECT_EQ(Evaluate({"--min", "scenes=90"}), 8);
  EXPECT_THAT(err_.text(), HasSubstr("scenes: 25.0 is below the 90 of --min"));
  EXPECT_EQ(Evaluate({"--min", "scenes.size=1"}), 8);
  EXPECT_THAT(err_.text(), HasSubstr("scenes.size: was not scored"));
  EXPECT_EQ(Evaluate({"--min", "sences=1"}), 2);
}

TEST_F(EvalCommandTest, ExitCodesOfBadInput) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"run"}), 2);
  EXPECT_EQ(Run({"world", world_.dir().string()}), 2) << "no model";
  EXPECT_EQ(Run({"world", world_.dir().string(), "-m", "/nonexistent"}), 4);
  EXPECT_EQ(Evaluate({"another"}), 2);
  EXPECT_EQ(Evaluate({"--resume"}), 2);
  EXPECT_EQ(Evaluate({"--results", "-"}), 2);
  EXPECT_EQ(Evaluate({"--json", "-", "--html", "-"}), 2);
  EXPECT_EQ(Evaluate({"--html", "/nonexistent/x.html"}), 2);
  EXPECT_EQ(Evaluate({"--split", "train"}), 2);
  EXPECT_EQ(Evaluate({"--split", "test"}), 2);
  EXPECT_EQ(Evaluate({"--tasks", "sences"}), 2);
  EXPECT_EQ(Evaluate({"--tasks", "scenes,,things"}), 2);
  EXPECT_EQ(fake_.loads, 0) << "all of this is known before weights are read";
  EXPECT_EQ(Run({"world", File("model"), "-m", File("model")}), 3);
  EXPECT_THAT(err_.text(), HasSubstr("no World directory: world.json is missing"));
  fake_.generate = DataLoss("a.png: not a PNG");
  EXPECT_EQ(Evaluate({"--json", "-"}), 3);
  EXPECT_THAT(err_.text(), HasSubstr("error: scenes-000000#1: a.png: not a PNG"));
  EXPECT_EQ(Json::parse(out_.text())["error"]["details"]["exit_code"], 3);
}

TEST_F(EvalCommandTest, ComparesResults) {
  ASSERT_EQ(Evaluate({"--json", File("stage1.json")}), 0);
  fake_.pieces = {"<1> <3>"};
  ASSERT_EQ(Evaluate({"--json", File("stage2.json")}), 0);
  EXPECT_EQ(Run({"compare", File("stage1.json"), File("stage2.json")}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("task             stage1  stage2  change\n"));
  EXPECT_THAT(out_.text(), HasSubstr("temporal           50.0   100.0   +50.0\n"));
  EXPECT_EQ(err_.text(), "");
  EXPECT_EQ(Run({"compare", File("stage1.json"), File("stage2.json"), "--markdown", "--kinds"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("|   colour | 50.0 | 0.0 | -50.0 |"));
  EXPECT_EQ(Run({"compare", File("stage1.json"), File("stage1.json"), "--csv", "-"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr(StrCat("task,", File("stage1.json"), ",")));
  ASSERT_EQ(Evaluate({"--limit", "1", "--json", File("less.json")}), 0);
  EXPECT_EQ(Run({"compare", File("stage1.json"), File("less.json")}), 0);
  EXPECT_THAT(err_.text(), HasSubstr("warning: less was asked other questions than stage1"));
  EXPECT_EQ(Run({"compare", File("stage1.json")}), 2);
  EXPECT_EQ(Run({"compare", File("stage1.json"), "/nonexistent"}), 3);
  Write("cut.json", Read("stage1.json").substr(0, 40));
  EXPECT_EQ(Run({"compare", File("stage1.json"), File("cut.json")}), 3);
}

TEST_F(EvalCommandTest, TheCachedWorldIsUsedAndItsMakerMissed) {
  const auto ask = [&] { return Run({"world", "-m", (folder_ / "model").string()}); };
  EXPECT_EQ(ask(), 3) << "neither variable";
  env_["XDG_CACHE_HOME"] = File("cache");
  EXPECT_EQ(ask(), 3);
  EXPECT_THAT(err_.text(), HasSubstr("/galago-train, which makes it, is missing"));
  std::filesystem::create_directories(folder_ / "cache/galago/world");
  std::filesystem::copy(world_.dir(), folder_ / "cache/galago/world/heldout-v2",
                        std::filesystem::copy_options::recursive);
  EXPECT_EQ(ask(), 0) << err_.text();
  EXPECT_THAT(out_.text(), HasSubstr("fake on World heldout"));
}

TEST_F(EvalCommandTest, MakingAWorld) {
  const std::filesystem::path dir = folder_ / "cache/world/heldout-v2";
  const std::string copies = StrCat("cp -r ", world_.dir().string(), " \"$2\" && echo \"$@\" > \"$2/call\"\n");
  ASSERT_TRUE(MakeWorld(Script(copies), "heldout", dir, stop_).ok());
  EXPECT_THAT(ReadFile(dir / "call", 1 << 10).value(), HasSubstr("--split heldout --preset eval\n"));
  EXPECT_TRUE(std::filesystem::exists(dir / "world.json"));
  EXPECT_TRUE(MakeWorld(Script(copies), "heldout", dir, stop_).ok()) << "another was first";

  const std::filesystem::path other = folder_ / "cache/world/other";
  Status status = MakeWorld(Script("mkdir \"$2\"; exit 5\n"), "heldout", other, stop_);
  EXPECT_THAT(MessageOf(status), HasSubstr("ended with exit code 5"));
  stop_.Request(StopCause::kInterrupt);
  EXPECT_EQ(MakeWorld(Script("mkdir \"$2\"; exec sleep 60\n"), "heldout", other, stop_).code(), StatusCode::kCancelled);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "cache/world")) {
    EXPECT_EQ(entry.path().filename(), "heldout-v2") << "nothing half made stays";
  }
}

TEST(EvalProgress, SaysHowLong) {
  EXPECT_EQ(TimeLeftText(0), "0 s");
  EXPECT_EQ(TimeLeftText(11.2), "12 s");
  EXPECT_EQ(TimeLeftText(150), "3 min");
  EXPECT_EQ(TimeLeftText(7200), "2.0 h");
}

TEST(EvalProgress, OneLineOnATerminalThatGoesAway) {
  StringOutput err;
  Log log(err);
  { EvalProgress progress(log, ProgressMode::kBar, 10, 2); }
  EXPECT_EQ(err.text(), "\r\x1b[K");
  err.clear();
  {
    EvalProgress progress(log, ProgressMode::kJson, 10, 2);
    for (const double known : {1.0, 0.0}) progress.Score(known);
    progress.Score(1.0);
    progress.Add();
    progress.Add();  // one that does not count
  }
  const Json line = Json::parse(err.text());
  EXPECT_EQ(line["done"], 4);
  EXPECT_NEAR(line["score"].get<double>(), 200.0 / 3, 1e-9);
}

}  // namespace
}  // namespace galago::cli
