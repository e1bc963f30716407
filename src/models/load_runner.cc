#include <utility>

#include "src/base/thread_pool.h"
#include "src/io/galago_file.h"
#include "src/io/gguf.h"
#include "src/models/lora.h"
#include "src/models/vlm_runner.h"

namespace galago::models {
namespace {

StatusOr<PartStores> OpenStores(const spec::ModelSpec& spec) {
  const bool sees = spec.vision.has_value();
  PartStores stores;
  switch (spec.layout) {
    case spec::Layout::kSubfolders: {
      ASSIGN_OR_RETURN(stores.language, io::OpenTensorDirectory(spec.path / "llm"));
      if (sees) {
        ASSIGN_OR_RETURN(stores.vision, io::OpenTensorDirectory(spec.path / "vision_tower"));
        ASSIGN_OR_RETURN(stores.projector, io::OpenTensorDirectory(spec.path / "mm_projector"));
      }
      return stores;
    }
    case spec::Layout::kSingleFolder:
    case spec::Layout::kMobileVlm: {
      ASSIGN_OR_RETURN(stores.language, io::OpenTensorDirectory(spec.path));
      stores.vision = stores.language;
      stores.projector = stores.language;
      return stores;
    }
    case spec::Layout::kGguf: {
      ASSIGN_OR_RETURN(const io::GgufFile llm, io::GgufFile::Open(spec.path));
      stores.language = llm.tensors();
      if (sees) {
        ASSIGN_OR_RETURN(const io::GgufFile mmproj, io::GgufFile::Open(spec.mmproj));
        stores.vision = mmproj.tensors();
        stores.projector = stores.vision;
      }
      return stores;
    }
    case spec::Layout::kGalago: {
      ASSIGN_OR_RETURN(const io::GalagoFile file, io::GalagoFile::Open(spec.path));
      ThreadPool pool(0);
      RETURN_IF_ERROR(file.Verify([&pool](int64_t count, const auto& body) { pool.ParallelFor(count, body); }));
      stores.language = file.Part(kLanguagePart);
      stores.vision = file.Part(kVisionPart);
      stores.projector = file.Part(kProjectorPart);
      return stores;
    }
  }
  CHECK(false);
}

}  // namespace

StatusOr<std::unique_ptr<const VlmRunner>> LoadVlmRunner(const spec::ModelSpec& spec, const LoadOptions& options,
                                                         LoadReport& report) {
  if (options.random) {
    if (!options.adapter.empty()) return InvalidArgument("an adapter goes on a model directory, not on random weights");
    using Part = RandomWeights::Part;
    return VlmRunner::Load(spec,
                           {.language = Weights(Part::kLanguage, options),
                            .vision = Weights(Part::kVision, options),
                            .projector = Weights(Part::kProjector, options)},
                           report);
  }
  ASSIGN_OR_RETURN(PartStores stores, OpenStores(spec));
  if (!options.adapter.empty()) {
    ASSIGN_OR_RETURN(std::string added, AddAdapter(options.adapter, spec, stores, options.cancel));
    report.notes.push_back(std::move(added));
  }
  return VlmRunner::Load(spec,
                         {.language = Weights(std::move(stores.language), options, spec.language.quantization),
                          .vision = Weights(std::move(stores.vision), options),
                          .projector = Weights(std::move(stores.projector), options)},
                         report);
}

StatusOr<LoadedRunner> LoadRunner(const spec::ModelSpec& spec, const LoadOptions& options) {
  LoadedRunner loaded;
  ASSIGN_OR_RETURN(loaded.runner, LoadVlmRunner(spec, options, loaded.report));
  return loaded;
}

}  // namespace galago::models
