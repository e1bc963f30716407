#ifndef GALAGO_SPEC_SECTIONS_H_
#define GALAGO_SPEC_SECTIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/spec/config.h"
#include "src/spec/model_spec.h"
#include "src/spec/parse.h"

// The parts of a checkpoint that several families share, each parsed by one function. Internal to src/spec.
namespace galago::spec {

// ---- language.cc: a LlamaForCausalLM or Qwen2ForCausalLM config. `notes` receives what was assumed.
StatusOr<LanguageModelSpec> ParseLanguage(const Config& config, std::vector<std::string>& notes);

// ---- quantization.cc: `quantization_config`, or the file of its own that older tools wrote beside config.json.
StatusOr<std::optional<QuantizationSpec>> ParseQuantization(const FileSource& files, std::string_view folder,
                                                            const Config& config);

// ---- vision.cc: a SigLIP, CLIP or InternViT tower's config, and which of its hidden states the projector sees
// (`mm_vision_select_layer`, `mm_vision_select_feature` of `model`).
StatusOr<VisionSpec> ParseVision(const Config& tower, const Config& model, std::string_view default_feature);
Status SelectLayer(VisionSpec& vision, int64_t select_layer, std::string_view what);

// ---- scales.cc: `s2`, `dynamic_s2`, `s2_scales`, ... and whether they suit the tower's picture size.
StatusOr<ScalesSpec> ParseScales(const Config& model, const VisionSpec& vision);
int64_t NumScales(const ScalesSpec& scales);

// ---- projector.cc: `mm_projector_type`.
StatusOr<ProjectorSpec> ParseProjector(std::string_view mm_projector_type, int64_t mm_hidden_size, int64_t hidden_size,
                                       Era era, std::string_view what);
// torchvision's make_divisible(width / 4, 8): width of LDP's squeeze-excitation bottleneck.
int64_t SqueezeWidth(int64_t width);
// Refuses a projector that needs a square grid of features where the tower does not give one.
Status CheckGrid(const ModelSpec& spec, std::string_view what);

// ---- preprocess.cc: preprocessor_config.json with `image_aspect_ratio` and tile limits of the model's config.
StatusOr<PreprocessSpec> ParsePreprocess(const Config& processor, const Config& model, const VisionSpec& vision,
                                         const ScalesSpec& scales);

// ---- tokenizer.cc: which files there are and what tokenizer_config.json says.
struct TokenizerFiles {
  TokenizerSpec spec;
  int64_t model_max_length = 0;             // 0: none stated
  std::string chat_template;                // the tokenizer's own, Jinja source; empty: none
  std::vector<std::string> special_tokens;  // strings of added tokens
  bool HasToken(std::string_view token) const;
};
StatusOr<TokenizerFiles> ParseTokenizer(const FileSource& files, std::string_view folder,
                                        const std::filesystem::path& root, bool default_legacy);

// ---- prompt.cc
// The conversation template of a VILA-1.5 checkpoint, which its config does not name: told by the tokenizer's specials.
Template Vila15Template(const TokenizerFiles& tokenizer, const ParseOptions& options, std::vector<std::string>& notes);
// Era B: the config's `chat_template` name, else the tokenizer's own.
Status EraBTemplate(const Config& model, const TokenizerFiles& tokenizer, PromptSpec& prompt,
                    std::vector<std::string>& notes);
// The tokenizer's own template or none: text-only models.
void OwnTemplate(const TokenizerFiles& tokenizer, PromptSpec& prompt);
void OverrideTemplate(const ParseOptions& options, PromptSpec& prompt, std::vector<std::string>& notes);

// ---- video.cc: `num_video_frames`, `fps`, time tokens, and the encoders around the projector.
StatusOr<VideoSpec> ParseVideo(const Config& model);
StatusOr<std::variant<BasicEncoder, TspEncoder>> ParseEncoder(const Config& model, std::string_view key);

// ---- one per family
StatusOr<ModelSpec> ParseVila(const FileSource& files, const std::filesystem::path& path, const Config& config,
                              const ParseOptions& options);
StatusOr<ModelSpec> ParseNvilaHf(const FileSource& files, const std::filesystem::path& path, const Config& config,
                                 const ParseOptions& options);
StatusOr<ModelSpec> ParseMobileVlm(const FileSource& files, const std::filesystem::path& path, const Config& config,
                                   const ParseOptions& options);
StatusOr<ModelSpec> ParseText(const FileSource& files, const std::filesystem::path& path, const Config& config,
                              const ParseOptions& options);

}  // namespace galago::spec

#endif  // GALAGO_SPEC_SECTIONS_H_
