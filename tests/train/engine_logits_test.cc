// The engine's logits are the trainer's, for every family of checkpoints, read in place and exported.
#include <gtest/gtest.h>
#include <unistd.h>

#include "src/models/runner.h"
#include "src/models/test_util.h"
#include "src/spec/media_layout.h"
#include "src/spec/parse.h"
#include "train/modules/test_models.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;
using models::testing::Computer;
using models::testing::OwnedKv;

struct Case {
  std::string model;
  std::vector<spec::MediaLayout> media;
};

std::vector<Case> Cases() {
  const std::vector<spec::MediaLayout> pictures = {{.tiles = 1}, {.tiles = 1}};
  const std::vector<spec::MediaLayout> tiles = {{.tiles = 3}, {.tiles = 1}};
  const std::vector<spec::MediaLayout> blocks = {{.tiles = 1 + 4 + 6, .block = {{2, 3}}}, {.tiles = 1}};
  const std::vector<spec::MediaLayout> video = {{.kind = spec::MediaKind::kVideo, .tiles = 4}};
  return {{"nvila_lite_2b", tiles},     {"nvila_8b", blocks},        {"nvila_8b_video", video},
          {"nvila_8b_video_2", video},  {"nvila_s2", blocks},        {"nvila_s2_new", blocks},
          {"vila15_3b", pictures},      {"vila15_3b_s2", pictures},  {"vila15_40b", pictures},
          {"vila15_8b_rope", pictures}, {"vila10_clip", pictures},   {"vila10_linear", pictures},
          {"nvila_hf", blocks},         {"nvila_lite_hf", tiles},    {"mobilevlm_v1", pictures},
          {"mobilevlm_v2", pictures},   {"mobilevlm_mlp", pictures}, {"mobilevlm_linear", pictures}};
}

fs::path ModelPath(const std::string& name) {
  return fs::path(GALAGO_SOURCE_DIR) / "tests/golden/data" / name / "model";
}

// One segment: text, the media in order, text.
Packed MakeBatch(const spec::ModelSpec& spec, const std::vector<spec::MediaLayout>& layouts) {
  std::mt19937 random(3);
  Packed batch;
  const auto text = [&](int64_t count) {
    for (const int32_t id : testing::RandomIds(count, spec.language.vocab_size, random)) batch.ids.push_back(id);
  };
  text(5);
  for (const spec::MediaLayout& layout : layouts) {
    auto media = testing::RandomMedia(spec, layout, random, {.end = 1, .sep = 2});
    int64_t rows = 0;
    for (const int64_t slot : media->slot_rows) rows += slot;
    batch.spans.push_back({.at = static_cast<int64_t>(batch.ids.size()),
                           .media = static_cast<int64_t>(batch.media.size()),
                           .count = rows});
    batch.ids.resize(batch.ids.size() + static_cast<size_t>(rows), kMediaRow);
    batch.media.push_back(std::move(media));
    text(4);
  }
  for (size_t i = 0; i < batch.ids.size(); ++i) batch.positions.push_back(static_cast<int32_t>(i));
  batch.labels.resize(batch.ids.size(), kIgnore);
  batch.cu_seqlens = {0, static_cast<int32_t>(batch.ids.size())};
  batch.max_seqlen = static_cast<int64_t>(batch.ids.size());
  return batch;
}

const std::vector<int32_t> kEnd = {7};
const std::vector<int32_t> kSep = {7, 8};

// The engine's logits of the last row.
std::vector<float> EngineLogits(const spec::ModelSpec& spec, const Packed& batch, ops::Precision precision) {
  const auto loaded = models::LoadRunner(spec, {.precision = precision});
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  Computer computer;
  ops::ExecContext ctx = computer.Context();
  ctx.precision = precision;
  const auto d = static_cast<size_t>(spec.language.hidden_size);
  std::vector<float> rows(batch.ids.size() * d);
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    if (batch.ids[i] == kMediaRow) continue;
    EXPECT_TRUE(loaded->runner->EmbedTokens(ctx, std::span(&batch.ids[i], 1), std::span(rows).subspan(i * d, d)).ok());
  }
  for (size_t i = 0; i < batch.media.size(); ++i) {
    const media::Preprocessed& pixels = batch.media[i]->pixels;
    const auto encoded = loaded->runner->EncodeMedia(ctx, {.pixels = pixels.pixels.f32(),
                                                           .shape = pixels.pixels.shape(),
                                                           .layout = pixels.layout,
                                                           .framing = {.end = kEnd, .sep = kSep}});
    EXPECT_TRUE(encoded.ok()) << encoded.status();
    std::ranges::copy(encoded->rows.f32(), rows.begin() + batch.spans[i].at * static_cast<int64_t>(d));
  }
  OwnedKv kv(spec.language, static_cast<int64_t>(batch.ids.size()));
  std::vector<float> logits(static_cast<size_t>(spec.language.vocab_size));
  EXPECT_TRUE(loaded->runner->Forward(ctx, rows, static_cast<int64_t>(batch.ids.size()), 0, kv.view, logits).ok());
  return logits;
}

