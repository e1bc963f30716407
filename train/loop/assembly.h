#ifndef GALAGO_TRAIN_LOOP_ASSEMBLY_H_
#define GALAGO_TRAIN_LOOP_ASSEMBLY_H_

#include <memory>

#include "galago/status.h"
#include "src/spec/model_spec.h"
#include "train/data/registry.h"
#include "train/data/sequence_builder.h"
#include "train/loop/recipe.h"
#include "train/loop/run.h"
#include "train/modules/vlm.h"
#include "train/ranks/ranks.h"

namespace galago::train {

// The model and the data that a recipe names, ready for Run.
class Assembly {
 public:
  // Every registry is read and every stage's mixture resolved, so that a mistake in the last stage is found before the
  // first one. `recipe` and `ranks` must outlive the assembly.
  static StatusOr<std::unique_ptr<Assembly>> Make(const Recipe& recipe, Ranks& ranks);

  Vlm& model() { return *model_; }
  bool from_scratch() const { return from_scratch_; }
  RunParts parts();
  // The model's spec with a stage's settings of pictures and videos.
  StatusOr<spec::ModelSpec> SpecOf(const StageConfig& stage) const;

 private:
  Assembly(const Recipe& recipe, Ranks& ranks) : recipe_(recipe), ranks_(ranks) {}
  Status LoadModel();
  Status CheckStages() const;
  StatusOr<std::unique_ptr<BatchStream>> MakeStream(const StageConfig& stage, int64_t first_step) const;

  const Recipe& recipe_;
  Ranks& ranks_;
  spec::ModelSpec spec_;
  bool from_scratch_ = false;
  std::shared_ptr<const Registry> registry_;
  std::shared_ptr<const SequenceBuilder> builder_;  // of the spec as it is
  std::unique_ptr<Vlm> model_;
};

// Whether there are weights in a checkpoint directory, or only its configuration.
bool HasWeights(const std::filesystem::path& checkpoint);

// What the tokenizer knows about the model, given to it.
Status SetFraming(Vlm& model, const SequenceBuilder& builder);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_ASSEMBLY_H_
