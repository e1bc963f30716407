#include "eval/world_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "eval/answer_log.h"
#include "eval/page.h"
#include "eval/summary.h"
#include "eval/table.h"
#include "eval/world_fixture.h"
#include "src/base/file.h"

namespace galago::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class WorldRunTest : public ::testing::Test {
 protected:
  WorldRunTest() : set_(ReadWorldSet(world_.dir(), {}).value()), log_path_(world_.dir() / "answers.jsonl") {}

  Asker Scripted() {
    return {.place_media =
                [this](const std::string& text, std::vector<Part> media) {
                  ++placed_;
                  UserMessage out{.message = {.parts = std::move(media)}};
                  out.message.parts.push_back(Part::Text(text));
                  return StatusOr<UserMessage>(std::move(out));
                },
            .generate = [this](const std::vector<Message>& conversation,
                               const GenerateOptions& options) -> StatusOr<GenerateResult> {
              if (!fails_.ok()) return fails_;
              EXPECT_EQ(conversation.size(), 1u) << "alone, as the first turn";
              EXPECT_EQ(options.sampling.temperature, 0);
              max_tokens_.push_back(options.max_tokens);
              const Message& message = conversation[0];
              asked_.push_back(message);
              GenerateResult result;
              result.text = replies_[message.parts.back().text];
              result.timings.ttft_ms = static_cast<double>(asked_.size());
              if (cancel_after_ != 0 && asked_.size() == cancel_after_) {
                cancel_ = true;
                result.finish_reason = FinishReason::kCancelled;
              }
              return result;
            }};
  }
  std::vector<Answer> RunAll() {
    std::vector<Answer> answers;
    EXPECT_TRUE(RunWorld(set_, Scripted(), {}, answers).ok());
    return answers;
  }
  Report MakeReport(std::span<const Answer> answers) {
    return {.model = "<nano>",
            .precision = "bf16",
            .split = set_.split,
            .seed = set_.seed,
            .num_questions = set_.num_questions(),
            .summary = Summarise(set_, answers),
            .median_ttft_ms = MedianTtft(answers)};
  }

  WorldFixture world_{::testing::TempDir()};
  WorldSet set_;
  std::filesystem::path log_path_;
  // Scenes: 1 of 2 colours, the count within 5 %, the title with one letter of four wrong. In context only with
  // examples.
  std::map<std::string, std::string> replies_ = {
      {"What colour is it?", " Red "}, {"How many?", "3.1"},
      {"What does it say?", "EXI<"},   {"<image> is lom. <image> is?", "tiv"},
      {"And without examples?", "no"}, {"When does it jump?", "<2.0> <3.0>"}};
  std::vector<Message> asked_;
  std::vector<int64_t> max_tokens_;
  int placed_ = 0;
  Status fails_;
  std::atomic<bool> cancel_ = false;
  size_t cancel_after_ = 0;
};

TEST_F(WorldRunTest, AsksEachQuestionAloneWithItsMediaFirst) {
  const std::vector<Answer> answers = RunAll();
  ASSERT_EQ(asked_.size(), 7u);
  ASSERT_EQ(asked_[1].parts.size(), 2u);
  EXPECT_EQ(asked_[1].parts[0].source, (world_.dir() / "pictures/a.png").string());
  EXPECT_EQ(asked_[1].parts[1].text, "How many?");
  EXPECT_EQ(asked_[5].parts.size(), 3u) << "questions after one with marks have the media in front";
  EXPECT_EQ(asked_[6].parts[0].kind, PartKind::kVideo);
  EXPECT_EQ(placed_, 1);
  EXPECT_THAT(max_tokens_, ElementsAre(32, 16, 32, 32, 32, 32, 32));
  std::vector<double> scores;
  for (const Answer& answer : answers) scores.push_back(answer.score);
  EXPECT_THAT(scores, ElementsAre(1, 1, 0, 0.75, 1, 0, 0.5));
}

