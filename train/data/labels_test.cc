#include "train/data/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/data/sequence.h"

namespace galago::train {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr int32_t kStart = 1, kEnd = 2, kSentinel = 3, kNewline = 4, kUser = 5, kAssistant = 6;
constexpr int32_t kI = kIgnore;

std::vector<int32_t> Labels(LabelRule rule, std::vector<int32_t> ids, std::vector<int32_t> form) {
  const auto labels = MakeLabels(rule, ids, form, kSentinel);
  EXPECT_TRUE(labels.ok()) << labels.status();
  return labels.ok() ? *labels : std::vector<int32_t>();
}

// One exchange in ChatML.
void Exchange(std::vector<int32_t>& ids, std::vector<int32_t> question, std::vector<int32_t> answer) {
  ids.insert(ids.end(), {kStart, kUser, kNewline});
  ids.insert(ids.end(), question.begin(), question.end());
  ids.insert(ids.end(), {kEnd, kNewline, kStart, kAssistant, kNewline});
  ids.insert(ids.end(), answer.begin(), answer.end());
  ids.insert(ids.end(), {kEnd, kNewline});
}

TEST(Labels, AnswersAndTheTokenThatEndsThem) {
  std::vector<int32_t> ids, form;
  Exchange(ids, {10, 11}, {20, 21});
  Exchange(form, {10, 11}, {kSentinel});
  const std::vector<int32_t> want = {kI, kI, kI, kI, kI, kI, kI, kI, kI, kI, 20, 21, kEnd, kI};
  for (const LabelRule rule : {LabelRule::kSpan, LabelRule::kGreedyMatch}) {
    EXPECT_THAT(Labels(rule, ids, form), ElementsAreArray(want));
  }
}

TEST(Labels, RulesAgreeWhereNoAnswerHoldsALoneNewline) {
  uint64_t state = 7;
  const auto random = [&](uint64_t n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 33) % n;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<int32_t> ids, form;
    for (uint64_t exchanges = 1 + random(4); exchanges > 0; --exchanges) {
      std::vector<int32_t> question(random(4)), answer(1 + random(5));
      for (int32_t& id : question) id = static_cast<int32_t>(4 + random(20));
      for (int32_t& id : answer) id = static_cast<int32_t>(5 + random(20));
      Exchange(ids, question, answer);
      Exchange(form, question, {kSentinel});
    }
    EXPECT_EQ(Labels(LabelRule::kSpan, ids, form), Labels(LabelRule::kGreedyMatch, ids, form));
  }
}

// The habit of the reference's match: the first lone newline of an answer is taken for the template's, whose own then
// carries loss.
TEST(Labels, GreedyMatchLosesANewline) {
  std::vector<int32_t> ids, form;
  Exchange(ids, {10}, {20, kNewline, 21});
  Exchange(form, {10}, {kSentinel});
  EXPECT_THAT(Labels(LabelRule::kSpan, ids, form),
              ElementsAre(kI, kI, kI, kI, kI, kI, kI, kI, kI, 20, kNewline, 21, kEnd, kI));
  EXPECT_THAT(Labels(LabelRule::kGreedyMatch, ids, form),
              ElementsAre(kI, kI, kI, kI, kI, kI, kI, kI, kI, 20, kI, 21, kEnd, kNewline));
}

TEST(Labels, ATokenThatMergesWithTheAnswerCarriesLoss) {
  // "ASSISTANT" ":" " " SENTINEL END against "ASSISTANT" ":" " The" END.
  EXPECT_THAT(Labels(LabelRule::kSpan, {30, 31, 33, kEnd}, {30, 31, 32, kSentinel, kEnd}),
              ElementsAre(kI, kI, 33, kEnd));
  // The reference finds the template not used up, and then drops the token in front of the answer.
  EXPECT_THAT(Labels(LabelRule::kGreedyMatch, {30, 31, 33, kEnd}, {30, 31, 32, kSentinel, kEnd}),
              ElementsAre(kI, kI, 33, kEnd));
}

TEST(Labels, AForeignTemplateIsAnError) {
  std::vector<int32_t> ids, form;
  Exchange(ids, {10}, {20});
  Exchange(form, {11, 12, 13}, {kSentinel});
  EXPECT_EQ(MakeLabels(LabelRule::kSpan, ids, form, kSentinel).status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(Labels(LabelRule::kGreedyMatch, ids, form), testing::Each(kIgnore));
  EXPECT_FALSE(MakeLabels(LabelRule::kSpan, ids, std::vector<int32_t>{kSentinel}, kSentinel).ok());
  EXPECT_FALSE(MakeLabels(LabelRule::kSpan, {}, std::vector<int32_t>{9, kSentinel, kEnd}, kSentinel).ok());
}

}  // namespace
}  // namespace galago::train
