#include <memory>
#include <utility>
#include <vector>

#include "train/world/charts.h"
#include "train/world/documents.h"
#include "train/world/fonts.h"
#include "train/world/lists.h"
#include "train/world/makers.h"
#include "train/world/scene.h"
#include "train/world/scene_questions.h"
#include "train/world/scenes.h"
#include "train/world/things.h"
#include "train/world/video.h"

// What is looked for by name, some of it in vain: "place: fish top left, cup no." In facts the names are told as well,
// and which one comes is a guess among dozens: most of the loss, and none of it about looking. Here what follows a name
// alone carries loss, and only who has found the thing, or has not, can say it.
namespace galago::world {
namespace {

class FindsTask : public Task {
 public:
  explicit FindsTask(std::shared_ptr<const StampSet> stamps) : stamps_(std::move(stamps)) {}
  std::string_view name() const override { return "finds"; }

  Sample Draw(Rng& rng, Split split) const override {
    // Half of it comes as questions: to find is soon learnt, to answer by it takes practice of its own.
    const bool ask = rng.Chance(0.5);
    while (true) {
      Sample sample = ask ? Ask(rng, split) : Tell(rng, split);
      if (!sample.exchanges.empty()) return sample;
    }
  }

 private:
  Sample Tell(Rng& rng, Split split) const {
    Told told = Find(rng, split);
    std::erase_if(told.lists, [](const List& list) { return list.items.empty(); });
    Sample sample;
    sample.form = Form::kCaption;
    sample.media.push_back(std::move(told.medium));
    if (!told.lists.empty()) sample.exchanges.push_back(FindsExchange(rng.Pick(told.lists)));
    return sample;
  }

  Sample Ask(Rng& rng, Split split) const {
    if (rng.Chance(0.5)) return AskForThings(*stamps_, rng, split);
    const Scene scene = DrawScene(rng, split);
    constexpr int64_t kMost = 6;
    Sample sample;
    sample.exchanges =
        rng.Chance(0.3) ? AskComparisons(scene, kMost, rng, split) : AskFor(FindsOf(scene, rng, split), rng, split);
    if (!sample.exchanges.empty()) sample.media.emplace_back(PaintScene(scene, rng, split));
    return sample;
  }

  Told Find(Rng& rng, Split split) const {
    const int64_t which = rng.Int(0, 15);
    if (which < 5) {
      const Scene scene = DrawScene(rng, split);
      List list = rng.Chance(0.3) ? ComparisonsOf(scene, rng) : FindsOf(scene, rng, split);
      return {PaintScene(scene, rng, split), {std::move(list)}};
    }
    if (which < 10) return FindThings(*stamps_, rng, split);
    if (which == 15) return FindInVideo(rng, split);
    Told told = which < 13 ? DrawChart(rng, split) : DrawSheet(rng, split);
    for (List& list : told.lists) rng.Shuffle(list.items);
    return told;
  }

  std::shared_ptr<const StampSet> stamps_;
};

}  // namespace

TaskOr MakeFinds(const Assets& assets) {
  RETURN_IF_ERROR(CheckFonts());
  ASSIGN_OR_RETURN(std::shared_ptr<const StampSet> stamps, LoadStamps(assets));
  return std::make_unique<const FindsTask>(std::move(stamps));
}

}  // namespace galago::world
