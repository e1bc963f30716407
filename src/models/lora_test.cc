#include "src/models/lora.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/io/safetensors.h"
#include "src/io/test_files.h"
#include "src/models/vlm_runner.h"
#include "src/spec/parse.h"
#include "src/tensor/convert.h"

namespace galago::models {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int64_t kIn = 70, kOut = 9, kRank = 3;
constexpr const char* kWeight = "model.layers.0.mlp.up_proj.weight";
constexpr const char* kDown = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight";
constexpr const char* kUp = "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight";
constexpr const char* kConfig = R"({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "use_dora": false, "bias": "none"})";

Tensor Wave(DType dtype, const Shape& shape, float frequency) {
  Tensor floats(DType::kF32, shape);
  auto* values = reinterpret_cast<float*>(floats.data());
  for (int64_t i = 0; i < shape.NumElements(); ++i) values[i] = std::sin(frequency * static_cast<float>(i + 1));
  return Converted(floats.view(), dtype);
}

std::vector<float> Values(const io::TensorStore& store, std::string_view name) {
  const auto view = store.Find(name);
  EXPECT_TRUE(view.ok()) << view.status();
  if (!view.ok()) return {};
  std::vector<float> out(static_cast<size_t>(view->shape.NumElements()));
  ToF32(view->dtype, view->data, out);
  return out;
}

class LoraTest : public ::testing::TestWithParam<DType> {
 protected:
  LoraTest() {
    adapter_.emplace(kDown, Wave(DType::kF32, {kRank, kIn}, 0.37f));
    adapter_.emplace(kUp, Wave(DType::kF32, {kOut, kRank}, 1.7f));
    others_.emplace("mm_projector.layers.1.weight", Wave(DType::kF32, {5}, 0.9f));
    spec_.layout = spec::Layout::kSubfolders;
  }

  static PartStores Stores(DType dtype) {
    PartStores stores = {io::TensorStore("llm"), io::TensorStore("tower"), io::TensorStore("projector")};
    EXPECT_TRUE(stores.language.AddOwned(kWeight, Wave(dtype, {kOut, kIn}, 0.21f)).ok());
    EXPECT_TRUE(stores.projector.AddOwned("layers.1.weight", Wave(dtype, {5}, 0.3f)).ok());
    return stores;
  }

  void Write() const {
    EXPECT_TRUE(WriteFileAtomically(folder_ / "adapter_config.json", config_).ok());
    for (const auto& [file, tensors] : {std::pair{"adapter_model", &adapter_}, {"non_lora_trainables", &others_}}) {
      std::vector<io::NamedTensor> named;
      for (const auto& [name, tensor] : *tensors) named.push_back({name, tensor.view()});
      EXPECT_TRUE(io::WriteSafetensors(folder_ / StrCat(file, ".safetensors"), named).ok());
    }
  }

  std::string Failure(PartStores stores = Stores(DType::kF32)) const {
    Write();
    const auto added = AddAdapter(folder_.path(), spec_, stores, nullptr);
    return added.ok() ? "" : MessageOf(added.status());
  }

