#include "train/modules/vlm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "train/modules/test_models.h"

namespace galago::train {
namespace {

using testing::MakeModel;
using testing::PackSegments;
using testing::RandomIds;
using testing::RandomMedia;
using testing::RelativeError;
using testing::Segment;
using testing::TinyModel;
using torch::Tensor;

std::vector<Segment> SomeSegments(const spec::ModelSpec& spec, std::mt19937& random) {
  return {{RandomMedia(spec, {.tiles = 2}, random), RandomIds(9, spec.language.vocab_size, random)},
          {nullptr, RandomIds(23, spec.language.vocab_size, random)},
          {RandomMedia(spec, {.tiles = 1}, random), RandomIds(5, spec.language.vocab_size, random)}};
}

std::vector<Tensor> Gradients(Vlm& model) {
  std::vector<Tensor> gradients;
  for (Parameter& parameter : model.parameters()) {
    const Tensor& gradient = parameter.value.grad();
    gradients.push_back(gradient.defined() ? gradient.clone() : Tensor());
    parameter.value.mutable_grad() = Tensor();
  }
  return gradients;
}

double LossAndBackward(Vlm& model, const Packed& batch, const LossOptions& options) {
  const Tensor loss = model.Loss(batch, options);
  loss.backward();
  return loss.item<double>();
}

// A tower's keys without rotation: a shift common to all of them leaves the softmax as it is, so that the gradient of
// their bias is rounding noise.
bool IsNoise(const std::string& name) {
  return name.find("vision_model") != std::string::npos && name.ends_with("k_proj.bias");
}

void ExpectSameGradients(Vlm& model, const std::vector<Tensor>& got, const std::vector<Tensor>& want,
                         double tolerance) {
  for (size_t i = 0; i < want.size(); ++i) {
    const std::string& name = model.parameters()[i].name;
    ASSERT_EQ(got[i].defined(), want[i].defined()) << name;
    if (!want[i].defined() || IsNoise(name)) continue;
    EXPECT_LT(RelativeError(got[i], want[i]), tolerance) << name;
  }
}

TEST(VlmTest, PackingPreservesTheFunction) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(1);
  const std::vector<Segment> segments = SomeSegments(spec, random);
  const auto model = MakeModel(spec);
  const Packed packed = PackSegments(segments);
  const LossOptions options = {.divisor = static_cast<double>(packed.num_labels)};
  const double together = LossAndBackward(*model, packed, options);
  const std::vector<Tensor> want = Gradients(*model);

  double apart = 0.0;
  for (const Segment& segment : segments) apart += LossAndBackward(*model, PackSegments({segment}), options);
  EXPECT_NEAR(apart, together, 1e-5 * together);
  ExpectSameGradients(*model, Gradients(*model), want, 1e-4);

  EXPECT_NEAR(LossAndBackward(*model, PackSegments({segments[2], segments[0], segments[1]}), options), together,
              1e-5 * together);
}

TEST(VlmTest, SegmentsDoNotSeeEachOther) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(2);
  std::vector<Segment> segments = SomeSegments(spec, random);
  const auto model = MakeModel(spec);
  const Tensor before = model->Logits(PackSegments(segments));
  segments[0].ids[3] = (segments[0].ids[3] + 1) % static_cast<int32_t>(spec.language.vocab_size);
  const Packed changed = PackSegments(segments);
  const Tensor after = model->Logits(changed);
  const int64_t seam = changed.cu_seqlens[1];
  EXPECT_GT((after - before).narrow(0, 0, seam).abs().max().item<float>(), 0.0f);
  EXPECT_EQ((after - before).narrow(0, seam, after.size(0) - seam).abs().max().item<float>(), 0.0f);
  EXPECT_EQ((after - before).narrow(0, 0, seam - 6).abs().max().item<float>(), 0.0f) << "rows in front of the change";
}

