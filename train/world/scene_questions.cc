#include "train/world/scene_questions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"

namespace galago::world {
namespace {

std::string_view YesNo(bool yes) { return yes ? "yes" : "no"; }

size_t AnyThing(const Scene& scene, Rng& rng) {
  return static_cast<size_t>(rng.Int(0, static_cast<int64_t>(scene.things.size()) - 1));
}

// A thing and the name it is asked by.
struct Named {
  size_t index = 0;
  std::string name;
};
std::optional<Named> NameOne(const Scene& scene, Rng& rng, std::optional<Attribute> hidden = std::nullopt) {
  const size_t index = AnyThing(scene, rng);
  const auto description = Describe(scene, index, rng, hidden);
  if (!description) return std::nullopt;
  return Named{index, description->One()};
}
// Two things, in no order.
std::optional<std::pair<Named, Named>> NameTwo(const Scene& scene, Rng& rng,
                                               std::optional<Attribute> hidden = std::nullopt) {
  const auto first = NameOne(scene, rng, hidden);
  const auto second = NameOne(scene, rng, hidden);
  if (!first || !second || first->index == second->index) return std::nullopt;
  return std::pair(*first, *second);
}

// Whether the things differ in what `part` reads of them: asking after it is idle where they do not.
template <class Part>
bool Differ(const Scene& scene, const Part& part) {
  return std::any_of(scene.things.begin(), scene.things.end(),
                     [&](const Thing& thing) { return part(thing) != part(scene.things[0]); });
}

const Wordings kColourWordings = {
    {"What colour is the {x}?", "Which colour is the {x}?", "What is the colour of the {x}?",
     "Name the colour of the {x}.", "The {x} is what colour?", "Tell me the colour of the {x}.",
     "Can you tell me the colour of the {x}?", "The colour of the {x} is what?", "Of what colour is the {x}?",
     "Do you see what colour the {x} has?", "Say the colour of the {x}.", "In the picture, what colour is the {x}?",
     "Which colour does the {x} have?"},
    {"What colour does the {x} have?", "Tell me what colour the {x} is."}};

std::optional<Query> AskColour(const Scene& scene, Rng& rng, Split split) {
  const auto named = NameOne(scene, rng, Attribute::kColour);
  if (!named) return std::nullopt;
  const std::string_view colour = Palette()[scene.things[named->index].colour].name;
  return Query{named->name, Say(kColourWordings, rng, split, {{"x", named->name}}), std::string(colour)};
}

std::optional<Query> AskShape(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"What is the {x}?", "Which thing is the {x}?", "Name the {x}.", "The {x} is what?", "Tell me what the {x} is.",
       "Tell me what thing the {x} is.", "Can you name the {x}?", "What thing is the {x}?", "What do you call the {x}?",
       "In the picture, what is the {x}?", "Say what the {x} is.", "Can you say which thing the {x} is?"},
      {"Can you tell me what the {x} is?", "Tell me which thing the {x} is."}};
  const auto named = NameOne(scene, rng, Attribute::kShape);
  if (!named) return std::nullopt;
  const std::string_view shape = Shapes()[scene.things[named->index].shape].one;
  return Query{named->name, Say(kWordings, rng, split, {{"x", named->name}}), std::string(shape)};
}

std::optional<Query> AskMaterial(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"What pattern does the {x} have?", "What is the pattern of the {x}?", "Which pattern does the {x} have?",
       "Is the {x} plain, striped, dotted or outlined?", "Tell me which pattern the {x} has.",
       "What is the {x}: plain, striped, dotted or outlined?", "Which is the pattern of the {x}?",
       "Can you say which pattern the {x} has?", "In the picture, what pattern does the {x} have?"},
      {"Tell me the pattern of the {x}.", "Name the pattern of the {x}."}};
  if (!Differ(scene, [](const Thing& thing) { return thing.material; })) return std::nullopt;
  const auto named = NameOne(scene, rng, Attribute::kMaterial);
  if (!named) return std::nullopt;
  const std::string_view material = Name(scene.things[named->index].material);
  return Query{named->name, Say(kWordings, rng, split, {{"x", named->name}}), std::string(material)};
}