TEST_F(WorldRunTest, SummaryCountsByTaskKindAndMetric) {
  const Summary summary = Summarise(set_, RunAll());
  ASSERT_EQ(summary.tasks.size(), 3u) << "captions are not scored";
  const TaskSummary& scenes = summary.tasks[0];
  EXPECT_EQ(scenes.all.n, 4);
  EXPECT_EQ(scenes.all.metric, "mixed");
  EXPECT_DOUBLE_EQ(scenes.all.score, 100 * 2.75 / 4);
  // Two records with residuals (2 - 2 m) / 4 and (0.75 - 2 m) / 4, m = 0.6875.
  EXPECT_NEAR(scenes.all.margin, 196 * std::sqrt(0.15625 * 0.15625 * 2), 1e-9);
  ASSERT_EQ(scenes.kinds.size(), 3u);
  EXPECT_EQ(scenes.kinds[0].name, "colour");
  EXPECT_EQ(scenes.kinds[0].n, 2);
  EXPECT_EQ(scenes.kinds[0].score, 50);
  ASSERT_EQ(scenes.metrics.size(), 3u);
  EXPECT_EQ(scenes.metrics[2].name, "anls");
  EXPECT_EQ(scenes.metrics[2].score, 75);
  EXPECT_EQ(summary.in_context_gain, 100.0);
  EXPECT_EQ(summary.tasks[2].all.at_half, 100.0);
  EXPECT_EQ(summary.tasks[2].all.score, 50);
  EXPECT_TRUE(summary.tasks[2].metrics.empty());
  EXPECT_DOUBLE_EQ(summary.macro, (68.75 + 100 + 50) / 3) << "0-shot is there to be compared with";
  EXPECT_DOUBLE_EQ(summary.total, 100 * 4.25 / 6);
  EXPECT_EQ(summary.n, 7);
}

TEST_F(WorldRunTest, ScoresHaveNames) {
  const Summary summary = Summarise(set_, RunAll());
  EXPECT_EQ(ScoreNamed(summary, "scenes"), 68.75);
  EXPECT_EQ(ScoreNamed(summary, "scenes.colour"), 50);
  EXPECT_EQ(ScoreNamed(summary, "temporal.p@0.5"), 100);
  EXPECT_EQ(ScoreNamed(summary, "in-context-gain"), 100);
  EXPECT_EQ(ScoreNamed(summary, "macro"), summary.macro);
  EXPECT_EQ(ScoreNamed(summary, "total"), summary.total);
  EXPECT_EQ(ScoreNamed(summary, "scenes.size"), std::nullopt);
  EXPECT_EQ(ScoreNamed(summary, "captions"), std::nullopt) << "nothing was asked";
  EXPECT_TRUE(IsScoreName(set_, "scenes.colour"));
  EXPECT_FALSE(IsScoreName(set_, "sences"));
}

TEST_F(WorldRunTest, TimesAreMeansOverVideosOfMeansOverQuestions) {
  WorldSet set{.tasks = {"t"}};
  const Question when{.kind = "when", .metric = Metric::kTime};
  set.records = {Record{.task = "t", .questions = {when, when, when}}, Record{.task = "t", .questions = {when}}};
  const std::vector<Answer> answers = {{.record = 0, .question = 0, .score = 0.3},
                                       {.record = 0, .question = 1, .score = 0.6},
                                       {.record = 0, .question = 2, .score = 0.6},
                                       {.record = 1, .question = 0, .score = 0.1}};
  const Summary summary = Summarise(set, answers);
  EXPECT_NEAR(summary.tasks[0].all.score, 100 * (0.5 + 0.1) / 2, 1e-9);
  EXPECT_NEAR(*summary.tasks[0].all.at_half, 100 * (2.0 / 3 + 0) / 2, 1e-9);
}

TEST_F(WorldRunTest, AFailureNamesTheQuestion) {
  fails_ = DataLoss("pictures/a.png: not a PNG");
  std::vector<Answer> answers;
  const Status status = RunWorld(set_, Scripted(), {}, answers);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(MessageOf(status), "scenes-000000#1: pictures/a.png: not a PNG");
}

TEST_F(WorldRunTest, AStoppedRunKeepsWholeAnswersAndGoesOn) {
  cancel_after_ = 3;
  std::vector<Answer> answers;
  EXPECT_EQ(RunWorld(set_, Scripted(), {.cancel = &cancel_}, answers).code(), StatusCode::kCancelled);
  EXPECT_EQ(answers.size(), 2u) << "half a reply does not count";
  const Report report = MakeReport(answers);
  EXPECT_FALSE(report.complete());
  EXPECT_THAT(SummaryLines(report).back(), HasSubstr("PARTIAL: stopped after 2 of 7 questions"));
  cancel_ = false;
  cancel_after_ = 0;
  EXPECT_TRUE(RunWorld(set_, Scripted(), {}, answers).ok());
  EXPECT_EQ(asked_.size(), 3u + 5u);
  EXPECT_EQ(Summarise(set_, answers), Summarise(set_, RunAll()));
}