  io::testing::TemporaryDirectory folder_;
  spec::ModelSpec spec_;
  std::string config_ = kConfig;
  std::map<std::string, Tensor> adapter_, others_;
};

TEST_P(LoraTest, AddsTheProductAndReplacesTheRest) {
  Write();
  PartStores stores = Stores(GetParam());
  const std::vector<float> before = Values(stores.language, kWeight);
  const auto added = AddAdapter(folder_.path(), spec_, stores, nullptr);
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_THAT(*added, HasSubstr("rank 3 added to 1 matrices, 1 tensors replaced"));
  EXPECT_EQ(stores.language.Find(kWeight)->dtype, GetParam());

  const auto* a = reinterpret_cast<const float*>(adapter_.at(kDown).data());
  const auto* b = reinterpret_cast<const float*>(adapter_.at(kUp).data());
  const std::vector<float> after = Values(stores.language, kWeight);
  // Half a unit of the last place of the type, and four roundings to float32.
  const double unit = GetParam() == DType::kBF16 ? 0x1p-8 : GetParam() == DType::kF16 ? 0x1p-11 : 0;
  for (int64_t o = 0; o < kOut; ++o) {
    for (int64_t i = 0; i < kIn; ++i) {
      const auto at = static_cast<size_t>(o * kIn + i);
      double want = before[at], sum_abs = std::abs(want);
      for (int64_t r = 0; r < kRank; ++r) {
        const double term = 2.0 * b[o * kRank + r] * a[r * kIn + i];
        want += term;
        sum_abs += std::abs(term);
      }
      ASSERT_NEAR(after[at], want, unit * std::abs(want) + 4 * 0x1p-24 * sum_abs) << o << "," << i;
    }
  }
  const Tensor projector = Converted(others_.begin()->second.view(), GetParam());
  std::vector<float> want(5);
  ToF32(GetParam(), projector.data(), want);
  EXPECT_EQ(Values(stores.projector, "layers.1.weight"), want);
}
INSTANTIATE_TEST_SUITE_P(Types, LoraTest, ::testing::Values(DType::kF32, DType::kBF16, DType::kF16));

TEST_F(LoraTest, OtherModelsAreRefused) {
  adapter_.at(kDown) = Wave(DType::kF32, {kRank, kIn + 1}, 1);
  EXPECT_THAT(Failure(), HasSubstr("lora_A.weight is [3, 71], the model needs [3, 70]"));
  adapter_.at(kDown) = Wave(DType::kF32, {kRank, kIn}, 1);
  adapter_.at(kUp) = Wave(DType::kF32, {kOut, 4}, 1);
  EXPECT_THAT(Failure(), HasSubstr("lora_B.weight is [9, 4], the model needs [9, 3]"));
  adapter_.at(kUp) = Wave(DType::kF32, {kOut, kRank}, 1);
  others_.emplace("mm_projector.layers.9.weight", Wave(DType::kF32, {5}, 1));
  EXPECT_THAT(Failure(), HasSubstr("mm_projector.layers.9.weight is no tensor of the model"));
  others_.erase("mm_projector.layers.9.weight");
  others_.begin()->second = Wave(DType::kF32, {6}, 1);
  EXPECT_THAT(Failure(), HasSubstr("layers.1.weight is [6], the model needs [5]"));
  others_.clear();
  PartStores quantised = Stores(DType::kF32);
  quantised.language = io::TensorStore("llm");
  EXPECT_THAT(Failure(quantised), HasSubstr("is of no matrix of llm"));
  EXPECT_TRUE(quantised.language.AddOwned("model.layers.0.mlp.up_proj.qweight", Wave(DType::kF32, {1}, 1)).ok());
  EXPECT_THAT(Failure(quantised), HasSubstr("merge the adapter first, then quantise"));
  EXPECT_EQ(Failure(), "") << "and this one is right";
}

TEST_F(LoraTest, MoreThanASumIsRefused) {
  for (const char* key : {"use_rslora", "use_dora", "fan_in_fan_out", "modules_to_save", "rank_pattern"}) {
    config_ = StrCat(R"({"peft_type": "LORA", "r": 3, "lora_alpha": 6, ")", key, R"(": )",
                     std::string_view(key).starts_with("mod") ? R"(["lm_head"])" : "true", "}");
    EXPECT_THAT(Failure(), HasSubstr(StrCat(key, " is set, which is not supported")));
  }
  config_ = R"({"peft_type": "LORA", "r": 3, "lora_alpha": 6, "init_lora_weights": "pissa"})";
  EXPECT_THAT(Failure(), HasSubstr("init_lora_weights is pissa"));
  config_ = R"({"peft_type": "LORA", "r": 3, "lora_alpha": 1e300})";
  EXPECT_THAT(Failure(), HasSubstr("lora_alpha is 1e+300 and r 3"));
  config_ = R"({"peft_type": "IA3"})";
  EXPECT_THAT(Failure(), HasSubstr("peft_type is IA3, not LORA"));
  config_ = R"({"peft_type": "LORA", "r": 3})";
  EXPECT_THAT(Failure(), HasSubstr("lora_alpha is missing"));
  config_ = kConfig;
  adapter_.emplace("base_model.model.lm_head.lora_embedding_A", Wave(DType::kF32, {1}, 1));
  EXPECT_THAT(Failure(), HasSubstr("is neither lora_A nor lora_B"));
}

TEST_F(LoraTest, HalvesAndCancellationAreSaid) {
  adapter_.erase(kUp);
  EXPECT_THAT(Failure(), HasSubstr("lora_B.weight"));
  adapter_.erase(kDown);
  adapter_.emplace(kUp, Wave(DType::kF32, {kOut, kRank}, 1));
  EXPECT_THAT(Failure(), HasSubstr("holds 1 tensors, 0 of them in pairs"));
  adapter_.emplace(kDown, Wave(DType::kF32, {kRank, kIn}, 1));
  Write();
  const std::atomic<bool> cancel = true;
  PartStores stores = Stores(DType::kF32);
  EXPECT_EQ(AddAdapter(folder_.path(), spec_, stores, &cancel).status().code(), StatusCode::kCancelled);
}

TEST_F(LoraTest, PartsInOneFolderAreOne) {
  spec_.layout = spec::Layout::kSingleFolder;
  PartStores stores = {io::TensorStore("all"), {}, {}};
  EXPECT_TRUE(stores.language.AddOwned(kWeight, Wave(DType::kF32, {kOut, kIn}, 0.21f)).ok());
  EXPECT_TRUE(stores.language.AddOwned("mm_projector.layers.1.weight", Wave(DType::kF32, {5}, 0.3f)).ok());
  stores.vision = stores.language;
  stores.projector = stores.language;
  const std::vector<float> before = Values(stores.language, kWeight);
  Write();
  const auto added = AddAdapter(folder_.path(), spec_, stores, nullptr);
  ASSERT_TRUE(added.ok()) << added.status();
  const auto* want = reinterpret_cast<const float*>(others_.begin()->second.data());
  for (const io::TensorStore* store : {&stores.language, &stores.vision, &stores.projector}) {
    EXPECT_NE(Values(*store, kWeight), before);
    EXPECT_EQ(Values(*store, "mm_projector.layers.1.weight"), std::vector<float>(want, want + 5));
  }
}

TEST_F(LoraTest, WhatIsNotReadIsSaid) {
  spec_.layout = spec::Layout::kGalago;
  EXPECT_THAT(Failure(), HasSubstr("an adapter goes on a model directory"));
  spec_.layout = spec::Layout::kSubfolders;
  std::filesystem::remove(folder_ / "non_lora_trainables.safetensors");
  EXPECT_TRUE(WriteFileAtomically(folder_ / "non_lora_trainables.bin", "x").ok());
  PartStores stores = Stores(DType::kF32);
  const auto added = AddAdapter(folder_.path(), spec_, stores, nullptr);
  EXPECT_THAT(MessageOf(added.status()), HasSubstr("non_lora_trainables.bin is not read"));
}

TEST_F(LoraTest, LoadedModelsHaveIt) {
  const std::filesystem::path model =
      std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/nvila_lite_2b/model";
  const auto spec = spec::ParseDirectory(model);
  ASSERT_TRUE(spec.ok()) << spec.status();
  LoadReport report;
  const auto base = LoadVlmRunner(*spec, {}, report);
  ASSERT_TRUE(base.ok()) << base.status();
  const TensorView before = (*base)->weights().language.used().at(kWeight);
  adapter_.at(kDown) = Wave(DType::kF32, {kRank, before.shape[1]}, 0.37f);
  adapter_.at(kUp) = Wave(DType::kF32, {before.shape[0], kRank}, 1.7f);
  others_.clear();
  Write();
  const auto loaded = LoadVlmRunner(*spec, {.adapter = folder_.path()}, report);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(report.notes, Contains(HasSubstr("rank 3 added to 1 matrices")));
  const TensorView after = (*loaded)->weights().language.used().at(kWeight);
  ASSERT_EQ(after.NumBytes(), before.NumBytes());
  EXPECT_NE(std::memcmp(after.data, before.data, before.NumBytes()), 0);
}

}  // namespace
}  // namespace galago::models
