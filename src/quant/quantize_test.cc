#include "galago/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "galago/perplexity.h"
#include "galago/session.h"
#include "src/base/strings.h"
#include "src/engine/model_parts.h"
#include "src/io/galago_file.h"
#include "src/io/safetensors.h"
#include "src/models/vlm_runner.h"
#include "src/quant/search_file.h"
#include "src/quant/smoothing.h"
#include "src/quant/test_util.h"

namespace galago {
namespace {

namespace fs = std::filesystem;
using quant::testing::Floats;
using quant::testing::Nrmse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGoldens = std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/";
const std::string kModel = kGoldens + "nvila_lite_2b/model";

std::string SomeText() {
  std::string text;
  for (int i = 0; i < 400; ++i) text += StrCat("The ", i, "th picture shows ", i % 7, " circles and a dog.\n");
  return text;
}

std::string Bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class Quantize : public ::testing::Test {
 protected:
  Quantize() {
    dir_ = fs::temp_directory_path() / StrCat("galago_quantize_test_", ::getpid());
    fs::create_directories(dir_);
    options_.group = 32;
    options_.texts = {SomeText()};
    options_.calibration_tokens = 1024;
    options_.sequence = 128;
    options_.loss_tokens = 256;
    options_.threads = 2;
  }
  ~Quantize() override { fs::remove_all(dir_); }

  std::string Path(const std::string& name) const { return (dir_ / name).string(); }
  void AddPicture() {
    options_.samples.push_back({.conversation = {{.role = Role::kUser,
                                                  .parts = {Part::Image(kGoldens + "media/shapes_168x112.png"),
                                                            Part::Text("How many circles are there?")}}},
                                .answer = "3"});
  }
  // The model with one element of a decoder's tensor changed.
  void CopyWithElement(const std::string& copy, const std::string& tensor, size_t element, float value) {
    fs::copy(kModel, Path(copy), fs::copy_options::recursive);
    const io::TensorStore store = io::OpenTensorDirectory(kModel + "/llm").value();
    std::vector<float> values = Floats(store, tensor);
    values[element] = value;
    std::vector<io::NamedTensor> tensors;
    const Tensor changed = quant::testing::AsTensor(store.Find(tensor)->shape, values);
    for (const auto& [name, view] : store.tensors()) tensors.push_back({name, name == tensor ? changed.view() : view});
    for (const auto& entry : fs::directory_iterator(Path(copy) + "/llm")) {
      if (entry.path().string().find("safetensors") != std::string::npos) fs::remove(entry.path());
    }
    ASSERT_TRUE(io::WriteSafetensors(Path(copy) + "/llm/model.safetensors", tensors).ok());
  }
  std::string ErrorOf(const std::string& model, const std::string& output) {
    const auto report = QuantizeModel(model, {}, output, options_);
    EXPECT_FALSE(report.ok());
    for (const auto& entry : fs::directory_iterator(dir_)) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(name.find("out") == std::string::npos && !name.starts_with(".")) << name << " is left";
    }
    return MessageOf(report.status());
  }

  fs::path dir_;
  QuantizeOptions options_;
};

std::map<std::string, std::string> BytesOf(const models::Weights& weights) {
  std::map<std::string, std::string> bytes;
  for (const auto& [name, view] : weights.used()) {
    bytes[name] = std::string(reinterpret_cast<const char*>(view.data), view.NumBytes());
  }
  return bytes;
}

TEST_F(Quantize, OneFileHoldsAModelThatAnswersAndIsTheSameForAnyNumberOfThreads) {
  options_.tower = WeightFormat::kW8;
  options_.head = WeightFormat::kW8;
  AddPicture();
  const QuantizeReport report = QuantizeModel(kModel, {}, Path("a.galago"), options_).value();
  EXPECT_EQ(report.calibration_media, 1);
  EXPECT_GT(report.calibration_tokens, 512);
  EXPECT_LT(report.bytes, report.bytes_before);
  ASSERT_EQ(report.searches.size(), 6u);  // two layers; v does not feed the output matrix channel by channel
  for (const SearchReport& search : report.searches) EXPECT_LE(search.loss, search.rounding_loss);
  options_.threads = 5;
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("b.galago"), options_).ok());
  EXPECT_EQ(Bytes(Path("a.galago")), Bytes(Path("b.galago")));

  const auto model = Model::Open(Path("a.galago"), {}).value();
  ASSERT_TRUE(model->LoadWeights().ok());
  const auto session = Session::Create(model, {.threads = 2}).value();
  GenerateOptions generate;
  generate.max_tokens = 4;
  const auto answer =
      session->Generate(options_.samples[0].conversation, generate, [](std::string_view) { return Flow::kContinue; });
  EXPECT_TRUE(answer.ok()) << answer.status();

  // Every part is stored in the type asked for.
  const io::GalagoFile file = io::GalagoFile::Open(Path("a.galago")).value();
  std::map<DType, int> types;
  for (const char* part : {"language", "vision"}) {
    const io::TensorStore store = file.Part(part);
    for (const auto& [name, view] : store.tensors()) ++types[view.dtype];
  }
  EXPECT_EQ(types[DType::kW4G32], 2 * 7);
  EXPECT_EQ(types[DType::kW8G32], 1);  // the table of embeddings, 64 wide
  EXPECT_EQ(types[DType::kW8Row], 6 * static_cast<int>(model->parts().spec.vision->num_layers_run));
}