TEST_F(WorldRunTest, TheLogBringsAnswersBack) {
  std::unique_ptr<AnswerLog> log = AnswerLog::Create(log_path_, "nano bf16").value();
  std::vector<Answer> answers;
  ASSERT_TRUE(
      RunWorld(set_, Scripted(), {.on_answer = [&](const Answer& a) { return log->Append(set_, a); }}, answers).ok());
  log.reset();
  EXPECT_EQ(AnswerLog::Create(log_path_, "nano bf16").status().code(), StatusCode::kFailedPrecondition);
  std::vector<Answer> again;
  ASSERT_TRUE(AnswerLog::Resume(log_path_, "nano bf16", set_, again).ok());
  EXPECT_EQ(again, answers);
  again.clear();
  EXPECT_EQ(AnswerLog::Resume(log_path_, "other", set_, again).status().code(), StatusCode::kFailedPrecondition);

  // The machine stopped within a line: it goes, the rest stays, and what follows is whole again.
  const std::string text = ReadFile(log_path_, 1 << 20).value();
  std::filesystem::resize_file(log_path_, text.size() - 5);
  log = AnswerLog::Resume(log_path_, "nano bf16", set_, again).value();
  ASSERT_EQ(again.size(), 6u);
  ASSERT_TRUE(log->Append(set_, answers[6]).ok());
  EXPECT_EQ(ReadFile(log_path_, 1 << 20).value(), text);

  // Another World under the same ids.
  set_.records[0].questions[0].answer = "green";
  again.clear();
  const Status status = AnswerLog::Resume(log_path_, "nano bf16", set_, again).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(status), HasSubstr("answers.jsonl:2: scenes-000000#1 is another question"));
}

TEST_F(WorldRunTest, DamagedLogsAreRefused) {
  std::vector<Answer> answers;
  const auto resume = [&](const std::string& text) {
    world_.Write("answers.jsonl", text);
    return AnswerLog::Resume(log_path_, "m", set_, answers).status().code();
  };
  const std::string head = R"({"schema":"galago.answers/1","model":"m"})";
  EXPECT_EQ(resume(""), StatusCode::kOk);
  EXPECT_EQ(ReadFile(log_path_, 1 << 20).value(), head + "\n");
  EXPECT_EQ(resume(head.substr(0, 9)), StatusCode::kDataLoss);
  EXPECT_EQ(resume("{}\n"), StatusCode::kDataLoss);
  EXPECT_EQ(resume(head + "\nnonsense\n"), StatusCode::kDataLoss);
  EXPECT_EQ(resume(head + "\n{\"id\":\"scenes-000000#1\"}\n"), StatusCode::kDataLoss);
  EXPECT_EQ(resume(head + "\n" + R"({"id":"gone#1","question":"","expected":"","reply":""})" + "\n"), StatusCode::kOk);
  EXPECT_TRUE(answers.empty());
}

TEST_F(WorldRunTest, ReportsReadBack) {
  const std::vector<Answer> answers = RunAll();
  const Report report = MakeReport(answers);
  const Json json = ReportJson(report);
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["tasks"][2]["p_at_0.5"], 100);
  const StatusOr<Report> again = ParseReport(json, "x");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ReportJson(*again)["tasks"], json["tasks"]);
  EXPECT_EQ(again->summary.macro, json["macro"]);
  EXPECT_TRUE(again->complete());
  EXPECT_EQ(QuestionsJson(set_, answers)[6]["media"][0], "pictures/clip.mp4");
  for (const char* text :
       {"[]", "{}", R"({"schema":"galago.eval/2"})", R"({"schema":"galago.eval/1"})",
        R"({"schema":"galago.eval/1","tasks":[1]})", R"({"schema":"galago.eval/1","tasks":[{"task":"a","n":0}]})",
        R"({"schema":"galago.eval/1","n":"x","tasks":[]})"}) {
    EXPECT_EQ(ParseReport(Json::parse(text), "f.json").status().code(), StatusCode::kDataLoss) << text;
  }
}

TEST_F(WorldRunTest, TablesAlignAndEscape) {
  const Table table = SummaryTable(Summarise(set_, RunAll()));
  const std::string text = TextTable(table);
  EXPECT_THAT(text, HasSubstr("task           metric   n  score  +-95%  P@0.5\n"));
  EXPECT_THAT(text, HasSubstr("  colour       exact    2   50.0  "));
  EXPECT_THAT(text, HasSubstr("temporal       time     1   50.0    0.0  100.0\n"));
  EXPECT_THAT(MarkdownTable(table), HasSubstr("| --- | --- | ---: |"));
  EXPECT_EQ(MarkdownTable({.header = {"a|b"}}), "| a\\|b |\n| --- |\n");
  EXPECT_EQ(CsvTable({.header = {"a,b", "c\"d"}, .rows = {{"1", ""}}}), "\"a,b\",\"c\"\"d\"\r\n1,\r\n");
}

