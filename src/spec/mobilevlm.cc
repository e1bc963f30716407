#include <array>

#include "src/base/strings.h"
#include "src/spec/sections.h"

// MobileVLM v1 and V2: one folder, LLaVA-style names (Meituan-AutoML/MobileVLM: mobilevlm/model/mobilevlm.py).
namespace galago::spec {
namespace {

// The checkpoint names its tower's config instead of holding it. These are the released configs of the two names the
// reference knows (openai/clip-vit-large-patch14-336: config.json and its sibling for 224 pixels).
struct ClipConfig {
  std::string_view name;
  int64_t image_size;
};
constexpr std::array<ClipConfig, 2> kClipConfigs = {{
    {"openai/clip-vit-large-patch14-336", 336},
    {"openai/clip-vit-large-patch14", 224},
}};

struct TowerFiles {
  Config tower;
  Config processor;
};

// Looks in the folder that mm_vision_tower names inside the checkpoint, in vision_config, then among the known names.
StatusOr<TowerFiles> FindTower(const FileSource& files, const Config& config) {
  ASSIGN_OR_RETURN(const std::string name, config.String("mm_vision_tower"));
  const bool inside = !name.empty() && name.front() != '/' && name.find("..") == std::string::npos;
  ASSIGN_OR_RETURN(Config processor, Config::ReadIfPresent(files, "preprocessor_config.json"));
  if (inside && files.Exists(StrCat(name, "/config.json"))) {
    ASSIGN_OR_RETURN(Config tower, Config::Read(files, StrCat(name, "/config.json")));
    if (tower.Has("vision_config")) {  // of a whole CLIP model
      ASSIGN_OR_RETURN(tower, tower.Sub("vision_config"));
    }
    const std::string beside = StrCat(name, "/preprocessor_config.json");
    if (files.Exists(beside)) {
      ASSIGN_OR_RETURN(processor, Config::Read(files, beside));
    }
    return TowerFiles{std::move(tower), std::move(processor)};
  }
  if (config.Has("vision_config")) {
    ASSIGN_OR_RETURN(Config tower, config.Sub("vision_config"));
    return TowerFiles{std::move(tower), std::move(processor)};
  }
  for (const ClipConfig& known : kClipConfigs) {
    if (known.name != name) continue;
    return TowerFiles{Config({{"model_type", "clip_vision_model"},
                              {"image_size", known.image_size},
                              {"patch_size", 14},
                              {"hidden_size", 1024},
                              {"intermediate_size", 4096},
                              {"num_hidden_layers", 24},
                              {"num_attention_heads", 16},
                              {"hidden_act", "quick_gelu"},
                              {"layer_norm_eps", 1e-5}},
                             name),
                      std::move(processor)};
  }
  return Unimplemented(StrCat(config.Name("mm_vision_tower"), " \"", Printable(name),
                              "\" is not a tower we know, and the folder does not hold its config.json"));
}

}  // namespace

StatusOr<ModelSpec> ParseMobileVlm(const FileSource& files, const std::filesystem::path& path, const Config& config,
                                   const ParseOptions& options) {
  if (!config.Has("mm_projector_type") || !config.Has("mm_vision_tower")) {
    return NotFound(StrCat(path.string(), " points at a text-only model: no mm_projector_type in config.json"));
  }
  ModelSpec spec;
  spec.family = Family::kMobileVlm;
  spec.layout = Layout::kMobileVlm;
  spec.path = path;
  ASSIGN_OR_RETURN(spec.language, ParseLanguage(config, spec.notes));
  ASSIGN_OR_RETURN(spec.language.quantization, ParseQuantization(files, "", config));
  ASSIGN_OR_RETURN(const std::string tower_type, config.StringOr("vision_tower_type", "clip"));
  if (tower_type != "clip") {
    return Unimplemented(StrCat(config.Name("vision_tower_type"), " \"", Printable(tower_type), "\" is not clip"));
  }
  for (const std::string_view key : {"mm_use_im_start_end", "mm_use_im_patch_token"}) {
    ASSIGN_OR_RETURN(const bool used, config.BoolOr(key, false));
    if (used) return Unimplemented(StrCat(config.Name(key), " true is not supported: no release has those tokens"));
  }
  ASSIGN_OR_RETURN(const TowerFiles tower, FindTower(files, config));
  ASSIGN_OR_RETURN(spec.vision, ParseVision(tower.tower, config, "patch"));
  if (spec.vision->architecture != "clip") {
    return Unimplemented(
        StrCat(config.Name("mm_vision_tower"), " is a ", spec.vision->architecture, " tower, not CLIP"));
  }
  spec.vision->prefix = "model.vision_tower.vision_tower.";
  ASSIGN_OR_RETURN(spec.preprocess, ParsePreprocess(tower.processor, config, *spec.vision, spec.scales));
  if (spec.preprocess.image_aspect_ratio != AspectMode::kPad) {
    spec.preprocess.image_aspect_ratio = AspectMode::kProcessorOnly;  // the reference knows only `pad`
  }

  const int64_t width = spec.vision->hidden_size;
  ASSIGN_OR_RETURN(const int64_t stated, config.IntOr("mm_hidden_size", width, 1, kMaxWidth));
  if (stated != width) {
    return DataLoss(StrCat(config.what(), ": mm_hidden_size is ", stated, ", the tower has ", width, " channels"));
  }
  ASSIGN_OR_RETURN(const std::string projector_type, config.String("mm_projector_type"));
  if (projector_type.starts_with("mlp_downsample") || projector_type == "identity") {
    return Unimplemented(
        StrCat(config.Name("mm_projector_type"), " \"", Printable(projector_type), "\" does not exist for MobileVLM"));
  }
  ASSIGN_OR_RETURN(spec.projector,
                   ParseProjector(projector_type, width, spec.language.hidden_size, Era::kA, config.what()));
  spec.projector->prefix = "model.mm_projector.";
  RETURN_IF_ERROR(CheckGrid(spec, config.what()));

  ASSIGN_OR_RETURN(const TokenizerFiles tokenizer, ParseTokenizer(files, "", path, true));
  spec.tokenizer = tokenizer.spec;
  spec.prompt.era = Era::kA;
  spec.prompt.chat_template = Template::kVicunaV1;
  OverrideTemplate(options, spec.prompt, spec.notes);
  if (spec.prompt.chat_template == Template::kJinja) spec.prompt.jinja = tokenizer.chat_template;
  return spec;
}

}  // namespace galago::spec
