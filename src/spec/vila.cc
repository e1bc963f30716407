#include "src/base/strings.h"
#include "src/spec/sections.h"

// VILA-1.5 and NVILA in their three sub-folders, whose own config.json count; the copies embedded in the top-level
// config and their _name_or_path belong to the training machine.
namespace galago::spec {
namespace {

Status CheckFolders(const FileSource& files, const std::filesystem::path& path) {
  const std::string where = path.string();
  const bool llm = files.Exists("llm/config.json");
  const bool projector = files.Exists("mm_projector/config.json");
  const bool tower = files.Exists("vision_tower/config.json");
  if (llm && !projector && !tower) {
    return NotFound(
        StrCat(where, " points at a text-only model: no mm_projector/config.json, no vision_tower/config.json"));
  }
  if (!llm) return NotFound(StrCat(where, " has no llm/config.json"));
  if (!tower) return NotFound(StrCat(where, " has no vision_tower/config.json"));
  if (!projector) return NotFound(StrCat(where, " has no mm_projector/config.json"));
  return OkStatus();
}

bool IsEraB(const Config& config, const LanguageModelSpec& language) {
  for (const std::string_view key : {"dynamic_s2", "fps", "num_time_tokens", "time_token_ids", "video_encoder"}) {
    if (config.Mentions(key)) return true;
  }
  return language.model_type == "qwen2";
}

}  // namespace

StatusOr<ModelSpec> ParseVila(const FileSource& files, const std::filesystem::path& path, const Config& config,
                              const ParseOptions& options) {
  RETURN_IF_ERROR(CheckFolders(files, path));
  ModelSpec spec;
  spec.layout = Layout::kSubfolders;
  spec.path = path;

  ASSIGN_OR_RETURN(const Config llm, Config::Read(files, "llm/config.json"));
  ASSIGN_OR_RETURN(spec.language, ParseLanguage(llm, spec.notes));
  ASSIGN_OR_RETURN(spec.language.quantization, ParseQuantization(files, "llm", llm));
  ASSIGN_OR_RETURN(const std::string model_type, config.String("model_type"));
  const bool preview = model_type == "vila";  // the remote-code release
  const bool nvila = preview || IsEraB(config, spec.language);
  spec.family = nvila ? Family::kNvila : Family::kVila15;
  spec.prompt.era = nvila ? Era::kB : Era::kA;
  if (options.vila15_compat && !nvila) {
    spec.prompt.era = *options.vila15_compat == Vila15Compat::kEraA ? Era::kA : Era::kB;
    if (spec.prompt.era == Era::kB)
      spec.notes.push_back("VILA-1.5 with the rules of the code since December 2024 (era B)");
  }

  ASSIGN_OR_RETURN(const bool image_start_end, config.BoolOr("mm_use_im_start_end", false));
  if (image_start_end && spec.prompt.era == Era::kA) {
    return Unimplemented(
        StrCat(config.Name("mm_use_im_start_end"), " true is not supported: no release has those tokens"));
  }

  ASSIGN_OR_RETURN(const Config tower, Config::Read(files, "vision_tower/config.json"));
  ASSIGN_OR_RETURN(spec.vision, ParseVision(tower, config, "patch"));
  ASSIGN_OR_RETURN(spec.scales, ParseScales(config, *spec.vision));
  ASSIGN_OR_RETURN(const Config processor, Config::ReadIfPresent(files, "vision_tower/preprocessor_config.json"));
  ASSIGN_OR_RETURN(spec.preprocess, ParsePreprocess(processor, config, *spec.vision, spec.scales));

  ASSIGN_OR_RETURN(const Config projector, Config::Read(files, "mm_projector/config.json"));
  ASSIGN_OR_RETURN(const std::string projector_type, projector.String("mm_projector_type"));
  if (projector_type.starts_with("ldp")) {
    return Unimplemented(StrCat(projector.Name("mm_projector_type"), " \"", Printable(projector_type),
                                "\" belongs to MobileVLM, not to a model in sub-folders"));
  }
  const int64_t mm_hidden_size = spec.vision->hidden_size * NumScales(spec.scales);
  ASSIGN_OR_RETURN(spec.projector, ParseProjector(projector_type, mm_hidden_size, spec.language.hidden_size,
                                                  spec.prompt.era, projector.what()));
  spec.projector->prefix = "layers.";
  RETURN_IF_ERROR(CheckGrid(spec, config.what()));
  ASSIGN_OR_RETURN(const int64_t stated, config.IntOr("mm_hidden_size", mm_hidden_size, 0, int64_t{1} << 40));
  if (stated != mm_hidden_size) {
    spec.notes.push_back(
        StrCat("config.json: mm_hidden_size ", stated, " ignored, the tower and its scales give ", mm_hidden_size));
  }

  // The loader passes legacy=False whatever the file says.
  ASSIGN_OR_RETURN(TokenizerFiles tokenizer, ParseTokenizer(files, "llm", path, false));
  tokenizer.spec.legacy = false;
  tokenizer.spec.fast = spec.prompt.era == Era::kB;
  spec.tokenizer = tokenizer.spec;
  ASSIGN_OR_RETURN(const int64_t limit, llm.IntOr("tokenizer_model_max_length", 0, 0, kMaxPositions));
  const bool era_a = spec.prompt.era == Era::kA;
  spec.prompt.model_max_length =
      (era_a && limit > 0) || tokenizer.model_max_length == 0 ? limit : tokenizer.model_max_length;
  if (nvila) {
    RETURN_IF_ERROR(EraBTemplate(config, tokenizer, spec.prompt, spec.notes));
  } else {
    spec.prompt.chat_template = Vila15Template(tokenizer, options, spec.notes);
  }
  OverrideTemplate(options, spec.prompt, spec.notes);
  if (spec.prompt.chat_template == Template::kJinja) spec.prompt.jinja = tokenizer.chat_template;
  if (spec.prompt.chat_template == Template::kJinja && spec.prompt.jinja.empty()) {
    return NotFound("llm/tokenizer_config.json: the tokenizer has no chat_template of its own");
  }

  ASSIGN_OR_RETURN(auto image_encoder, ParseEncoder(config, "image_encoder"));
  spec.prompt.image_encoder = std::get<BasicEncoder>(std::move(image_encoder));
  spec.prompt.newline_after_tile = !era_a && spec.preprocess.image_aspect_ratio == AspectMode::kDynamic;
  spec.prompt.drop_eos_at_segment_start = preview;
  ASSIGN_OR_RETURN(spec.video, ParseVideo(config));
  if (preview) spec.video.frames_as_images = false;
  return spec;
}

}  // namespace galago::spec