TEST_F(Quantize, ADecoderOfSixBitsInAFolderThatIsNotThereYet) {
  options_.method = QuantizeMethod::kRtn;
  options_.decoder = WeightFormat::kW6;
  const auto report = QuantizeModel(kModel, {}, Path("new/folder/six.galago"), options_);
  ASSERT_TRUE(report.ok()) << report.status();
  const io::GalagoFile file = io::GalagoFile::Open(Path("new/folder/six.galago")).value();
  int matrices = 0;
  const io::TensorStore store = file.Part("language");
  for (const auto& [name, view] : store.tensors()) {
    matrices += IsPanelType(view.dtype) && PanelBits(PanelTypeOf(view.dtype)) == 6 ? 1 : 0;
  }
  EXPECT_EQ(matrices, 2 * 7);

  std::ofstream(Path("file")) << "no folder";
  const auto refused = QuantizeModel(kModel, {}, Path("file/six.galago"), options_);
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr(Path("file") + ": cannot be made"));
}

TEST_F(Quantize, TheHeadHasTheBitsAskedFor) {
  options_.method = QuantizeMethod::kRtn;
  options_.decoder = WeightFormat::kBf16;
  const std::pair<WeightFormat, DType> formats[] = {
      {WeightFormat::kW4, DType::kW4G32}, {WeightFormat::kW6, DType::kW6G32}, {WeightFormat::kW8, DType::kW8G32}};
  for (const auto& [format, type] : formats) {
    options_.head = format;
    ASSERT_TRUE(QuantizeModel(kModel, {}, Path("head.galago"), options_).ok());
    const io::GalagoFile file = io::GalagoFile::Open(Path("head.galago")).value();
    std::map<DType, int> types;
    const io::TensorStore store = file.Part("language");
    for (const auto& [name, view] : store.tensors()) ++types[view.dtype];
    EXPECT_EQ(types[type], 1) << DTypeName(type);
  }
}

TEST_F(Quantize, AnInterruptedSearchGoesOnAndGivesTheSameBytes) {
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("whole.galago"), options_).ok());
  options_.search = Path("search");
  std::atomic<bool> cancel = false;
  options_.cancel = &cancel;
  options_.on_progress = [&](const QuantizeProgress& progress) {
    if (progress.stage == "decoder" && progress.done == 1) cancel = true;
  };
  const auto stopped = QuantizeModel(kModel, {}, Path("pieces.galago"), options_);
  EXPECT_EQ(stopped.status().code(), StatusCode::kCancelled);
  EXPECT_FALSE(fs::exists(Path("pieces.galago")));
  cancel = false;
  options_.on_progress = nullptr;
  const QuantizeReport resumed = QuantizeModel(kModel, {}, Path("pieces.galago"), options_).value();
  EXPECT_EQ(resumed.resumed_layers, 1);
  EXPECT_EQ(Bytes(Path("pieces.galago")), Bytes(Path("whole.galago")));
  // All of it exported and applied again; another calibration is another search.
  EXPECT_EQ(QuantizeModel(kModel, {}, Path("again.galago"), options_)->resumed_layers, 2);
  EXPECT_EQ(Bytes(Path("again.galago")), Bytes(Path("whole.galago")));
  options_.texts = {SomeText() + "x", "Another text. " + SomeText()};
  EXPECT_EQ(QuantizeModel(kModel, {}, Path("other.galago"), options_)->resumed_layers, 0);
}

