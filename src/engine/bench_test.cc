#include "galago/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "src/base/strings.h"
#include "src/engine/stage_work.h"
#include "src/spec/published.h"

namespace galago {
namespace {

using ::testing::HasSubstr;

// ------------------------------------------------------------------------------------------------------------ work

TEST(StageWork, DecoderOperationsFollowTheDimensions) {
  const spec::LanguageModelSpec small = {.hidden_size = 8,
                                         .intermediate_size = 16,
                                         .num_hidden_layers = 3,
                                         .num_attention_heads = 2,
                                         .num_key_value_heads = 1,
                                         .head_dim = 4,
                                         .vocab_size = 10};
  // A layer's matrices: q and o 8 x 8, k and v 4 x 8, three of 16 x 8.
  const double matrices = 2 * 64 + 2 * 32 + 3 * 128, head = 2 * 10 * 8;
  // One position sees itself and 5 others: q.k and p.v over 8 channels each.
  EXPECT_EQ(engine::DecoderOperations(small, 1, 5), 3 * (2 * matrices + 4 * 6 * 8) + head);
  // Two positions see 6 and 7.
  EXPECT_EQ(engine::DecoderOperations(small, 2, 5), 3 * (4 * matrices + 4 * 13 * 8) + head);
  // Keys and values of 2 layers' worth of bf16: each chunk reads all that came before it.
  const double position = 2 * 3 * 4 * 2;
  EXPECT_EQ(engine::CacheBytes(small, 1, 5, 512, 2), 6 * position);
  EXPECT_EQ(engine::CacheBytes(small, 5, 0, 2, 2), (2 + 4 + 5) * position);
}

TEST(StageWork, TilesOfPublishedTowers) {
  const auto tera = [](const char* name) { return engine::TileOperations(*spec::ParsePublished(name)) * 1e-12; };
  // 26 layers over 1024 patches of SigLIP-so400m: 26 * (2 * 1024 * (4 * 1152^2 + 2 * 1152 * 4304) + 4 * 1024^2 * 1152).
  const double siglip = 26 * (2.0 * 1024 * (4.0 * 1152 * 1152 + 2.0 * 1152 * 4304) + 4.0 * 1024 * 1024 * 1152) * 1e-12;
  EXPECT_NEAR(tera("NVILA-Lite-2B"), siglip, 0.02 * siglip);
  // One picture at 384 and in four pieces at 768.
  EXPECT_NEAR(tera("VILA1.5-3b-s2"), 5 * tera("VILA1.5-3b"), 0.03 * 5 * tera("VILA1.5-3b"));
}

// ---------------------------------------------------------------------------------------------------------- limits

TEST(Limits, EveryNumberOfThreadsHasEveryLimit) {
  const auto limits = MeasureLimits({.threads = {1, 2}, .repeats = 2, .seconds = 0.002, .dram_bytes = 4 << 20});
  ASSERT_TRUE(limits.ok()) << limits.status();
  std::set<std::pair<std::string, std::string>> of[3];
  for (const MachineLimit& limit : *limits) {
    ASSERT_TRUE(limit.threads == 1 || limit.threads == 2);
    EXPECT_TRUE(of[limit.threads].emplace(limit.name, limit.isa).second) << limit.name << " comes twice";
    EXPECT_GT(limit.median, 0) << limit.name;
    EXPECT_GE(limit.best, limit.median) << limit.name;
  }
  EXPECT_EQ(of[1], of[2]);
  EXPECT_EQ((*limits)[0].name, "dram_read");
}

TEST(Limits, NonsenseIsRefused) {
  EXPECT_EQ(MeasureLimits({.threads = {0}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MeasureLimits({.threads = {1}, .repeats = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MeasureLimits({.threads = {1}, .seconds = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MeasureLimits({.threads = {4}, .dram_bytes = 1 << 20}).status().code(), StatusCode::kInvalidArgument);
}

TEST(Limits, CancelEndsThem) {
  const std::atomic<bool> cancel = true;
  const LimitOptions options = {.threads = {1}, .dram_bytes = 4 << 20, .cancel = &cancel};
  EXPECT_EQ(MeasureLimits(options).status().code(), StatusCode::kCancelled);
}

// ----------------------------------------------------------------------------------------------- made-up checkpoints

TEST(PublishedShape, DescribesItselfAndTokenizesBytes) {
  const auto model = OpenPublishedShape("nvila-lite-2b", {}, {});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->name(), "NVILA-Lite-2B");
  EXPECT_TRUE((*model)->sees());
  EXPECT_THAT((*model)->DescribeText(), HasSubstr("width 1536, 28 layers"));
  EXPECT_EQ((*model)->Tokenize("ab c", false, false)->size(), 4u);
}

TEST(PublishedShape, EveryOneOpens) {
  for (const PublishedShape& shape : PublishedShapes()) {
    EXPECT_TRUE(OpenPublishedShape(shape.name, {}, {}).ok()) << shape.name;
  }
}

// A plan is close to what making the weights takes.
TEST(PublishedShape, MemoryPlanFollowsTheFormat) {
  const auto weights = [](const RandomModelOptions& random) {
    return static_cast<double>((*OpenPublishedShape("VILA1.5-40b", random, {}))->PlanMemory(4096).weights);
  };
  const double bf16 = weights({}), w4 = weights({.decoder = WeightFormat::kW4});
  EXPECT_NEAR(bf16, 2 * (34.39e9 + 5.5e9), 0.02 * bf16) << "34.4 B of decoder, 5.5 B of tower";
  // 4 bits and, for 128 of them, two 16-bit numbers in place of 16 bits; the tables are 0.92 B.
  EXPECT_NEAR(bf16 - w4, 33.47e9 * (2 - 4.25 / 8), 0.02 * bf16);
}

TEST(PublishedShape, WhatIsNotThereIsRefused) {
  EXPECT_EQ(OpenPublishedShape("NVILA-9B", {}, {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(OpenPublishedShape("NVILA-8B", {.tower = WeightFormat::kW4}, {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenPublishedShape("NVILA-8B", {}, {.chat_template = "none-such"}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Stages, NeedWeights) {
  const auto model = OpenPublishedShape("Qwen2.5-0.5B", {}, {});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(Stages::Create(*model, {}).status().code(), StatusCode::kFailedPrecondition);
}

// Tiny checkpoints of every way to cut pictures.
TEST(Stages, RunOnEveryFamily) {
  for (const char* name : {"nvila_lite_2b", "nvila_8b", "nvila_8b_video", "nvila_s2", "mobilevlm_v1", "mobilevlm_v2"}) {
    const auto model = Model::Open(StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data/", name, "/model"), {});
    ASSERT_TRUE(model.ok()) << model.status();
    ASSERT_TRUE((*model)->LoadWeights().ok());
    const auto stages = Stages::Create(*model, {.threads = 1, .ctx_size = 64, .prefill_chunk = 16});
    ASSERT_TRUE(stages.ok()) << stages.status();
    const auto tile = (*stages)->See(1);
    ASSERT_TRUE(tile.ok()) << name << ": " << tile.status();
    EXPECT_GT(tile->operations, 0);
    EXPECT_GT(tile->bytes, 0);
    const auto prefill = (*stages)->Compute(40, 0);
    ASSERT_TRUE(prefill.ok()) << name << ": " << prefill.status();
    const auto step = (*stages)->Compute(1, 40);
    ASSERT_TRUE(step.ok()) << name << ": " << step.status();
    EXPECT_GT(prefill->operations, 10 * step->operations) << "the head counts once for all";
    // Three chunks read the weights three times, a step once.
    EXPECT_GT(prefill->bytes, 2.5 * step->bytes);
    EXPECT_LT(prefill->bytes, 3.5 * step->bytes);
    EXPECT_EQ((*stages)->Compute(60, 5).status().code(), StatusCode::kOutOfRange);
    EXPECT_EQ((*stages)->Compute(0, 0).status().code(), StatusCode::kOutOfRange);
    EXPECT_EQ((*stages)->See(0).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ((*stages)->threads(), 1);
  }
}

TEST(Stages, TilesOfOnePictureOrFramesOfOneVideo) {
  for (const char* name : {"nvila_lite_2b", "mobilevlm_v2"}) {
    const auto model = Model::Open(StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data/", name, "/model"), {});
    ASSERT_TRUE(model.ok()) << model.status();
    ASSERT_TRUE((*model)->LoadWeights().ok());
    const auto stages = Stages::Create(*model, {.threads = 1, .ctx_size = 64});
    ASSERT_TRUE(stages.ok()) << stages.status();
    const auto one = (*stages)->See(1), three = (*stages)->See(3);
    ASSERT_TRUE(three.ok()) << name << ": " << three.status();
    EXPECT_EQ(three->operations, 3 * one->operations);
    EXPECT_EQ(three->bytes, one->bytes) << "weights are read once for all tiles";
  }
}

}  // namespace
}  // namespace galago
