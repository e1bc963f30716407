// A tiny MobileVLM whose weights follow from their names, against values computed in float64 from the equations
// (tests/golden/data/mobilevlm_spec.json), in the reference's form and in llama.cpp's.
#include <gtest/gtest.h>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/tensor_store.h"
#include "src/models/test_util.h"
#include "src/models/vlm_runner.h"

namespace galago::models {
namespace {

using testing::Computer;
using testing::OwnedKv;
using testing::Recorder;

// float32 against float64: values of magnitude 4 through a dozen products of 16 to 588 terms.
constexpr double kTolerance = 1e-5;

std::vector<float> ValuesFor(std::string_view name, const Shape& shape) {
  uint32_t state = 0x811c9dc5u;
  for (const char c : name) state = (state ^ static_cast<unsigned char>(c)) * 0x01000193u;
  const bool norm = name.find("norm") != std::string_view::npos || name.find("layrnorm") != std::string_view::npos ||
                    (name.find("mb_block") != std::string_view::npos && shape.rank() == 1);
  const auto rows = static_cast<double>(shape[0]);
  std::vector<float> values(static_cast<size_t>(shape.NumElements()));
  for (float& value : values) {
    state = 1664525u * state + 1013904223u;
    const double u = static_cast<double>(state >> 8) / 16777216.0 - 0.5;
    if (name == "pixel_values") {
      value = static_cast<float>(2.0 * u);
    } else if (name.ends_with(".bias")) {
      value = static_cast<float>(0.2 * u);
    } else if (norm) {
      value = static_cast<float>(1.0 + 0.2 * u);
    } else if (shape.rank() >= 2) {
      value = static_cast<float>(2.0 * u / std::sqrt(static_cast<double>(shape.NumElements()) / rows));
    } else {
      value = static_cast<float>(u);
    }
  }
  return values;
}

class TinyStore {
 public:
  void Add(const std::string& name, const Shape& shape) {
    Tensor tensor = Tensor::F32(shape);
    std::ranges::copy(ValuesFor(name, shape), tensor.f32().begin());
    ASSERT_TRUE(store_.AddOwned(name, std::move(tensor)).ok());
  }
  void AddPair(const std::string& name, const Shape& weight) {
    Add(name + ".weight", weight);
    Add(name + ".bias", {weight[0]});
  }
  io::TensorStore store_{"tiny"};
};

constexpr int64_t kWidth = 16;

io::TensorStore MakeStore(bool v2, int64_t tower_layers) {
  TinyStore tiny;
  const std::string tower = "model.vision_tower.vision_tower.vision_model.";
  tiny.Add(tower + "embeddings.class_embedding", {kWidth});
  tiny.Add(tower + "embeddings.patch_embedding.weight", {kWidth, 3, 14, 14});
  tiny.Add(tower + "embeddings.position_embedding.weight", {17, kWidth});
  tiny.AddPair(tower + "pre_layrnorm", {kWidth});
  for (int64_t i = 0; i < tower_layers; ++i) {
    const std::string at = StrCat(tower, "encoder.layers.", i, ".");
    for (const char* name : {"layer_norm1", "layer_norm2"}) tiny.AddPair(at + name, {kWidth});
    for (const char* name : {"q", "k", "v", "out"})
      tiny.AddPair(StrCat(at, "self_attn.", name, "_proj"), {kWidth, kWidth});
    tiny.AddPair(at + "mlp.fc1", {32, kWidth});
    tiny.AddPair(at + "mlp.fc2", {kWidth, 32});
  }
  const std::string projector = "model.mm_projector.";
  if (v2) {
    tiny.AddPair(projector + "mlp.mlp.0", {kWidth, kWidth});
    tiny.AddPair(projector + "mlp.mlp.2", {kWidth, kWidth});
    tiny.AddPair(projector + "peg.peg.0", {kWidth, 1, 3, 3});
  } else {
    tiny.AddPair(projector + "model.mlp.1", {kWidth, kWidth});
    tiny.AddPair(projector + "model.mlp.3", {kWidth, kWidth});
    for (const int block : {1, 2}) {
      const std::string at = StrCat(projector, "model.mb_block.", block, ".block.");
      tiny.Add(at + "0.0.weight", {kWidth, 1, 3, 3});
      tiny.AddPair(at + "0.1", {kWidth});
      tiny.AddPair(at + "1.fc1", {8, kWidth, 1, 1});
      tiny.AddPair(at + "1.fc2", {kWidth, 8, 1, 1});
      tiny.Add(at + "2.0.weight", {kWidth, kWidth, 1, 1});
      tiny.AddPair(at + "2.1", {kWidth});
    }
  }
  tiny.Add("model.embed_tokens.weight", {64, kWidth});
  for (const int i : {0, 1}) {
    const std::string at = StrCat("model.layers.", i, ".");
    tiny.Add(at + "input_layernorm.weight", {kWidth});
    tiny.Add(at + "post_attention_layernorm.weight", {kWidth});
    for (const char* name : {"q", "k", "v", "o"})
      tiny.Add(StrCat(at, "self_attn.", name, "_proj.weight"), {kWidth, kWidth});
    tiny.Add(at + "mlp.gate_proj.weight", {32, kWidth});
    tiny.Add(at + "mlp.up_proj.weight", {32, kWidth});
    tiny.Add(at + "mlp.down_proj.weight", {kWidth, 32});
    tiny.Add(at + "self_attn.rotary_emb.inv_freq", {4});  // wrong values, never read
  }
  tiny.Add("model.norm.weight", {kWidth});
  tiny.Add("lm_head.weight", {64, kWidth});
  return tiny.store_;
}

spec::ModelSpec MakeSpec(bool v2) {
  spec::ModelSpec spec;
  spec.family = spec::Family::kMobileVlm;
  spec.layout = spec::Layout::kMobileVlm;
  spec.language = {.model_type = "llama",
                   .hidden_size = kWidth,
                   .intermediate_size = 32,
                   .num_hidden_layers = 2,
                   .num_attention_heads = 2,
                   .num_key_value_heads = 2,
                   .head_dim = 8,
                   .vocab_size = 64,
                   .max_position_embeddings = 2048,
                   .rms_norm_eps = 1e-6};
  spec.vision = spec::VisionSpec{.prefix = "model.vision_tower.vision_tower.",
                                 .architecture = "clip",
                                 .image_size = 56,
                                 .patch_size = 14,
                                 .hidden_size = kWidth,
                                 .intermediate_size = 32,
                                 .num_hidden_layers = 3,
                                 .num_attention_heads = 2,
                                 .layer_norm_eps = 1e-5,
                                 .hidden_act = spec::Activation::kQuickGelu,
                                 .has_class_token = true,
                                 .has_pre_layernorm = true,
                                 .patch_bias = false,
                                 .num_layers_run = 2,
                                 .select_feature = spec::SelectFeature::kPatch};
  spec.projector = spec::ProjectorSpec{.prefix = "model.mm_projector.",
                                       .mm_projector_type = v2 ? "ldpnetv2" : "ldpnet",
                                       .mm_hidden_size = kWidth,
                                       .hidden_size = kWidth};
  if (v2) {
    spec.projector->kind = spec::LdpV2Projector{.pool = 2};
  } else {
    spec.projector->kind = spec::LdpProjector{.squeeze = 8};
  }
  spec.preprocess.size = 56;
  spec.prompt.era = spec::Era::kA;
  return spec;
}

class TinyMobileVlm : public ::testing::TestWithParam<bool> {
 protected:
  bool v2() const { return GetParam(); }
  Json Golden() const {
    const auto path = std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/mobilevlm_spec.json";
    return ReadJsonFile(path).value()["projectors"][v2() ? "ldpnetv2" : "ldpnet"];
  }
  std::unique_ptr<const VlmRunner> Load(const spec::ModelSpec& spec, int64_t tower_layers = 3) {
    const io::TensorStore store = MakeStore(v2(), tower_layers);
    LoadReport report;
    auto runner = VlmRunner::Load(
        spec, {.language = Weights(store, {}), .vision = Weights(store, {}), .projector = Weights(store, {})}, report);
    EXPECT_TRUE(runner.ok()) << runner.status();
    return runner.ok() ? *std::move(runner) : nullptr;
  }
  EncodedMedia See(const VlmRunner& runner) {
    const std::vector<float> pixels = ValuesFor("pixel_values", {3, 56, 56});
    auto media = runner.EncodeMedia(computer_.Context(&seen_), {.pixels = pixels, .shape = {1, 3, 56, 56}});
    EXPECT_TRUE(media.ok()) << media.status();
    return *std::move(media);
  }
  void ExpectStart(std::span<const float> got, const Json& want, double tolerance = kTolerance) {
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i].get<double>(), tolerance) << i;
  }
  std::span<const float> Hidden(int level, int64_t row) {
    return std::span(seen_.entries.at(StrCat("vision.0.hidden.", level)).values)
        .subspan(static_cast<size_t>(row * kWidth));
  }
  Computer computer_;
  Recorder seen_;
};