std::optional<Query> AskSize(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"Is the {x} big or small?", "Is the {x} small or big?", "What size is the {x}?", "What size does the {x} have?",
       "Name the size of the {x}.", "Tell me what size the {x} has.", "Is the {x} a big one or a small one?",
       "Which size does the {x} have?", "In the picture, is the {x} big or small?",
       "Can you say what size the {x} has?", "Say if the {x} is big or small."},
      {"What is the size of the {x}?", "Tell me the size of the {x}."}};
  if (!Differ(scene, [](const Thing& thing) { return thing.big; })) return std::nullopt;
  const auto named = NameOne(scene, rng, Attribute::kSize);
  if (!named) return std::nullopt;
  return Query{named->name, Say(kWordings, rng, split, {{"x", named->name}}),
               scene.things[named->index].big ? "big" : "small"};
}

const Wordings kThereWordings = {
    {"Is there {x}?", "Is there {x} in the picture?", "Do you see {x}?", "Can you see {x} in the picture?",
     "Does the picture show {x}?", "Do you see {x} here?", "Can you see {x} here?", "Is there {x} here?",
     "In the picture, is there {x}?", "Tell me if there is {x}.", "Is {x} to be seen?", "Can you find {x}?",
     "Is {x} there?", "Do you find {x} in the picture?", "Is there {x} to see?"},
    {"Is {x} in the picture?", "Can you see {x}?", "Does the picture have {x}?"}};

std::optional<Query> AskWhetherThere(const Scene& scene, Rng& rng, Split split) {
  const bool there = rng.Chance(0.5);
  const Description description = PickToLookFor(scene, there, rng, split);
  const std::string name = WithArticle(description.One());
  return Query{name, Say(kThereWordings, rng, split, {{"x", name}}), std::string(YesNo(there))};
}

// Everything that can be counted, by its number.
std::map<int64_t, std::vector<Description>> Countables(const Scene& scene, Rng& rng, Split split) {
  std::vector<Description> candidates = {{}};
  for (const Thing& thing : scene.things) {
    candidates.push_back({.shape = thing.shape});
    candidates.push_back({.colour = thing.colour});
    candidates.push_back({.shape = thing.shape, .colour = thing.colour});
    if (Differ(scene, [](const Thing& other) { return other.material; })) {
      candidates.push_back({.material = thing.material});
    }
    if (Differ(scene, [](const Thing& other) { return other.big; })) candidates.push_back({.big = thing.big});
  }
  candidates.push_back(PickAbsent(scene, rng, split));
  std::map<int64_t, std::vector<Description>> by_number;
  for (const Description& candidate : candidates) by_number[CountOf(scene, candidate)].push_back(candidate);
  return by_number;
}

const Wordings kCountWordings = {
    {"How many {x} are there?", "How many {x} do you see?", "How many {x} are in the picture?", "Count the {x}.",
     "What is the number of {x}?", "Tell me how many {x} there are.", "How many {x} can you count?",
     "In the picture, how many {x} are there?", "How many {x} does the picture have?", "Can you count the {x}?",
     "Say how many {x} you see.", "What number of {x} do you see?", "The number of {x} is what?",
     "How many {x} are here?", "Tell me how many {x} you can see."},
    {"How many {x} does the picture show?", "Tell me the number of {x}.", "How many {x} can you see?"}};

std::optional<Query> AskCount(const Scene& scene, Rng& rng, Split split) {
  // None and one can be asked of every scene, large numbers of few: weights even out the answers. Beyond six nothing
  // is asked, training has no such scenes.
  static constexpr std::array<double, 7> kWeights = {0.25, 0.45, 1, 1.6, 2.2, 3, 4};
  const auto countables = Countables(scene, rng, split);
  double total = 0.0;
  for (const auto& [number, descriptions] : countables) {
    if (number < 7) total += kWeights[static_cast<size_t>(number)];
  }
  double left = rng.Uniform(0, total);
  for (const auto& [number, descriptions] : countables) {
    if (number >= 7) continue;
    left -= kWeights[static_cast<size_t>(number)];
    if (left > 0) continue;
    const std::string name = rng.Pick(descriptions).Many();
    return Query{name, Say(kCountWordings, rng, split, {{"x", name}}), StrCat(number)};
  }
  return std::nullopt;
}