TEST(VlmTest, RecomputationChangesNothing) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(3);
  const Packed batch = PackSegments(SomeSegments(spec, random));
  const auto model = MakeModel(spec);
  const double loss = LossAndBackward(*model, batch, {});
  const std::vector<Tensor> want = Gradients(*model);
  model->SetOptions({.precision = Precision::kF32, .recompute_vision = true, .recompute_language = true});
  EXPECT_NEAR(LossAndBackward(*model, batch, {}), loss, 1e-6 * loss);
  ExpectSameGradients(*model, Gradients(*model), want, 1e-6);
}

TEST(VlmTest, FrozenPartsGetNoGradientAndOthersTheSame) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(4);
  const Packed batch = PackSegments(SomeSegments(spec, random));
  const auto model = MakeModel(spec);
  LossAndBackward(*model, batch, {});
  const std::vector<Tensor> all = Gradients(*model);
  for (int trained = 1; trained < 8; ++trained) {
    for (const bool recompute : {false, true}) {
      SCOPED_TRACE(trained);
      const RunOptions options = {.precision = Precision::kF32,
                                  .recompute_vision = recompute,
                                  .recompute_language = recompute,
                                  .train_vision = (trained & 1) != 0,
                                  .train_projector = (trained & 2) != 0,
                                  .train_language = (trained & 4) != 0};
      model->SetOptions(options);
      LossAndBackward(*model, batch, {});
      std::vector<Tensor> want = all;
      for (size_t i = 0; i < want.size(); ++i) {
        const Part part = model->parameters()[i].part;
        const bool here = part == Part::kVision      ? options.train_vision
                          : part == Part::kProjector ? options.train_projector
                                                     : options.train_language;
        if (!here) want[i] = Tensor();
      }
      ExpectSameGradients(*model, Gradients(*model), want, 1e-6);
    }
  }
}

TEST(VlmTest, HiddenWeightsAreTheLinearLayersBetweenActivations) {
  spec::ModelSpec spec = TinyModel();
  spec.language.tie_word_embeddings = false;
  const std::unique_ptr<Vlm> model = MakeModel(spec);
  int64_t hidden = 0, head = 0;
  for (const Parameter& parameter : model->parameters()) {
    const std::string& name = parameter.name;
    const bool weight = name.ends_with("_proj.weight") || name.ends_with("fc1.weight") ||
                        name.ends_with("fc2.weight") ||
                        (parameter.part == Part::kProjector && parameter.value.dim() == 2);
    EXPECT_EQ(parameter.is_hidden, weight) << name;
    hidden += parameter.is_hidden ? 1 : 0;
    head += name.ends_with("lm_head.weight") ? 1 : 0;
  }
  EXPECT_EQ(head, 1);
  EXPECT_GT(hidden, 20);
}

TEST(VlmTest, NormsAloneCanBeTrained) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(5);
  const Packed batch = PackSegments(SomeSegments(spec, random));
  const auto model = MakeModel(spec);
  model->SetOptions({.precision = Precision::kF32, .tune_vision = Tune::kNorms});
  LossAndBackward(*model, batch, {});
  int norms = 0;
  for (const Parameter& parameter : model->parameters()) {
    if (parameter.part != Part::kVision) continue;
    EXPECT_EQ(parameter.value.grad().defined(), parameter.is_norm) << parameter.name;
    norms += parameter.is_norm ? 1 : 0;
  }
  EXPECT_EQ(norms, 8);  // gain and shift of two norms in each of the two layers that run
}

TEST(VlmTest, HalfPrecisionStaysNear) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(6);
  const Packed batch = PackSegments(SomeSegments(spec, random));
  const LossOptions options = {.divisor = static_cast<double>(batch.num_labels)};
  const auto model = MakeModel(spec);
  const double loss = LossAndBackward(*model, batch, options);
  const std::vector<Tensor> want = Gradients(*model);
  const Tensor logits = model->Logits(batch);
  model->SetOptions({.precision = Precision::kBf16});
  EXPECT_NEAR(LossAndBackward(*model, batch, options), loss, 2e-2 * loss);
  ExpectSameGradients(*model, Gradients(*model), want, 0.15);
  EXPECT_LT(RelativeError(model->Logits(batch), logits), 3e-2);
}

