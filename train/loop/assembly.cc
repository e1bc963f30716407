#include "train/loop/assembly.h"

#include <array>
#include <string_view>

#include "src/base/strings.h"
#include "src/spec/parse.h"
#include "train/data/loader.h"
#include "train/loop/guard.h"
#include "train/loop/nearest.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

// The loader as the loop sees it.
class LoaderStream : public BatchStream {
 public:
  // `warnings`: what is missing of the data, and known before any of them is read.
  LoaderStream(std::unique_ptr<Loader> loader, std::vector<std::string> warnings)
      : loader_(std::move(loader)), warnings_(std::move(warnings)) {}
  int64_t steps_per_epoch() const override { return loader_->steps_per_epoch(); }
  StatusOr<Packed> Next() override { return loader_->Next(); }
  std::string Summary() const override {
    std::string summary = loader_->stats().Summary();
    for (const std::string& warning : warnings_) summary += StrCat(summary.empty() ? "" : "; ", warning);
    return summary;
  }

 private:
  std::unique_ptr<Loader> loader_;
  std::vector<std::string> warnings_;
};

}  // namespace

bool HasWeights(const fs::path& checkpoint) {
  std::error_code error;
  for (const char* folder : {"", "llm", "vision_tower", "mm_projector"}) {
    for (fs::directory_iterator it(checkpoint / folder, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".index.json")) return true;
    }
  }
  return false;
}

Status SetFraming(Vlm& model, const SequenceBuilder& builder) {
  const text::FramingIds& image = builder.image_framing();
  const text::FramingIds& video = builder.video_framing();
  if (image.start != video.start || image.end != video.end) {
    return Unimplemented(StrCat(builder.spec().path.string(), ": pictures and videos are framed by different tokens"));
  }
  model.SetFraming(video.start, video.end, video.sep);
  return OkStatus();
}

StatusOr<std::unique_ptr<Assembly>> Assembly::Make(const Recipe& recipe, Ranks& ranks) {
  auto assembly = std::unique_ptr<Assembly>(new Assembly(recipe, ranks));
  StatusOr<Registry> registry = recipe.registry_text.empty() ? Registry::Read(recipe.registries)
                                                             : Registry::Parse(recipe.registry_text, "--data");
  RETURN_IF_ERROR(registry.status());
  assembly->registry_ = std::make_shared<const Registry>(*std::move(registry));
  ASSIGN_OR_RETURN(assembly->spec_, spec::ParseDirectory(recipe.start));
  RETURN_IF_ERROR(assembly->CheckStages());
  ASSIGN_OR_RETURN(assembly->builder_, SequenceBuilder::Make(assembly->spec_));
  RETURN_IF_ERROR(assembly->LoadModel());
  RETURN_IF_ERROR(SetFraming(*assembly->model_, *assembly->builder_));
  return assembly;
}

Status Assembly::LoadModel() {
  const bool weights = HasWeights(recipe_.start);
  if (recipe_.init == Start::kCheckpoint && !weights) {
    return NotFound(StrCat(recipe_.start.string(), ": holds no weights, and the recipe says init = \"checkpoint\""));
  }
  from_scratch_ = recipe_.init == Start::kScratch || !weights;
  return Guarded("building the model", [&]() -> Status {
    if (from_scratch_) {
      ASSIGN_OR_RETURN(model_, Vlm::Init(spec_, static_cast<uint64_t>(recipe_.seed)));
    } else {
      ASSIGN_OR_RETURN(model_, Vlm::Load(spec_));
    }
    return OkStatus();
  });
}

Status Assembly::CheckStages() const {
  for (const StageConfig& stage : recipe_.stages) {
    RETURN_IF_ERROR(Annotate(SpecOf(stage).status(), StrCat("stage ", stage.name)));
    ASSIGN_OR_RETURN(const std::vector<MixtureItem> items, ResolveMixture(stage.mixture, registry_->mixtures()));
    const std::vector<std::string> names = registry_->dataset_names();
    for (const MixtureItem& item : items) {
      if (std::ranges::find(names, item.name) == names.end()) {
        return InvalidArgument(StrCat("stage ", stage.name, ": mixture: there is no data set ", Printable(item.name),
                                      "; the nearest is ", Nearest(item.name, names)));
      }
    }
  }
  return OkStatus();
}

StatusOr<spec::ModelSpec> Assembly::SpecOf(const StageConfig& stage) const {
  spec::ModelSpec spec = spec_;
  const MediaConfig& media = stage.media;
  if (media.image_aspect_ratio) {
    const bool dynamic = spec.preprocess.image_aspect_ratio == spec::AspectMode::kDynamic;
    if (*media.image_aspect_ratio == "resize" && dynamic) {
      spec.preprocess.image_aspect_ratio = spec::AspectMode::kResize;
      spec.prompt.newline_after_tile = false;
    } else if (*media.image_aspect_ratio != "dynamic" || !dynamic) {
      return Unimplemented(StrCat("image_aspect_ratio ", Printable(*media.image_aspect_ratio),
                                  " cannot take the place of what the model's configuration says; a model with "
                                  "dynamic tiles can be trained with resize"));
    }
  }
  if (media.max_tiles) spec.preprocess.max_tiles = *media.max_tiles;
  if (media.num_video_frames) spec.video.num_video_frames = *media.num_video_frames;
  return spec;
}

StatusOr<std::unique_ptr<BatchStream>> Assembly::MakeStream(const StageConfig& stage, int64_t first_step) const {
  ASSIGN_OR_RETURN(const spec::ModelSpec spec, SpecOf(stage));
  std::shared_ptr<const SequenceBuilder> builder = builder_;
  if (!(spec == spec_)) {
    ASSIGN_OR_RETURN(builder, SequenceBuilder::Make(spec));
  }
  // Another order in each stage.
  const uint64_t seed = world::MixSeed(static_cast<uint64_t>(recipe_.seed), stage.name, 0);
  ASSIGN_OR_RETURN(
      const std::shared_ptr<const Corpus> corpus,
      registry_->Open(stage.mixture, {.slices = recipe_.slices, .global_batch = stage.global_batch, .seed = seed}));
  LoaderOptions options;
  options.sampler = {.world_size = ranks_.size(),
                     .rank = ranks_.rank(),
                     .micro_batch = stage.micro_batch,
                     .accumulation = stage.Accumulation(ranks_.size()),
                     .seed = seed,
                     .division = Division::kSteps};
  options.max_length = stage.max_length;
  options.start_step = first_step;
  options.num_threads = static_cast<int>(recipe_.workers);
  options.prefetch = recipe_.prefetch;
  ASSIGN_OR_RETURN(options.on_bad, OnBadRecordFromName(recipe_.on_bad_record));
  std::vector<std::string> warnings = corpus->warnings();
  if (!warnings.empty() && options.on_bad == OnBadRecord::kFail) return DataLoss(warnings.front());
  ASSIGN_OR_RETURN(std::unique_ptr<Loader> loader, Loader::Make(corpus, builder, options));
  return std::make_unique<LoaderStream>(std::move(loader), std::move(warnings));
}

RunParts Assembly::parts() {
  return {.model = *model_,
          .tokens = {.time_token_ids = builder_->time_token_ids()},
          .make_stream = [this](const StageConfig& stage, int64_t first_step) { return MakeStream(stage, first_step); },
          .export_model =
              [this](Vlm& model, const fs::path& out) {
                return Guarded("writing the model", [&] {
                  return Export(
                      model, recipe_.start, out,
                      recipe_.export_precision == ComputePrecision::kBf16 ? Precision::kBf16 : Precision::kF32);
                });
              }};
}

}  // namespace galago::train