std::optional<Query> AskMore(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"Are there {more} {x} than {y}?", "Do you see {more} {x} than {y}?",
       "Does the picture show {more} {x} than {y}?", "Can you count {more} {x} than {y}?",
       "In the picture, are there {more} {x} than {y}?", "Has the picture {more} {x} than {y}?",
       "Do you count {more} {x} than {y}?", "Tell me if there are {more} {x} than {y}."},
      {"Can you see {more} {x} than {y}?", "Does the picture have {more} {x} than {y}?"}};
  const Thing& one = scene.things[AnyThing(scene, rng)];
  const Thing& two = scene.things[AnyThing(scene, rng)];
  Description many = {.shape = one.shape};
  Description few = {.shape = two.shape};
  if (rng.Chance(0.4)) {
    many = {.colour = one.colour};
    few = {.colour = two.colour};
  }
  if (CountOf(scene, many) == CountOf(scene, few)) return std::nullopt;
  if (CountOf(scene, many) < CountOf(scene, few)) std::swap(many, few);
  const bool yes = rng.Chance(0.5);
  const bool ask_more = rng.Chance(0.7);
  if (yes != ask_more) std::swap(many, few);
  return Query{
      StrCat(many.Many(), " ", few.Many()),
      Say(kWordings, rng, split, {{"more", ask_more ? "more" : "fewer"}, {"x", many.Many()}, {"y", few.Many()}}),
      std::string(YesNo(yes))};
}

std::optional<Query> AskBigger(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"Which is {bigger}, the {x} or the {y}?", "What is {bigger}, the {x} or the {y}?",
       "Which thing is {bigger}: the {x} or the {y}?", "Is the {x} or the {y} {bigger}?",
       "Tell me what is {bigger}, the {x} or the {y}.", "Which of the two is {bigger}, the {x} or the {y}?",
       "In the picture, which is {bigger}, the {x} or the {y}?", "Which one is {bigger}: the {x} or the {y}?",
       "Name the {bigger} one: the {x} or the {y}.", "Which one of the two is {bigger}: the {x} or the {y}?"},
      {"Tell me which is {bigger}, the {x} or the {y}.", "Of the {x} and the {y}, which is {bigger}?"}};
  const auto two = NameTwo(scene, rng, Attribute::kSize);
  if (!two) return std::nullopt;
  const auto& [first, second] = *two;
  if (first.name.ends_with("thing") || second.name.ends_with("thing")) return std::nullopt;  // answers are names
  const bool first_big = scene.things[first.index].big;
  if (first_big == scene.things[second.index].big) return std::nullopt;
  const bool ask_bigger = rng.Chance(0.6);
  return Query{StrCat(std::min(first.name, second.name), " ", std::max(first.name, second.name)),
               Say(kWordings, rng, split,
                   {{"bigger", ask_bigger ? "bigger" : "smaller"}, {"x", first.name}, {"y", second.name}}),
               first_big == ask_bigger ? first.name : second.name};
}

std::optional<Query> AskRelation(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"Is the {x} {side} the {y}?", "Do you see the {x} {side} the {y}?",
       "Does the picture show the {x} {side} the {y}?", "In the picture, do you see the {x} {side} the {y}?",
       "Can you see that the {x} is {side} the {y}?", "Tell me if the {x} is {side} the {y}.",
       "Is the {x} the one {side} the {y}?", "Is it true that the {x} is {side} the {y}?",
       "Look at the {x}: is it {side} the {y}?", "The {x} is {side} the {y}: yes or no?",
       "Do you find the {x} {side} the {y}?", "Does the {x} lie {side} the {y}?",
       "In the picture, does the {x} lie {side} the {y}?", "Can you find the {x} {side} the {y}?"},
      {"Can you see the {x} {side} the {y}?", "In the picture, is the {x} {side} the {y}?"}};
  const auto two = NameTwo(scene, rng);
  if (!two) return std::nullopt;
  const auto& [first, second] = *two;
  const auto side = ClearSide(scene.things[first.index], scene.things[second.index], rng);
  if (!side) return std::nullopt;
  const bool yes = rng.Chance(0.5);
  return Query{StrCat(first.name, " ", second.name),
               Say(kWordings, rng, split,
                   {{"x", first.name}, {"side", PhraseOf(yes ? *side : Opposite(*side), rng)}, {"y", second.name}}),
               std::string(YesNo(yes))};
}

