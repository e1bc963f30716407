// Gradients of whole models against the reference's own modules (tests/golden/train_gradients.py).
#include <gtest/gtest.h>

#include <cmath>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/tensor_store.h"
#include "src/spec/media_layout.h"
#include "src/spec/parse.h"
#include "src/tensor/convert.h"
#include "train/modules/vlm.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

fs::path Data() { return fs::path(GALAGO_SOURCE_DIR) / "tests/golden/data"; }

std::vector<std::string> Cases() {
  std::vector<std::string> cases;
  for (const auto& entry : fs::directory_iterator(Data() / "train")) {
    if (entry.path().extension() == ".json") cases.push_back(entry.path().stem().string());
  }
  std::ranges::sort(cases);
  return cases;
}

std::vector<float> Floats(const TensorView& view) {
  std::vector<float> values(static_cast<size_t>(view.shape.NumElements()));
  ToF32(view.dtype, view.data, values);
  return values;
}

std::vector<int32_t> Ints(const TensorView& view) {
  std::vector<int32_t> values(static_cast<size_t>(view.shape.NumElements()));
  std::memcpy(values.data(), view.data, values.size() * sizeof(int32_t));
  return values;
}

// The golden's one sequence; rows of media are the run of -200 in it.
Packed ReadBatch(const spec::ModelSpec& spec, const Json& golden, const io::TensorStore& store) {
  Packed batch;
  batch.ids = Ints(store.Find("ids").value());
  batch.labels = Ints(store.Find("labels").value());
  const auto first = std::ranges::find(batch.ids, kMediaRow) - batch.ids.begin();
  int64_t at = first;
  for (size_t i = 0; i < golden["media"].size(); ++i) {
    const Json& item = golden["media"][i];
    spec::MediaLayout layout = {.kind = item["kind"] == "video" ? spec::MediaKind::kVideo : spec::MediaKind::kImage,
                                .tiles = item["tiles"].get<int64_t>()};
    if (item.contains("block")) layout.block = {item["block"][0].get<int64_t>(), item["block"][1].get<int64_t>()};
    auto media = std::make_shared<MediaInput>();
    const TensorView pixels = store.Find(StrCat("pixels.", i)).value();
    media->pixels = {.layout = layout, .pixels = Converted(pixels, DType::kF32)};
    // The end of a medium is "\n", and so is the separator of the one case that has it.
    const auto newline = static_cast<int64_t>(golden["newline"].size());
    const auto* tsp = std::get_if<spec::TspEncoder>(&spec.video.encoder);
    const bool sep = tsp != nullptr && !tsp->framing.sep_tokens.empty();
    media->slot_rows = spec::SlotRows(spec, layout, {.end = newline, .sep = sep ? newline : 0}).value();
    int64_t rows = 0;
    for (const int64_t slot : media->slot_rows) rows += slot;
    batch.spans.push_back({.at = at, .media = static_cast<int64_t>(i), .count = rows});
    batch.media.push_back(std::move(media));
    at += rows;
  }
  EXPECT_EQ(at - first, std::ranges::count(batch.ids, kMediaRow));
  for (size_t i = 0; i < batch.ids.size(); ++i) batch.positions.push_back(static_cast<int32_t>(i));
  batch.cu_seqlens = {0, static_cast<int32_t>(batch.ids.size())};
  batch.max_seqlen = static_cast<int64_t>(batch.ids.size());
  batch.num_labels = std::ranges::count_if(batch.labels, [](int32_t label) { return label != kIgnore; });
  return batch;
}

// A tower's keys without rotation: a shift common to all of them leaves the softmax as it is, so that the gradient of
// their bias is rounding noise.
bool IsNoise(const std::string& name) { return name.starts_with("vision_tower/") && name.ends_with("k_proj.bias"); }

class GradientGoldenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GradientGoldenTest, EqualTheReferences) {
  const auto text = ReadFile(Data() / "train" / (GetParam() + ".json"), 1 << 20);
  ASSERT_TRUE(text.ok()) << text.status();
  const Json golden = Json::parse(*text);
  const auto store = io::OpenSafetensors(Data() / "train" / (GetParam() + ".safetensors"));
  ASSERT_TRUE(store.ok()) << store.status();
  spec::ParseOptions options;
  if (golden.value("compat", "") == "eraB") options.vila15_compat = spec::Vila15Compat::kEraB;
  const auto spec = spec::ParseDirectory(Data() / golden["model"].get<std::string>(), options);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto model = Vlm::Load(*spec).value();
  // Static S2 of the 2024 code runs its tower without a graph.
  const bool sees = std::ranges::any_of(store->tensors(),
                                        [](const auto& item) { return item.first.starts_with("max.vision_tower/"); });
  model->SetOptions({.precision = Precision::kF32, .train_vision = sees});
  const auto newline = golden["newline"].get<std::vector<int32_t>>();
  model->SetFraming({}, newline, newline);
  Packed batch = ReadBatch(*spec, golden, *store);
  const torch::Tensor loss = model->Loss(batch, {.divisor = static_cast<double>(batch.num_labels)});
  const double want_loss = golden["loss"].get<double>();
  EXPECT_NEAR(loss.item<double>(), want_loss, 1e-5 * want_loss);
  loss.backward();
  size_t compared = 0;
  for (const Parameter& parameter : model->parameters()) {
    const auto largest = store->Find("max." + parameter.name);
    if (!largest.ok()) {  // the reference has no gradient, or zeros
      EXPECT_TRUE(!parameter.value.grad().defined() || parameter.value.grad().abs().max().item<double>() < 1e-6)
          << parameter.name;
      continue;
    }
    ++compared;
    ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
    if (IsNoise(parameter.name)) {
      EXPECT_LT(parameter.value.grad().abs().max().item<double>(), 1e-4) << parameter.name;
      continue;
    }
    const torch::Tensor flat = parameter.value.grad().contiguous().flatten();
    const std::vector<float> want = Floats(store->Find("grad." + parameter.name).value());
    const double scale = Floats(*largest)[0];
    const int64_t step = std::max<int64_t>(1, flat.numel() / golden["samples"].get<int64_t>());
    EXPECT_NEAR(flat.abs().max().item<double>(), scale, 1e-4 * scale) << parameter.name;
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_NEAR(flat.data_ptr<float>()[static_cast<int64_t>(i) * step], want[i], 1e-4 * scale)
          << parameter.name << " entry " << static_cast<int64_t>(i) * step;
    }
  }
  size_t expected = 0;
  for (const auto& [name, view] : store->tensors()) expected += name.starts_with("max.") ? 1 : 0;
  EXPECT_EQ(compared, expected);
}

INSTANTIATE_TEST_SUITE_P(Models, GradientGoldenTest, ::testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace galago::train
