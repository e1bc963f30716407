#include "train/world/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "src/base/strings.h"
#include "train/world/makers.h"

namespace galago::world {
namespace {

std::vector<int64_t> Numbers(std::string_view text) {
  std::vector<int64_t> numbers;
  for (const char* at = text.data(); at < text.data() + text.size();) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), number);
    if (error == std::errc() && std::isdigit(static_cast<unsigned char>(*at)) != 0) {
      numbers.push_back(number);
      at = end;
    } else {
      ++at;
    }
  }
  return numbers;
}

std::vector<Exchange> Ask(std::string_view kind, Split split, int count) {
  std::vector<Exchange> exchanges;
  for (const Lesson& lesson : Lessons()) {
    if (lesson.kind != kind) continue;
    for (int i = 0; i < count; ++i) {
      Rng rng(static_cast<uint64_t>(i));
      exchanges.push_back(lesson.ask(rng, split));
    }
  }
  return exchanges;
}

TEST(Text, ArithmeticIsRightAndItsOperandsBelongToOneSplit) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    const bool heldout = split == Split::kHeldout;
    for (const Exchange& exchange : Ask("add", split, 300)) {
      const auto n = Numbers(exchange.question);
      ASSERT_EQ(n.size(), 2U) << exchange.question;
      EXPECT_EQ(exchange.answer, StrCat(n[0] + n[1]));
      EXPECT_EQ(IsHeldoutSum(n[0], n[1]), heldout) << exchange.question;
    }
    for (const Exchange& exchange : Ask("multiply", split, 300)) {
      const auto n = Numbers(exchange.question);
      ASSERT_EQ(n.size(), 2U) << exchange.question;
      EXPECT_EQ(exchange.answer, StrCat(n[0] * n[1]));
      EXPECT_EQ(IsHeldoutSum(n[0], n[1]), heldout) << exchange.question;
    }
    for (const Exchange& exchange : Ask("subtract", split, 300)) {
      const auto n = Numbers(exchange.question);
      ASSERT_EQ(n.size(), 2U) << exchange.question;
      EXPECT_EQ(exchange.answer, StrCat(n[0] - n[1]));
      EXPECT_EQ(IsHeldoutSum(n[0] - n[1], n[1]), heldout) << exchange.question;
    }
  }
}

TEST(Text, ComparingAndSortingAreRight) {
  for (const Exchange& exchange : Ask("compare", Split::kTrain, 200)) {
    const auto n = Numbers(exchange.question);
    const bool larger = exchange.question.find("larger") != std::string::npos;
    EXPECT_EQ(exchange.answer, StrCat(larger ? std::max(n[0], n[1]) : std::min(n[0], n[1]))) << exchange.question;
  }
  for (const Exchange& exchange : Ask("sort", Split::kHeldout, 200)) {
    auto n = Numbers(exchange.question);
    std::sort(n.begin(), n.end());
    EXPECT_EQ(Numbers(exchange.answer), n) << exchange.question;
  }
}

TEST(Text, LettersAreRight) {
  const auto quoted = [](const Exchange& exchange) {
    const size_t open = exchange.question.find('"');
    return exchange.question.substr(open + 1, exchange.question.find('"', open + 1) - open - 1);
  };
  for (const Exchange& exchange : Ask("letter-count", Split::kTrain, 100)) {
    EXPECT_EQ(exchange.answer, StrCat(quoted(exchange).size()));
  }
  for (const Exchange& exchange : Ask("spell", Split::kHeldout, 100)) {
    EXPECT_EQ(ReplaceAll(exchange.answer, " ", ""), quoted(exchange));
  }
  for (const Exchange& exchange : Ask("copy", Split::kHeldout, 100)) {
    EXPECT_EQ(exchange.question.substr(exchange.question.find(": ") + 2), exchange.answer);
  }
}

TEST(Text, LessonsAnswerShortlyAndFillTheirWordings) {
  std::set<std::string_view> kinds;
  for (const Lesson& lesson : Lessons()) {
    EXPECT_TRUE(kinds.insert(lesson.kind).second) << lesson.kind;
    for (const Split split : {Split::kTrain, Split::kHeldout}) {
      for (uint64_t seed = 0; seed < 60; ++seed) {
        Rng rng(seed);
        const Exchange exchange = lesson.ask(rng, split);
        EXPECT_FALSE(exchange.answer.empty()) << exchange.question;
        EXPECT_LE(exchange.answer.size(), 48U) << exchange.question;
        EXPECT_EQ(exchange.question.find('{'), std::string::npos) << exchange.question;
        EXPECT_EQ(exchange.question.find(" a orange"), std::string::npos) << exchange.question;
        EXPECT_EQ(exchange.question.find(" a apple"), std::string::npos) << exchange.question;
      }
    }
  }
}

TEST(Text, SamplesHaveNoMediaAndAreReproducible) {
  const auto task = MakeText({});
  ASSERT_TRUE(task.ok()) << task.status();
  std::map<std::string, int> yes_no;
  for (uint64_t i = 0; i < 600; ++i) {
    const Sample first = DrawSample(**task, Split::kTrain, 5, i);
    const Sample second = DrawSample(**task, Split::kTrain, 5, i);
    EXPECT_EQ(first.form, Form::kText);
    EXPECT_TRUE(first.media.empty());
    ASSERT_EQ(first.exchanges.size(), second.exchanges.size());
    for (size_t e = 0; e < first.exchanges.size(); ++e) {
      EXPECT_EQ(first.exchanges[e].question, second.exchanges[e].question);
      EXPECT_EQ(first.exchanges[e].answer, second.exchanges[e].answer);
      if (first.exchanges[e].answer == "yes" || first.exchanges[e].answer == "no") ++yes_no[first.exchanges[e].answer];
    }
  }
  EXPECT_NEAR(static_cast<double>(yes_no["yes"]) / (yes_no["yes"] + yes_no["no"]), 0.5, 0.1);
}

}  // namespace
}  // namespace galago::world
