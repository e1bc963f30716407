#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>

#include "src/spec/parse.h"
#include "train/data/sequence_builder.h"
#include "train/loop/adapter.h"
#include "train/loop/assembly.h"
#include "train/loop/run.h"
#include "train/world/rng.h"

// Training of a whole model in small: the NVILA-Lite among the golden files (two layers each, width 64).
namespace galago::train {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kPairs = 32;

fs::path ModelPath() { return fs::path(GALAGO_SOURCE_DIR) / "tests/golden/data/nvila_lite_2b/model"; }

fs::path FreshFolder(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("galago_model_" + std::to_string(::getpid())) / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

// Pictures of coloured blocks, each with an answer that nothing but the picture tells.
std::vector<Sequence> Pairs(const SequenceBuilder& builder) {
  std::vector<Sequence> pairs;
  for (int64_t i = 0; i < kPairs; ++i) {
    world::Rng rng(world::MixSeed(3, "pairs", static_cast<uint64_t>(i)));
    const int64_t side = 56, block = 14;
    media::Image image(side, side);
    std::vector<std::array<uint8_t, 3>> colours;
    for (int64_t b = 0; b < (side / block) * (side / block); ++b) {
      colours.push_back({static_cast<uint8_t>(rng.Int(0, 255)), static_cast<uint8_t>(rng.Int(0, 255)),
                         static_cast<uint8_t>(rng.Int(0, 255))});
    }
    for (int64_t y = 0; y < side; ++y) {
      for (int64_t x = 0; x < side; ++x) {
        const auto& colour = colours[static_cast<size_t>(y / block * (side / block) + x / block)];
        for (size_t c = 0; c < 3; ++c) image.rgb[static_cast<size_t>((y * side + x) * 3) + c] = colour[c];
      }
    }
    Record record;
    record.media.push_back({.from = std::move(image), .name = "blocks"});
    record.turns = {{.role = text::Role::kUser, .parts = {text::MediaPart{}, std::string("Which is it?")}},
                    {.role = text::Role::kAssistant,
                     .parts = {std::string(1, static_cast<char>('a' + i % 8)) + std::to_string(i / 8)}}};
    const StatusOr<Sequence> sequence = builder.Build(record);
    EXPECT_TRUE(sequence.ok()) << sequence.status();
    if (sequence.ok()) pairs.push_back(*sequence);
  }
  return pairs;
}

class PairStream : public BatchStream {
 public:
  PairStream(const std::vector<Sequence>& pairs, const StageConfig& stage, int64_t first_step)
      : pairs_(pairs), stage_(stage), at_(first_step * stage.global_batch) {}
  int64_t steps_per_epoch() const override { return kPairs / stage_.global_batch; }
  StatusOr<Packed> Next() override {
    std::vector<Sequence> batch;
    for (int64_t i = 0; i < stage_.micro_batch; ++i) batch.push_back(pairs_[static_cast<size_t>(at_++ % kPairs)]);
    return Pack(batch, stage_.max_length);
  }

 private:
  const std::vector<Sequence>& pairs_;
  const StageConfig stage_;
  int64_t at_;
};

StageConfig MakeStage(std::string name, bool vision, bool projector, bool llm, int64_t steps, double lr) {
  StageConfig stage;
  stage.name = std::move(name);
  stage.tune_vision = vision;
  stage.tune_projector = projector;
  stage.tune_llm = llm;
  stage.lr = lr;
  stage.global_batch = kPairs;
  stage.micro_batch = 16;
  stage.steps = steps;
  stage.max_length = 512;
  stage.mixture = "pairs";
  stage.precision = ComputePrecision::kF32;
  stage.max_grad_norm = 1.0;
  return stage;
}

// Labels the model would not say greedily.
int64_t WrongLabels(Vlm& model, const Packed& batch) {
  const torch::Tensor best = model.Logits(batch).argmax(-1);
  int64_t wrong = 0;
  for (size_t i = 0; i + 1 < batch.labels.size(); ++i) {
    if (batch.labels[i + 1] == kIgnore) continue;
    if (best[static_cast<int64_t>(i)].item<int64_t>() != batch.labels[i + 1]) ++wrong;
  }
  return wrong;
}

std::vector<torch::Tensor> Copies(Vlm& model) {
  std::vector<torch::Tensor> copies;
  for (const Parameter& parameter : model.parameters()) copies.push_back(parameter.value.detach().clone());
  return copies;
}

class ModelTraining : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto spec = spec::ParseDirectory(ModelPath());
    ASSERT_TRUE(spec.ok()) << spec.status();
    spec_ = *spec;
    const auto builder = SequenceBuilder::Make(spec_);
    ASSERT_TRUE(builder.ok()) << builder.status();
    builder_ = *builder;
    pairs_ = Pairs(*builder_);
    ASSERT_EQ(pairs_.size(), static_cast<size_t>(kPairs));
  }
  std::unique_ptr<Vlm> Fresh() {
    StatusOr<std::unique_ptr<Vlm>> model = Vlm::Init(spec_, 5);
    EXPECT_TRUE(model.ok()) << model.status();
    EXPECT_TRUE(SetFraming(**model, *builder_).ok());
    return *std::move(model);
  }

