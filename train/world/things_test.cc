#include "train/world/things.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "train/world/makers.h"
#include "train/world/question_reading.h"
#include "train/world/stamps.h"

namespace galago::world {
namespace {

class ThingsTask : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto made = MakeThings({});
    ASSERT_TRUE(made.ok()) << MessageOf(made.status());
    task_ = std::move(made).value().release();
  }
  static void TearDownTestSuite() { delete task_; }

  static const Task* task_;
};
const Task* ThingsTask::task_ = nullptr;

std::optional<size_t> Named(std::string_view text) {
  const auto things = ThingClasses();
  for (size_t i = 0; i < things.size(); ++i) {
    if (text == things[i].name || text == things[i].plural) return i;
  }
  return std::nullopt;
}

// Things that the answers say are there.
std::set<size_t> ThingsShown(const Sample& sample) {
  std::set<size_t> shown;
  for (const Exchange& exchange : sample.exchanges) {
    if (const auto thing = Named(exchange.answer)) shown.insert(*thing);
  }
  return shown;
}

TEST_F(ThingsTask, DrawsTheSameSampleAgain) {
  for (const uint64_t index : {0U, 7U, 123456U}) {
    const Sample a = DrawSample(*task_, Split::kTrain, 3, index);
    const Sample b = DrawSample(*task_, Split::kTrain, 3, index);
    EXPECT_EQ(std::get<media::Image>(a.media[0]), std::get<media::Image>(b.media[0]));
    ASSERT_EQ(a.exchanges.size(), b.exchanges.size());
    for (size_t i = 0; i < a.exchanges.size(); ++i) {
      EXPECT_EQ(a.exchanges[i].question, b.exchanges[i].question);
      EXPECT_EQ(a.exchanges[i].answer, b.exchanges[i].answer);
    }
  }
}

TEST_F(ThingsTask, AnswersOfOnePictureAgree) {
  for (uint64_t index = 0; index < 300; ++index) {
    const Sample sample = DrawSample(*task_, index % 2 == 0 ? Split::kTrain : Split::kHeldout, 1, index);
    std::map<std::string, std::vector<std::string>> answers;  // by kind
    for (const Exchange& exchange : sample.exchanges) {
      EXPECT_FALSE(exchange.question.empty() || exchange.answer.empty());
      EXPECT_EQ(exchange.question.find('{'), std::string::npos) << exchange.question;
      answers[exchange.kind].push_back(exchange.answer);
    }
    const bool lists = answers.contains("present") || answers.contains("counts");
    ASSERT_GE(sample.exchanges.size(), lists ? 1U : 3U);
    if (answers.contains("count all")) {
      const int64_t total = std::stoll(answers["count all"][0]);
      int64_t sum = 0;
      for (const std::string& count : answers["count"]) sum += std::stoll(count);
      EXPECT_LE(sum, total);
      EXPECT_GE(total, static_cast<int64_t>(ThingsShown(sample).size()));
    }
    for (const Exchange& where : sample.exchanges) {
      for (const Exchange& what : sample.exchanges) {
        if (where.kind != "where" || what.kind != "corner" || what.question.find(where.answer) == std::string::npos)
          continue;
        EXPECT_NE(where.question.find(what.answer), std::string::npos) << what.question << " " << where.question;
      }
    }
    if (answers.contains("left of")) {
      EXPECT_NE(answers["left of"], answers["right of"]);
    }
    if (answers.contains("above")) {
      EXPECT_NE(answers["above"], answers["below"]);
    }
  }
}

