#include <memory>
#include <string>
#include <utility>

#include "train/world/charts.h"
#include "train/world/documents.h"
#include "train/world/fonts.h"
#include "train/world/lists.h"
#include "train/world/makers.h"
#include "train/world/scene.h"
#include "train/world/scene_questions.h"
#include "train/world/scenes.h"
#include "train/world/things.h"

// What holds of the things in a picture, name first: "colour: fish red, cup blue." A caption says "a red fish", and
// from many of them a decoder learns to find the shape of the red thing, hardly the colour of the fish: there the noun
// is what is told. Here it is what tells where to look, and the word to be found follows at once.
namespace galago::world {
namespace {

class FactsTask : public Task {
 public:
  explicit FactsTask(std::shared_ptr<const StampSet> stamps) : stamps_(std::move(stamps)) {}
  std::string_view name() const override { return "facts"; }

  Sample Draw(Rng& rng, Split split) const override {
    while (true) {
      Told told = Tell(rng, split);
      if (told.lists.empty()) continue;
      Sample sample;
      sample.form = Form::kCaption;
      sample.media.emplace_back(std::move(told.medium));
      sample.exchanges.push_back({"", FactsOf(std::move(told.lists), rng), "facts", Metric::kExact});
      return sample;
    }
  }

 private:
  Told Tell(Rng& rng, Split split) const {
    switch (rng.Pick({0, 0, 0, 1, 1, 2, 3})) {
      case 0: {
        const Scene scene = DrawScene(rng, split);
        return {PaintScene(scene, rng, split), ListsOf(scene, rng, split)};
      }
      case 1:
        return DrawThings(*stamps_, rng, split);
      case 2:
        return DrawChart(rng, split);
      default:
        return DrawSheet(rng, split);
    }
  }

  std::shared_ptr<const StampSet> stamps_;
};

}  // namespace

TaskOr MakeFacts(const Assets& assets) {
  RETURN_IF_ERROR(CheckFonts());
  ASSIGN_OR_RETURN(std::shared_ptr<const StampSet> stamps, LoadStamps(assets));
  return std::make_unique<const FactsTask>(std::move(stamps));
}

}  // namespace galago::world