std::optional<Query> AskBeside(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"What is {side} the {x}?", "Which thing is {side} the {x}?", "What do you see {side} the {x}?",
       "Name the thing {side} the {x}.", "Which thing can you see {side} the {x}?", "Tell me the thing {side} the {x}.",
       "In the picture, what is {side} the {x}?", "Can you name the thing {side} the {x}?",
       "Say what is {side} the {x}.", "Which is the thing {side} the {x}?", "What lies {side} the {x}?",
       "Can you see what is {side} the {x}?", "The thing {side} the {x} is what?"},
      {"What can you see {side} the {x}?", "Tell me what is {side} the {x}."}};
  const auto named = NameOne(scene, rng);
  if (!named) return std::nullopt;
  const Thing& reference = scene.things[named->index];
  std::vector<Side> sides(kSides);
  rng.Shuffle(sides);
  for (const Side side : sides) {
    const Thing* found = nullptr;
    bool clear = true;
    for (size_t i = 0; i < scene.things.size(); ++i) {
      const Thing& thing = scene.things[i];
      if (i == named->index || LiesClearlyNot(thing, side, reference)) continue;
      clear = clear && found == nullptr && LiesClearly(thing, side, reference);
      found = &thing;
    }
    if (found == nullptr || !clear) continue;
    return Query{StrCat(named->name, " ", static_cast<int>(side)),
                 Say(kWordings, rng, split, {{"side", PhraseOf(side, rng)}, {"x", named->name}}),
                 std::string(Shapes()[found->shape].one)};
  }
  return std::nullopt;
}

std::string At(std::string_view place) {
  if (place == "middle") return "in the middle";
  if (place == "left" || place == "right") return StrCat("on the ", place);
  return StrCat("at the ", place);
}

std::optional<Query> AskWhatAt(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"What is {at}?", "Which thing is {at}?", "What do you see {at}?", "Name the thing {at}.",
       "Which thing can you see {at}?", "Tell me the thing {at}.", "In the picture, what is {at}?",
       "Can you name the thing {at}?", "Say what is {at}.", "What lies {at}?", "The thing {at} is what?",
       "Can you see what is {at}?"},
      {"What can you see {at}?", "Tell me what is {at}."}};
  const size_t index = AnyThing(scene, rng);
  const auto place = PlaceOf(scene, scene.things[index]);
  if (!place) return std::nullopt;
  // Nobody else may lie there, nor close to its border; and all that lies on the left, at any height, is "on the left".
  const bool middle = *place == "middle";
  const bool column = middle || place->ends_with("left") || place->ends_with("right");
  const bool row = middle || place->starts_with("top") || place->starts_with("bottom");
  const auto near = [&](const Thing& thing) {
    return (!column || std::abs(thing.x - scene.things[index].x) < 0.3 * static_cast<double>(scene.width)) &&
           (!row || std::abs(thing.y - scene.things[index].y) < 0.3 * static_cast<double>(scene.height));
  };
  if (std::count_if(scene.things.begin(), scene.things.end(), near) != 1) return std::nullopt;
  return Query{std::string(*place), Say(kWordings, rng, split, {{"at", At(*place)}}),
               std::string(Shapes()[scene.things[index].shape].one)};
}

const Wordings kWhereWordings = {
    {"Where is the {x}?", "Where do you see the {x}?", "Where in the picture is the {x}?",
     "Where in the picture can you see the {x}?", "Tell me the place of the {x}.", "In the picture, where is the {x}?",
     "What is the place of the {x}?", "Where does the {x} lie?", "Can you say where the {x} is?",
     "Say where you see the {x}.", "Where can I find the {x}?", "In which place is the {x}?",
     "Which is the place of the {x}?", "Tell me where you see the {x}."},
    {"Where can you see the {x}?", "Tell me where the {x} is."}};

std::optional<Query> AskWhere(const Scene& scene, Rng& rng, Split split) {
  const auto named = NameOne(scene, rng);
  if (!named) return std::nullopt;
  const auto place = PlaceOf(scene, scene.things[named->index]);
  if (!place) return std::nullopt;
  return Query{named->name, Say(kWhereWordings, rng, split, {{"x", named->name}}), std::string(*place)};
}