// Lists tell what the single questions about the same picture say.
TEST_F(ThingsTask, ListsAgreeWithTheQuestions) {
  const std::map<std::string, std::string> kinds = {{"there", "present"},  {"count", "counts"}, {"side", "sides"},
                                                    {"height", "heights"}, {"where", "places"}, {"corner", "contents"}};
  const auto stamps = LoadStamps({});
  ASSERT_TRUE(stamps.ok());
  std::map<std::string, int> checked;
  for (uint64_t index = 0; index < 2000; ++index) {
    // The task's own numbers, so its own picture.
    Rng rng(MixSeed(MixSeed(4, "train", 0), "things", index));
    const Told told = DrawThings(**stamps, rng, Split::kTrain);
    const Sample sample = DrawSample(*task_, Split::kTrain, 4, index);
    ASSERT_EQ(std::get<media::Image>(told.medium), std::get<media::Image>(sample.media[0]));
    for (const Exchange& exchange : sample.exchanges) {
      const auto kind = kinds.find(exchange.kind);
      if (kind == kinds.end()) continue;
      for (const List& list : told.lists) {
        if (list.kind != kind->second) continue;
        for (const ListItem& item : list.items) {
          const std::vector<std::string> words = testing::WordsOf(exchange.question);
          const bool asked = exchange.kind == "corner"
                                 ? exchange.question.find(item.name) != std::string::npos
                                 : std::find(words.begin(), words.end(), item.name) != words.end();
          if (!asked) continue;
          EXPECT_EQ(item.answer, exchange.answer) << exchange.question;
          ++checked[exchange.kind];
        }
      }
    }
  }
  for (const auto& [question, list] : kinds) EXPECT_GT(checked[question], 20) << question;
}

// What is found, and what is asked for, is what the single questions about the same picture say.
TEST_F(ThingsTask, FindsAgreeWithTheQuestions) {
  const std::map<std::string, std::string> titles = {
      {"there", "there"}, {"count", "count"}, {"side", "side"}, {"height", "top or bottom"}, {"where", "place"}};
  const auto stamps = LoadStamps({});
  ASSERT_TRUE(stamps.ok());
  std::map<std::string, int> found, asked;
  for (uint64_t index = 0; index < 2000; ++index) {
    Rng rng(MixSeed(MixSeed(4, "train", 0), "things", index));
    Rng same = rng;
    const Told told = FindThings(**stamps, rng, Split::kTrain);
    const Sample search = AskForThings(**stamps, same, Split::kTrain);
    const Sample sample = DrawSample(*task_, Split::kTrain, 4, index);
    ASSERT_EQ(std::get<media::Image>(told.medium), std::get<media::Image>(sample.media[0]));
    ASSERT_EQ(std::get<media::Image>(search.media[0]), std::get<media::Image>(sample.media[0]));
    for (const Exchange& exchange : sample.exchanges) {
      const auto title = titles.find(exchange.kind);
      if (title == titles.end()) continue;
      const std::vector<std::string> words = testing::WordsOf(exchange.question);
      const List& list = told.lists.at(0);
      for (const ListItem& item : list.items) {
        if (list.title != title->second || std::ranges::find(words, item.name) == words.end()) continue;
        EXPECT_EQ(item.answer, exchange.answer) << exchange.question;
        ++found[exchange.kind];
      }
      for (const Exchange& other : search.exchanges) {
        if (other.kind != exchange.kind) continue;
        const std::vector<std::string> others = testing::WordsOf(other.question);
        for (const ThingClass& thing : ThingClasses()) {
          const std::string name(exchange.kind == "count" ? thing.plural : thing.name);
          if (std::ranges::find(words, name) == words.end() || std::ranges::find(others, name) == others.end())
            continue;
          EXPECT_EQ(other.answer, exchange.answer) << exchange.question << " " << other.question;
          ++asked[exchange.kind];
        }
      }
    }
  }
  for (const auto& [question, title] : titles) EXPECT_GT(found[question], 20) << question;
  for (const auto& [question, title] : titles) EXPECT_GT(asked[question], 20) << question;
}

// Answers of a kind in 1,000 samples, each item of a list for itself.
struct Votes {
  int yes = 0;
  int all = 0;
};
Votes VotesOf(const Task& task, std::string_view kind) {
  Votes votes;
  for (uint64_t index = 0; index < 1000; ++index) {
    for (const Exchange& exchange : DrawSample(task, Split::kTrain, 2, index).exchanges) {
      if (exchange.kind != kind) continue;
      for (const std::string& answer : testing::Parts(exchange.answer)) {
        votes.yes += answer == "yes" ? 1 : 0;
        ++votes.all;
      }
    }
  }
  return votes;
}

