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

// What is there and what is not, a coin for each; every description once.
std::vector<std::pair<Description, int64_t>> Counted(const Scene& scene, Rng& rng, Split split) {
  std::vector<std::pair<Description, int64_t>> counted;
  constexpr int kTries = 6;
  for (int i = 0; i < kTries; ++i) {
    const Description description = PickToLookFor(scene, rng.Chance(0.5), rng, split);
    const auto same = [&](const auto& other) {
      return other.first.shape == description.shape && other.first.colour == description.colour;
    };
    if (std::none_of(counted.begin(), counted.end(), same))
      counted.emplace_back(description, CountOf(scene, description));
  }
  return counted;
}

List Present(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {{"Is there: {names}?", "Do you see: {names}?"}, {}};
  List list{"present", "there", &kWordings, {}};
  for (const auto& [description, count] : Counted(scene, rng, split)) {
    list.items.push_back({description.One(), count > 0 ? "yes" : "no"});
  }
  return list;
}

List Counts(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {{"How many: {names}?", "Count: {names}.", "Tell me how many: {names}."}, {}};
  List list{"counts", "count", &kWordings, {}};
  for (const auto& [description, count] : Counted(scene, rng, split)) {
    list.items.push_back({description.Many(), StrCat(count)});
  }
  return list;
}

// By shape, by colour or by both; nullopt where that does not tell the same as both would.
std::optional<Description> Sought(const Scene& scene, bool there, bool alone, Rng& rng, Split split) {
  const Description both = PickToLookFor(scene, there, rng, split);
  Description description = both;
  const double kind = rng.Uniform();
  if (kind < 0.6) {
    description.colour.reset();
  } else if (kind < 0.75) {
    description.shape.reset();
  }
  if (!description.shape && !description.colour) return std::nullopt;
  const int64_t count = CountOf(scene, description);
  if ((count > 0) != there || (alone && count > 1)) return std::nullopt;
  return description;
}

// "star left of ring": a coin for each whether it is so; every two things once.
List Relations(const Scene& scene, Rng& rng) {
  List list{"finds", "so", nullptr, {}};
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t i = 0; i < scene.things.size(); ++i) {
    for (size_t j = i + 1; j < scene.things.size(); ++j)
      pairs.push_back(rng.Chance(0.5) ? std::pair(i, j) : std::pair(j, i));
  }
  rng.Shuffle(pairs);
  for (const auto& [first, second] : pairs) {
    const auto one = Describe(scene, first, rng);
    const auto two = Describe(scene, second, rng);
    if (!one || !two) continue;
    std::vector<Side> sides(kSides);
    rng.Shuffle(sides);
    const auto side = std::find_if(sides.begin(), sides.end(),
                                   [&](Side s) { return LiesClearly(scene.things[first], s, scene.things[second]); });
    if (side == sides.end()) continue;
    const bool yes = rng.Chance(0.5);
    list.items.push_back(
        {StrCat(one->One(), " ", PhraseOf(yes ? *side : Opposite(*side), rng), " ", two->One()), yes ? "yes" : "no"});
    constexpr size_t kMost = 8;
    if (list.items.size() == kMost) break;
  }
  return list;
}

// "more stars than rings": a coin for each whether it is so.
List Mores(const Scene& scene, Rng& rng) {
  List list{"finds", "so", nullptr, {}};
  std::vector<Description> sorts;
  for (const Thing& thing : scene.things) {
    for (const Description& sort : {Description{.shape = thing.shape}, Description{.colour = thing.colour}}) {
      const auto same = [&](const Description& other) {
        return other.shape == sort.shape && other.colour == sort.colour;
      };
      if (std::none_of(sorts.begin(), sorts.end(), same)) sorts.push_back(sort);
    }
  }
  rng.Shuffle(sorts);
  for (size_t i = 1; i < sorts.size(); ++i) {
    const Description *many = &sorts[i - 1], *few = &sorts[i];
    if (many->shape.has_value() != few->shape.has_value() || CountOf(scene, *many) == CountOf(scene, *few)) continue;
    if (CountOf(scene, *many) < CountOf(scene, *few)) std::swap(many, few);
    const bool yes = rng.Chance(0.5), ask_more = rng.Chance(0.7);
    if (yes != ask_more) std::swap(many, few);
    list.items.push_back(
        {StrCat(ask_more ? "more " : "fewer ", many->Many(), " than ", few->Many()), yes ? "yes" : "no"});
  }
  return list;
}

}  // namespace

List FindsOf(const Scene& scene, Rng& rng, Split split) {
  const double comparison = rng.Uniform();
  if (comparison < 0.2) return Relations(scene, rng);
  if (comparison < 0.3) return Mores(scene, rng);
  List list;
  std::vector<Description> sought;
  list.kind = "finds";
  list.title = rng.Pick({"place", "place", "there", "count", "colour"});
  const bool place = list.title == "place", colour = list.title == "colour", count = list.title == "count";
  const auto answer = [&](const Description& description) -> std::optional<std::string> {
    if (count) return StrCat(CountOf(scene, description));
    const auto thing =
        std::find_if(scene.things.begin(), scene.things.end(), [&](const Thing& t) { return description.Fits(t); });
    if (thing == scene.things.end()) return "no";
    if (colour) return std::string(Palette()[thing->colour].name);
    if (!place) return "yes";
    const auto found = PlaceOf(scene, *thing);
    return found ? std::optional(std::string(*found)) : std::nullopt;
  };
  // Of a thing its place and colour are told once: asked for twice, the text would answer the second time.
  const auto told_before = [&](const Description& description) {
    return std::any_of(sought.begin(), sought.end(), [&](const Description& before) {
      return std::any_of(scene.things.begin(), scene.things.end(),
                         [&](const Thing& thing) { return description.Fits(thing) && before.Fits(thing); });
    });
  };
  constexpr int kTries = 40;
  const size_t most = std::min<size_t>(10, 2 * scene.things.size());
  for (int i = 0; i < kTries && list.items.size() < most; ++i) {
    // Presences before absences: one that cannot be asked for must not make the other more frequent.
    const bool there = list.items.size() % 2 == 0;
    const auto description = Sought(scene, there, place || colour, rng, split);
    if (!description || (colour && description->colour)) continue;
    if ((place || colour) && told_before(*description)) continue;
    const std::string name = count ? description->Many() : description->One();
    if (std::any_of(list.items.begin(), list.items.end(), [&](const ListItem& item) { return item.name == name; })) {
      continue;
    }
    auto text = answer(*description);
    if (!text) continue;
    list.items.push_back({name, *std::move(text)});
    sought.push_back(*description);
  }
  return list;
}

std::vector<List> ListsOf(const Scene& scene, Rng& rng, Split split) {
  std::vector<List> lists = {Colours(scene, rng), Places(scene, rng), Sizes(scene, rng), Patterns(scene, rng)};
  lists.push_back(rng.Chance(0.5) ? Present(scene, rng, split) : Counts(scene, rng, split));
  std::erase_if(lists, [](const List& list) { return list.items.size() < 2; });
  rng.Shuffle(lists);
  return lists;
}

}  // namespace galago::world
