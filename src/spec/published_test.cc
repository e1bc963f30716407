#include "src/spec/published.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace galago::spec {
namespace {

// Elements of the matrices of a decoder, tables included.
double BillionsOf(const LanguageModelSpec& lm) {
  const int64_t q = lm.num_attention_heads * lm.head_dim, kv = lm.num_key_value_heads * lm.head_dim;
  const int64_t layer = lm.hidden_size * (2 * q + 2 * kv + 3 * lm.intermediate_size);
  const int64_t tables = lm.vocab_size * lm.hidden_size * (lm.tie_word_embeddings ? 1 : 2);
  return static_cast<double>(tables + lm.num_hidden_layers * layer) * 1e-9;
}

TEST(Published, EveryShapeParses) {
  std::set<std::string_view> names;
  for (const PublishedShape& shape : PublishedShapes()) {
    const auto spec = ParsePublished(shape.name);
    ASSERT_TRUE(spec.ok()) << shape.name << ": " << spec.status();
    EXPECT_TRUE(names.insert(shape.name).second) << shape.name << " is there twice";
    EXPECT_EQ(spec->path, shape.name);
    EXPECT_EQ(spec->vision.has_value(), shape.what.find("decoder alone") == std::string_view::npos) << shape.name;
  }
}

// Published sizes of the decoders in billions of parameters; file sizes of the model cards, halved for bf16.
TEST(Published, DimensionsGiveThePublishedSizes) {
  const std::vector<std::pair<std::string, double>> sizes = {
      {"VILA1.5-3b", 2.70},     {"Llama-3-VILA1.5-8B", 8.03}, {"VILA1.5-13b", 13.0},       {"VILA1.5-40b", 34.4},
      {"NVILA-8B", 7.61},       {"NVILA-15B", 14.77},         {"NVILA-Lite-2B", 1.54},     {"MobileVLM-1.7B", 1.364},
      {"MobileVLM-3B", 2.7015}, {"MobileVLM_V2-7B", 6.738},   {"Qwen2.5-0.5B", 0.494},     {"Qwen2.5-1.5B", 1.544},
      {"Qwen2-7B", 7.616},      {"MobileLLaMA-1.4B", 1.364},  {"MobileLLaMA-2.7B", 2.7015}};
  for (const auto& [name, billions] : sizes) {
    EXPECT_NEAR(BillionsOf(ParsePublished(name)->language), billions, 0.005 * billions) << name;
  }
}

TEST(Published, FamiliesComeOutAsTheirFilesSay) {
  const ModelSpec lite = ParsePublished("nvila-lite-2b").value();
  EXPECT_EQ(lite.family, Family::kNvila);
  EXPECT_EQ(lite.preprocess.image_aspect_ratio, AspectMode::kDynamic);
  EXPECT_EQ(lite.projector->RowsOut(lite.vision->num_selected()), 121);
  EXPECT_EQ(lite.vision->num_layers_run, 26);
  const ModelSpec s2 = ParsePublished("NVILA-8B").value();
  EXPECT_EQ(std::get<DynamicS2>(s2.scales).scales, (std::vector<int64_t>{448, 896, 1344}));
  const ModelSpec mobile = ParsePublished("MobileVLM_V2-1.7B").value();
  EXPECT_TRUE(std::holds_alternative<LdpV2Projector>(mobile.projector->kind));
  EXPECT_EQ(mobile.projector->RowsOut(mobile.vision->num_selected()), 144);
  EXPECT_EQ(ParsePublished("VILA1.5-40b")->vision->architecture, "internvit");
  EXPECT_EQ(ParsePublished("Llama-3-VILA1.5-8B")->prompt.chat_template, Template::kLlama3Form2);
}

TEST(Published, AnUnknownNameListsWhatThereIs) {
  const auto spec = ParsePublished("NVILA-9B");
  EXPECT_EQ(spec.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(spec.status()), ::testing::AllOf(::testing::HasSubstr("\"NVILA-9B\""),
                                                         ::testing::HasSubstr("NVILA-Lite-2B, NVILA-Lite-8B")));
}

}  // namespace
}  // namespace galago::spec