TEST_F(Quantize, ASearchIsNotTakenForThatOfOtherWeights) {
  options_.search = Path("search");
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("one.galago"), options_).ok());
  // A later layer sees other activations too.
  CopyWithElement("other", "model.layers.0.mlp.up_proj.weight", 5, 0.75f);
  EXPECT_EQ(QuantizeModel(Path("other"), {}, Path("kept.galago"), options_)->resumed_layers, 0);
  options_.search.clear();
  ASSERT_TRUE(QuantizeModel(Path("other"), {}, Path("fresh.galago"), options_).ok());
  EXPECT_EQ(Bytes(Path("kept.galago")), Bytes(Path("fresh.galago")));
}

TEST_F(Quantize, ADirectoryOfAutoAwqHoldsTheSameWeights) {
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("a.galago"), options_).ok());
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("dir"), options_).ok());
  models::LoadReport report;
  const auto one = Model::Open(Path("a.galago"), {}).value();
  const auto many = Model::Open(Path("dir"), {}).value();
  ASSERT_TRUE(many->parts().spec.language.quantization.has_value());
  EXPECT_EQ(many->parts().spec.language.quantization->group_size, 32);
  const auto a = models::LoadVlmRunner(one->parts().spec, {}, report).value();
  const auto b = models::LoadVlmRunner(many->parts().spec, {}, report).value();
  const auto want = BytesOf(a->weights().language), got = BytesOf(b->weights().language);
  ASSERT_EQ(got.size(), want.size());
  for (const auto& [name, bytes] : want) {
    if (name.find("norm") != std::string::npos) continue;  // f16 there
    EXPECT_TRUE(got.at(name) == bytes) << name;
  }
  EXPECT_EQ(BytesOf(a->weights().vision).size(), BytesOf(b->weights().vision).size());
  EXPECT_THAT(ErrorOf(Path("dir"), Path("out.galago")), HasSubstr("is quantised or packed already"));
  EXPECT_THAT(ErrorOf(Path("a.galago"), Path("out.galago")), HasSubstr("is quantised or packed already"));
}

TEST_F(Quantize, SmoothedTowerSeesAsTheFloatOne) {
  options_.decoder = WeightFormat::kBf16;
  options_.tower = WeightFormat::kW8;
  options_.texts.clear();
  AddPicture();
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("w8.galago"), options_).ok());
  const auto features = [&](const std::string& path) {
    const auto model = Model::Open(path, {.precision = Precision::kF32}).value();
    EXPECT_TRUE(model->LoadWeights().ok());
    quant::testing::Computer computer;
    const spec::PreprocessSpec& preprocess = model->parts().spec.preprocess;
    const int64_t side = preprocess.size;
    const std::vector<float> pixels = quant::testing::Normal(3 * side * side, 4);
    const text::FramingIds& framing = model->parts().image_framing;
    return std::move(model->parts()
                         .runner
                         ->EncodeMedia(computer.Context(), {.pixels = pixels,
                                                            .shape = {1, 3, side, side},
                                                            .layout = {.kind = spec::MediaKind::kImage, .tiles = 1},
                                                            .framing = {framing.start, framing.end, framing.sep}})
                         .value()
                         .rows);
  };
  const Tensor want = features(kModel), got = features(Path("w8.galago"));
  EXPECT_LT(Nrmse(got.f32(), want.f32()), 0.03);
}

TEST_F(Quantize, WhatMakesNoSenseIsRefusedInOneSentence) {
  options_.group = 128;
  EXPECT_EQ(ErrorOf(kModel, Path("out.galago")),
            "model.layers.0.self_attn.q_proj.weight has 64 inputs, which groups of 128 do not divide; groups of 64 or "
            "32 do");
  options_.group = 48;
  EXPECT_EQ(ErrorOf(kModel, Path("out.galago")), "groups of 48 have no kernels, the choice is 32, 64 or 128");
  options_.group = 32;
  options_.texts = {"too short"};
  EXPECT_THAT(ErrorOf(kModel, Path("out.galago")), HasSubstr("tokens, at least 128 are needed (one piece)"));
  EXPECT_THAT(ErrorOf(kGoldens + "gguf/qwen2/qwen2-mixed.gguf", Path("out.galago")),
              HasSubstr("is quantised already; quantise the original"));
  options_.texts.clear();
  EXPECT_EQ(ErrorOf(kModel, Path("out.galago")),
            "AWQ needs text or pictures to calibrate on; rounding to nearest (rtn) does without");
  options_.samples = {{.conversation = {{.role = Role::kUser, .parts = {Part::Image(Path("cut.png"))}}}, .answer = ""}};
  std::ofstream(Path("cut.png"), std::ios::binary) << Bytes(kGoldens + "media/shapes_168x112.png").substr(0, 200);
  EXPECT_THAT(ErrorOf(kModel, Path("out.galago")), HasSubstr("cut.png"));
  options_.method = QuantizeMethod::kRtn;
  options_.tower = WeightFormat::kW8;
  EXPECT_THAT(ErrorOf(kModel, Path("out")), HasSubstr("holds a 4-bit decoder and nothing else"));
  options_.tower = WeightFormat::kBf16;
  options_.samples.clear();
  EXPECT_THAT(ErrorOf(kModel + "/nothing", Path("out.galago")), HasSubstr("no such model"));
}

