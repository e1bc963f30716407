#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "train/world/lists.h"
#include "train/world/palette.h"
#include "train/world/scene_questions.h"

namespace galago::world {
namespace {

constexpr size_t kCandidates = 6;

// One item for each thing that has a name without `hidden` and for which `answer` has one.
template <class Answer>
std::vector<ListItem> Items(const Scene& scene, Rng& rng, std::optional<Attribute> hidden, const Answer& answer) {
  std::vector<ListItem> items;
  for (size_t i = 0; i < scene.things.size(); ++i) {
    const auto description = Describe(scene, i, rng, hidden);
    if (!description) continue;
    if (auto text = answer(scene.things[i])) items.push_back({description->One(), std::move(*text)});
  }
  return items;
}

using Text = std::optional<std::string>;

// Asking is idle where all answers are one.
std::vector<ListItem> UnlessAlike(std::vector<ListItem> items) {
  const auto alike = [&](const ListItem& item) { return item.answer == items.front().answer; };
  if (std::all_of(items.begin(), items.end(), alike)) items.clear();
  return items;
}

List Colours(const Scene& scene, Rng& rng) {
  static const Wordings kWordings = {
      {"What colour: {names}?", "Which colour: {names}?", "Tell me the colour: {names}."}, {}};
  const auto colour = [](const Thing& thing) { return Text(Palette()[thing.colour].name); };
  return {"colours", "colour", &kWordings, Items(scene, rng, Attribute::kColour, colour)};
}

List Places(const Scene& scene, Rng& rng) {
  static const Wordings kWordings = {{"Where: {names}?", "Where in the picture: {names}?", "Tell me where: {names}."},
                                     {}};
  const auto place = [&](const Thing& thing) {
    const auto found = PlaceOf(scene, thing);
    return found ? Text(*found) : std::nullopt;
  };
  // Mostly by shape: of a thing's colour its place is soon learnt.
  const auto hidden = rng.Chance(0.6) ? std::optional(Attribute::kColour) : std::nullopt;
  return {"places", "place", &kWordings, Items(scene, rng, hidden, place)};
}

List Sizes(const Scene& scene, Rng& rng) {
  static const Wordings kWordings = {{"Big or small: {names}?", "What size: {names}?"}, {}};
  const auto size = [](const Thing& thing) { return Text(thing.big ? "big" : "small"); };
  return {"sizes", "size", &kWordings, UnlessAlike(Items(scene, rng, Attribute::kSize, size))};
}

List Patterns(const Scene& scene, Rng& rng) {
  static const Wordings kWordings = {{"What pattern: {names}?", "Which pattern: {names}?"}, {}};
  const auto pattern = [](const Thing& thing) { return Text(Name(thing.material)); };
  return {"patterns", "pattern", &kWordings, UnlessAlike(Items(scene, rng, Attribute::kMaterial, pattern))};
}

// What is there and what is not, by shape, by colour or by both; every description once.
std::vector<Description> Candidates(const Scene& scene, Rng& rng) {
  std::vector<Description> candidates;
  for (size_t i = 0; i < kCandidates; ++i) {
    Description description = PickAbsent(scene, rng, Split::kTrain);
    if (rng.Chance(0.5)) {
      const auto& thing = rng.Pick(scene.things);
      description = {.shape = thing.shape, .colour = thing.colour};
    }
    const double part = rng.Uniform();
    if (part < 0.3) description.colour.reset();
    if (part > 0.8) description.shape.reset();
    const auto same = [&](const Description& other) {
      return other.shape == description.shape && other.colour == description.colour;
    };
    if (std::none_of(candidates.begin(), candidates.end(), same)) candidates.push_back(description);
  }
  return candidates;
}

List Present(const Scene& scene, Rng& rng) {
  static const Wordings kWordings = {{"Is there: {names}?", "Do you see: {names}?", "Can you see: {names}?"}, {}};
  std::vector<ListItem> items;
  for (const Description& description : Candidates(scene, rng)) {
    items.push_back({description.One(), CountOf(scene, description) > 0 ? "yes" : "no"});
  }
  return {"present", "there", &kWordings, std::move(items)};
}

List Counts(const Scene& scene, Rng& rng) {
  static const Wordings kWordings = {{"How many: {names}?", "Count: {names}.", "Tell me how many: {names}."}, {}};
  std::vector<ListItem> items;
  for (const Description& description : Candidates(scene, rng)) {
    items.push_back({description.Many(), StrCat(CountOf(scene, description))});
  }
  return {"counts", "count", &kWordings, std::move(items)};
}

}  // namespace

std::vector<List> ListsOf(const Scene& scene, Rng& rng) {
  std::vector<List> lists = {Colours(scene, rng),  Places(scene, rng),  Sizes(scene, rng),
                             Patterns(scene, rng), Present(scene, rng), Counts(scene, rng)};
  std::erase_if(lists, [](const List& list) { return list.items.size() < 2; });
  rng.Shuffle(lists);
  return lists;
}

}  // namespace galago::world
