#include <memory>
#include <utility>
#include <vector>

#include "train/world/charts.h"
#include "train/world/clip_script.h"
#include "train/world/documents.h"
#include "train/world/fonts.h"
#include "train/world/lists.h"
#include "train/world/makers.h"
#include "train/world/scene.h"
#include "train/world/scene_questions.h"
#include "train/world/scenes.h"
#include "train/world/things.h"

// What is looked for by name, of things that can be absent half of it in vain: "place: fish top left, cup no." In facts
// the names are told as well, and which one comes is a guess among dozens: most of the loss, and none of it about
// looking. Here what follows a name alone carries loss, and only who has found the thing, or has not, can say it.
namespace galago::world {
namespace {

// A list of one has nothing to tell apart.
constexpr size_t kFewest = 2;

class FindsTask : public Task {
 public:
  explicit FindsTask(std::shared_ptr<const StampSet> stamps) : stamps_(std::move(stamps)) {}
  std::string_view name() const override { return "finds"; }

  Sample Draw(Rng& rng, Split split) const override {
    // Half of it is asked in questions of one kind: to find is soon learnt, to answer by it takes practice of its own.
    while (rng.Chance(0.5)) {
      Sample sample = Ask(rng, split);
      if (sample.exchanges.size() >= kFewest) return sample;
    }
    while (true) {
      Told told = Find(rng, split);
      std::erase_if(told.lists, [](const List& list) { return list.items.size() < kFewest; });
      if (told.lists.empty()) continue;
      Sample sample;
      sample.form = Form::kCaption;
      sample.media.push_back(std::move(told.medium));
      sample.exchanges.push_back(FindsExchange(rng.Pick(told.lists), rng));
      return sample;
    }
  }

 private:
  Sample Ask(Rng& rng, Split split) const {
    if (rng.Chance(0.5)) return AskForThings(*stamps_, rng, split);
    const Scene scene = DrawScene(rng, split);
    const std::string_view kind = rng.Pick<std::string_view>(
        {"exist", "exist", "exist", "where", "where", "count", "relation", "relation", "more", "colour"});
    constexpr int64_t kMost = 8;
    Sample sample;
    sample.exchanges = AskOneKind(scene, kind, kMost, rng, split);
    if (!sample.exchanges.empty()) sample.media.emplace_back(PaintScene(scene, rng, split));
    return sample;
  }

  Told Find(Rng& rng, Split split) const {
    const int64_t which = rng.Int(0, 15);
    if (which < 5) {
      const Scene scene = DrawScene(rng, split);
      return {PaintScene(scene, rng, split), {FindsOf(scene, rng, split)}};
    }
    if (which < 10) return FindThings(*stamps_, rng, split);
    if (which < 13) {
      const Chart chart = PlanChart(rng, split);
      return {PaintChart(chart, ChooseLook(chart, rng, split), rng), ListsOf(chart)};
    }
    if (which < 15) {
      Sheet sheet = WriteSheet(rng, split);
      while (sheet.genre == Genre::kList) sheet = WriteSheet(rng, split);  // has names alone
      return {PaintSheet(sheet, ChooseSetting(sheet, rng, split), rng), ListsOf(sheet, rng)};
    }
    return FindInVideo(rng, split);
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
