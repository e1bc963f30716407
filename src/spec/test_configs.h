#ifndef GALAGO_SPEC_TEST_CONFIGS_H_
#define GALAGO_SPEC_TEST_CONFIGS_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/strings.h"
#include "src/spec/parse.h"

// The files of published checkpoints, as far as a parser reads them, in memory.
namespace galago::spec::testing {

class MapSource : public FileSource {
 public:
  bool Exists(std::string_view name) const override { return text.contains(name) || json.contains(name); }
  StatusOr<std::string> Read(std::string_view name) const override {
    if (const auto it = json.find(name); it != json.end()) return it->second.dump();
    if (const auto it = text.find(name); it != text.end()) return it->second;
    return NotFound(StrCat(name, ": no such file"));
  }
  std::map<std::string, Json, std::less<>> json;
  std::map<std::string, std::string, std::less<>> text;
};

inline Json LlamaConfig(int64_t hidden, int64_t layers, int64_t heads, int64_t kv, int64_t ffn, int64_t vocab) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", hidden},
          {"num_hidden_layers", layers},
          {"num_attention_heads", heads},
          {"num_key_value_heads", kv},
          {"intermediate_size", ffn},
          {"vocab_size", vocab},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"rope_scaling", nullptr},
          {"max_position_embeddings", 4096},
          {"tie_word_embeddings", false},
          {"hidden_act", "silu"},
          {"tokenizer_model_max_length", 4096}};
}

inline Json Qwen2Config(int64_t hidden, int64_t layers, int64_t heads, int64_t kv, int64_t ffn, bool tied) {
  Json config = LlamaConfig(hidden, layers, heads, kv, ffn, 151648);
  config["architectures"] = {"Qwen2ForCausalLM"};
  config["model_type"] = "qwen2";
  config["rms_norm_eps"] = 1e-6;
  config["rope_theta"] = 1000000.0;
  config["max_position_embeddings"] = 32768;
  config["tie_word_embeddings"] = tied;
  config["sliding_window"] = nullptr;
  config["use_sliding_window"] = false;
  config["tokenizer_model_max_length"] = 8192;
  return config;
}