TEST(VlmTest, BatchWithoutLabelsHasNoLoss) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(7);
  Packed batch = PackSegments(SomeSegments(spec, random));
  std::ranges::fill(batch.labels, kIgnore);
  const auto model = MakeModel(spec);
  EXPECT_EQ(LossAndBackward(*model, batch, {}), 0.0);
}

TEST(VlmTest, RowLossesSumToTheLoss) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(8);
  const Packed batch = PackSegments(SomeSegments(spec, random));
  const auto model = MakeModel(spec);
  LossOptions options = {.soft_ce_std = 1.0};
  for (int64_t id = 40; id < 60; ++id) options.time_token_ids.push_back(id);
  const Tensor rows = model->RowLosses(batch, options);
  EXPECT_EQ((rows > 0).sum().item<int64_t>(), batch.num_labels);
  const double loss = model->Loss(batch, options).item<double>();
  EXPECT_NEAR(rows.sum().item<double>(), loss, 1e-5 * loss);
  // By hand from the logits.
  const Tensor log_p = at::log_softmax(model->Logits(batch).to(at::kDouble), 1);
  double want = 0.0;
  for (size_t i = 0; i + 1 < batch.labels.size(); ++i) {
    const int32_t y = batch.labels[i + 1];
    if (y == kIgnore) continue;
    const Tensor row = log_p[static_cast<int64_t>(i)];
    if (y < 40 || y >= 60) {
      want -= row[y].item<double>();
      continue;
    }
    double total = 0.0;
    double sum = 0.0;
    for (int32_t s = 40; s < 60; ++s) {
      const double weight = std::exp(-0.5 * (y - s) * (y - s));
      total += weight;
      sum += weight * row[s].item<double>();
    }
    want -= sum / total;
  }
  EXPECT_NEAR(loss, want, 1e-5 * want);
}

// With rows that say several things: by hand from the logits, and row by row.
TEST(VlmTest, ARowSaysAllOfItsLabels) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(12);
  const auto model = MakeModel(spec);
  Packed batch = PackSegments(SomeSegments(spec, random));
  const auto first = std::ranges::find(batch.ids, kMediaRow);
  ASSERT_NE(first, batch.ids.end());
  const int64_t row = first - batch.ids.begin();
  const double loss = model->Loss(batch, {}).item<double>();
  const Tensor before = model->RowLosses(batch, {});
  batch.row_labels = {{row, 3}, {row, 5}, {row, 3}};
  batch.num_labels += 3;
  const Tensor log_p = at::log_softmax(model->Logits(batch).to(at::kDouble), 1)[row];
  const double added = -2 * log_p[3].item<double>() - log_p[5].item<double>();
  EXPECT_NEAR(model->Loss(batch, {}).item<double>() - loss, added, 1e-5 * loss);
  const Tensor more = (model->RowLosses(batch, {}) - before).to(at::kDouble);
  EXPECT_NEAR(more[row].item<double>(), added, 1e-5 * loss);
  EXPECT_NEAR(more.abs().sum().item<double>(), added, 1e-5 * loss);
}