std::optional<Query> AskSameColour(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {
      {"Are the {x} and the {y} the same colour?", "Do the {x} and the {y} have the same colour?",
       "Is the {x} the same colour as the {y}?", "Does the {x} have the colour of the {y}?",
       "Is the colour of the {x} the same as that of the {y}?", "Have the {x} and the {y} the same colour?",
       "Tell me if the {x} and the {y} have the same colour.",
       "Can you see the same colour in both, the {x} and the {y}?",
       "In the picture, are the {x} and the {y} the same colour?"},
      {"Does the {x} have the same colour as the {y}?", "Do you see the same colour in the {x} and the {y}?"}};
  // Both answers must have been possible, or the question would give the answer away.
  std::optional<std::pair<Named, Named>> same;
  std::optional<std::pair<Named, Named>> different;
  constexpr int kTries = 24;
  for (int i = 0; i < kTries; ++i) {
    const auto two = NameTwo(scene, rng, Attribute::kColour);
    if (!two) continue;
    const bool equal = scene.things[two->first.index].colour == scene.things[two->second.index].colour;
    (equal ? same : different) = two;
  }
  if (!same || !different) return std::nullopt;
  const bool yes = rng.Chance(0.5);
  const auto& [first, second] = yes ? *same : *different;
  return Query{StrCat(std::min(first.name, second.name), " ", std::max(first.name, second.name)),
               Say(kWordings, rng, split, {{"x", first.name}, {"y", second.name}}), std::string(YesNo(yes))};
}

// "12 40 35 66": left, top, right, bottom in hundredths of the picture.
std::string BoxOf(const Scene& scene, const Thing& thing) {
  const auto hundredths = [](double position, int64_t length) {
    return std::clamp<int64_t>(std::llround(position * 100 / static_cast<double>(length)), 0, 99);
  };
  return StrCat(hundredths(thing.x - thing.radius, scene.width), " ", hundredths(thing.y - thing.radius, scene.height),
                " ", hundredths(thing.x + thing.radius, scene.width), " ",
                hundredths(thing.y + thing.radius, scene.height));
}

std::optional<Query> AskBox(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {{"Give the box of the {x}.", "Box of the {x}?"}, {}};
  const auto named = NameOne(scene, rng);
  if (!named) return std::nullopt;
  return Query{named->name, Say(kWordings, rng, split, {{"x", named->name}}), BoxOf(scene, scene.things[named->index])};
}

std::optional<Query> AskInBox(const Scene& scene, Rng& rng, Split split) {
  static const Wordings kWordings = {{"What is in the box {box}?", "Name the thing in the box {box}."}, {}};
  const Thing& thing = scene.things[AnyThing(scene, rng)];
  const std::string box = BoxOf(scene, thing);
  return Query{box, Say(kWordings, rng, split, {{"box", box}}), std::string(Shapes()[thing.shape].one)};
}

constexpr std::array<QueryKind, 15> kQueries = {{{"colour", AskColour},
                                                 {"shape", AskShape},
                                                 {"material", AskMaterial},
                                                 {"size", AskSize},
                                                 {"exist", AskWhetherThere},
                                                 {"count", AskCount},
                                                 {"more", AskMore},
                                                 {"bigger", AskBigger},
                                                 {"relation", AskRelation},
                                                 {"beside", AskBeside},
                                                 {"what-at", AskWhatAt},
                                                 {"where", AskWhere},
                                                 {"same-colour", AskSameColour},
                                                 {"box", AskBox, true},
                                                 {"in-box", AskInBox, true}}};

}  // namespace

std::span<const QueryKind> SceneQueries() { return kQueries; }

Description PickAbsent(const Scene& scene, Rng& rng, Split split) {
  constexpr int kTries = 60;
  for (int i = 0; i < kTries; ++i) {
    Combination combination = PickCombination(rng, split);
    // Most of the time both halves are in the picture, only not on one thing.
    if (rng.Chance(0.7)) combination.shape = scene.things[AnyThing(scene, rng)].shape;
    if (rng.Chance(0.7)) combination.colour = scene.things[AnyThing(scene, rng)].colour;
    if (split == Split::kTrain && IsHeldOut(combination.colour, combination.shape)) continue;
    const Description description = {.shape = combination.shape, .colour = combination.colour};
    if (CountOf(scene, description) == 0) return description;
  }
  // A scene of a handful of things leaves most combinations out.
  while (true) {
    const Combination combination = PickCombination(rng, split);
    const Description description = {.shape = combination.shape, .colour = combination.colour};
    if (CountOf(scene, description) == 0) return description;
  }
}

