#include "src/spec/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "src/spec/describe.h"
#include "src/spec/media_layout.h"
#include "src/spec/sections.h"
#include "src/spec/test_configs.h"

namespace galago::spec {
namespace {

using ::testing::HasSubstr;
using testing::MapSource;

StatusOr<ModelSpec> Parse(const MapSource& files, const ParseOptions& options = {}) {
  return ParseFiles(files, "/models/some", options);
}

// ------------------------------------------------------------------------------------------------------ Inspect
// goldens

struct Release {
  const char* name;
  std::function<StatusOr<ModelSpec>()> parse;
};

std::vector<Release> Releases() {
  return {{"vila15_3b", [] { return Parse(testing::Vila15_3b()); }},
          {"vila15_40b", [] { return Parse(testing::Vila15_40b()); }},
          {"nvila_8b", [] { return Parse(testing::Nvila8b()); }},
          {"nvila_lite_2b", [] { return Parse(testing::NvilaLite2b()); }},
          {"nvila_8b_video", [] { return Parse(testing::Nvila8bVideo()); }},
          {"nvila_hf", [] { return Parse(testing::NvilaHf(false)); }},
          {"nvila_lite_hf", [] { return Parse(testing::NvilaHf(true)); }},
          {"mobilevlm_v2_3b", [] { return Parse(testing::MobileVlmV2_3b()); }},
          {"text_qwen2", [] { return Parse(testing::TextQwen2()); }},
          {"gguf_mobilevlm_v1", [] {
             const GgufFacts mmproj = testing::MmprojFacts(false);
             return ParseGguf(testing::MobileVlmGguf(), &mmproj);
           }}};
}

// What `galago inspect --json` shows for the published models. The files were checked by hand against the tables of the
// releases; a change here is a change of what users see.
TEST(Inspect, MatchesGoldens) {
  for (const Release& release : Releases()) {
    SCOPED_TRACE(release.name);
    const auto spec = release.parse();
    ASSERT_TRUE(spec.ok()) << spec.status();
    const auto path = std::filesystem::path(GALAGO_SOURCE_DIR) / "src/spec/testdata" / StrCat(release.name, ".json");
    const auto want = ReadJsonFile(path);
    ASSERT_TRUE(want.ok()) << want.status();
    EXPECT_EQ(Describe(*spec).dump(1), want->dump(1));
    EXPECT_THAT(DescribeText(*spec), HasSubstr(StrCat("family     ", Name(spec->family))));
  }
}

TEST(Names, TemplatesRoundTrip) {
  for (const Template value :
       {Template::kNone, Template::kPlain, Template::kVicunaV1, Template::kLlama3Form1, Template::kLlama3Form2,
        Template::kHermes2, Template::kMistral, Template::kQwen2, Template::kJinja}) {
    EXPECT_EQ(TemplateFromName(Name(value)), value);
  }
  EXPECT_EQ(TemplateFromName("v1"), Template::kVicunaV1);
  EXPECT_EQ(TemplateFromName("llama_3"), Template::kLlama3Form2);
  EXPECT_EQ(TemplateFromName("llava_llama_2"), std::nullopt);
}

// ------------------------------------------------------------------------------------------------------ What is
// decided

TEST(Vila15, EraFollowsTheFilesAndTheSwitch) {
  EXPECT_EQ(Parse(testing::Vila15_3b())->prompt.era, Era::kA);
  const auto era_b = Parse(testing::Vila15_3b(), {.vila15_compat = Vila15Compat::kEraB});
  EXPECT_EQ(era_b->prompt.era, Era::kB);
  EXPECT_EQ(era_b->family, Family::kVila15);
  const auto order = [](const ModelSpec& spec) { return std::get<DownsampleProjector>(spec.projector->kind).order; };
  EXPECT_EQ(order(*Parse(testing::Vila15_3b())), TokenOrder::kColumnMajor);
  EXPECT_EQ(order(*era_b), TokenOrder::kRowMajor);
  // The switch is about VILA-1.5 only.
  EXPECT_EQ(Parse(testing::Nvila8b(), {.vila15_compat = Vila15Compat::kEraA})->prompt.era, Era::kB);
  for (const char* key : {"dynamic_s2", "fps", "num_time_tokens", "time_token_ids", "video_encoder"}) {
    MapSource files = testing::Vila15_3b();
    files.json["config.json"][key] = nullptr;
    files.json["config.json"]["chat_template"] = "mistral";
    const auto spec = Parse(files);
    ASSERT_TRUE(spec.ok()) << key << spec.status();
    EXPECT_EQ(spec->family, Family::kNvila) << key;
    EXPECT_EQ(spec->prompt.chat_template, Template::kMistral);
  }
}

TEST(Vila15, TemplateFollowsTheTokenizer) {
  EXPECT_EQ(Parse(testing::Vila15_3b())->prompt.chat_template, Template::kVicunaV1);
  EXPECT_EQ(Parse(testing::Vila15_40b())->prompt.chat_template, Template::kHermes2);
  MapSource llama3 = testing::Vila15_3b();
  llama3.json["llm/added_tokens.json"] = {{"<|start_header_id|>", 128006}};
  EXPECT_EQ(Parse(llama3)->prompt.chat_template, Template::kLlama3Form2);
  EXPECT_EQ(Parse(llama3, {.llama_3_form = Template::kLlama3Form1})->prompt.chat_template, Template::kLlama3Form1);
  EXPECT_EQ(Parse(llama3, {.chat_template = Template::kPlain})->prompt.chat_template, Template::kPlain);
  // Only tokenizer.json tells.
  MapSource fast = testing::Vila15_3b();
  fast.text.clear();
  fast.json["llm/tokenizer.json"] = {{"added_tokens", {{{"content", "<|start_header_id|>"}}}}};
  EXPECT_EQ(Parse(fast)->prompt.chat_template, Template::kLlama3Form2);
}

TEST(Vila15, LoaderIgnoresTheLegacyFlag) {
  EXPECT_FALSE(Parse(testing::Vila15_3b())->tokenizer.legacy);
  EXPECT_TRUE(Parse(testing::MobileVlmV2_3b())->tokenizer.legacy);  // absent: transformers' default
  MapSource files = testing::MobileVlmV2_3b();
  files.json["tokenizer_config.json"]["legacy"] = false;
  EXPECT_FALSE(Parse(files)->tokenizer.legacy);
}

TEST(Scales, StaticS2) {
  MapSource files = testing::Vila15_3b();
  files.json["config.json"]["s2"] = true;
  files.json["config.json"]["s2_scales"] = {768, 384};  // a list works too, and is sorted
  files.json["config.json"]["s2_max_split_size"] = 384;
  const auto spec = Parse(files);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(std::get<StaticS2>(spec->scales).scales, (std::vector<int64_t>{384, 768}));
  EXPECT_EQ(spec->projector->mm_hidden_size, 2304);
  EXPECT_EQ(spec->preprocess.size, 768);
  EXPECT_EQ(RowsPerTile(*spec), 196);  // on the grid of the smallest scale
  files.json["config.json"]["s2_resize_output_to_scale_idx"] = -1;
  EXPECT_EQ(RowsPerTile(*Parse(files)), 27 * 27);
}

TEST(MobileVlm, TowerIsFoundInsideTheFolder) {
  MapSource files = testing::MobileVlmV2_3b();
  Json tower = {
      {"model_type", "clip_vision_model"}, {"image_size", 56},         {"patch_size", 14},      {"hidden_size", 64},
      {"intermediate_size", 128},          {"num_attention_heads", 4}, {"num_hidden_layers", 3}};
  files.json["config.json"]["mm_vision_tower"] = "tower";
  files.json["config.json"]["mm_hidden_size"] = 64;
  files.json["tower/config.json"] = {{"model_type", "clip"}, {"vision_config", tower}};
  const auto spec = Parse(files);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->vision->image_size, 56);
  EXPECT_EQ(spec->preprocess.size, 56);
  files.json["config.json"]["mm_vision_tower"] = "../tower";  // never outside the folder
  EXPECT_EQ(Parse(files).status().code(), StatusCode::kUnimplemented);
}

TEST(MobileVlm, V2IsTestedBeforeV1) {
  EXPECT_TRUE(std::holds_alternative<LdpV2Projector>(Parse(testing::MobileVlmV2_3b())->projector->kind));
  MapSource files = testing::MobileVlmV2_3b();
  files.json["config.json"]["mm_projector_type"] = "ldpnet";
  EXPECT_EQ(std::get<LdpProjector>(Parse(files)->projector->kind).squeeze, 640);
}

TEST(Projector, SqueezeWidth) {
  const std::pair<int64_t, int64_t> widths[] = {{16, 8},     {48, 16},    {64, 16},    {96, 24},
                                                {2048, 512}, {2560, 640}, {4096, 1024}};
  for (const auto& [width, squeeze] : widths) EXPECT_EQ(SqueezeWidth(width), squeeze) << width;
}

TEST(Video, EncoderMayBeAnObjectAStringOrAName) {
  for (const Json& encoder :
       {Json{{"_target_", "llava.model.encoders.TSPVideoEncoder"}, {"pool_sizes", {{2, 1, 1}}}, {"new_key", 1}},
        Json(R"({"_target_": "TSPVideoEncoder", "pool_sizes": [[2, 1, 1]], "end_tokens": "\n"})")}) {
    MapSource files = testing::Nvila8bVideo();
    files.json["config.json"]["video_encoder"] = encoder;
    const auto spec = Parse(files);
    ASSERT_TRUE(spec.ok()) << spec.status();
    const auto& tsp = std::get<TspEncoder>(spec->video.encoder);
    EXPECT_EQ(tsp.pool_sizes, (std::vector<std::array<int64_t, 3>>{{2, 1, 1}}));
    EXPECT_EQ(tsp.framing.end_tokens, "\n");
  }
  MapSource files = testing::Nvila8b();
  files.json["config.json"]["image_encoder"] = "llava.model.encoders.BasicImageEncoder";
  EXPECT_EQ(Parse(files)->prompt.image_encoder.framing.end_tokens, "\n");
  files.json["config.json"]["image_encoder"] = {{"_target_", "BasicImageEncoder"}, {"end_tokens", nullptr}};
  EXPECT_EQ(Parse(files)->prompt.image_encoder.framing.end_tokens, "");
}

TEST(Language, RopeScaling) {
  MapSource files = testing::TextQwen2();
  files.json["config.json"]["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  EXPECT_EQ(std::get<LinearRopeScaling>(Parse(files)->language.rope_scaling).factor, 4.0);
  files.json["config.json"]["rope_scaling"] = {{"rope_type", "llama3"},
                                               {"factor", 8.0},
                                               {"low_freq_factor", 1.0},
                                               {"high_freq_factor", 4.0},
                                               {"original_max_position_embeddings", 8192}};
  EXPECT_EQ(std::get<Llama3RopeScaling>(Parse(files)->language.rope_scaling).original_max_position_embeddings, 8192);
  files.json["config.json"]["rope_scaling"] = {{"type", "yarn"}, {"factor", 4.0}};
  EXPECT_EQ(Parse(files).status().code(), StatusCode::kUnimplemented);
}

// ---------------------------------------------------------------------------------------------------------- Quantised

std::optional<QuantizationSpec> Quantization(const MapSource& files) {
  const auto spec = Parse(files);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? spec->language.quantization : std::nullopt;
}

TEST(Quantization, IsReadFromEveryPlaceToolsWriteItTo) {
  MapSource files = testing::TextQwen2();
  EXPECT_EQ(Quantization(files), std::nullopt);
  files.json["quantize_config.json"] = {{"bits", 4}, {"group_size", -1}, {"desc_act", true}};
  EXPECT_EQ(Quantization(files), (QuantizationSpec{QuantizationFormat::kGptq, -1}));
  files.json["quant_config.json"] = {{"zero_point", true}, {"q_group_size", 64}, {"w_bit", 4}, {"version", "GEMV"}};
  EXPECT_EQ(Quantization(files), (QuantizationSpec{QuantizationFormat::kAwqGemv, 64}));
  Json& stated = files.json["config.json"]["quantization_config"];
  stated = {{"quant_method", "awq"}, {"bits", 4}, {"group_size", 128}, {"zero_point", true}, {"version", "gemm"}};
  EXPECT_EQ(Quantization(files), (QuantizationSpec{QuantizationFormat::kAwqGemm, 128}));
  stated["version"] = "gemv_fast";
  EXPECT_EQ(Quantization(files), (QuantizationSpec{QuantizationFormat::kAwqGemvFast, 128}));
  stated = {{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 32}, {"checkpoint_format", "gptq_v2"}};
  EXPECT_EQ(Quantization(files), (QuantizationSpec{QuantizationFormat::kGptqV2, 32}));

  MapSource vlm = testing::NvilaLite2b();
  vlm.json["llm/config.json"]["quantization_config"] = stated;
  EXPECT_EQ(Quantization(vlm), (QuantizationSpec{QuantizationFormat::kGptqV2, 32}));
}

TEST(Quantization, RefusesByName) {
  MapSource files = testing::TextQwen2();
  Json& stated = files.json["config.json"]["quantization_config"];
  const auto message = [&](const Json& config) {
    stated = config;
    return MessageOf(Parse(files).status());
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message({{"quant_method", "awq"}, {"bits", 8}}), HasSubstr("is 8, only 4-bit"));
  EXPECT_THAT(message({{"quant_method", "awq"}, {"bits", 4}, {"version", "marlin"}}), HasSubstr("\"marlin\""));
  EXPECT_THAT(message({{"quant_method", "awq"}, {"bits", 4}, {"zero_point", false}}), HasSubstr("symmetric"));
  EXPECT_THAT(message({{"quant_method", "gptq"}, {"bits", 4}, {"checkpoint_format", "marlin"}}),
              HasSubstr("checkpoint_format"));
  EXPECT_THAT(message({{"quant_method", "gptq"}, {"bits", 4}, {"group_size", 0}}), HasSubstr("group_size"));
  EXPECT_THAT(message({{"quant_method", "gptq"}, {"bits", 4}, {"group_size", -2}}), HasSubstr("group_size"));
  EXPECT_THAT(message({{"quant_method", "bitsandbytes"}}), HasSubstr("\"bitsandbytes\""));
  EXPECT_THAT(message(Json::object()), HasSubstr("quant_method"));
}

TEST(Tokenizer, UnlimitedLengthIsNone) {
  MapSource files = testing::TextQwen2();
  files.json["tokenizer_config.json"]["model_max_length"] = 1e30;
  EXPECT_EQ(Parse(files)->prompt.model_max_length, 0);
}

TEST(Preview, DropsEosAtSegmentStart) {
  MapSource files = testing::NvilaLite2b();
  files.json["config.json"]["model_type"] = "vila";
  const auto spec = Parse(files);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_TRUE(spec->prompt.drop_eos_at_segment_start);
  EXPECT_TRUE(spec->prompt.newline_after_tile);
  EXPECT_EQ(spec->family, Family::kNvila);
}

// --------------------------------------------------------------------------------------------------------------- Slots

TEST(SlotRows, ReleasedModels) {
  const FramingLengths newline = {.end = 1};
  using Rows = std::vector<int64_t>;
  const auto rows = [&](const MapSource& files, const MediaLayout& layout) {
    return *SlotRows(*Parse(files), layout, newline);
  };
  EXPECT_EQ(rows(testing::Vila15_3b(), {}), Rows{196});
  EXPECT_EQ(rows(testing::Vila15_3b(), {.kind = MediaKind::kVideo, .tiles = 3}), (Rows{196, 196, 196}));
  EXPECT_EQ(rows(testing::Vila15_40b(), {}), Rows{256});
  EXPECT_EQ(rows(testing::MobileVlmV2_3b(), {}), Rows{144});
  // 1344 x 896: 1 + 4 + 12 tiles, 3072 rows and a newline.
  EXPECT_EQ(rows(testing::Nvila8b(), {.tiles = 17, .grid = {{4, 3}}, .block = {{3, 4}}}), Rows{3073});
  EXPECT_EQ(rows(testing::Nvila8b(), {}), Rows{257});  // one of several pictures
  EXPECT_EQ(rows(testing::Nvila8b(), {.kind = MediaKind::kVideo, .tiles = 8}), Rows(8, 257));
  EXPECT_EQ(rows(testing::NvilaLite2b(), {.tiles = 7, .grid = {{3, 2}}}), Rows(7, 122));
  EXPECT_EQ(rows(testing::Nvila8bVideo(), {.kind = MediaKind::kVideo, .tiles = 256}), Rows{8224});
}

TEST(SlotRows, RefusesWhatTheReferenceCannotPool) {
  const auto spec = Parse(testing::Nvila8bVideo());
  const auto rows = SlotRows(*spec, {.kind = MediaKind::kVideo, .tiles = 12}, {});
  EXPECT_EQ(rows.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(rows.status()), HasSubstr("12 frames cannot be pooled 8 by 8"));
  EXPECT_EQ(SlotRows(*spec, {.tiles = 0}, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(SlotRows(*Parse(testing::TextQwen2()), {}, {}).status().code(), StatusCode::kInvalidArgument);
}

// ---------------------------------------------------------------------------------------------------------------- GGUF

TEST(Gguf, ProjectorIsToldByItsTensors) {
  GgufFacts mmproj = testing::MmprojFacts(true);
  mmproj.metadata["clip.projector_type"] = "ldp";  // a converter's mistake
  auto spec = ParseGguf(testing::MobileVlmGguf(), &mmproj);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_TRUE(std::holds_alternative<LdpV2Projector>(spec->projector->kind));
  EXPECT_FALSE(spec->notes.empty());
  mmproj.metadata["clip.projector_type"] = "peg";
  spec = ParseGguf(testing::MobileVlmGguf(), &mmproj);
  EXPECT_TRUE(std::holds_alternative<LdpV2Projector>(spec->projector->kind));
  EXPECT_TRUE(spec->notes.empty());
}

TEST(Gguf, StoredLayersAllRunUnlessAskedOtherwise) {
  const GgufFacts mmproj = testing::MmprojFacts(false);
  const auto spec = ParseGguf(testing::MobileVlmGguf(), &mmproj);
  EXPECT_EQ(spec->vision->num_layers_run, 23);
  EXPECT_TRUE(spec->vision->swapped_ffn_names);
  EXPECT_EQ(spec->language.rope_layout, RopeLayout::kInterleaved);
  ParseOptions options;
  options.llama_cpp = {.drop_last_layer = true, .class_token_last = true, .gelu_tanh = true, .pad_bottom_right = true};
  const auto compat = ParseGguf(testing::MobileVlmGguf(), &mmproj, options);
  EXPECT_EQ(compat->vision->num_layers_run, 22);
  EXPECT_TRUE(compat->vision->class_token_last);
  EXPECT_EQ(compat->projector->gelu, Activation::kGeluTanh);
  EXPECT_TRUE(compat->preprocess.pad_bottom_right);
  EXPECT_EQ(compat->notes.size(), 4u);
}

TEST(Gguf, PlainMlp) {
  GgufFacts mmproj = testing::MmprojFacts(true);
  mmproj.tensors.erase("mm.model.peg.0.weight");
  mmproj.metadata.erase("clip.projector_type");
  EXPECT_EQ(ParseGguf(testing::MobileVlmGguf(), &mmproj).status().code(), StatusCode::kUnimplemented);
  for (const char* name : {"mm.0", "mm.2"}) {
    mmproj.tensors[StrCat(name, ".weight")] = {2048, 1024};
    mmproj.tensors[StrCat(name, ".bias")] = {2048};
  }
  const auto spec = ParseGguf(testing::MobileVlmGguf(), &mmproj);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->family, Family::kLlava);
  EXPECT_EQ(std::get<MlpProjector>(spec->projector->kind).depth, 2);
  mmproj.metadata["clip.projector_type"] = "resampler";
  EXPECT_THAT(MessageOf(ParseGguf(testing::MobileVlmGguf(), &mmproj).status()), HasSubstr("resampler"));
}

TEST(Gguf, WidthsMustAgree) {
  const GgufFacts mmproj = testing::MmprojFacts(true);
  GgufFacts llm = testing::MobileVlmGguf();
  llm.metadata["llama.embedding_length"] = 2560;
  llm.metadata["llama.rope.dimension_count"] = 160;
  EXPECT_EQ(MessageOf(ParseGguf(llm, &mmproj).status()),
            "mmproj.gguf: the projector's rows have 2048 channels, the language model llm.gguf needs 2560");
}

TEST(Gguf, Qwen2AndTies) {
  GgufFacts llm = testing::MobileVlmGguf();
  for (auto& [key, value] : testing::MobileVlmGguf().metadata) {
    if (key.starts_with("llama.")) llm.metadata["qwen2" + key.substr(5)] = value;
  }
  llm.metadata["general.architecture"] = "qwen2";
  llm.metadata["tokenizer.chat_template"] = "{{ messages }}";
  llm.tensors.erase("output.weight");
  llm.tensors["blk.0.attn_q.bias"] = {2048};
  llm.tensors["rope_freqs.weight"] = {64};
  const auto spec = ParseGguf(llm, nullptr);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->language.rope_layout, RopeLayout::kHalfSplit);
  EXPECT_TRUE(spec->language.tie_word_embeddings);
  EXPECT_TRUE(spec->language.attention_bias);
  EXPECT_TRUE(std::holds_alternative<RopeFrequencyFactors>(spec->language.rope_scaling));
  EXPECT_EQ(spec->prompt.chat_template, Template::kJinja);
  EXPECT_EQ(spec->family, Family::kText);
}

TEST(Gguf, RolesAreNotConfused) {
  const GgufFacts mmproj = testing::MmprojFacts(true);
  const GgufFacts llm = testing::MobileVlmGguf();
  EXPECT_THAT(MessageOf(ParseGguf(mmproj, nullptr).status()), HasSubstr("not a language model"));
  EXPECT_THAT(MessageOf(ParseGguf(llm, &llm).status()), HasSubstr("a mmproj file says clip"));
}

// --------------------------------------------------------------------------------------------------- Malformed
// catalogue

struct Malformed {
  const char* name;
  std::function<MapSource()> base;
  std::function<void(MapSource&)> spoil;
  StatusCode code;
  const char* message;
};

std::vector<Malformed> Catalogue() {
  const auto set = [](const char* file, const char* key, Json value) {
    return [=](MapSource& files) { files.json[file][key] = value; };
  };
  const auto erase = [](const char* file) { return [=](MapSource& files) { files.json.erase(file); }; };
  const char* top = "config.json";
  const char* llm = "llm/config.json";
  const char* tower = "vision_tower/config.json";
  const char* proj = "mm_projector/config.json";
  const char* prep = "vision_tower/preprocessor_config.json";
  constexpr StatusCode kBad = StatusCode::kDataLoss;
  constexpr StatusCode kKind = StatusCode::kUnimplemented;
  constexpr StatusCode kNone = StatusCode::kNotFound;
  using namespace testing;  // NOLINT: the bases
  return {
      {"no_config", Vila15_3b, erase(top), kNone, "has no config.json"},
      {"unknown_family", Vila15_3b, set(top, "model_type", "llava_mistral"), kKind, "llava_mistral"},
      {"family_not_a_string", Vila15_3b, set(top, "model_type", 7), kBad, "\"model_type\" is not a string"},
      {"text_only_folder", Vila15_3b,
       [=](MapSource& files) {
         files.json.erase(proj);
         files.json.erase(tower);
       },
       kNone, "points at a text-only model: no mm_projector"},
      {"no_llm", Vila15_3b, erase(llm), kNone, "no llm/config.json"},
      {"no_tower", Vila15_3b, erase(tower), kNone, "no vision_tower/config.json"},
      {"no_projector", Vila15_3b, erase(proj), kNone, "no mm_projector/config.json"},
      {"no_tokenizer", Vila15_3b, [](MapSource& files) { files.text.clear(); }, kNone, "llm/ has no tokenizer"},
      {"mobilevlm_text_only", MobileVlmV2_3b, set(top, "mm_projector_type", nullptr), kNone,
       "points at a text-only model: no mm_projector_type"},

      {"unknown_llm", Vila15_3b, set(llm, "model_type", "gemma"), kKind, "gemma"},
      {"hidden_size_text", Vila15_3b, set(llm, "hidden_size", "2560"), kBad, "\"hidden_size\" is not a number"},
      {"hidden_size_negative", Vila15_3b, set(llm, "hidden_size", -1), kBad, "\"hidden_size\" is -1"},
      {"hidden_size_huge", Vila15_3b, set(llm, "hidden_size", int64_t{1} << 60), kBad, "\"hidden_size\" is"},
      {"hidden_size_fraction", Vila15_3b, set(llm, "hidden_size", 2560.5), kBad, "\"hidden_size\" is 2560.5"},
      {"hidden_size_missing", Vila15_3b, set(llm, "hidden_size", nullptr), kBad, "\"hidden_size\" is missing"},
      {"zero_heads", Vila15_3b, set(llm, "num_attention_heads", 0), kBad, "\"num_attention_heads\" is 0"},
      {"heads_do_not_divide", Vila15_3b, set(llm, "num_attention_heads", 7), kBad,
       "hidden_size 2560 is not a multiple of num_attention_heads 7"},
      {"kv_heads_do_not_divide", Vila15_3b, set(llm, "num_key_value_heads", 3), kBad,
       "num_attention_heads 20 is not a multiple of num_key_value_heads 3"},
      {"odd_head", Vila15_3b, set(llm, "num_attention_heads", 512), kBad, "a head has 5 channels"},
      {"wide_heads", Vila15_3b, set(llm, "head_dim", 131072), kBad, "exceed the limit"},
      {"vocab_zero", Vila15_3b, set(llm, "vocab_size", 0), kBad, "\"vocab_size\" is 0"},
      {"eps_zero", Vila15_3b, set(llm, "rms_norm_eps", 0.0), kBad, "\"rms_norm_eps\" is 0"},
      {"eps_bool", Vila15_3b, set(llm, "rms_norm_eps", true), kBad, "\"rms_norm_eps\" is not a number"},
      {"eps_nan", Vila15_3b,
       [=](MapSource& files) {
         files.json.erase(llm);
         files.text[llm] = R"({"model_type": "llama", "rms_norm_eps": NaN})";
       },
       kBad, "not valid JSON"},
      {"theta_infinite", Vila15_3b,
       [=](MapSource& files) {
         files.json.erase(llm);
         files.text[llm] = R"({"model_type": "llama", "rope_theta": 1e999})";
       },
       kBad, "not valid JSON"},
      {"not_an_object", Vila15_3b, [=](MapSource& files) { files.json[llm] = Json::array(); }, kBad,
       "not a JSON object"},
      {"relu", Vila15_3b, set(llm, "hidden_act", "relu"), kKind, "relu"},
      {"sliding_window", NvilaLite2b, set(llm, "use_sliding_window", true), kKind, "use_sliding_window"},
      {"attention_bias", Vila15_3b, set(llm, "attention_bias", true), kKind, "attention_bias"},
      {"rope_scaling_text", Vila15_3b, set(llm, "rope_scaling", "linear"), kBad, "\"rope_scaling\" is not an object"},
      {"rope_factor_negative", Vila15_3b, set(llm, "rope_scaling", {{"type", "linear"}, {"factor", -2.0}}), kBad,
       "factor"},
      {"rope_llama3_order", Vila15_3b,
       set(llm, "rope_scaling",
           {{"rope_type", "llama3"},
            {"factor", 8.0},
            {"low_freq_factor", 4.0},
            {"high_freq_factor", 4.0},
            {"original_max_position_embeddings", 64}}),
       kBad, "high_freq_factor is 4"},

      {"radio", Vila15_3b, set(tower, "architectures", {"RADIOModel"}), kKind, "radio"},
      {"unknown_tower", Vila15_3b, set(tower, "architectures", {"Dinov2Model"}), kKind, "dinov2model"},
      {"architectures_empty", Vila15_3b, set(tower, "architectures", Json::array()), kBad, "not a list of names"},
      {"four_channels", Vila15_3b, set(tower, "num_channels", 4), kKind, "is 4"},
      {"tower_heads", Vila15_3b, set(tower, "num_attention_heads", 7), kBad,
       "1152 is not a multiple of num_attention_heads 7"},
      {"patch_too_large", Vila15_3b, set(tower, "patch_size", 500), kBad,
       "patch_size 500 is larger than image_size 384"},
      {"tower_activation", Vila15_3b, set(tower, "hidden_act", "mish"), kKind, "mish"},
      {"layer_norm_internvit", Vila15_40b, set(tower, "norm_type", "layer_norm"), kKind, "layer_norm"},
      {"select_layer_beyond", Vila15_3b, set(top, "mm_vision_select_layer", -29), kBad, "-29 does not exist"},
      {"select_feature", Vila15_3b, set(top, "mm_vision_select_feature", "cls"), kKind, "\"cls\""},
      {"siglip_patch_loses_a_patch", Vila15_3b, set(top, "mm_vision_select_feature", "patch"), kBad, "728 features"},

      {"s2_scales_words", Nvila8b, set(top, "s2_scales", "448,x"), kBad, "s2_scales"},
      {"s2_scales_missing", Nvila8b, set(top, "s2_scales", nullptr), kBad, "\"s2_scales\" is missing"},
      {"s2_scales_zero", Nvila8b, set(top, "s2_scales", "0,448"), kBad, "s2_scales"},
      {"s2_scales_twice", Nvila8b, set(top, "s2_scales", "448,448"), kBad, "s2_scales"},
      {"s2_scales_overflow", Nvila8b, set(top, "s2_scales", "99999999999999999999"), kBad, "s2_scales"},
      {"s2_scales_not_multiples", Nvila8b, set(top, "s2_scales", "448,900"), kBad, "900 is not a multiple of 448"},
      {"s2_scales_not_the_tower", Nvila8b, set(top, "s2_scales", "384,768"), kBad,
       "384, the tower takes pictures of 448"},
      {"s2_index", Nvila8b, set(top, "s2_resize_output_to_scale_idx", 3), kBad, "s2_resize_output_to_scale_idx"},
      {"s2_both", Nvila8b, set(top, "s2", true), kBad, "s2 and dynamic_s2 are both true"},
      {"s2_split", Vila15_3b, set(top, "s2", true), kBad, "does not give the tower's picture size 384"},
      {"mode_without_scales", Nvila8b, set(top, "dynamic_s2", false), kBad, "dynamic_s2 is not true"},
      {"max_tiles_too_few", Nvila8b, set(top, "max_tiles", 8), kBad, "at least 9 tiles, max_tiles is 8"},
      {"min_over_max", NvilaLite2b, set(top, "min_tiles", 13), kBad, "min_tiles 13 exceeds max_tiles 12"},

      {"unknown_projector", Vila15_3b, set(proj, "mm_projector_type", "qformer"), kKind, "qformer"},
      {"projector_missing", Vila15_3b, set(proj, "mm_projector_type", nullptr), kBad,
       "\"mm_projector_type\" is missing"},
      {"mlp_without_depth", Vila15_3b, set(proj, "mm_projector_type", "mlpx_gelu"), kKind, "mlpx_gelu"},
      {"mlp_depth_huge", Vila15_3b, set(proj, "mm_projector_type", "mlp99999999999999999999x_gelu"), kKind, "mlp999"},
      {"identity_widths", Vila15_3b, set(proj, "mm_projector_type", "identity"), kBad,
       "1152 channels to a language model of 2560"},
      {"ldp_in_folders", Vila15_3b, set(proj, "mm_projector_type", "ldpnet"), kKind, "belongs to MobileVLM"},

      {"processor_size", Vila15_3b, set(prep, "size", {{"height", 336}, {"width", 336}}), kBad,
       "336 pixels wide, the tower takes 384"},
      {"processor_oblong", Vila15_3b, set(prep, "size", {{"height", 384}, {"width", 336}}), kKind, "384 x 336"},
      {"processor_bilinear", Vila15_3b, set(prep, "resample", 2), kKind, "only 3 (bicubic)"},
      {"processor_std_zero", Vila15_3b, set(prep, "image_std", {0.5, 0.0, 0.5}), kBad, "three positive numbers"},
      {"processor_mean_short", Vila15_3b, set(prep, "image_mean", {0.5}), kBad, "three numbers"},
      {"processor_no_rescale", Vila15_3b, set(prep, "do_rescale", false), kKind, "do_rescale"},

      {"encoder_unknown", Nvila8b, set(top, "video_encoder", {{"_target_", "llava.X.PS3Encoder"}}), kKind,
       "PS3Encoder"},
      {"encoder_broken_json", Nvila8b, set(top, "video_encoder", "{\"_target_\":"), kBad, "not valid JSON"},
      {"encoder_number", Nvila8b, set(top, "image_encoder", 5), kBad, "not a string"},
      {"pool_zero", Nvila8bVideo,
       [=](MapSource& files) {
         files.json[top]["video_encoder"]["pool_sizes"] = {{0, 1, 1}};
       },
       kBad, "pool_sizes"},
      {"pool_missing", Nvila8bVideo, [=](MapSource& files) { files.json[top]["video_encoder"].erase("pool_sizes"); },
       kBad, "\"pool_sizes\" is missing"},
      {"fps_negative", Nvila8b, set(top, "fps", -1.0), kBad, "\"fps\" is -1"},
      {"frames_zero", Nvila8b, set(top, "num_video_frames", 0), kBad, "\"num_video_frames\" is 0"},
      {"time_format", Nvila8bVideo, set(top, "time_token_format", "<t>"), kBad, "lacks {t}"},
      {"template_unknown", Nvila8b, set(top, "chat_template", "phi3"), kKind, "phi3"},
      {"no_template", Nvila8b, [](MapSource& files) { files.json.erase("llm/tokenizer_config.json"); }, kNone,
       "conversation template"},

      {"era_a_im_tokens", Vila15_3b, set(top, "mm_use_im_start_end", true), kKind, "mm_use_im_start_end"},
      {"mobilevlm_tower", MobileVlmV2_3b, set(top, "mm_vision_tower", "google/vit"), kKind, "google/vit"},
      {"mobilevlm_tower_type", MobileVlmV2_3b, set(top, "vision_tower_type", "siglip"), kKind, "siglip"},
      {"mobilevlm_width", MobileVlmV2_3b, set(top, "mm_hidden_size", 768), kBad,
       "mm_hidden_size is 768, the tower has 1024"},
      {"mobilevlm_im_tokens", MobileVlmV2_3b, set(top, "mm_use_im_start_end", true), kKind, "mm_use_im_start_end"},
      {"mobilevlm_cls_patch", MobileVlmV2_3b, set(top, "mm_vision_select_feature", "cls_patch"), kBad, "577 features"},
      {"hf_without_text", [] { return NvilaHf(true); }, set(top, "text_config", nullptr), kBad,
       "\"text_config\" is missing"},
  };
}

TEST(Malformed, EachIsRefusedByName) {
  for (const Malformed& entry : Catalogue()) {
    SCOPED_TRACE(entry.name);
    MapSource files = entry.base();
    ASSERT_TRUE(Parse(files).ok()) << "the base must be good: " << Parse(files).status();
    entry.spoil(files);
    const auto spec = Parse(files);
    EXPECT_EQ(spec.status().code(), entry.code) << spec.status();
    EXPECT_THAT(MessageOf(spec.status()), HasSubstr(entry.message));
  }
}

// Every key of every file, replaced by values no file should hold, gives a spec or an error, never anything else.
TEST(Malformed, EveryKeyWithEveryWrongValue) {
  const std::vector<Json> values = {nullptr,
                                    true,
                                    -1,
                                    0,
                                    1,
                                    int64_t{1} << 62,
                                    1.5,
                                    -1e300,
                                    "",
                                    "x",
                                    Json::array(),
                                    Json::object(),
                                    Json{{"a", 1}},
                                    Json::array({1, "x", nullptr})};
  for (const auto& base : {testing::Vila15_3b(), testing::Nvila8b(), testing::Nvila8bVideo(), testing::Vila15_40b(),
                           testing::MobileVlmV2_3b(), testing::NvilaHf(false), testing::TextQwen2()}) {
    for (const auto& [file, json] : base.json) {
      for (const auto& [key, old] : json.items()) {
        for (const Json& value : values) {
          MapSource files = base;
          files.json[file][key] = value;
          const auto spec = Parse(files);
          if (!spec.ok()) {
            EXPECT_FALSE(spec.status().message().empty());
          } else {
            EXPECT_FALSE(DescribeText(*spec).empty());
          }
        }
      }
    }
  }
}

TEST(ParseDirectory, NamesTheFolder) {
  const auto spec = ParseDirectory("/nonexistent/model");
  EXPECT_EQ(spec.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(spec.status()), HasSubstr("/nonexistent/model is not a directory"));
}

}  // namespace
}  // namespace galago::spec
