#include "train/world/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "src/base/hash.h"
#include "src/base/strings.h"

namespace galago::world {
namespace {

// Tasks whose pictures need no packages that may be missing here.
std::vector<std::unique_ptr<const Task>> TasksHere() {
  std::vector<std::unique_ptr<const Task>> tasks;
  for (const std::string& name : TaskNames()) {
    auto task = MakeTask(name);
    if (!task.ok()) {
      EXPECT_EQ(task.status().code(), StatusCode::kNotFound) << name;
      continue;
    }
    EXPECT_EQ((*task)->name(), name);
    tasks.push_back(*std::move(task));
  }
  return tasks;
}

bool Equal(const Medium& a, const Medium& b) {
  if (a.index() != b.index()) return false;
  if (const auto* image = std::get_if<media::Image>(&a)) return *image == std::get<media::Image>(b);
  return std::get<Clip>(a).frames == std::get<Clip>(b).frames && std::get<Clip>(a).fps == std::get<Clip>(b).fps;
}

void ExpectEqual(const Sample& a, const Sample& b) {
  EXPECT_EQ(a.task, b.task);
  EXPECT_EQ(a.form, b.form);
  ASSERT_EQ(a.media.size(), b.media.size());
  for (size_t i = 0; i < a.media.size(); ++i) EXPECT_TRUE(Equal(a.media[i], b.media[i])) << a.task;
  ASSERT_EQ(a.exchanges.size(), b.exchanges.size());
  for (size_t i = 0; i < a.exchanges.size(); ++i) {
    EXPECT_EQ(a.exchanges[i].question, b.exchanges[i].question);
    EXPECT_EQ(a.exchanges[i].answer, b.exchanges[i].answer);
    EXPECT_EQ(a.exchanges[i].kind, b.exchanges[i].kind);
    EXPECT_EQ(a.exchanges[i].metric, b.exchanges[i].metric);
    ASSERT_EQ(a.exchanges[i].told.size(), b.exchanges[i].told.size());
    for (size_t t = 0; t < a.exchanges[i].told.size(); ++t) {
      EXPECT_EQ(a.exchanges[i].told[t].begin, b.exchanges[i].told[t].begin);
      EXPECT_EQ(a.exchanges[i].told[t].end, b.exchanges[i].told[t].end);
    }
  }
}

// Scores are compared over months: what the held-out split asks and answers must not move when training's data do.
TEST(Tasks, HeldOutTextsStayAsTheyAre) {
  const std::map<std::string, uint64_t, std::less<>> known = {
      {"scenes", 0xd42da096b35d8fd0u},    {"things", 0x9bcf6df4c89e3fb6u}, {"reading", 0xbbe9ec356269d8c2u},
      {"documents", 0x655af726cde2afebu}, {"charts", 0x429aff7ed956f17du}, {"several", 0x6fe0dd315a953cf3u},
      {"incontext", 0x8bb7b9c0e97de228u}, {"video", 0xb55a992e007a2456u},  {"temporal", 0x4a05c7eb464b1de0u},
      {"text", 0x5a9bd9a9b456dc19u}};
  for (const auto& task : TasksHere()) {
    const auto it = known.find(task->name());
    if (it == known.end()) continue;
    constexpr uint64_t kSamples = 40;
    std::string texts;
    for (uint64_t i = 0; i < kSamples; ++i) {
      for (const Exchange& exchange : DrawSample(*task, Split::kHeldout, 1, i).exchanges) {
        texts += StrCat(exchange.question, "\n", exchange.answer, "\n");
      }
    }
    EXPECT_EQ(Checksum64(std::as_bytes(std::span(texts))), it->second) << task->name();
  }
}

int64_t MarksIn(std::string_view text) {
  int64_t marks = 0;
  for (const std::string_view mark : {"<image>", "<video>"}) {
    for (size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) ++marks;
  }
  return marks;
}

TEST(Tasks, UnknownOnesAreRefusedByName) {
  const auto task = MakeTask("no-such-task");
  ASSERT_FALSE(task.ok());
  EXPECT_EQ(task.status().code(), StatusCode::kNotFound);
  EXPECT_NE(MessageOf(task.status()).find("no-such-task"), std::string::npos);
}

TEST(Tasks, NamesAreUnique) {
  const std::vector<std::string> names = TaskNames();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(Tasks, SamplesDependOnSeedSplitAndIndexAlone) {
  constexpr uint64_t kSamples = 6;
  for (const auto& task : TasksHere()) {
    std::vector<Sample> forward;
    for (uint64_t i = 0; i < kSamples; ++i) forward.push_back(DrawSample(*task, Split::kTrain, 1, i));
    // Backwards, and on two threads at once.
    std::vector<Sample> first(kSamples);
    std::vector<Sample> second(kSamples);
    const auto backwards = [&](std::vector<Sample>& samples) {
      for (uint64_t i = kSamples; i-- > 0;) samples[i] = DrawSample(*task, Split::kTrain, 1, i);
    };
    std::thread one([&] { backwards(first); });
    std::thread two([&] { backwards(second); });
    one.join();
    two.join();
    for (uint64_t i = 0; i < kSamples; ++i) {
      ExpectEqual(forward[i], first[i]);
      ExpectEqual(forward[i], second[i]);
    }
    // Something differs between neighbours, seeds and splits.
    const auto text = [](const Sample& sample) {
      std::string all;
      for (const Exchange& exchange : sample.exchanges) all += exchange.question + "|" + exchange.answer + "|";
      return all;
    };
    const auto texts = [&](Split split, uint64_t seed) {
      std::string all;
      for (uint64_t i = 0; i < kSamples; ++i) all += text(DrawSample(*task, split, seed, i));
      return all;
    };
    EXPECT_NE(texts(Split::kTrain, 1), texts(Split::kTrain, 2)) << task->name();
    EXPECT_NE(texts(Split::kTrain, 1), texts(Split::kHeldout, 1)) << task->name();
    EXPECT_NE(text(forward[0]), text(forward[1])) << task->name();
  }
}

TEST(Tasks, SamplesAreWellFormed) {
  for (const auto& task : TasksHere()) {
    for (const Split split : {Split::kTrain, Split::kHeldout}) {
      for (uint64_t i = 0; i < 40; ++i) {
        const Sample sample = DrawSample(*task, split, 2, i);
        const auto media = static_cast<int64_t>(sample.media.size());
        ASSERT_FALSE(sample.exchanges.empty());
        const Exchange& first = sample.exchanges.front();
        switch (sample.form) {
          case Form::kConversation:
            EXPECT_GE(media, 1);
            EXPECT_EQ(MarksIn(first.question), 0);
            break;
          case Form::kInterleaved:
            EXPECT_EQ(MarksIn(first.question), media) << first.question;
            break;
          case Form::kCaption:
            EXPECT_EQ(media, 1);
            EXPECT_EQ(sample.exchanges.size(), 1U);
            EXPECT_EQ(first.question, "");
            break;
          case Form::kDocument:
            EXPECT_EQ(sample.exchanges.size(), 1U);
            EXPECT_EQ(first.question, "");
            EXPECT_EQ(MarksIn(first.answer), media) << first.answer;
            break;
          case Form::kText:
            EXPECT_EQ(media, 0);
            break;
        }
        for (const Exchange& exchange : sample.exchanges) {
          EXPECT_FALSE(exchange.answer.empty()) << exchange.question;
          EXPECT_FALSE(exchange.kind.empty());
          if (&exchange != &first) {
            EXPECT_EQ(MarksIn(exchange.question), 0);
          }
          if (exchange.question.empty()) continue;
          EXPECT_EQ(exchange.question.find('{'), std::string::npos) << exchange.question;
        }
      }
    }
  }
}

TEST(InContext, KindsCountTheExamples) {
  const auto task = MakeTask("incontext");
  ASSERT_TRUE(task.ok());
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    std::map<std::string, int> kinds;
    for (uint64_t i = 0; i < 200; ++i) {
      const Sample sample = DrawSample(**task, split, 3, i);
      ASSERT_EQ(sample.exchanges.size(), 1U);
      const Exchange& exchange = sample.exchanges.front();
      EXPECT_EQ(exchange.kind, StrCat(sample.media.size() - 1, "-shot"));
      ++kinds[exchange.kind];
    }
    for (const char* kind : {"0-shot", "1-shot", "2-shot", "3-shot", "4-shot"}) EXPECT_GE(kinds[kind], 4) << kind;
  }
}

TEST(InContext, TrainingShowsNoHeldOutFrame) {
  const auto task = MakeTask("incontext");
  ASSERT_TRUE(task.ok());
  std::set<std::string> frames;
  for (uint64_t i = 0; i < 1500; ++i) {
    const std::string question = DrawSample(**task, Split::kTrain, 5, i).exchanges.front().question;
    EXPECT_EQ(question.find("<image>\nAnswer:"), std::string::npos) << question;
    EXPECT_EQ(question.find("<image>:\n"), std::string::npos) << question;
    frames.insert(question.substr(question.rfind("<image>")));
  }
  EXPECT_GE(frames.size(), 30U);
}

// What a model that sees no example can reach: nothing tells which word is wanted.
TEST(InContext, ZeroShotAnswersCannotBeGuessed) {
  const auto task = MakeTask("incontext");
  ASSERT_TRUE(task.ok());
  std::map<std::string, int> answers;
  int total = 0;
  for (uint64_t i = 0; i < 900; ++i) {
    const Sample sample = DrawSample(**task, Split::kHeldout, 4, i);
    if (sample.exchanges.front().kind != "0-shot") continue;
    ++answers[sample.exchanges.front().answer];
    ++total;
  }
  for (const auto& [answer, count] : answers) EXPECT_LE(count, total / 10) << answer;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kLimitMs = 30;
#else
constexpr double kLimitMs = 3;
#endif

// The trainer draws samples as it goes: pictures must cost far less than a training step on them. Processor time, so
// that a busy machine does not matter.
TEST(Tasks, StillPicturesAreDrawnInMilliseconds) {
  for (const char* name : {"scenes", "several", "incontext", "captions", "interleaved"}) {
    const auto task = MakeTask(name);
    ASSERT_TRUE(task.ok());
    DrawSample(**task, Split::kTrain, 5, 0);  // fonts and tables are loaded on first use
    constexpr int kSamples = 100;
    const std::clock_t begin = std::clock();
    for (uint64_t i = 0; i < kSamples; ++i) DrawSample(**task, Split::kTrain, 5, i);
    const double ms = 1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC / kSamples;
    EXPECT_LT(ms, kLimitMs) << name;
    RecordProperty(name, StrCat(ms));
  }
}

}  // namespace
}  // namespace galago::world