Description PickToLookFor(const Scene& scene, bool there, Rng& rng, Split split) {
  Description description;
  if (there) {
    const Thing& thing = scene.things[AnyThing(scene, rng)];
    description = {.shape = thing.shape, .colour = thing.colour};
  } else {
    description = PickAbsent(scene, rng, split);
  }
  // One in three asks for the shape or the colour alone, where that tells the same.
  const Description shape_only = {.shape = description.shape};
  const Description colour_only = {.colour = description.colour};
  if (rng.Chance(0.35)) {
    const Description& shorter = rng.Chance(0.5) ? shape_only : colour_only;
    if ((CountOf(scene, shorter) > 0) == there) description = shorter;
  }
  return description;
}

std::string AsTyped(std::string question, Rng& rng, Split split) {
  if (split == Split::kHeldout || !rng.Chance(0.2)) return question;
  if (rng.Chance(0.5)) {
    constexpr std::string_view kColour = "colour";
    for (size_t at = question.find(kColour); at != std::string::npos; at = question.find(kColour, at + 1)) {
      question.replace(at, kColour.size(), "color");
    }
  }
  if (rng.Chance(0.5) && question[0] >= 'A' && question[0] <= 'Z') {
    question[0] = static_cast<char>(question[0] - 'A' + 'a');
  }
  if (rng.Chance(0.3) && (question.back() == '?' || question.back() == '.')) question.pop_back();
  return question;
}

std::vector<Exchange> AskAbout(const Scene& scene, int64_t count, Rng& rng, Split split) {
  std::vector<Exchange> exchanges;
  std::vector<std::pair<std::string_view, std::string>> asked;
  constexpr int kTries = 60;
  for (int i = 0; i < kTries && static_cast<int64_t>(exchanges.size()) < count; ++i) {
    const QueryKind& kind = rng.Pick(SceneQueries());
    if (kind.train_only && (split == Split::kHeldout || rng.Chance(0.5))) continue;
    auto query = kind.ask(scene, rng, split);
    if (!query) continue;
    const std::pair key(kind.name, query->subject);
    if (std::find(asked.begin(), asked.end(), key) != asked.end()) continue;
    asked.push_back(key);
    exchanges.push_back({AsTyped(std::move(query->question), rng, split), std::move(query->answer),
                         std::string(kind.name), Metric::kExact});
  }
  return exchanges;
}

std::vector<Exchange> AskComparisons(const Scene& scene, int64_t count, Rng& rng, Split split) {
  const std::string_view name = rng.Chance(0.7) ? "relation" : "more";
  const auto kind = std::ranges::find(kQueries, name, &QueryKind::name);
  CHECK(kind != kQueries.end());
  std::vector<Exchange> exchanges;
  std::set<std::vector<std::string>> asked;  // in either order the two are one question
  constexpr int kTries = 40;
  for (int i = 0; i < kTries && static_cast<int64_t>(exchanges.size()) < count; ++i) {
    auto query = kind->ask(scene, rng, split);
    if (!query) continue;
    std::vector<std::string> words = galago::Split(query->subject, ' ');
    std::ranges::sort(words);
    if (!asked.insert(std::move(words)).second) continue;
    exchanges.push_back({AsTyped(std::move(query->question), rng, split), std::move(query->answer), std::string(name)});
  }
  return exchanges;
}

std::vector<Exchange> AskFor(const List& list, Rng& rng, Split split) {
  struct Asking {
    std::string_view title, kind;
    const Wordings& wordings;
  };
  static const std::array<Asking, 4> kAskings = {{{"there", "exist", kThereWordings},
                                                  {"place", "where", kWhereWordings},
                                                  {"count", "count", kCountWordings},
                                                  {"colour", "colour", kColourWordings}}};
  const auto asking = std::ranges::find(kAskings, list.title, &Asking::title);
  CHECK(asking != kAskings.end());
  std::vector<Exchange> exchanges;
  for (const ListItem& item : list.items) {
    const bool there = list.title == "there";
    if (!there && item.answer == "no") continue;  // nobody asks where something is that is not there
    const std::string name = there ? WithArticle(item.name) : item.name;
    exchanges.push_back({AsTyped(Say(asking->wordings, rng, split, {{"x", name}}), rng, split), item.answer,
                         std::string(asking->kind)});
  }
  return exchanges;
}

}  // namespace galago::world