TEST_F(Quantize, WeightsThatAreNotFiniteAreNamed) {
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  CopyWithElement("broken", name, 64 * 3 + 5, std::numeric_limits<float>::quiet_NaN());
  options_.method = QuantizeMethod::kRtn;
  EXPECT_EQ(ErrorOf(Path("broken"), Path("out.galago")),
            "model.layers.1.mlp.up_proj.weight: element [3, 5] is not a number, it cannot be quantised");
}

TEST_F(Quantize, PerplexityOfAModelAgainstItself) {
  const auto model = Model::Open(kModel, {}).value();
  ASSERT_TRUE(model->LoadWeights().ok());
  PerplexityOptions options = {.window = 128, .max_windows = 3, .threads = 2};
  const PerplexityResult same = MeasurePerplexity(*model, model.get(), SomeText(), options).value();
  EXPECT_EQ(same.windows, 3);
  EXPECT_NEAR(*same.reference_perplexity, same.perplexity, same.perplexity * 1e-6);
  EXPECT_EQ(same.agreement->kl_divergence, 0.0);
  EXPECT_EQ(same.agreement->top1, 1.0);
  // Chunks of positions change nothing, so the loss of the first window is that of its tokens one at a time.
  options.max_windows = 1;
  options.threads = 1;
  const PerplexityResult first = MeasurePerplexity(*model, nullptr, SomeText(), options).value();
  options_.method = QuantizeMethod::kRtn;
  ASSERT_TRUE(QuantizeModel(kModel, {}, Path("rtn.galago"), options_).ok());
  const auto rounded = Model::Open(Path("rtn.galago"), {}).value();
  ASSERT_TRUE(rounded->LoadWeights().ok());
  const PerplexityResult against = MeasurePerplexity(*rounded, model.get(), SomeText(), options).value();
  EXPECT_EQ(*against.reference_perplexity, first.perplexity);
  EXPECT_GT(against.agreement->kl_divergence, 0.0);
  options.window = 100000;
  EXPECT_FALSE(MeasurePerplexity(*model, nullptr, SomeText(), options).ok());
  options.window = 128;
  EXPECT_THAT(MessageOf(MeasurePerplexity(*model, nullptr, "short", options).status()), HasSubstr("one window of 128"));
}

// ---------------------------------------------------------------------------------------------------------- smoothing

TEST(Smoothing, FoldsWhatTheReferenceFolds) {
  const io::TensorStore golden = io::OpenSafetensors(kGoldens + "awq/smooth.safetensors").value();
  const std::vector<float> maxima = Floats(golden, "maxima");
  std::vector<Tensor> matrices;
  std::vector<const Tensor*> pointers;
  for (const char* name : {"0.weight", "1.weight", "2.weight"}) {
    matrices.push_back(quant::testing::AsTensor(golden.Find(name)->shape, Floats(golden, name)));
  }
  for (const Tensor& matrix : matrices) pointers.push_back(&matrix);
  const std::vector<float> scales = quant::SmoothingScales(maxima, pointers, 0.3);
  std::vector<float> weight = Floats(golden, "norm.weight"), bias = Floats(golden, "norm.bias");
  quant::DivideNorm(scales, weight, bias);
  EXPECT_LT(Nrmse(weight, Floats(golden, "smoothed.norm.weight")), 1e-5);
  EXPECT_LT(Nrmse(bias, Floats(golden, "smoothed.norm.bias")), 1e-5);
  for (size_t i = 0; i < matrices.size(); ++i) {
    quant::MultiplyColumns(scales, matrices[i]);
    EXPECT_LT(Nrmse(matrices[i].f32(), Floats(golden, StrCat("smoothed.", i, ".weight"))), 1e-5);
  }
}

}  // namespace
}  // namespace galago
