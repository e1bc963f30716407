#ifndef GALAGO_SPEC_MODEL_SPEC_H_
#define GALAGO_SPEC_MODEL_SPEC_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What a model is: vision tower -> projector -> language model, plus preprocessing and prompt. Pure data, parsed from
// the checkpoint's own files (parse.h), never guessed from a name. Field names follow the checkpoint's config.json.
namespace galago::spec {

enum class Activation { kGeluTanh, kGeluErf, kQuickGelu, kSilu };
std::string_view Name(Activation activation);

// ----------------------------------------------------------------------------------------------------------------
// Vision

enum class SelectFeature { kPatch, kClsPatch };  // drop the first token / keep all
enum class NormKind { kLayerNorm, kRmsNorm };
enum class VisionNames { kHf, kInternVit, kMmproj };  // which tensor names the tower uses

// A pre-norm vision transformer without mask: SigLIP, CLIP and InternViT differ only in these values.
struct VisionSpec {
  VisionNames names = VisionNames::kHf;
  std::string prefix;        // of HF names, before "vision_model.": "" (vision_tower/ folder), "vision_tower.", ...
  std::string architecture;  // "siglip", "clip", "internvit": for people
  int64_t image_size = 0;    // pixels a side of one encoder call
  int64_t patch_size = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;  // layers the checkpoint holds
  int64_t num_attention_heads = 0;
  double layer_norm_eps = 1e-6;
  NormKind norm = NormKind::kLayerNorm;
  Activation hidden_act = Activation::kGeluTanh;
  bool has_class_token = false;    // CLIP, InternViT: token 0
  bool has_pre_layernorm = false;  // CLIP's pre_layrnorm
  bool patch_bias = true;          // CLIP has none
  bool fused_qkv = false;          // InternViT
  bool qkv_bias = true;            // InternViT: false
  bool qk_normalization = false;   // InternViT: RMSNorm over all channels of q and of k, before the split into heads
  bool layer_scale = false;        // InternViT's ls1, ls2
  bool swapped_ffn_names = false;  // mmproj files of old converters: ffn_down is fc1, ffn_up is fc2
  bool class_token_last = false;   // only in llama.cpp compatibility mode: the class token is appended, not prepended
  // What the projector sees.
  int64_t num_layers_run = 0;  // layers to execute; derived from mm_vision_select_layer (-2 of 27 layers -> 26)
  SelectFeature select_feature = SelectFeature::kClsPatch;

