#include "train/world/captions.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"
#include "train/world/scenes.h"

namespace galago::world {
namespace {

// Colour and shape always, a pattern where there is one, the size where the scene has both.
Description FullDescription(const Scene& scene, const Thing& thing) {
  Description description = {.shape = thing.shape, .colour = thing.colour};
  if (thing.material != Material::kPlain) description.material = thing.material;
  const Description same_size = {.big = thing.big};
  if (CountOf(scene, same_size) != static_cast<int64_t>(scene.things.size())) description.big = thing.big;
  return description;
}

// "two red stars, a blue fish and three cups": things of one description together, in the order they stand in.
std::string ListOf(const Scene& scene) {
  std::vector<std::string> groups;
  std::vector<bool> told(scene.things.size());
  for (size_t i = 0; i < scene.things.size(); ++i) {
    if (told[i]) continue;
    const Description description = FullDescription(scene, scene.things[i]);
    int64_t count = 0;
    for (size_t j = 0; j < scene.things.size(); ++j) {
      if (FullDescription(scene, scene.things[j]).One() != description.One()) continue;
      told[j] = true;
      ++count;
    }
    groups.push_back(count == 1 ? WithArticle(description.One()) : StrCat(NumberWord(count), " ", description.Many()));
  }
  return JoinWords(groups);
}

// "a red star left of a blue fish"; nullopt unless there are two things clearly side by side.
std::optional<std::string> RelationOf(const Scene& scene, Rng& rng) {
  if (scene.things.size() != 2) return std::nullopt;
  const auto first = static_cast<size_t>(rng.Int(0, 1));
  const Thing& one = scene.things[first];
  const Thing& two = scene.things[1 - first];
  std::vector<Side> sides(kSides);
  rng.Shuffle(sides);
  for (const Side side : sides) {
    if (!LiesClearly(one, side, two)) continue;
    return StrCat(WithArticle(FullDescription(scene, one).One()), " ", PhraseOf(side, rng), " ",
                  WithArticle(FullDescription(scene, two).One()));
  }
  return std::nullopt;
}

// "a red star at the top left and a blue fish in the middle"; nullopt if one lies between the places.
std::optional<std::string> PlacesOf(const Scene& scene) {
  constexpr size_t kMost = 4;
  if (scene.things.size() > kMost) return std::nullopt;
  std::vector<std::string> parts;
  for (const Thing& thing : scene.things) {
    const auto place = PlaceOf(scene, thing);
    if (!place) return std::nullopt;
    const bool side = *place == "left" || *place == "right";
    parts.push_back(StrCat(WithArticle(FullDescription(scene, thing).One()),
                           *place == "middle" ? " in the "
                           : side             ? " on the "
                                              : " at the ",
                           *place));
  }
  return JoinWords(parts);
}

class CaptionsTask : public Task {
 public:
  std::string_view name() const override { return "captions"; }

  Sample Draw(Rng& rng, Split split) const override {
    const Scene scene = DrawScene(rng, split);
    Sample sample;
    sample.form = Form::kCaption;
    sample.media.emplace_back(PaintScene(scene, rng, split));
    sample.exchanges.push_back({"", CaptionFor(scene, rng, split), "caption", Metric::kExact});
    return sample;
  }
};

}  // namespace

std::string PhraseFor(const Scene& scene, Rng& rng) {
  // From left to right: one order, so that it can be learnt.
  Scene ordered = scene;
  std::sort(ordered.things.begin(), ordered.things.end(), [](const Thing& a, const Thing& b) { return a.x < b.x; });
  const auto form = rng.Int(0, 2);
  std::optional<std::string> phrase;
  if (form == 1) phrase = RelationOf(ordered, rng);
  if (form == 2) phrase = PlacesOf(ordered);
  return phrase ? *phrase : ListOf(ordered);
}

std::string CaptionFor(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"{X}.", "{X}.", "A picture of {x}.", "The picture shows {x}.", "You can see {x}.", "This picture shows {x}."},
      {"The picture has {x}.", "A picture that shows {x}."}};
  const std::string phrase = PhraseFor(scene, rng);
  return Say(kWordings, rng, split, {{"x", phrase}, {"X", Capitalised(phrase)}});
}

TaskOr MakeCaptions(const Assets& /*assets*/) { return std::make_unique<const CaptionsTask>(); }

}  // namespace galago::world