TEST_F(WorldRunTest, ComparesSideBySide) {
  const Report before = MakeReport(RunAll());
  replies_["What does it say?"] = "EXIT";
  Report after = MakeReport(RunAll());
  after.num_questions = 9;
  using Labelled = std::pair<std::string, Report>;
  const Table two = ComparisonTable(std::vector<Labelled>{{"s1", before}, {"s2", after}}, /*with_kinds=*/false);
  EXPECT_THAT(two.header, ElementsAre("task", "s1", "s2 (partial)", "change"));
  EXPECT_THAT(two.rows[0], ElementsAre("scenes", "68.8", "75.0", "+6.2"));
  EXPECT_THAT(two.rows[3], ElementsAre("temporal P@0.5", "100.0", "100.0", "+0.0"));
  EXPECT_THAT(two.rows.back(), ElementsAre("questions", "7", "7", ""));
  after.summary.tasks.erase(after.summary.tasks.begin());
  const Table three = ComparisonTable(std::vector<Labelled>{{"a", after}, {"b", before}, {"c", before}}, true);
  EXPECT_EQ(three.header.size(), 4u);
  EXPECT_THAT(three.rows.back(), ElementsAre("questions", "7", "7", "7"));
  EXPECT_EQ(
      std::count(three.rows.begin(), three.rows.end(), (std::vector<std::string>{"  colour", "", "50.0", "50.0"})), 1);
}

TEST_F(WorldRunTest, ThePageShowsFailuresAndEscapes) {
  const std::vector<Answer> answers = RunAll();
  const std::vector<Answer> failures = ChooseFailures(set_, answers, 1);
  ASSERT_EQ(failures.size(), 1u) << "half a time covered is no failure, nor is 0-shot, which no model can know";
  EXPECT_EQ(set_.records[failures[0].record].id, "scenes-000001");
  EXPECT_EQ(ChooseFailures(set_, answers, 9).size(), 2u);
  EXPECT_TRUE(ChooseFailures(set_, answers, 0).empty());
  const std::string page = ReportPage(MakeReport(answers), set_, answers, 9);
  EXPECT_THAT(page, HasSubstr("<title>&lt;nano&gt; on World</title>"));
  EXPECT_THAT(page, HasSubstr("src=\"data:image/png;base64,iVBORw0KGgo"));
  EXPECT_THAT(page, HasSubstr("got <b class=\"got\">EXI&lt;</b>"));
  EXPECT_THAT(page, Not(HasSubstr("EXI<")));
  EXPECT_THAT(page, HasSubstr("<h2>scenes: wrong answers</h2>"));
  EXPECT_THAT(page, Not(HasSubstr("<h2>incontext: wrong answers</h2>")));
  std::filesystem::remove(world_.dir() / "pictures/b.png");
  EXPECT_THAT(ReportPage(MakeReport(answers), set_, answers, 9), HasSubstr("pictures/b.png (not shown)"));
}

TEST_F(WorldRunTest, ThePageShowsPicturesInPlace) {
  replies_["<image> is lom. <image> is?"] = "lom";
  const std::vector<Answer> answers = RunAll();
  const std::string page = ReportPage(MakeReport(answers), set_, answers, 9);
  EXPECT_THAT(page, HasSubstr("<p><img alt=\"pictures/a.png\""));
  EXPECT_THAT(page, HasSubstr("\"> is lom. <img alt=\"pictures/b.png\""));
  EXPECT_THAT(page, Not(HasSubstr("&lt;image&gt;")));
}

TEST_F(WorldRunTest, VideosComeAsVideos) {
  replies_["When does it jump?"] = "<0.0> <0.5>";
  const std::vector<Answer> answers = RunAll();
  EXPECT_THAT(ReportPage(MakeReport(answers), set_, answers, 9),
              HasSubstr("<video controls muted loop preload=\"metadata\" title=\"pictures/clip.mp4\" "
                        "src=\"data:video/mp4;base64,"));
}

TEST(Summary, OfNothingIsEmpty) {
  const WorldSet set{.tasks = {"scenes"}};
  const Summary summary = Summarise(set, {});
  EXPECT_EQ(summary.n, 0);
  EXPECT_TRUE(summary.tasks.empty());
  EXPECT_EQ(MedianTtft({}), 0);
}

}  // namespace
}  // namespace galago::eval