TEST_F(ThingsTask, YesComesAsOftenAsNo) {
  const Votes asked = VotesOf(*task_, "there");
  EXPECT_GT(asked.all, 600);                                            // samples that ask lists have none
  EXPECT_NEAR(asked.yes, 0.5 * asked.all, 2.5 * std::sqrt(asked.all));  // five standard deviations
  const Votes listed = VotesOf(*task_, "present");
  EXPECT_GT(listed.all, 200);
  EXPECT_NEAR(listed.yes, 0.5 * listed.all, 2.5 * std::sqrt(listed.all));
}

// What is looked for in vain could be there: nothing is told by who never stands beside whom.
TEST_F(ThingsTask, AbsentThingsMayMeetThosePresent) {
  const auto stamps = LoadStamps({});
  ASSERT_TRUE(stamps.ok());
  const auto index_of = [](std::string_view name) {
    const auto known = [&](const ThingClass& thing) { return thing.name == name || thing.plural == name; };
    return static_cast<size_t>(std::ranges::find_if(ThingClasses(), known) - ThingClasses().begin());
  };
  int pairs = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Rng rng(seed);
    const Told told = FindThings(**stamps, rng, Split::kTrain);
    for (const ListItem& there : told.lists[0].items) {
      for (const ListItem& absent : told.lists[0].items) {
        if (there.answer == "no" || there.answer == "0" || (absent.answer != "no" && absent.answer != "0")) continue;
        EXPECT_FALSE(IsHeldOutPair(index_of(there.name), index_of(absent.name))) << there.name << " " << absent.name;
        ++pairs;
      }
    }
  }
  EXPECT_GT(pairs, 500);
}

TEST_F(ThingsTask, HeldOutPairsAndWordingsStayOutOfTraining) {
  std::set<std::string> train_questions, heldout_questions;
  int unseen_pairs = 0;
  for (uint64_t index = 0; index < 1500; ++index) {
    for (const Split split : {Split::kTrain, Split::kHeldout}) {
      const Sample sample = DrawSample(*task_, split, 1, index);
      const std::set<size_t> shown = ThingsShown(sample);
      for (const size_t a : shown) {
        for (const size_t b : shown) {
          if (split == Split::kTrain) {
            EXPECT_FALSE(IsHeldOutPair(a, b));
          }
          if (split == Split::kHeldout && IsHeldOutPair(a, b)) ++unseen_pairs;
        }
      }
      for (const Exchange& exchange : sample.exchanges) {
        (split == Split::kTrain ? train_questions : heldout_questions).insert(exchange.question);
      }
    }
  }
  EXPECT_GT(unseen_pairs, 50);
  std::vector<std::string> both;
  std::set_intersection(train_questions.begin(), train_questions.end(), heldout_questions.begin(),
                        heldout_questions.end(), std::back_inserter(both));
  EXPECT_TRUE(both.empty()) << both.front();
}

TEST_F(ThingsTask, DrawsFastEnoughToTrainFrom) {
  constexpr int kSamples = 50;
  const std::clock_t start = std::clock();  // processor time: other work on the machine does not count
  for (uint64_t index = 0; index < kSamples; ++index) DrawSample(*task_, Split::kTrain, 4, index);
  const double ms = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / kSamples;
  EXPECT_LT(ms, 10.0);
}

TEST(HeldOutPairs, AreOneInSevenAndSymmetric) {
  const size_t count = ThingClasses().size();
  size_t heldout = 0;
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b < a; ++b) {
      EXPECT_EQ(IsHeldOutPair(a, b), IsHeldOutPair(b, a));
      heldout += IsHeldOutPair(a, b) ? 1 : 0;
    }
  }
  const double pairs = static_cast<double>(count * (count - 1)) / 2;
  EXPECT_NEAR(static_cast<double>(heldout) / pairs, 1.0 / 7, 0.03);
}

}  // namespace
}  // namespace galago::world
