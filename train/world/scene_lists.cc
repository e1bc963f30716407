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

// What a thing is asked for by.
enum class Called { kByShape, kByColour, kByBoth };
Called PickCalled(Rng& rng) {
  const double kind = rng.Uniform();
  return kind < 0.6 ? Called::kByShape : kind < 0.75 ? Called::kByColour : Called::kByBoth;
}
Description Call(Called called, size_t shape, size_t colour) {
  Description description;
  if (called != Called::kByColour) description.shape = shape;
  if (called != Called::kByShape) description.colour = colour;
  return description;
}

// Whether all that fits `narrow` fits `wide`.
bool Covers(const Description& wide, const Description& narrow) {
  return (!wide.shape || wide.shape == narrow.shape) && (!wide.colour || wide.colour == narrow.colour);
}

// Descriptions none of which says something of another.
class Sought {
 public:
  bool Add(const Description& description) {
    const auto related = [&](const Description& other) {
      return Covers(description, other) || Covers(other, description);
    };
    if (std::any_of(all_.begin(), all_.end(), related)) return false;
    all_.push_back(description);
    return true;
  }

 private:
  std::vector<Description> all_;
};

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
    const auto side = ClearSide(scene.things[first], scene.things[second], rng);
    if (!side) continue;
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

List ComparisonsOf(const Scene& scene, Rng& rng) { return rng.Chance(0.7) ? Relations(scene, rng) : Mores(scene, rng); }

List FindsOf(const Scene& scene, Rng& rng, Split split) {
  List list;
  list.kind = "finds";
  list.title = rng.Pick({"place", "place", "there", "there", "count", "colour"});
  const bool place = list.title == "place", colour = list.title == "colour", count = list.title == "count";
  const auto name_of = [&](const Description& description) { return count ? description.Many() : description.One(); };
  const auto pick_called = [&] { return colour ? Called::kByShape : PickCalled(rng); };

  Sought sought;
  std::vector<ListItem> present;
  std::vector<Thing> things = scene.things;
  rng.Shuffle(things);
  for (const Thing& thing : things) {
    const Description description = Call(pick_called(), thing.shape, thing.colour);
    const int64_t number = CountOf(scene, description);
    const auto found = PlaceOf(scene, thing);
    if (((place || colour) && number > 1) || (place && !found) || !sought.Add(description)) continue;
    present.push_back({name_of(description), count    ? StrCat(number)
                                             : place  ? std::string(*found)
                                             : colour ? std::string(Palette()[thing.colour].name)
                                                      : "yes"});
  }
  const auto absent = [&]() -> std::optional<ListItem> {
    constexpr int kTries = 20;
    for (int i = 0; i < kTries; ++i) {
      const Called called = pick_called();
      Description description = PickAbsent(scene, rng, split);
      if (called == Called::kByShape) {
        description = Call(called, static_cast<size_t>(rng.Int(0, std::ssize(Shapes()) - 1)), 0);
      } else if (called == Called::kByColour) {
        description = Call(called, 0, static_cast<size_t>(rng.Int(0, std::ssize(Palette()) - 1)));
      }
      if (CountOf(scene, description) == 0 && sought.Add(description)) {
        return ListItem{name_of(description), count ? "0" : "no"};
      }
    }
    return std::nullopt;
  };
  constexpr size_t kMost = 10;
  // Of numbers, 0 is one of several.
  list.items = SoughtItems(std::move(present), kMost, count ? 0.25 : 0.5, rng, absent);
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