std::vector<float> TrainerLogits(Vlm& model, const Packed& batch) {
  model.SetFraming({}, kEnd, kSep);
  const torch::Tensor logits = model.Logits(batch);
  const torch::Tensor last = logits[logits.size(0) - 1].contiguous();
  return {last.data_ptr<float>(), last.data_ptr<float>() + last.numel()};
}

class EngineLogitsTest : public ::testing::TestWithParam<Case> {};

TEST_P(EngineLogitsTest, TrainerAndEngineAgree) {
  const auto spec = spec::ParseDirectory(ModelPath(GetParam().model));
  ASSERT_TRUE(spec.ok()) << spec.status();
  const Packed batch = MakeBatch(*spec, GetParam().media);
  const auto model = Vlm::Load(*spec);
  ASSERT_TRUE(model.ok()) << model.status();
  (*model)->SetOptions({.precision = Precision::kF32});
  const std::vector<float> want = EngineLogits(*spec, batch, ops::Precision::kF32);
  EXPECT_LT(models::testing::RelativeError(TrainerLogits(**model, batch), want), 1e-5);
}

TEST_P(EngineLogitsTest, ExportedWeightsAreTheTrainers) {
  const auto spec = spec::ParseDirectory(ModelPath(GetParam().model));
  ASSERT_TRUE(spec.ok()) << spec.status();
  const Packed batch = MakeBatch(*spec, GetParam().media);
  const auto model = Vlm::Load(*spec).value();
  model->SetOptions({.precision = Precision::kF32});
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0.0f, 0.003f);  // no longer the checkpoint's, nor bf16
  for (Parameter& parameter : model->parameters()) {
    float* values = parameter.value.data_ptr<float>();
    for (int64_t i = 0; i < parameter.value.numel(); ++i) values[i] += normal(random);
  }
  model->WeightsChanged();
  const fs::path out = fs::temp_directory_path() / ("galago_export_" + std::to_string(getpid()));
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    const Status exported = Export(*model, spec->path, out, precision);
    ASSERT_TRUE(exported.ok()) << exported;
    const auto again = spec::ParseDirectory(out);
    ASSERT_TRUE(again.ok()) << again.status();
    if (precision == Precision::kF32) {
      const std::vector<float> want = EngineLogits(*again, batch, ops::Precision::kF32);
      EXPECT_LT(models::testing::RelativeError(TrainerLogits(*model, batch), want), 1e-5);
    } else {
      // The file holds rounded weights: the trainer that reads them agrees with the engine that does.
      const auto reloaded = Vlm::Load(*again).value();
      reloaded->SetOptions({.precision = Precision::kF32});
      const std::vector<float> want = EngineLogits(*again, batch, ops::Precision::kF32);
      EXPECT_LT(models::testing::RelativeError(TrainerLogits(*reloaded, batch), want), 1e-5);
      EXPECT_LT(models::testing::RelativeError(TrainerLogits(*model, batch), want), 5e-2);
    }
  }
  fs::remove_all(out);
}

INSTANTIATE_TEST_SUITE_P(Models, EngineLogitsTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.model; });

TEST(ExportTest, DoesNotReplaceWhatIsNoModel) {
  const auto spec = spec::ParseDirectory(ModelPath("nvila_lite_2b")).value();
  const auto model = Vlm::Load(spec).value();
  const fs::path out = fs::temp_directory_path() / ("galago_export_foreign_" + std::to_string(getpid()));
  fs::create_directories(out / "precious");
  EXPECT_EQ(Export(*model, spec.path, out, Precision::kBf16).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(fs::exists(out / "precious"));
  fs::remove_all(out / "precious");
  EXPECT_TRUE(Export(*model, spec.path, out, Precision::kBf16).ok());
  EXPECT_TRUE(fs::exists(out / "llm" / "model.safetensors"));
  EXPECT_FALSE(fs::exists(out.string() + ".partial"));
  ASSERT_TRUE(model->AddLora({}).ok());
  EXPECT_EQ(Export(*model, spec.path, out, Precision::kBf16).code(), StatusCode::kInvalidArgument);
  fs::remove_all(out);
}

}  // namespace
}  // namespace galago::train
