#include "src/base/strings.h"
#include "src/spec/sections.h"

// NVILA in one folder (model_type "nvila" and "nvila_lite"). What the sub-folder releases write in their configs is
// constant in this form's code (sgl-project/sglang: python/sglang/srt/models/nvila.py, nvila_lite.py): hidden state -2,
// three scales of one, two and three tower sides, or none.
namespace galago::spec {

StatusOr<ModelSpec> ParseNvilaHf(const FileSource& files, const std::filesystem::path& path, const Config& config,
                                 const ParseOptions& options) {
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type"));
  const bool lite = model_type == "nvila_lite";
  ModelSpec spec;
  spec.family = Family::kNvila;
  spec.layout = Layout::kSingleFolder;
  spec.path = path;

  ASSIGN_OR_RETURN(const Config text, config.Sub("text_config"));
  ASSIGN_OR_RETURN(spec.language, ParseLanguage(text, spec.notes));
  ASSIGN_OR_RETURN(spec.language.quantization, ParseQuantization(files, "", config));
  spec.language.prefix = "llm.";
  ASSIGN_OR_RETURN(const Config tower, config.Sub("vision_config"));
  ASSIGN_OR_RETURN(spec.vision, ParseVision(tower, config, "cls_patch"));
  spec.vision->prefix = "vision_tower.";
  const int64_t side = spec.vision->image_size;
  if (!lite) spec.scales = DynamicS2{.scales = {side, 2 * side, 3 * side}, .resize_output_to_scale_idx = -1};
  ASSIGN_OR_RETURN(const Config processor, Config::ReadIfPresent(files, "preprocessor_config.json"));
  Json with_mode = config.json();
  with_mode["image_aspect_ratio"] = lite ? "dynamic" : "dynamic_s2";
  ASSIGN_OR_RETURN(spec.preprocess,
                   ParsePreprocess(processor, Config(std::move(with_mode), config.what()), *spec.vision, spec.scales));

  const std::string_view projector_type = lite ? "mlp_downsample_3x3_fix" : "mlp_downsample";
  ASSIGN_OR_RETURN(spec.projector, ParseProjector(projector_type, spec.vision->hidden_size * NumScales(spec.scales),
                                                  spec.language.hidden_size, Era::kB, config.what()));
  spec.projector->prefix = "mm_projector.layers.";
  RETURN_IF_ERROR(CheckGrid(spec, config.what()));

  ASSIGN_OR_RETURN(const TokenizerFiles tokenizer, ParseTokenizer(files, "", path, false));
  spec.tokenizer = tokenizer.spec;
  spec.prompt.era = Era::kB;
  spec.prompt.model_max_length = tokenizer.model_max_length;
  RETURN_IF_ERROR(EraBTemplate(config, tokenizer, spec.prompt, spec.notes));
  OverrideTemplate(options, spec.prompt, spec.notes);
  spec.prompt.newline_after_tile = lite;
  spec.notes.push_back("single-folder NVILA: prompt expansion as in the sub-folder release, whose model this is");
  ASSIGN_OR_RETURN(spec.video, ParseVideo(config));
  return spec;
}

}  // namespace galago::spec
