#include "src/engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace galago::engine {
namespace {

int32_t ChooseOnce(Sampler& sampler, std::vector<float> logits) { return sampler.Choose(logits); }

TEST(Sampler, GreedyTakesTheLowestIdOfEqualLogits) {
  Sampler sampler({}, 4, 1);
  EXPECT_EQ(ChooseOnce(sampler, {0.0f, 3.0f, 3.0f, -1.0f}), 1);
}

TEST(Sampler, EqualSeedsGiveEqualDraws) {
  const SamplingOptions options = {.temperature = 1.0f};
  Sampler a(options, 5, 42), b(options, 5, 42), c(options, 5, 43);
  std::vector<int32_t> from_a, from_b, from_c;
  for (int i = 0; i < 64; ++i) {
    const std::vector<float> logits = {0.1f, 0.2f, 0.3f, 0.2f, 0.1f};
    from_a.push_back(ChooseOnce(a, logits));
    from_b.push_back(ChooseOnce(b, logits));
    from_c.push_back(ChooseOnce(c, logits));
  }
  EXPECT_EQ(from_a, from_b);
  EXPECT_NE(from_a, from_c);
}

TEST(Sampler, DrawsFollowTheSoftmax) {
  Sampler sampler({.temperature = 2.0f}, 2, 7);
  // softmax([0, 2] / 2) gives token 1 with 0.731; 4000 draws have a standard deviation of 0.007.
  int ones = 0;
  for (int i = 0; i < 4000; ++i) ones += ChooseOnce(sampler, {0.0f, 2.0f});
  EXPECT_NEAR(ones / 4000.0, 1.0 / (1.0 + std::exp(-1.0)), 0.035);
}

std::map<int32_t, int> Histogram(const SamplingOptions& options, const std::vector<float>& logits) {
  Sampler sampler(options, static_cast<int64_t>(logits.size()), 11);
  std::map<int32_t, int> seen;
  for (int i = 0; i < 500; ++i) ++seen[ChooseOnce(sampler, logits)];
  return seen;
}

TEST(Sampler, TopKTopPAndMinPCutTheTail) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.15f), std::log(0.05f)};
  EXPECT_EQ(Histogram({.temperature = 1.0f, .top_k = 2}, logits).size(), 2u);
  EXPECT_EQ(Histogram({.temperature = 1.0f, .top_p = 0.79f}, logits).size(), 2u);  // 0.5 + 0.3 reaches it
  EXPECT_EQ(Histogram({.temperature = 1.0f, .top_p = 0.81f}, logits).size(), 3u);
  EXPECT_EQ(Histogram({.temperature = 1.0f, .min_p = 0.25f}, logits).size(), 3u);  // 0.15 >= 0.25 * 0.5 > 0.05
  EXPECT_EQ(Histogram({.temperature = 1.0f, .top_k = 1}, logits).size(), 1u);
}

TEST(Sampler, PenaltiesAndBiasMoveTheChoice) {
  const std::vector<float> logits = {2.0f, 1.9f, -1.0f};
  Sampler repeat({.repeat_penalty = 1.5f}, 3, 1);
  repeat.AcceptPrompt(std::vector<int32_t>{0});
  EXPECT_EQ(ChooseOnce(repeat, logits), 1);

  Sampler presence({.presence_penalty = 0.2f}, 3, 1);
  presence.AcceptPrompt(std::vector<int32_t>{0});  // the prompt does not count
  EXPECT_EQ(ChooseOnce(presence, logits), 0);
  presence.Accept(0);
  EXPECT_EQ(ChooseOnce(presence, logits), 1);

  Sampler frequency({.frequency_penalty = 0.06f}, 3, 1);
  frequency.Accept(0);
  EXPECT_EQ(ChooseOnce(frequency, logits), 0);
  frequency.Accept(0);
  EXPECT_EQ(ChooseOnce(frequency, logits), 1);

  Sampler bias({.logit_bias = {{2, 10.0f}, {0, -INFINITY}}}, 3, 1);
  EXPECT_EQ(ChooseOnce(bias, logits), 2);
}

TEST(Sampler, RepeatWindowForgets) {
  Sampler sampler({.repeat_penalty = 2.0f, .repeat_last_n = 2}, 3, 1);
  sampler.AcceptPrompt(std::vector<int32_t>{0, 1, 1});
  EXPECT_EQ(ChooseOnce(sampler, {2.0f, 1.9f, 0.0f}), 0);
}

TEST(Sampler, RefusesNonsense) {
  EXPECT_TRUE(CheckSampling({}, 10).ok());
  for (const SamplingOptions& bad :
       {SamplingOptions{.temperature = -1.0f}, SamplingOptions{.temperature = NAN}, SamplingOptions{.top_k = -1},
        SamplingOptions{.top_p = 0.0f}, SamplingOptions{.top_p = 1.5f}, SamplingOptions{.min_p = -0.1f},
        SamplingOptions{.repeat_penalty = 0.0f}, SamplingOptions{.repeat_last_n = -1},
        SamplingOptions{.logit_bias = {{10, 1.0f}}}, SamplingOptions{.logit_bias = {{0, NAN}}}}) {
    EXPECT_EQ(CheckSampling(bad, 10).code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace galago::engine