TEST_P(TinyMobileVlm, WeightsAreThoseOfTheGolden) {
  const auto pixels = ValuesFor("pixel_values", {3, 56, 56});
  EXPECT_NEAR(pixels[0], 0.25606918, 1e-8);
  EXPECT_NEAR(pixels[2], -0.39100504, 1e-8);
}

TEST_P(TinyMobileVlm, TowerAndProjector) {
  const Json golden = Golden();
  const auto runner = Load(MakeSpec(v2()), /*tower_layers=*/2);  // the layer that is not run may be absent
  const EncodedMedia media = See(*runner);
  ExpectStart(Hidden(2, 0), golden["clip_cls"]);
  ExpectStart(Hidden(2, 1), golden["clip_patch_0"]);
  ExpectStart(Hidden(2, 16), golden["clip_patch_15"]);
  ExpectStart(Hidden(1, 1), golden["clip_patch_0_after_1"]);
  double sum = 0.0;
  double sum_abs = 0.0;
  for (const float value : seen_.entries.at("vision.0.selected").values) {
    sum += value;
    sum_abs += std::abs(value);
  }
  EXPECT_NEAR(sum, golden["clip_sum"].get<double>(), 256 * kTolerance);
  EXPECT_NEAR(sum_abs, golden["clip_abs"].get<double>(), 256 * kTolerance);

  ASSERT_EQ(media.rows.shape(), (Shape{4, kWidth}));
  EXPECT_EQ(media.slot_rows, std::vector<int64_t>{4});
  ExpectStart(media.rows.f32(), golden["token_0"]);
  ExpectStart(media.rows.f32().subspan(3 * kWidth), golden["token_3"]);
  sum = 0.0;
  for (const float value : media.rows.f32()) sum += value;
  EXPECT_NEAR(sum, golden["sum"].get<double>(), 64 * kTolerance);
}