// Where the decoder's layers add nothing, what leaves them is what entered.
TEST(VlmTest, RowsAreReadOffTheInputToo) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(10);
  const auto model = MakeModel(spec);
  Packed batch = PackSegments(SomeSegments(spec, random));
  EXPECT_EQ(model->Loss(batch, {.row_input_weight = 0.5}).item<double>(), model->Loss(batch, {}).item<double>());

  int64_t last_rows = 0;
  // A picture's last row also has the first word of the text to say; every third row has two words of its own.
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    if (batch.ids[i] != kMediaRow) continue;
    const auto row = static_cast<int64_t>(i);
    batch.row_labels.push_back({row, static_cast<int32_t>(i % 7)});
    if (i % 3 == 0) batch.row_labels.push_back({row, static_cast<int32_t>(i % 5)});
    if (i + 1 == batch.ids.size() || batch.ids[i + 1] == kMediaRow || batch.positions[i + 1] == 0) continue;
    batch.labels[i + 1] = batch.ids[i + 1];
    ++batch.num_labels;
    ++last_rows;
  }
  ASSERT_GT(last_rows, 0);
  batch.num_labels += std::ssize(batch.row_labels);
  const double by_row = model->RowLosses(batch, {}).to(at::kDouble).sum().item<double>();
  EXPECT_NEAR(model->Loss(batch, {}).item<double>(), by_row, 1e-5 * by_row);
  Packed rows_alone = batch;
  std::ranges::fill(rows_alone.labels, kIgnore);
  const double loss = LossAndBackward(*model, batch, {});
  const std::vector<Tensor> without = Gradients(*model);
  const double added = LossAndBackward(*model, batch, {.row_input_weight = 0.5}) - loss;
  std::vector<Tensor> with = Gradients(*model);
  {
    const torch::NoGradGuard no_graph;
    for (const Parameter& parameter : model->parameters()) {
      const bool adds = parameter.name.ends_with("o_proj.weight") || parameter.name.ends_with("down_proj.weight");
      if (parameter.part == Part::kLanguage && adds) parameter.value.detach().zero_();
    }
    model->WeightsChanged();
  }
  EXPECT_GT(loss, 1.0);
  EXPECT_NEAR(added, 0.5 * LossAndBackward(*model, rows_alone, {}), 1e-5 * loss);
  const std::vector<Tensor> read_off = Gradients(*model);
  for (size_t i = 0; i < with.size(); ++i) {
    const Parameter& parameter = model->parameters()[i];
    if (parameter.part == Part::kLanguage || IsNoise(parameter.name)) continue;
    EXPECT_LT(RelativeError(with[i] - without[i], read_off[i] * 0.5), 1e-3) << parameter.name;
  }
}

// What is asked of a part is read off the row turned by the part, at the input alone.
TEST(VlmTest, PartsAreReadOffTheTurnedInput) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(13);
  const auto model = MakeModel(spec);
  Packed batch = PackSegments(SomeSegments(spec, random));
  const int64_t row = std::ranges::find(batch.ids, kMediaRow) - batch.ids.begin();
  ASSERT_LT(row, std::ssize(batch.ids));
  Tensor head;
  {
    const torch::NoGradGuard no_graph;
    for (const Parameter& parameter : model->parameters()) {
      if (parameter.name.ends_with("embed_tokens.weight") && !head.defined()) head = parameter.value.detach();
      if (parameter.name.ends_with("lm_head.weight")) head = parameter.value.detach();
      const bool adds = parameter.name.ends_with("o_proj.weight") || parameter.name.ends_with("down_proj.weight");
      if (parameter.part == Part::kLanguage && adds) parameter.value.detach().zero_();
    }
    model->WeightsChanged();
  }
  ASSERT_TRUE(head.defined());
  const Tensor read = model->Hidden(batch).detach().to(at::kDouble)[row];
  const auto log_p = [&](int64_t part) {
    const Tensor turned = at::roll(read, part * read.size(0) / (kCellParts + 1));
    return at::log_softmax(at::mv(head.to(at::kDouble), turned), 0);
  };
  const double without = model->Loss(batch, {.row_input_weight = 0.5}).item<double>();
  batch.row_labels = {{row, 3}, {row, 5, 1}, {row, 4, kCellParts}};
  ++batch.num_labels;
  const double whole = -log_p(0)[3].item<double>();
  const double parts = -log_p(1)[5].item<double>() - log_p(kCellParts)[4].item<double>();
  EXPECT_GT(std::abs(log_p(1)[5].item<double>() - log_p(0)[5].item<double>()), 0.01);  // they do differ
  EXPECT_NEAR(model->Loss(batch, {.row_input_weight = 0.5}).item<double>() - without, whole + 0.5 * (whole + parts),
              1e-4);
  EXPECT_NEAR(model->Loss(batch, {}).item<double>() - without, whole, 1e-4);
  EXPECT_NEAR(model->RowLosses(batch, {})[row].item<double>(), whole, 1e-4);

  // Parts have gradients, too: along its own gradient the loss changes by the gradient's length.
  batch.row_labels = {{row, 5, 1}, {row, 4, kCellParts}};
  const LossOptions parts_alone = {.row_input_weight = 1.0};
  LossAndBackward(*model, batch, parts_alone);
  const auto projector = std::ranges::find_if(model->parameters(), [](const Parameter& parameter) {
    return parameter.part == Part::kProjector && parameter.name.ends_with("weight") && parameter.value.dim() == 2;
  });
  ASSERT_NE(projector, model->parameters().end());
  const Tensor gradient = projector->value.grad().clone(), before = projector->value.detach().clone();
  const double length = gradient.norm().item<double>(), step = 0.01 / std::max(1.0, length);
  const auto loss_at = [&](double at) {
    const torch::NoGradGuard no_graph;
    projector->value.detach().copy_(before + gradient * (at / length));
    model->WeightsChanged();
    return model->Loss(batch, parts_alone).item<double>();
  };
  ASSERT_GT(length, 1e-3);
  EXPECT_NEAR((loss_at(step) - loss_at(-step)) / (2 * step), length, 0.01 * length);
}

