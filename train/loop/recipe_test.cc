#include "train/loop/recipe.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "src/base/file.h"
#include "train/data/mixture.h"
#include "train/data/registry.h"
#include "train/loop/schedule.h"

namespace galago::train {
namespace {

using ::testing::HasSubstr;

constexpr char kGood[] = R"(
stages = ["align", "tune"]
[model]
start = "model"
[data]
registry = "data.toml"
[defaults]
global_batch = 32
micro_batch = 8
max_length = 256
mixture = "a+b*2"
[stage.align]
tune_projector = true
lr = 1e-3
[stage.tune]
tune_vision = "norms"
tune_projector = true
tune_llm = true
lr = 2e-5
lr_vision = 1e-6
precision = "f32"
)";

StatusOr<Recipe> Parse(const std::string& text, std::vector<std::string> set = {}) {
  return ParseRecipe(text, "/r/nano/recipe.toml", set);
}

std::string ErrorOf(const std::string& text, std::vector<std::string> set = {}) {
  const StatusOr<Recipe> recipe = Parse(text, set);
  EXPECT_FALSE(recipe.ok());
  return MessageOf(recipe.status());
}

TEST(Recipe, ReadsStagesInOrderOverDefaults) {
  const StatusOr<Recipe> recipe = Parse(kGood);
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ(recipe->name, "nano");
  EXPECT_EQ(recipe->start, "/r/nano/model");
  ASSERT_EQ(recipe->registries.size(), 1u);
  EXPECT_EQ(recipe->registries[0], "/r/nano/data.toml");
  ASSERT_EQ(recipe->stages.size(), 2u);
  const StageConfig& align = recipe->stages[0];
  EXPECT_EQ(align.name, "align");
  EXPECT_TRUE(align.tune_projector && !align.tune_vision && !align.tune_llm);
  EXPECT_EQ(align.Accumulation(2), 2);
  EXPECT_EQ(align.precision, ComputePrecision::kBf16);
  const StageConfig& tune = recipe->stages[1];
  EXPECT_TRUE(tune.tune_vision && tune.vision_norms_only);
  EXPECT_EQ(tune.lr_vision, 1e-6);
  EXPECT_FALSE(tune.lr_projector.has_value());
  EXPECT_EQ(tune.precision, ComputePrecision::kF32);
}

TEST(Recipe, AssignmentsComeLast) {
  const StatusOr<Recipe> recipe =
      Parse(kGood, {"stage.align.lr=0.5", "defaults.mixture=c*3", "seed=9", "data.on_bad_record=\"skip\""});
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ(recipe->stages[0].lr, 0.5);
  EXPECT_EQ(recipe->stages[1].mixture, "c*3");
  EXPECT_EQ(recipe->seed, 9);
  EXPECT_EQ(recipe->on_bad_record, "skip");
}

TEST(Recipe, DerivesFromAnother) {
  const std::filesystem::path folder = testing::TempDir() + "/recipe_base";
  std::filesystem::create_directories(folder / "small");
  ASSERT_TRUE(WriteFileAtomically(folder / "recipe.toml", kGood).ok());
  ASSERT_TRUE(
      WriteFileAtomically(folder / "small/recipe.toml", "base = '../recipe.toml'\n[stage.align]\nlr = 0.25\n").ok());
  const StatusOr<Recipe> recipe = LoadRecipe(folder / "small");
  ASSERT_TRUE(recipe.ok()) << recipe.status();
  EXPECT_EQ(recipe->stages[0].lr, 0.25);
  EXPECT_TRUE(recipe->stages[0].tune_projector);
  EXPECT_EQ(recipe->start, folder / "model");  // relative to the file that says it

  // Stages of the base may be left out.
  ASSERT_TRUE(WriteFileAtomically(folder / "small/recipe.toml", "base = '../recipe.toml'\nstages = ['tune']\n").ok());
  const StatusOr<Recipe> one = LoadRecipe(folder / "small");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->stages.size(), 1u);

  ASSERT_TRUE(WriteFileAtomically(folder / "recipe.toml", "base = 'recipe.toml'\n").ok());
  EXPECT_THAT(MessageOf(LoadRecipe(folder).status()), HasSubstr("over 8 levels"));
}