TEST_P(TinyMobileVlm, LlamaCppVariants) {
  struct Variant {
    const char* name;
    int64_t layers;
    bool class_token_last;
  };
  for (const Variant& variant : {Variant{"correct", 2, false}, Variant{"one_layer", 1, false},
                                 Variant{"one_layer_cls_last", 1, true}, Variant{"cls_last", 2, true}}) {
    SCOPED_TRACE(variant.name);
    spec::ModelSpec spec = MakeSpec(v2());
    spec.vision->num_layers_run = variant.layers;
    spec.vision->class_token_last = variant.class_token_last;
    const auto runner = Load(spec);
    const EncodedMedia media = See(*runner);
    const Json golden = Golden()["variants"][variant.name];
    ExpectStart(seen_.entries.at("vision.0.selected").values, golden["patch_0"]);
    ExpectStart(media.rows.f32(), golden["token_0"]);
  }
}

TEST_P(TinyMobileVlm, TanhGeluIsAnotherFunction) {
  spec::ModelSpec spec = MakeSpec(v2());
  const EncodedMedia exact = See(*Load(spec));
  spec.projector->gelu = spec::Activation::kGeluTanh;
  const EncodedMedia tanh = See(*Load(spec));
  double change = 0.0;
  for (size_t i = 0; i < exact.rows.f32().size(); ++i) {
    change = std::max(change, std::abs(double{exact.rows.f32()[i]} - double{tanh.rows.f32()[i]}));
  }
  if (v2()) {
    EXPECT_GT(change, kTolerance);
  } else {
    EXPECT_NEAR(change, Golden()["tanh_gelu_change"].get<double>(), 2 * kTolerance);
  }
}

TEST_P(TinyMobileVlm, EndToEnd) {
  const Json golden = Golden();
  const auto runner = Load(MakeSpec(v2()));
  const EncodedMedia media = See(*runner);
  const std::vector<int32_t> before = {1, 5, 9};
  const std::vector<int32_t> after = {7, 3, 11, 2};
  std::vector<float> hidden(11 * kWidth);
  const std::span<float> all(hidden);
  ASSERT_TRUE(runner->EmbedTokens(computer_.Context(), before, all.first(3 * kWidth)).ok());
  std::ranges::copy(media.rows.f32(), hidden.begin() + 3 * kWidth);
  ASSERT_TRUE(runner->EmbedTokens(computer_.Context(), after, all.last(4 * kWidth)).ok());

  // In two pieces, so that the logits before the picture can be seen too.
  OwnedKv kv(runner->spec().language, 11);
  std::vector<float> logits(64);
  ASSERT_TRUE(runner->Forward(computer_.Context(), all.first(3 * kWidth), 3, 0, kv.view, logits).ok());
  ExpectStart(logits, golden["logits_position_2"]);
  ASSERT_TRUE(runner->Forward(computer_.Context(), all.subspan(3 * kWidth), 8, 3, kv.view, logits).ok());
  ExpectStart(logits, golden["logits_last"]);
  EXPECT_EQ(std::ranges::max_element(logits) - logits.begin(), golden["argmax_last"].get<int64_t>());
}

