#include "train/world/scenes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "train/world/makers.h"
#include "train/world/phrases.h"
#include "train/world/scene_questions.h"

namespace galago::world {
namespace {

constexpr double kMostTurn = 0.14;  // radians: upright enough that a square is no diamond

class ScenesTask : public Task {
 public:
  std::string_view name() const override { return "scenes"; }

  Sample Draw(Rng& rng, Split split) const override {
    while (true) {
      const Scene scene = DrawScene(rng, split);
      constexpr int64_t kFewest = 3;
      auto exchanges = AskAbout(scene, rng.Int(kFewest, UpTo(6, split)), rng, split);
      if (static_cast<int64_t>(exchanges.size()) < kFewest) continue;
      if (split == Split::kTrain && rng.Chance(kAskLists)) {
        const std::vector<List> lists = ListsOf(scene, rng);
        if (!lists.empty()) exchanges = QuestionsOf(lists, Metric::kExact, rng);
      }
      Sample sample;
      sample.media.emplace_back(PaintScene(scene, rng, split));
      sample.exchanges = std::move(exchanges);
      return sample;
    }
  }
};

}  // namespace

std::vector<Thing> PickThings(int64_t count, bool patterns, double scale, Rng& rng, Split split) {
  std::vector<Thing> things(static_cast<size_t>(count));
  const bool crowd = count >= 2 && rng.Chance(0.5);
  const auto alike = static_cast<size_t>(crowd ? rng.Int(2, count) : 0);
  const bool one_colour = rng.Chance(0.5);
  const Combination sort = PickCombination(rng, split);
  const bool distinct_shapes = rng.Chance(0.7);
  const bool distinct_colours = rng.Chance(0.5);
  for (size_t i = 0; i < things.size(); ++i) {
    Combination combination;
    if (i < alike) {
      combination = {one_colour ? sort.colour : PickColourFor(sort.shape, rng, split), sort.shape};
    } else {
      const auto taken = [&](const Thing& other) {
        return (distinct_shapes && other.shape == combination.shape) ||
               (distinct_colours && other.colour == combination.colour);
      };
      const auto end = things.begin() + static_cast<std::ptrdiff_t>(i);
      constexpr int kTries = 12;
      for (int attempt = 0; attempt < kTries; ++attempt) {
        combination = PickCombination(rng, split);
        if (std::none_of(things.begin(), end, taken)) break;
      }
    }
    things[i].shape = combination.shape;
    things[i].colour = combination.colour;
  }
  // Patterns need room to be seen: at scale 1 they go on a few big things.
  const bool mixed_materials = patterns && rng.Chance(0.5) && (scale > 1 || count <= 4);
  const bool mixed_sizes = rng.Chance(0.5) && (scale > 1 || !mixed_materials);
  const bool all_big = (mixed_materials && scale <= 1) || (count <= 4 && rng.Chance(0.5));
  for (Thing& thing : things) {
    if (mixed_materials) {
      thing.material = rng.Pick({Material::kPlain, Material::kStriped, Material::kDotted, Material::kOutlined});
    }
    thing.big = mixed_sizes ? rng.Chance(0.5) : all_big;
    thing.radius = PickRadius(thing.big, scale, rng);
    thing.turn = rng.Chance(0.5) ? rng.Uniform(-kMostTurn, kMostTurn) : 0.0;
  }
  rng.Shuffle(things);
  return things;
}

Scene DrawScene(Rng& rng, Split split, const SceneOptions& options) {
  Scene scene;
  if (options.large && rng.Chance(0.3)) {
    scene.width = 224;
    scene.height = rng.Chance(0.5) ? 224 : 112;
  }
  const int64_t most = options.most + (split == Split::kHeldout ? 1 : 0);
  const int64_t count = rng.Chance(0.1) ? options.least : rng.Int(std::min(options.least + 1, most), most);
  scene.things = PickThings(count, options.patterns, ScaleOf(scene), rng, split);
  Arrange(scene, PickLayout(rng, split), rng);
  return scene;
}

TaskOr MakeScenes(const Assets& /*assets*/) { return std::make_unique<const ScenesTask>(); }

}  // namespace galago::world