inline Json SiglipConfig(int64_t side) {
  return {{"architectures", {"SiglipVisionModel"}},
          {"model_type", "siglip_vision_model"},
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

inline Json SiglipProcessor(int64_t side) {
  return {{"image_processor_type", "SiglipImageProcessor"},
          {"do_resize", true},
          {"do_rescale", true},
          {"do_normalize", true},
          {"do_convert_rgb", nullptr},
          {"resample", 3},
          {"rescale_factor", 0.00392156862745098},
          {"image_mean", {0.5, 0.5, 0.5}},
          {"image_std", {0.5, 0.5, 0.5}},
          {"size", {{"height", side}, {"width", side}}}};
}

// VILA1.5-3b, with the left-overs its file has.
inline MapSource Vila15_3b() {
  MapSource files;
  files.json["config.json"] = {{"model_type", "llava_llama"},
                               {"architectures", {"LlavaLlamaModel"}},
                               {"image_aspect_ratio", "resize"},
                               {"mm_vision_select_layer", -2},
                               {"mm_vision_select_feature", "cls_patch"},
                               {"mm_hidden_size", 1152},
                               {"s2", false},
                               {"s2_scales", "336,672,1008"},
                               {"s2_max_split_size", 336},
                               {"mm_use_im_start_end", false},
                               {"mm_use_im_patch_token", false},
                               {"llm_cfg", {{"_name_or_path", "/training/llm"}, {"hidden_size", 1}}},
                               {"transformers_version", "4.36.2"}};
  files.json["llm/config.json"] = LlamaConfig(2560, 32, 20, 20, 6912, 32000);
  files.json["llm/tokenizer_config.json"] = {{"add_bos_token", true}, {"legacy", true}, {"model_max_length", 4096}};
  files.text["llm/tokenizer.model"] = "";
  files.json["vision_tower/config.json"] = SiglipConfig(384);
  files.json["vision_tower/preprocessor_config.json"] = SiglipProcessor(384);
  files.json["mm_projector/config.json"] = {{"model_type", "v2l_projector"}, {"mm_projector_type", "mlp_downsample"}};
  return files;
}

inline MapSource Nvila8b() {
  MapSource files = Vila15_3b();
  Json& config = files.json["config.json"];
  config["image_aspect_ratio"] = "dynamic_s2";
  config["dynamic_s2"] = true;
  config["s2_scales"] = "448,896,1344";
  config["s2_max_split_size"] = 448;
  config["s2_resize_output_to_scale_idx"] = -1;
  config["mm_hidden_size"] = 3456;
  config["mm_use_im_patch_token"] = true;
  config["num_video_frames"] = 8;
  config["fps"] = 0.0;
  config["num_time_tokens"] = 0;
  config["time_token_ids"] = Json::array();
  config["chat_template"] = nullptr;
  config["image_encoder"] = R"({"_target_": "llava.model.encoders.BasicImageEncoder"})";
  config["video_encoder"] = R"({"_target_": "llava.model.encoders.BasicVideoEncoder"})";
  files.json["llm/config.json"] = Qwen2Config(3584, 28, 28, 4, 18944, false);
  files.text.clear();
  files.text["llm/vocab.json"] = "{}";
  files.text["llm/merges.txt"] = "";
  files.json["llm/tokenizer_config.json"] = {{"chat_template", "{{ messages }}"},
                                             {"model_max_length", 8192},
                                             {"added_tokens_decoder", {{"151644", {{"content", "<|im_start|>"}}}}}};
  files.json["vision_tower/config.json"] = SiglipConfig(448);
  files.json["vision_tower/config.json"]["vision_use_head"] = false;
  files.json["vision_tower/preprocessor_config.json"] = SiglipProcessor(448);
  return files;
}

inline MapSource NvilaLite2b() {
  MapSource files = Nvila8b();
  Json& config = files.json["config.json"];
  config["image_aspect_ratio"] = "dynamic";
  config["dynamic_s2"] = false;
  config["mm_hidden_size"] = 1152;
  config["fps"] = nullptr;
  files.json["llm/config.json"] = Qwen2Config(1536, 28, 12, 2, 8960, true);
  files.json["mm_projector/config.json"]["mm_projector_type"] = "mlp_downsample_3x3_fix";
  return files;
}

inline MapSource Nvila8bVideo() {
  MapSource files = Nvila8b();
  Json& config = files.json["config.json"];
  config["image_aspect_ratio"] = "resize";
  config["dynamic_s2"] = false;
  config["num_video_frames"] = 256;
  config["num_time_tokens"] = 100;
  config["video_encoder"] = {{"_target_", "llava.model.encoders.video.tsp.TSPVideoEncoder"},
                             {"pool_sizes", {{8, 1, 1}}},
                             {"start_tokens", nullptr},
                             {"end_tokens", "\n"},
                             {"sep_tokens", nullptr}};
  files.json["mm_projector/config.json"]["mm_projector_type"] = "mlp_downsample_2x2_fix";
  return files;
}

inline MapSource Vila15_40b() {
  MapSource files = Vila15_3b();
  files.json["config.json"]["mm_vision_select_layer"] = -1;
  files.json["config.json"]["mm_vision_select_feature"] = "patch";
  files.json["llm/config.json"] = LlamaConfig(7168, 60, 56, 8, 20480, 64000);
  files.json["llm/config.json"]["rope_theta"] = 5000000.0;
  files.json["llm/tokenizer_config.json"]["added_tokens_decoder"] = {{"7", {{"content", "<|im_start|>"}}}};
  files.json["vision_tower/config.json"] = {{"architectures", {"InternVisionModel"}},
                                            {"model_type", "intern_vit_6b"},
                                            {"hidden_size", 3200},
                                            {"image_size", 448},
                                            {"patch_size", 14},
                                            {"intermediate_size", 12800},
                                            {"num_attention_heads", 25},
                                            {"num_hidden_layers", 45},
                                            {"hidden_act", "gelu"},
                                            {"layer_norm_eps", 1e-6},
                                            {"qk_normalization", true},
                                            {"qkv_bias", false}};
  files.json["vision_tower/preprocessor_config.json"] = {{"image_processor_type", "InternVisionPreprocessor"}};
  return files;
}

// mtgv/MobileVLM_V2-3B, with the keys its trainer left behind.
inline MapSource MobileVlmV2_3b() {
  MapSource files;
  Json config = LlamaConfig(2560, 32, 32, 32, 6912, 32000);
  config["architectures"] = {"MobileLlamaForCausalLM"};
  config["model_type"] = "mobilevlm";
  config["rms_norm_eps"] = 1e-6;
  config["norm_eps"] = 1e-6;
  config["max_position_embeddings"] = 2048;
  config["n_head"] = 16;
  config["n_query_groups"] = 16;
  config["mm_vision_tower"] = "openai/clip-vit-large-patch14-336";
  config["vision_tower_type"] = "clip";
  config["mm_vision_select_layer"] = -2;
  config["mm_vision_select_feature"] = "patch";
  config["mm_projector_type"] = "ldpnetv2";
  config["mm_hidden_size"] = 1024;
  config["mm_use_im_start_end"] = false;
  config["mm_use_im_patch_token"] = false;
  config["image_aspect_ratio"] = "pad";
  files.json["config.json"] = std::move(config);
  files.json["tokenizer_config.json"] = {{"add_bos_token", true}, {"model_max_length", 2048}};
  files.text["tokenizer.model"] = "";
  return files;
}

inline MapSource NvilaHf(bool lite) {
  MapSource files;
  files.json["config.json"] = {{"model_type", lite ? "nvila_lite" : "nvila"},
                               {"image_token_id", 151649},
                               {"video_token_id", 151650},
                               {"text_config", Qwen2Config(1536, 28, 12, 2, 8960, true)},
                               {"vision_config", SiglipConfig(448)}};
  files.json["preprocessor_config.json"] = SiglipProcessor(448);
  files.json["tokenizer_config.json"] = {{"chat_template", "{{ messages }}"}, {"model_max_length", 4096}};
  files.text["tokenizer.json"] = "{}";
  return files;
}

inline MapSource TextQwen2() {
  MapSource files;
  files.json["config.json"] = Qwen2Config(896, 24, 14, 2, 4864, true);
  files.json["tokenizer_config.json"] = {{"chat_template", {{{"name", "default"}, {"template", "{{ messages }}"}}}},
                                         {"model_max_length", 131072}};
  files.text["tokenizer.json"] = "{}";
  return files;
}

// MobileVLM v1 1.7B as llama.cpp's converters write it.
inline GgufFacts MobileVlmGguf() {
  GgufFacts facts;
  facts.path = "llm.gguf";
  facts.metadata = {{"general.architecture", "llama"},
                    {"llama.context_length", 2048},
                    {"llama.embedding_length", 2048},
                    {"llama.block_count", 24},
                    {"llama.feed_forward_length", 5632},
                    {"llama.rope.dimension_count", 128},
                    {"llama.attention.head_count", 16},
                    {"llama.attention.head_count_kv", 16},
                    {"llama.attention.layer_norm_rms_epsilon", 1e-6},
                    {"llama.rope.freq_base", 10000.0},
                    {"tokenizer.ggml.model", "llama"}};
  facts.tensors = {{"token_embd.weight", {32000, 2048}}, {"output.weight", {32000, 2048}}};
  return facts;
}

inline GgufFacts MmprojFacts(bool v2) {
  GgufFacts facts;
  facts.path = "mmproj.gguf";
  facts.metadata = {{"general.architecture", "clip"},
                    {"clip.has_text_encoder", false},
                    {"clip.has_vision_encoder", true},
                    {"clip.has_llava_projector", true},
                    {"clip.projector_type", v2 ? "ldpv2" : "ldp"},
                    {"clip.use_gelu", false},
                    {"clip.vision.image_size", 336},
                    {"clip.vision.patch_size", 14},
                    {"clip.vision.embedding_length", 1024},
                    {"clip.vision.feed_forward_length", 4096},
                    {"clip.vision.projection_dim", 768},
                    {"clip.vision.attention.head_count", 16},
                    {"clip.vision.attention.layer_norm_epsilon", 1e-5},
                    {"clip.vision.block_count", 23},
                    {"clip.vision.image_mean", {0.48145466, 0.4578275, 0.40821073}},
                    {"clip.vision.image_std", {0.26862954, 0.26130258, 0.27577711}}};
  facts.tensors = {{"v.class_embd", {1024}},
                   {"v.pre_ln.weight", {1024}},
                   {"v.patch_embd.weight", {1024, 3, 14, 14}},
                   {"v.blk.0.ffn_down.weight", {4096, 1024}},
                   {"v.blk.0.ffn_up.weight", {1024, 4096}}};
  if (v2) {
    facts.tensors["mm.model.peg.0.weight"] = {2048, 3, 3};
    facts.tensors["mm.model.peg.0.bias"] = {2048};
  } else {
    facts.tensors["mm.model.mb_block.1.block.0.0.weight"] = {2048, 3, 3};
    facts.tensors["mm.model.mb_block.1.block.1.fc1.bias"] = {512};
    facts.tensors["mm.model.mb_block.2.block.2.1.bias"] = {2048};
  }
  return facts;
}

}  // namespace galago::spec::testing

#endif  // GALAGO_SPEC_TEST_CONFIGS_H_