  int64_t grid() const { return image_size / patch_size; }  // patches a side
  int64_t num_positions() const { return grid() * grid() + (has_class_token ? 1 : 0); }
  // Tokens and patch rows after selection. SigLIP with kPatch really loses a patch (spec trap 22).
  int64_t num_selected() const { return num_positions() - (select_feature == SelectFeature::kPatch ? 1 : 0); }
  bool operator==(const VisionSpec&) const = default;
};

// "Scale then compress" (S2). Scales are pixel sizes in ascending order.
struct StaticS2 {
  std::vector<int64_t> scales;
  int64_t max_split_size = 0;
  int64_t resize_output_to_scale_idx = 0;
  bool operator==(const StaticS2&) const = default;
};
struct DynamicS2 {
  std::vector<int64_t> scales;
  int64_t resize_output_to_scale_idx = 0;  // -1: the last scale
  bool operator==(const DynamicS2&) const = default;
};
using ScalesSpec = std::variant<std::monostate, StaticS2, DynamicS2>;

// -------------------------------------------------------------------------------------------------------------
// Projector

enum class TokenOrder { kRowMajor, kColumnMajor };
enum class ProjectorNames { kHf, kMmproj };

struct IdentityProjector {
  bool operator==(const IdentityProjector&) const = default;
};
struct LinearProjector {
  bool operator==(const LinearProjector&) const = default;
};
struct MlpProjector {  // mlp{depth}x_gelu: Linear, then (depth - 1) x [GELU, Linear]
  int64_t depth = 2;
  bool operator==(const MlpProjector&) const = default;
};
// factor x factor patches -> one row, then [LayerNorm, Linear, GELU] for each of `widths`, then a last Linear. Tensors
// are layers.<index>, counting the space-to-depth block and the parameter-free modules: LayerNorm 1, Linear 2, GELU 3,
// ...
struct DownsampleProjector {
  int64_t factor = 2;
  std::vector<int64_t> widths;  // output widths of the Linears before the last one
  TokenOrder order = TokenOrder::kRowMajor;
  bool operator==(const DownsampleProjector&) const = default;
};
struct LdpProjector {  // MobileVLM v1 (ldpnet)
  int64_t squeeze =
      0;  // width of the squeeze-excitation bottleneck, from the fc1 tensor or make_divisible(width / 4, 8)
  bool operator==(const LdpProjector&) const = default;
};
struct LdpV2Projector {  // MobileVLM V2 (ldpnetv2)
  int64_t pool = 12;     // output grid of the average pool; a constant of the reference
  bool operator==(const LdpV2Projector&) const = default;
};

struct ProjectorSpec {
  ProjectorNames names = ProjectorNames::kHf;
  std::string prefix;  // of all tensor names: "layers.", "mm_projector.layers.", "model.mm_projector.", "mm."
  std::string mm_projector_type;  // as the checkpoint spells it
  std::variant<IdentityProjector, LinearProjector, MlpProjector, DownsampleProjector, LdpProjector, LdpV2Projector>
      kind;
  int64_t mm_hidden_size = 0;              // input width: tower width x number of scales
  int64_t hidden_size = 0;                 // output width: the language model's
  Activation gelu = Activation::kGeluErf;  // kGeluTanh only in llama.cpp compatibility mode
  // Rows that one tile of `tokens` selected features becomes. Kinds that look at the picture in two dimensions see a
  // grid of sqrt(tokens) a side; the parsers refuse models where that is not whole.
  int64_t RowsOut(int64_t tokens) const;
  bool operator==(const ProjectorSpec&) const = default;
};

// -------------------------------------------------------------------------------------------------------- Language
// model

struct LinearRopeScaling {
  double factor = 1.0;
  bool operator==(const LinearRopeScaling&) const = default;
};
struct Llama3RopeScaling {
  double factor = 1.0, low_freq_factor = 1.0, high_freq_factor = 4.0;
  int64_t original_max_position_embeddings = 0;
  bool operator==(const Llama3RopeScaling&) const = default;
};
// GGUF files carry llama3 scaling as a tensor, rope_freqs.weight [head_dim / 2], that divides the inverse frequencies.
struct RopeFrequencyFactors {
  bool operator==(const RopeFrequencyFactors&) const = default;
};
using RopeScaling = std::variant<std::monostate, LinearRopeScaling, Llama3RopeScaling, RopeFrequencyFactors>;

// How a head's channels pair up: HF checkpoints (i, i + d/2); llama-architecture GGUF (2i, 2i + 1), rows of q and k
// permuted.
enum class RopeLayout { kHalfSplit, kInterleaved };

// How a checkpoint's 4-bit matrices are laid out, as its config says. llm-awq's own files say nothing: whoever opens
// the weights sees it.
enum class QuantizationFormat { kAwqGemm, kAwqGemv, kAwqGemvFast, kGptq, kGptqV2, kLlmAwq };
std::string_view Name(QuantizationFormat format);

struct QuantizationSpec {
  QuantizationFormat format = QuantizationFormat::kAwqGemm;
  int64_t group_size = 128;  // -1: one group a row
  bool operator==(const QuantizationSpec&) const = default;
};

enum class LanguageNames { kHf, kGguf };

struct LanguageModelSpec {
  LanguageNames names = LanguageNames::kHf;
  std::string prefix;      // of HF names: "" (llm/ folder), "llm." (single folder)
  std::string model_type;  // "llama", "qwen2"
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t num_key_value_heads = 0;
  int64_t head_dim = 0;
  int64_t vocab_size = 0;  // rows of the embedding table on disk; logits beyond are never sampled
  int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  RopeLayout rope_layout = RopeLayout::kHalfSplit;
  bool attention_bias = false;                   // bias of q, k, v (Qwen2)
  bool tie_word_embeddings = false;              // no lm_head tensor
  std::optional<QuantizationSpec> quantization;  // stated by the config; layers it leaves alone are plain tensors
  bool operator==(const LanguageModelSpec&) const = default;
};

// ---------------------------------------------------------------------------------------------------------
// Preprocessing

enum class AspectMode { kResize, kPad, kDynamic, kDynamicS2, kProcessorOnly };
enum class Processor {
  kSquash,       // SigLIP, InternViT: resize both sides to `size`
  kShortestCrop  // CLIP: shortest edge to `size`, then centre crop
};
enum class Rescale {
  kMultiply,  // float32(double(u8) * rescale_factor): the transformers processors
  kDivide255  // float32(u8) / 255.0f: InternViT
};

struct PreprocessSpec {
  AspectMode image_aspect_ratio = AspectMode::kProcessorOnly;
  Processor processor = Processor::kSquash;
  Rescale rescale = Rescale::kMultiply;
  int64_t size = 0;  // side of what the processor yields (for static S2 the largest scale)
  double rescale_factor = 1.0 / 255.0;
  std::array<double, 3> image_mean = {0.5, 0.5, 0.5};
  std::array<double, 3> image_std = {0.5, 0.5, 0.5};
  int64_t min_tiles = 1;
  int64_t max_tiles = 12;
  int64_t video_max_tiles = 1;
  std::vector<int64_t> scales;    // dynamic S2 only, ascending
  bool pad_bottom_right = false;  // only in llama.cpp compatibility mode: kPad puts the picture at the top left
  bool operator==(const PreprocessSpec&) const = default;
};

// ----------------------------------------------------------------------------------------------------------------
// Prompt

// The two behaviours of the reference repository (see docs/models.md). MobileVLM follows era A's rules.
enum class Era { kA, kB };

enum class Template {
  kNone,  // text is used as it is
  kPlain,
  kVicunaV1,
  kLlama3Form1,  // May-Jul 2024: <|end_of_text|>, assistant header says "system"
  kLlama3Form2,  // Aug 2024 on: <|eot_id|>
  kHermes2,
  kMistral,
  kQwen2,  // built-in ChatML of era B
  kJinja   // the tokenizer's own chat_template
};
std::string_view Name(Template name);
std::optional<Template> TemplateFromName(std::string_view name);

// Strings embedded around each encoded picture or frame (era B); converted with the tokenizer.
struct MediaFraming {
  std::string start_tokens;  // empty: none
  std::string end_tokens = "\n";
  std::string sep_tokens;
  bool operator==(const MediaFraming&) const = default;
};
struct BasicEncoder {
  MediaFraming framing;
  bool operator==(const BasicEncoder&) const = default;
};
struct TspEncoder {  // temporal-spatial pooling, after the projector
  MediaFraming framing;
  std::vector<std::array<int64_t, 3>> pool_sizes;  // (time, rows, columns)
  bool operator==(const TspEncoder&) const = default;
};

struct VideoSpec {
  int64_t num_video_frames = 8;
  double fps = 0.0;  // 0: uniform sampling
  std::variant<BasicEncoder, TspEncoder> encoder;
  int64_t num_time_tokens = 0;
  std::string time_token_format = "<t{t}>";
  // Frames join the pictures of the prompt, one placeholder each; otherwise the video is one placeholder of its own.
  // The reference did the latter for pooling encoders and until mid-2025 for all.
  bool frames_as_images = true;
  bool era_a_to_last_frame = false;  // era A's sampling since Aug 2024: ends on the last frame, adds no black frames
  bool operator==(const VideoSpec&) const = default;
};

struct PromptSpec {
  Era era = Era::kB;
  Template chat_template = Template::kJinja;
  std::string jinja;  // source of the tokenizer's chat_template, for kJinja
  // Era B: media are tokens of the vocabulary, looked up by string and appended if absent.
  std::string image_token = "<image>";
  std::string video_token = "<vila/video>";
  BasicEncoder image_encoder;  // framing of pictures (era B); era A adds nothing
  // `dynamic` tiling: each tile is one image token followed by a text newline.
  bool newline_after_tile = false;
  // Remote-code preview: pad/eos ids right at a segment start are dropped (spec 6.6).
  bool drop_eos_at_segment_start = false;
  int64_t model_max_length = 0;  // the tokenizer's limit on the fused sequence; 0: none stated
  bool operator==(const PromptSpec&) const = default;
};

// -------------------------------------------------------------------------------------------------------------
// Tokenizer

enum class TokenizerKind {
  kSentencePiece,  // tokenizer.model
  kTokenizerJson,  // tokenizer.json (byte-level BPE)
  kVocabMerges,    // vocab.json + merges.txt (Qwen2)
  kGguf            // inside the GGUF file
};

struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::kTokenizerJson;
  std::filesystem::path directory;  // holds the tokenizer files; the .gguf file itself for kGguf
  bool fast =
      false;  // SentencePiece, legacy=False: no dummy prefix before any added token, as transformers' fast class
  bool legacy = true;  // SentencePiece: dummy prefix also after special tokens (transformers' legacy=True)
  bool add_bos_token = false;
  bool operator==(const TokenizerSpec&) const = default;
};