TEST(Recipe, NamesWhatIsWrong) {
  const std::string good = kGood;
  EXPECT_THAT(ErrorOf(good, {"stage.align.lr_visoin=1e-3"}),
              HasSubstr("stage.align.there is no key lr_visoin; the nearest is lr_vision"));
  EXPECT_THAT(ErrorOf("stagez = 1\n" + good), HasSubstr("no key stagez (line 1); the nearest is stage"));
  EXPECT_THAT(ErrorOf(good, {"defaults.precision=fp16"}), HasSubstr("one of f32, bf16"));
  EXPECT_THAT(ErrorOf(good, {"defaults.optimizer=sgd"}), HasSubstr("one of adamw, muon"));
  EXPECT_THAT(ErrorOf(good, {"stage.align.lr=fast"}), HasSubstr("stage.align.lr must be a number"));
  EXPECT_THAT(ErrorOf(good, {"stage.align.micro_batch=0"}), HasSubstr("micro_batch must be a whole number from 1"));
  EXPECT_THAT(ErrorOf(good, {"stage.align.micro_batch=7"}), HasSubstr("32 is no multiple of micro_batch 7"));
  EXPECT_THAT(ErrorOf(good, {"stage.align.tune_projector=false"}), HasSubstr("trains nothing"));
  EXPECT_THAT(ErrorOf(good, {"stage.other.lr=1"}), HasSubstr("stage.other is not named in stages"));
  EXPECT_THAT(ErrorOf(good, {"stages=[\"align\", \"align\"]"}), HasSubstr("stage.tune is not named"));
  EXPECT_THAT(ErrorOf(good, {"stages=[\"align\", \"tune\", \"align\"]"}), HasSubstr("align is named twice"));
  EXPECT_THAT(ErrorOf(good, {"stages=[\"align\", \"tune\", \"../x\"]"}), HasSubstr("is no name"));
  EXPECT_THAT(ErrorOf(good, {"model.start=\"\""}), HasSubstr("model.start is missing"));
  EXPECT_THAT(ErrorOf(good, {"lr"}), HasSubstr("key=value is needed"));
  EXPECT_THAT(ErrorOf(good, {"a\nb=1"}), HasSubstr("not a key"));
  EXPECT_THAT(ErrorOf("stages = [\n"), HasSubstr("/r/nano/recipe.toml:"));
  EXPECT_THAT(MessageOf(LoadRecipe("/nonexistent").status()), HasSubstr("/nonexistent"));
}

// peak * 1/2 (1 + cos(pi (s - 30) / 970)) after 30 steps of warm-up.
TEST(ShippedRecipes, KnowTheirKeysAndData) {
  const std::filesystem::path folder = std::filesystem::path(GALAGO_SOURCE_DIR) / "recipes/nano";
  std::set<std::pair<std::filesystem::path, std::string>> opened;  // once is enough
  int recipes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".toml" || entry.path().filename() == "data.toml") continue;
    const StatusOr<Recipe> recipe = LoadRecipe(entry.path());
    ASSERT_TRUE(recipe.ok()) << recipe.status();
    const StatusOr<Registry> registry = Registry::Read(recipe->registries);
    ASSERT_TRUE(registry.ok()) << registry.status();
    EXPECT_FALSE(recipe->stages.empty()) << entry.path();
    for (const StageConfig& stage : recipe->stages) {
      const auto items = ResolveMixture(stage.mixture, {});
      ASSERT_TRUE(items.ok()) << entry.path() << ", " << stage.name << ": " << items.status();
      for (const MixtureItem& item : *items) {
        if (!opened.emplace(recipe->registries.front(), item.name).second) continue;
        const auto dataset = registry->OpenDataset(item.name);
        EXPECT_TRUE(dataset.ok()) << entry.path() << ", " << stage.name << ": " << dataset.status();
      }
    }
    ++recipes;
  }
  EXPECT_GE(recipes, 7);
}

TEST(Schedule, WarmsUpAndFollowsTheCosine) {
  const Schedule schedule = {.num_steps = 1000};
  const double peak = 2e-5;
  EXPECT_EQ(schedule.num_warmup_steps(), 30);
  EXPECT_EQ(peak * schedule.Factor(0), 0.0);
  EXPECT_NEAR(peak * schedule.Factor(1), 6.667e-7, 1e-10);
  EXPECT_NEAR(peak * schedule.Factor(15), 1.0e-5, 1e-15);
  EXPECT_NEAR(peak * schedule.Factor(30), 2.0e-5, 1e-15);
  EXPECT_NEAR(peak * schedule.Factor(515), 1.0e-5, 1e-15);
  EXPECT_NEAR(peak * schedule.Factor(999), 5.24e-11, 1e-13);
  EXPECT_NEAR(Schedule({.num_steps = 10, .warmup_ratio = 0.0, .min_lr_ratio = 0.1}).Factor(10), 0.1, 1e-12);
  EXPECT_EQ(Schedule({.num_steps = 1, .warmup_ratio = 0.03}).Factor(0), 0.0);
}

TEST(Schedule, StaysAtThePeakUntilTheDecay) {
  const Schedule schedule = {.num_steps = 1000, .warmup_ratio = 0.03, .decay_ratio = 0.2, .min_lr_ratio = 0.1};
  EXPECT_NEAR(schedule.Factor(15), 0.5, 1e-12);
  for (const int64_t step : {30, 400, 800}) EXPECT_EQ(schedule.Factor(step), 1.0) << step;
  EXPECT_NEAR(schedule.Factor(900), 0.55, 1e-12);
  EXPECT_NEAR(schedule.Factor(1000), 0.1, 1e-12);
  // More steps change nothing of what came before the decay.
  const Schedule longer = {.num_steps = 1200, .warmup_ratio = 0.025, .decay_ratio = 0.2};
  for (const int64_t step : {15, 30, 800}) EXPECT_EQ(longer.Factor(step), schedule.Factor(step)) << step;
  // All of it on the way down, and a warm-up longer than the rest.
  EXPECT_NEAR(Schedule({.num_steps = 10, .warmup_ratio = 0.0, .decay_ratio = 1.0}).Factor(5), 0.5, 1e-12);
  EXPECT_EQ(Schedule({.num_steps = 10, .warmup_ratio = 0.5, .decay_ratio = 1.0}).Factor(5), 1.0);
}

}  // namespace
}  // namespace galago::train