  spec::ModelSpec spec_;
  std::shared_ptr<const SequenceBuilder> builder_;
  std::vector<Sequence> pairs_;
  std::unique_ptr<Ranks> ranks_ = SingleRank();
  ThreadPool pool_{2};
  std::atomic<Stopped> stop_ = Stopped::kNo;
};

TEST_F(ModelTraining, LearnsPairsByHeartThroughFourStages) {
  const std::unique_ptr<Vlm> model = Fresh();
  Recipe recipe;
  recipe.name = "toy";
  recipe.text = "# toy\n";
  recipe.stages = {MakeStage("align", false, true, false, 10, 1e-3), MakeStage("vision", true, true, false, 10, 1e-3),
                   MakeStage("pretrain", false, true, true, 60, 3e-3), MakeStage("tune", true, true, true, 220, 3e-3)};
  double last_loss = INFINITY;
  Surroundings around = {.ranks = *ranks_, .pool = pool_, .stop = stop_};
  around.on_step = [&](const StepMetrics& step) { last_loss = step.loss; };
  const StageConfig* running = nullptr;
  std::vector<torch::Tensor> before;
  RunParts parts = {.model = *model};
  parts.make_stream = [&](const StageConfig& stage, int64_t first_step) -> StatusOr<std::unique_ptr<BatchStream>> {
    running = &stage;
    before = Copies(*model);
    return std::make_unique<PairStream>(pairs_, stage, first_step);
  };
  parts.export_model = [&](Vlm& trained, const fs::path& folder) -> Status {
    const std::vector<Parameter>& parameters = trained.parameters();
    int64_t changed[3] = {};
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (!parameters[i].value.equal(before[i])) ++changed[static_cast<int>(parameters[i].part)];
    }
    EXPECT_EQ(changed[0] > 0, running->tune_vision) << running->name;
    EXPECT_EQ(changed[1] > 0, running->tune_projector) << running->name;
    EXPECT_EQ(changed[2] > 0, running->tune_llm) << running->name;
    fs::create_directories(folder);
    return OkStatus();
  };
  const StatusOr<RunEnd> end = train::Run(recipe, {.out = FreshFolder("toy")}, parts, around);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_LT(last_loss, 0.05);
  EXPECT_EQ(WrongLabels(*model, Pack(pairs_, 512)), 0);
}

TEST_F(ModelTraining, AdaptersAreTrainedSavedAndMerged) {
  const std::unique_ptr<Vlm> model = Fresh();
  model->SetOptions({.precision = Precision::kF32});
  const Packed batch = Pack(pairs_, 512);
  const torch::Tensor plain = model->Logits(batch);
  const LoraOptions options = {.rank = 4, .alpha = 8.0, .seed = 2};
  ASSERT_TRUE(model->AddLora(options).ok());
  EXPECT_TRUE(model->Logits(batch).equal(plain)) << "B is zero: nothing changes";

  StageConfig stage = MakeStage("finetune", true, true, true, 8, 1e-2);
  stage.vision_norms_only = true;
  stage.lr_vision = 1e-3;
  const std::vector<torch::Tensor> before = Copies(*model);
  Surroundings around = {.ranks = *ranks_, .pool = pool_, .stop = stop_};
  const fs::path out = FreshFolder("lora");
  Checkpoints checkpoints(out, 1, *ranks_);
  PairStream stream(pairs_, stage, 0);
  LoopState state;
  const TokenFacts tokens;
  ASSERT_TRUE(StageLoop(*model, stage, tokens, around).Run(stream, stage.steps, checkpoints, nullptr, state).ok());
  const std::vector<Parameter>& parameters = model->parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& parameter = parameters[i];
    const bool trains = parameter.is_lora || parameter.part == Part::kProjector ||
                        (parameter.part == Part::kVision && parameter.is_norm);
    EXPECT_EQ(parameter.value.requires_grad(), trains) << parameter.name;
    if (!trains) {
      EXPECT_TRUE(parameter.value.equal(before[i])) << parameter.name;
    }
  }
  const torch::Tensor tuned = model->Logits(batch);
  EXPECT_GT((tuned - plain).abs().max().item<double>(), 1e-2);

  ASSERT_TRUE(SaveAdapter(*model, options, ModelPath(), out / "adapter").ok());
  const std::unique_ptr<Vlm> other = Fresh();
  other->SetOptions({.precision = Precision::kF32});
  const Status loaded = LoadAdapter(*other, out / "adapter");
  ASSERT_TRUE(loaded.ok()) << loaded;
  EXPECT_TRUE(other->Logits(batch).equal(tuned));
  other->MergeLora();
  EXPECT_LT((other->Logits(batch) - tuned).abs().max().item<double>(), 1e-5 * tuned.abs().max().item<double>());

  const std::unique_ptr<Vlm> broken = Fresh();
  fs::resize_file(out / "adapter/adapter_model.safetensors", 1000);
  EXPECT_EQ(LoadAdapter(*broken, out / "adapter").code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace galago::train
