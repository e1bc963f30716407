#include "src/spec/published.h"

#include <array>
#include <map>
#include <utility>

#include "src/base/strings.h"

namespace galago::spec {
namespace {

class MemorySource : public FileSource {
 public:
  bool Exists(std::string_view name) const override { return files.contains(name); }
  StatusOr<std::string> Read(std::string_view name) const override {
    const auto found = files.find(name);
    if (found == files.end()) return NotFound(StrCat(name, ": no such file"));
    return found->second.dump();
  }
  std::map<std::string, Json, std::less<>> files;
};

// ------------------------------------------------------------------------------------------------ language models

enum class Tied { kNo, kYes };
struct Dims {
  int64_t hidden, layers, heads, kv_heads, ffn, vocab;
};

Json LlamaConfig(const Dims& dims, int64_t max_positions, double theta, double eps) {
  return {{"model_type", "llama"},
          {"hidden_size", dims.hidden},
          {"num_hidden_layers", dims.layers},
          {"num_attention_heads", dims.heads},
          {"num_key_value_heads", dims.kv_heads},
          {"intermediate_size", dims.ffn},
          {"vocab_size", dims.vocab},
          {"rms_norm_eps", eps},
          {"rope_theta", theta},
          {"max_position_embeddings", max_positions},
          {"tie_word_embeddings", false},
          {"hidden_act", "silu"}};
}

Json Qwen2Config(const Dims& dims, Tied tied) {
  Json config = LlamaConfig(dims, 32768, 1e6, 1e-6);
  config["model_type"] = "qwen2";
  config["tie_word_embeddings"] = tied == Tied::kYes;
  return config;
}

// Qwen/Qwen2.5-*: config.json; NVILA keeps the decoder and cuts the table to 151648 rows (NVILA-8B: llm/config.json;
// the others of that family follow from their file sizes).
constexpr int64_t kNvilaVocab = 151648;
constexpr Dims kQwen05b = {896, 24, 14, 2, 4864, 151936};
constexpr Dims kQwen15b = {1536, 28, 12, 2, 8960, 151936};
constexpr Dims kQwen7b = {3584, 28, 28, 4, 18944, 152064};
constexpr Dims kQwen14b = {5120, 48, 40, 8, 13824, 152064};
// mtgv/MobileLLaMA-*: config.json.
constexpr Dims kMobileLlama14b = {2048, 24, 16, 16, 5632, 32000};
constexpr Dims kMobileLlama27b = {2560, 32, 32, 32, 6912, 32000};

Dims ForNvila(Dims dims) {
  dims.vocab = kNvilaVocab;
  return dims;
}

// A ChatML conversation as Qwen2's tokenizer files state it.
constexpr std::string_view kChatMl =
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful assistant<|im_end|>\\n' }}"
    "{% endif %}{% for message in messages if message['content'] is not none %}{{ '<|im_start|>' + message['role'] + "
    "'\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

Json Added(std::initializer_list<const char*> tokens) {
  Json added = Json::object();
  for (const char* token : tokens) added[StrCat(added.size())] = {{"content", token}};
  return added;
}

Json ChatMlTokenizer(int64_t max_length) {
  return {{"chat_template", kChatMl},
          {"model_max_length", max_length},
          {"added_tokens_decoder", Added({"<|endoftext|>", "<|im_start|>", "<|im_end|>"})}};
}

// --------------------------------------------------------------------------------------------------------- towers

Json Siglip(int64_t side) {
  return {{"model_type", "siglip_vision_model"},
          {"hidden_size", 1152},
          {"image_size", side},
          {"patch_size", 14},
          {"intermediate_size", 4304},
          {"num_attention_heads", 16},
          {"num_hidden_layers", 27},
          {"num_channels", 3},
          {"layer_norm_eps", 1e-6},
          {"hidden_act", "gelu_pytorch_tanh"}};
}

Json SiglipProcessor(int64_t side) {
  return {{"image_processor_type", "SiglipImageProcessor"},
          {"resample", 3},
          {"rescale_factor", 0.00392156862745098},
          {"image_mean", {0.5, 0.5, 0.5}},
          {"image_std", {0.5, 0.5, 0.5}},
          {"size", {{"height", side}, {"width", side}}}};
}

// ------------------------------------------------------------------------------------------------------- families

MemorySource Vila15(Json llm, const Json& added_tokens) {
  MemorySource source;
  source.files["config.json"] = {{"model_type", "llava_llama"},
                                 {"image_aspect_ratio", "resize"},
                                 {"mm_vision_select_layer", -2},
                                 {"mm_vision_select_feature", "cls_patch"},
                                 {"s2", false}};
  llm["tokenizer_model_max_length"] = 4096;
  source.files["llm/config.json"] = std::move(llm);
  source.files["llm/tokenizer_config.json"] = {{"model_max_length", 4096}, {"added_tokens_decoder", added_tokens}};
  source.files["llm/tokenizer.json"] = Json::object();
  source.files["vision_tower/config.json"] = Siglip(384);
  source.files["vision_tower/preprocessor_config.json"] = SiglipProcessor(384);
  source.files["mm_projector/config.json"] = {{"mm_projector_type", "mlp_downsample"}};
  return source;
}

MemorySource Vila15_3b() { return Vila15(LlamaConfig({2560, 32, 20, 20, 6912, 32000}, 4096, 1e4, 1e-5), Added({})); }

MemorySource Vila15_3bS2() {
  MemorySource source = Vila15_3b();
  Json& config = source.files["config.json"];
  config["s2"] = true;
  config["s2_scales"] = "384,768";
  config["s2_max_split_size"] = 384;
  config["s2_resize_output_to_scale_idx"] = 0;
  source.files["vision_tower/preprocessor_config.json"] = SiglipProcessor(768);
  return source;
}

MemorySource Vila15_8b() {
  return Vila15(LlamaConfig({4096, 32, 32, 8, 14336, 128257}, 8192, 5e5, 1e-5),
                Added({"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"}));
}

MemorySource Vila15_13b() { return Vila15(LlamaConfig({5120, 40, 40, 40, 13824, 32000}, 4096, 1e4, 1e-5), Added({})); }

MemorySource Vila15_40b() {
  MemorySource source = Vila15(LlamaConfig({7168, 60, 56, 8, 20480, 64000}, 4096, 5e6, 1e-5), Added({"<|im_start|>"}));
  source.files["config.json"]["mm_vision_select_layer"] = -1;
  source.files["config.json"]["mm_vision_select_feature"] = "patch";
  // OpenGVLab/InternViT-6B-448px-V1-2: config.json.
  source.files["vision_tower/config.json"] = {
      {"model_type", "intern_vit_6b"}, {"hidden_size", 3200},       {"image_size", 448},       {"patch_size", 14},
      {"intermediate_size", 12800},    {"num_attention_heads", 25}, {"num_hidden_layers", 45}, {"hidden_act", "gelu"},
      {"layer_norm_eps", 1e-6},        {"qk_normalization", true},  {"qkv_bias", false}};
  source.files["vision_tower/preprocessor_config.json"] = {{"image_processor_type", "InternVisionPreprocessor"}};
  return source;
}

MemorySource Nvila(Json llm, int64_t max_length) {
  MemorySource source;
  source.files["config.json"] = {{"model_type", "llava_llama"},  {"image_aspect_ratio", "dynamic_s2"},
                                 {"dynamic_s2", true},           {"s2_scales", "448,896,1344"},
                                 {"s2_max_split_size", 448},     {"s2_resize_output_to_scale_idx", -1},
                                 {"mm_vision_select_layer", -2}, {"mm_vision_select_feature", "cls_patch"},
                                 {"num_video_frames", 8},        {"fps", 0.0}};
  llm["tokenizer_model_max_length"] = max_length;
  source.files["llm/config.json"] = std::move(llm);
  source.files["llm/tokenizer_config.json"] = ChatMlTokenizer(max_length);
  source.files["llm/tokenizer.json"] = Json::object();
  source.files["vision_tower/config.json"] = Siglip(448);
  source.files["vision_tower/preprocessor_config.json"] = SiglipProcessor(448);
  source.files["mm_projector/config.json"] = {{"mm_projector_type", "mlp_downsample"}};
  return source;
}

MemorySource Nvila8b() { return Nvila(Qwen2Config(ForNvila(kQwen7b), Tied::kNo), 8192); }
MemorySource Nvila15b() { return Nvila(Qwen2Config(ForNvila(kQwen14b), Tied::kNo), 8192); }

MemorySource Nvila8bVideo() {
  MemorySource source = Nvila(Qwen2Config(ForNvila(kQwen7b), Tied::kNo), 16384);
  Json& config = source.files["config.json"];
  config["image_aspect_ratio"] = "resize";
  config["dynamic_s2"] = false;
  config["num_video_frames"] = 256;
  config["num_time_tokens"] = 100;
  config["video_encoder"] = {{"_target_", "llava.model.encoders.video.tsp.TSPVideoEncoder"},
                             {"pool_sizes", {{8, 1, 1}}},
                             {"end_tokens", "\n"}};
  source.files["mm_projector/config.json"]["mm_projector_type"] = "mlp_downsample_2x2_fix";
  return source;
}

MemorySource NvilaLite(Json llm) {
  MemorySource source = Nvila(std::move(llm), 4096);
  source.files["config.json"]["image_aspect_ratio"] = "dynamic";
  source.files["config.json"]["dynamic_s2"] = false;
  source.files["mm_projector/config.json"]["mm_projector_type"] = "mlp_downsample_3x3_fix";
  return source;
}
MemorySource NvilaLite2b() { return NvilaLite(Qwen2Config(ForNvila(kQwen15b), Tied::kYes)); }
MemorySource NvilaLite8b() { return NvilaLite(Qwen2Config(ForNvila(kQwen7b), Tied::kNo)); }
MemorySource NvilaLite15b() { return NvilaLite(Qwen2Config(ForNvila(kQwen14b), Tied::kNo)); }

MemorySource MobileVlm(const Dims& dims, const char* projector, int64_t max_positions, double eps) {
  MemorySource source;
  Json config = LlamaConfig(dims, max_positions, 1e4, eps);
  config["model_type"] = "mobilevlm";
  config["mm_vision_tower"] = "openai/clip-vit-large-patch14-336";
  config["vision_tower_type"] = "clip";
  config["mm_vision_select_layer"] = -2;
  config["mm_vision_select_feature"] = "patch";
  config["mm_projector_type"] = projector;
  config["mm_hidden_size"] = 1024;
  config["image_aspect_ratio"] = "pad";
  source.files["config.json"] = std::move(config);
  source.files["tokenizer_config.json"] = {{"model_max_length", max_positions}};
  source.files["tokenizer.json"] = Json::object();
  return source;
}
MemorySource MobileVlm17b() { return MobileVlm(kMobileLlama14b, "ldpnet", 2048, 1e-6); }
MemorySource MobileVlm3b() { return MobileVlm(kMobileLlama27b, "ldpnet", 2048, 1e-6); }
MemorySource MobileVlmV2_17b() { return MobileVlm(kMobileLlama14b, "ldpnetv2", 2048, 1e-6); }
MemorySource MobileVlmV2_3b() { return MobileVlm(kMobileLlama27b, "ldpnetv2", 2048, 1e-6); }
MemorySource MobileVlmV2_7b() { return MobileVlm({4096, 32, 32, 32, 11008, 32000}, "ldpnetv2", 4096, 1e-5); }

MemorySource TextModel(Json config, const Json& tokenizer) {
  MemorySource source;
  source.files["config.json"] = std::move(config);
  source.files["tokenizer_config.json"] = tokenizer;
  source.files["tokenizer.json"] = Json::object();
  return source;
}
MemorySource Qwen05b() { return TextModel(Qwen2Config(kQwen05b, Tied::kYes), ChatMlTokenizer(32768)); }
MemorySource Qwen15b() { return TextModel(Qwen2Config(kQwen15b, Tied::kYes), ChatMlTokenizer(32768)); }
MemorySource Qwen7b() { return TextModel(Qwen2Config(kQwen7b, Tied::kNo), ChatMlTokenizer(32768)); }
MemorySource MobileLlama14b() {
  return TextModel(LlamaConfig(kMobileLlama14b, 2048, 1e4, 1e-6), {{"model_max_length", 2048}});
}
MemorySource MobileLlama27b() {
  return TextModel(LlamaConfig(kMobileLlama27b, 2048, 1e4, 1e-6), {{"model_max_length", 2048}});
}

constexpr std::array<PublishedShape, 21> kShapes = {{
    {"VILA1.5-3b", "SigLIP 384, 196 rows a picture, Sheared-LLaMA 2.7B"},
    {"VILA1.5-3b-s2", "SigLIP 384 at two scales, Sheared-LLaMA 2.7B"},
    {"Llama-3-VILA1.5-8B", "SigLIP 384, Llama-3 8B"},
    {"VILA1.5-13b", "SigLIP 384, Vicuna 13B"},
    {"VILA1.5-40b", "InternViT-6B 448, Yi 34B"},
    {"NVILA-8B", "SigLIP 448 at three scales, Qwen2.5 7B"},
    {"NVILA-15B", "SigLIP 448 at three scales, Qwen2.5 14B"},
    {"NVILA-8B-Video", "SigLIP 448, frames pooled in time, Qwen2.5 7B"},
    {"NVILA-Lite-2B", "SigLIP 448 in tiles, 121 rows each, Qwen2.5 1.5B"},
    {"NVILA-Lite-8B", "SigLIP 448 in tiles, Qwen2 7B"},
    {"NVILA-Lite-15B", "SigLIP 448 in tiles, Qwen2.5 14B"},
    {"MobileVLM-1.7B", "CLIP-L 336, LDP, MobileLLaMA 1.4B"},
    {"MobileVLM-3B", "CLIP-L 336, LDP, MobileLLaMA 2.7B"},
    {"MobileVLM_V2-1.7B", "CLIP-L 336, LDPv2, MobileLLaMA 1.4B"},
    {"MobileVLM_V2-3B", "CLIP-L 336, LDPv2, MobileLLaMA 2.7B"},
    {"MobileVLM_V2-7B", "CLIP-L 336, LDPv2, Vicuna 7B"},
    {"Qwen2.5-0.5B", "decoder alone"},
    {"Qwen2.5-1.5B", "decoder alone"},
    {"Qwen2-7B", "decoder alone; Qwen2.5-7B is alike"},
    {"MobileLLaMA-1.4B", "decoder alone"},
    {"MobileLLaMA-2.7B", "decoder alone"},
}};
// In the order of kShapes.
constexpr std::array<MemorySource (*)(), kShapes.size()> kMakers = {
    Vila15_3b,      Vila15_3bS2,    Vila15_8b,   Vila15_13b,   Vila15_40b,   Nvila8b,        Nvila15b,
    Nvila8bVideo,   NvilaLite2b,    NvilaLite8b, NvilaLite15b, MobileVlm17b, MobileVlm3b,    MobileVlmV2_17b,
    MobileVlmV2_3b, MobileVlmV2_7b, Qwen05b,     Qwen15b,      Qwen7b,       MobileLlama14b, MobileLlama27b};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

std::span<const PublishedShape> PublishedShapes() { return kShapes; }

StatusOr<ModelSpec> ParsePublished(std::string_view name, const ParseOptions& options) {
  std::string known;
  for (size_t i = 0; i < kShapes.size(); ++i) {
    if (Lower(kShapes[i].name) == Lower(name)) return ParseFiles(kMakers[i](), kShapes[i].name, options);
    known += StrCat(known.empty() ? "" : ", ", kShapes[i].name);
  }
  return NotFound(StrCat("there is no published shape \"", Printable(name), "\"; known are ", known));
}

}  // namespace galago::spec