TEST(VlmTest, AdaptersStartSilentAndMerge) {
  const spec::ModelSpec spec = TinyModel();
  std::mt19937 random(9);
  const Packed batch = PackSegments(SomeSegments(spec, random));
  const auto model = MakeModel(spec);
  const size_t parameters = model->parameters().size();
  const Tensor before = model->Logits(batch);
  ASSERT_TRUE(model->AddLora({.rank = 4, .alpha = 8.0, .seed = 3}).ok());
  EXPECT_FALSE(model->AddLora({}).ok());
  EXPECT_EQ(model->parameters()[parameters].name, "llm/base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
  EXPECT_EQ(RelativeError(model->Logits(batch), before), 0.0);
  LossAndBackward(*model, batch, {});
  for (const Parameter& parameter : model->parameters()) {
    const bool trained = parameter.part != Part::kLanguage || parameter.is_lora;
    EXPECT_EQ(parameter.value.grad().defined(), trained) << parameter.name;
  }
  testing::Shake(*model, 5);
  const Tensor adapted = model->Logits(batch);
  EXPECT_GT(RelativeError(adapted, before), 1e-3);
  model->MergeLora();
  EXPECT_EQ(model->parameters().size(), parameters);
  EXPECT_LT(RelativeError(model->Logits(batch), adapted), 1e-5);
}

TEST(VlmTest, InitialWeightsDependOnTheSeedAlone) {
  const spec::ModelSpec spec = TinyModel();
  const auto a = Vlm::Init(spec, 1).value();
  const auto b = Vlm::Init(spec, 1).value();
  const auto c = Vlm::Init(spec, 2).value();
  bool differs = false;
  for (size_t i = 0; i < a->parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(a->parameters()[i].value, b->parameters()[i].value));
    differs = differs || !at::equal(a->parameters()[i].value, c->parameters()[i].value);
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(a->unused().size(), 18u);  // the third layer and the norm behind it
}

// Every module: the derivative of the loss along each parameter's gradient is that gradient's length.
struct Case {
  std::string name;
  spec::ModelSpec spec;
  std::vector<spec::MediaLayout> media;
};

std::vector<Case> Cases() {
  const std::vector<spec::MediaLayout> pictures = {{.tiles = 2}, {.tiles = 1}};
  std::vector<Case> cases = {
      {"siglip", TinyModel(), pictures},
      {"clip", TinyModel(testing::TinyClip(), spec::MlpProjector{.depth = 2}), pictures},
      {"internvit", TinyModel(testing::TinyInternVit()), pictures},
      {"linear", TinyModel(testing::TinySiglip(), spec::LinearProjector{}), pictures},
      {"downsample_3x3", TinyModel(testing::TinySiglip(), spec::DownsampleProjector{.factor = 3, .widths = {72, 32}}),
       pictures},
      {"column_major",
       TinyModel(testing::TinySiglip(),
                 spec::DownsampleProjector{.widths = {32}, .order = spec::TokenOrder::kColumnMajor}),
       pictures},
      {"ldp", TinyModel(testing::TinySiglip(), spec::LdpProjector{.squeeze = 8}), pictures},
      {"ldp_v2", TinyModel(testing::TinySiglip(), spec::LdpV2Projector{.pool = 2}), pictures},
  };
  {
    Case item = {"dynamic_s2",
                 TinyModel(testing::TinySiglip(), spec::DownsampleProjector{.widths = {32}}, 2),
                 {{.tiles = 5, .block = {{2, 2}}}, {.tiles = 1}}};
    item.spec.scales = spec::DynamicS2{.scales = {56, 112}, .resize_output_to_scale_idx = -1};
    cases.push_back(item);
    item.name = "static_s2";
    item.spec.scales = spec::StaticS2{.scales = {56, 112}, .max_split_size = 56};
    item.spec.preprocess.size = 112;
    item.media = {{.tiles = 1}, {.tiles = 1}};
    cases.push_back(item);
  }
  {
    Case item = {"temporal_pooling", TinyModel(), {{.kind = spec::MediaKind::kVideo, .tiles = 4}}};
    item.spec.video.encoder = spec::TspEncoder{.pool_sizes = {{2, 1, 1}, {4, 2, 2}}};
    item.spec.video.frames_as_images = false;
    cases.push_back(item);
  }
  {
    Case item = {"era_a", TinyModel(), pictures};
    item.spec.prompt.era = spec::Era::kA;
    cases.push_back(item);
    item.name = "llama3_rope_untied";
    item.spec.language.tie_word_embeddings = false;
    item.spec.language.attention_bias = false;
    item.spec.language.rope_scaling = spec::Llama3RopeScaling{.factor = 8.0, .original_max_position_embeddings = 16};
    cases.push_back(item);
  }
  return cases;
}

class GradientTest : public ::testing::TestWithParam<Case> {};

TEST_P(GradientTest, AgreesWithFiniteDifferences) {
  const Case& test = GetParam();
  std::mt19937 random(10);
  std::vector<Segment> segments;
  for (const spec::MediaLayout& layout : test.media) {
    segments.push_back({RandomMedia(test.spec, layout, random), RandomIds(7, test.spec.language.vocab_size, random)});
  }
  Packed batch = PackSegments(segments);
  // One row of a picture, where there is one, says three things, of which one is there twice.
  const int64_t row = std::ranges::find(batch.ids, kMediaRow) - batch.ids.begin();
  if (row < std::ssize(batch.ids)) {
    batch.row_labels = {{row, 3}, {row, 5}, {row, 3}};
    batch.num_labels += 3;
  }
  const auto model = MakeModel(test.spec);
  LossAndBackward(*model, batch, {});
  const std::vector<Tensor> gradients = Gradients(*model);
  const torch::NoGradGuard no_graph;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const std::string& name = model->parameters()[i].name;
    ASSERT_TRUE(gradients[i].defined()) << name;
    const double length = gradients[i].norm().item<double>();
    Tensor value = model->parameters()[i].value.detach();
    const Tensor before = value.clone();
    // Far enough that float32 sums do not drown the difference, near enough that it is a derivative.
    const double step = 0.02 / std::max(1.0, length);
    const Tensor direction = gradients[i] * (step / std::max(length, 1e-12));
    const auto loss_at = [&](double sign) {
      value.copy_(before + direction * sign);
      model->WeightsChanged();
      return model->RowLosses(batch, {}).to(at::kDouble).sum().item<double>();
    };
    const double slope = (8.0 * (loss_at(1.0) - loss_at(-1.0)) - (loss_at(2.0) - loss_at(-2.0))) / (12.0 * step);
    value.copy_(before);
    model->WeightsChanged();
    EXPECT_NEAR(slope, length, 5e-3 * length + 2e-3) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Modules, GradientTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace galago::train