// -----------------------------------------------------------------------------------------------------------------
// Model

// kLlava: GGUF with a plain MLP mmproj.
enum class Family { kVila15, kNvila, kMobileVlm, kLlava, kText };
std::string_view Name(Family family);

enum class Layout {
  kSubfolders,    // llm/, vision_tower/, mm_projector/
  kSingleFolder,  // HF-native nvila: prefixes llm., vision_tower., mm_projector.
  kMobileVlm,     // one folder, LLaVA-style names
  kGguf,          // NAME.gguf and, for pictures, an mmproj .gguf
  kGalago         // NAME.galago: one file of ours, whatever it was made of
};

struct ModelSpec {
  Family family = Family::kText;
  Layout layout = Layout::kSubfolders;
  std::filesystem::path path;    // the directory, .gguf or .galago file
  std::filesystem::path mmproj;  // kGguf only; empty for text models
  LanguageModelSpec language;
  std::optional<VisionSpec> vision;  // absent for text models, with `projector`
  std::optional<ProjectorSpec> projector;
  ScalesSpec scales;
  PreprocessSpec preprocess;
  PromptSpec prompt;
  TokenizerSpec tokenizer;
  VideoSpec video;
  uint64_t weight_bytes = 0;       // of all tensors as they will lie in memory; 0: not known before they are read
  std::vector<std::string> notes;  // what a user should know: ignored keys, assumptions, compat modes
  bool operator==(const ModelSpec&) const = default;
};

// Which reference behaviour a VILA-1.5 checkpoint gets, and deviations for comparison with other programs.
enum class Vila15Compat { kEraA, kEraB };
struct LlamaCppCompat {
  bool drop_last_layer = false;   // run one tower layer less than stored (examples/llava and mtmd)
  bool class_token_last = false;  // mtmd since May 2025
  bool gelu_tanh = false;         // projector GELU in tanh form
  bool pad_bottom_right = false;  // picture at the top left of the padded square (Feb 2025)
  bool operator==(const LlamaCppCompat&) const = default;
};

}  // namespace galago::spec

#endif  // GALAGO_SPEC_MODEL_SPEC_H_