INSTANTIATE_TEST_SUITE_P(Projectors, TinyMobileVlm, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "ldpnetv2" : "ldpnet"; });

// ------------------------------------------------------------------------------------------------ What a runner
// refuses

class Refusals : public ::testing::Test {
 protected:
  Status LoadStatus(const spec::ModelSpec& spec) {
    const io::TensorStore store = MakeStore(true, 3);
    LoadReport report;
    return VlmRunner::Load(
               spec, {.language = Weights(store, {}), .vision = Weights(store, {}), .projector = Weights(store, {})},
               report)
        .status();
  }
};

TEST_F(Refusals, ShapesNameTheTensorAndBothSides) {
  spec::ModelSpec spec = MakeSpec(true);
  spec.language.intermediate_size = 48;
  const Status status = LoadStatus(spec);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(MessageOf(status), "tiny: model.layers.0.mlp.gate_proj.weight is [32, 16], the config needs [48, 16]");
}

TEST_F(Refusals, MissingTensorsAreNamed) {
  spec::ModelSpec spec = MakeSpec(true);
  spec.language.attention_bias = true;
  const Status status = LoadStatus(spec);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(MessageOf(status).find("model.layers.0.self_attn.q_proj.bias"), std::string::npos) << status;
}

TEST(Weights, OtherTypesAreNamed) {
  io::TensorStore store("ints");
  ASSERT_TRUE(store.AddOwned("layer.weight", Tensor(DType::kI16, {4, 16})).ok());
  Weights weights(store, {});
  const Status refused = weights.Matrix("layer.weight", {4, 16}).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(MessageOf(refused),
            "ints: layer.weight is of type i16, weights must be f32, f16, bf16 or a GGUF block type");
}

TEST(Weights, SixteenBitStaysAndVectorsAreWidened) {
  io::TensorStore store("half");
  ASSERT_TRUE(store.AddOwned("layer.weight", Tensor(DType::kBF16, {4, 16})).ok());
  ASSERT_TRUE(store.AddOwned("layer.bias", Tensor(DType::kF16, {4})).ok());
  Weights weights(store, {});
  const auto linear = weights.Linear("layer", 4, 16, true);
  ASSERT_TRUE(linear.ok()) << linear.status();
  EXPECT_EQ(linear->weight.data, store.Find("layer.weight")->data);
  EXPECT_EQ(linear->bias.size(), 4u);
  LoadReport report;
  weights.Report(report);
  EXPECT_EQ(report.mapped_bytes, 128u);
  EXPECT_EQ(report.converted_bytes, 16u);
  EXPECT_TRUE(report.notes.empty());
}

TEST_F(Refusals, RequestsThatMakeNoSense) {
  const io::TensorStore store = MakeStore(true, 3);
  LoadReport report;
  const auto runner = VlmRunner::Load(
      MakeSpec(true), {.language = Weights(store, {}), .vision = Weights(store, {}), .projector = Weights(store, {})},
      report);
  ASSERT_TRUE(runner.ok());
  EXPECT_GT(report.mapped_bytes, 0u);
  EXPECT_EQ(report.converted_bytes, 0u);
  Computer computer;
  const std::vector<float> pixels(3 * 56 * 56);
  EXPECT_EQ((*runner)->EncodeMedia(computer.Context(), {.pixels = pixels, .shape = {1, 3, 28, 28}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ((*runner)
                ->EncodeMedia(computer.Context(), {.pixels = pixels, .shape = {1, 3, 56, 56}, .layout = {.tiles = 2}})
                .status()
                .code(),
            StatusCode::kInvalidArgument);
  std::vector<float> row(kWidth);
  const int32_t beyond = 64;
  EXPECT_EQ((*runner)->EmbedTokens(computer.Context(), {&beyond, 1}, row).code(), StatusCode::kInvalidArgument);
  OwnedKv kv((*runner)->spec().language, 4);
  std::vector<float> hidden(5 * kWidth);
  EXPECT_EQ((*runner)->Forward(computer.Context(), hidden, 5, 0, kv.view, {}).code(), StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace galago::models
