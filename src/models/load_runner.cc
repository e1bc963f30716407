#include <utility>

#include "src/io/gguf.h"
#include "src/models/vlm_runner.h"

namespace galago::models {
namespace {

// Where the three parts of a checkpoint lie. Parts in one file share its store.
struct Stores {
  io::TensorStore language;
  io::TensorStore vision;
  io::TensorStore projector;
};

StatusOr<Stores> OpenStores(const spec::ModelSpec& spec) {
  const bool sees = spec.vision.has_value();
  Stores stores;
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
  }
  CHECK(false);
}

}  // namespace

StatusOr<LoadedRunner> LoadRunner(const spec::ModelSpec& spec, const LoadOptions& options) {
  LoadedRunner loaded;
  if (options.random) {
    using Part = RandomWeights::Part;
    ASSIGN_OR_RETURN(loaded.runner, VlmRunner::Load(spec,
                                                    {.language = Weights(Part::kLanguage, options),
                                                     .vision = Weights(Part::kVision, options),
                                                     .projector = Weights(Part::kProjector, options)},
                                                    loaded.report));
    return loaded;
  }
  ASSIGN_OR_RETURN(Stores stores, OpenStores(spec));
  ASSIGN_OR_RETURN(loaded.runner, VlmRunner::Load(spec,
                                                  {.language = Weights(std::move(stores.language), options),
                                                   .vision = Weights(std::move(stores.vision), options),
                                                   .projector = Weights(std::move(stores.projector), options)},
                                                  loaded.report));
  return loaded;
}

}  // namespace galago::models
