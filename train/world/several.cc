#include "train/world/several.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"
#include "train/world/scene.h"
#include "train/world/scene_questions.h"
#include "train/world/scenes.h"

namespace galago::world {
namespace {

// What the questions of one sample need: pictures, and how they are spoken of.
struct Board {
  std::vector<Scene> scenes;
  std::string_view noun = "image";  // or "picture"
  Split split = Split::kTrain;

  std::string Numbered(size_t index) const { return StrCat(noun, " ", index + 1); }
  size_t size() const { return scenes.size(); }
};

// The order of the keys, smallest first, as "2 1 3".
template <class Key>
std::string OrderOf(const std::vector<Key>& keys) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return keys[a] < keys[b]; });
  std::string text;
  for (const size_t index : order) {
    if (!text.empty()) text += ' ';
    text += StrCat(index + 1);
  }
  return text;
}
template <class Key>
std::string LastOf(const std::vector<Key>& keys) {
  return StrCat(std::max_element(keys.begin(), keys.end()) - keys.begin() + 1);
}
template <class Key>
std::vector<Key> Negated(std::vector<Key> keys) {
  for (Key& key : keys) key = -key;
  return keys;
}

size_t AnyScene(const Board& board, Rng& rng) {
  return static_cast<size_t>(rng.Int(0, static_cast<int64_t>(board.size()) - 1));
}

// One of the questions about a single scene, asked of one picture of the board.
std::optional<Exchange> AskOne(const Board& board, Rng& rng) {
  static const Wordings kWordings = {
      {"In {image}, {question}", "Look at {image}. {Question}", "{Image}: {question}", "Of {image}: {question}",
       "For {image}, {question}", "See {image}. {Question}", "This is about {image}. {Question}",
       "Look only at {image}: {question}", "About {image}: {question}"},
      {"In {image}: {question}", "{Image}. {Question}"}};
  static constexpr std::array<std::string_view, 4> kKinds = {"colour", "shape", "exist", "count"};
  const size_t index = AnyScene(board, rng);
  const std::string_view kind = rng.Pick(kKinds);
  for (const QueryKind& query_kind : SceneQueries()) {
    if (query_kind.name != kind) continue;
    const auto query = query_kind.ask(board.scenes[index], rng, board.split);
    if (!query) return std::nullopt;
    // "In image 2, in the picture, ..." nobody says.
    if (board.split == Split::kTrain && query->question.starts_with("In the picture")) return std::nullopt;
    std::string lower = query->question;
    lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
    const std::string image = board.Numbered(index);
    return Exchange{
        Say(kWordings, rng, board.split,
            {{"image", image}, {"Image", Capitalised(image)}, {"question", lower}, {"Question", query->question}}),
        query->answer, StrCat("one-", kind)};
  }
  return std::nullopt;
}

// In which picture is there ...? Something that one picture alone has.
std::optional<Exchange> AskWhichHas(const Board& board, Rng& rng) {
  static const Wordings kWordings = {
      {"Which {image} has {x}?", "Which {image} shows {x}?", "In which {image} is there {x}?",
       "In which {image} do you see {x}?", "Tell me in which {image} there is {x}.",
       "Which {image} is the one with {x}?", "Where do you see {x}, in which {image}?",
       "Which of the {image}s has {x}?", "Name the {image} that has {x}.", "Which {image} is it that shows {x}?",
       "In which of the {image}s is there {x}?"},
      {"In which {image} can you see {x}?", "Tell me which {image} has {x}."}};
  const size_t index = AnyScene(board, rng);
  const Thing& thing = rng.Pick(board.scenes[index].things);
  const Description description = rng.Pick({Description{.shape = thing.shape}, Description{.colour = thing.colour},
                                            Description{.shape = thing.shape, .colour = thing.colour}});
  for (size_t i = 0; i < board.size(); ++i) {
    if (i != index && CountOf(board.scenes[i], description) > 0) return std::nullopt;
  }
  return Exchange{Say(kWordings, rng, board.split, {{"image", board.noun}, {"x", WithArticle(description.One())}}),
                  StrCat(index + 1), "which-has"};
}

// The order of the pictures by their keys, from the smallest, `ends.first`, or from the largest.
template <class Key>
Exchange AskOrder(const Board& board, std::string_view name, const std::vector<Key>& keys,
                  std::pair<std::string_view, std::string_view> ends, std::string_view kind, Rng& rng) {
  static const Wordings kWordings = {
      {"Order the {image}s from {first} to {last} {x}.", "Put the {image}s in order, from {first} to {last} {x}.",
       "Sort the {image}s from {first} to {last} {x}.",
       "Tell me the order of the {image}s, from {first} to {last} {x}.",
       "From {first} to {last} {x}: what is the order of the {image}s?",
       "What order do the {image}s have from {first} to {last} {x}?",
       "Which is the order of the {image}s, {first} to {last} {x}?"},
      {"What is the order of the {image}s from {first} to {last} {x}?"}};
  const bool rising = rng.Chance(0.6);
  if (!rising) std::swap(ends.first, ends.second);
  return {Say(kWordings, rng, board.split,
              {{"image", board.noun}, {"first", ends.first}, {"last", ends.second}, {"x", name}}),
          OrderOf(rising ? keys : Negated(keys)), std::string(kind)};
}

// ---- Pictures with different numbers of one thing.

struct Counted {
  Board board;
  Description focus;
  std::vector<int64_t> numbers;  // of the focus in each picture, all different
};

Counted DrawCounted(size_t pictures, Rng& rng, Split split) {
  Counted counted;
  counted.board.split = split;
  const Combination sort = PickCombination(rng, split);
  const bool one_colour = rng.Chance(0.5);
  counted.focus = {.shape = sort.shape};
  if (one_colour && rng.Chance(0.4)) counted.focus.colour = sort.colour;
  std::vector<int64_t> numbers = {0, 1, 2, 3, 4, 5};
  rng.Shuffle(numbers);
  numbers.resize(pictures);
  counted.numbers = numbers;
  for (const int64_t number : numbers) {
    Scene scene;
    const int64_t others = number == 0 ? rng.Int(1, 3) : rng.Int(0, number >= 4 ? 1 : 2);
    while (static_cast<int64_t>(scene.things.size()) < others) {
      const Combination other = PickCombination(rng, split);
      if (other.shape != sort.shape) scene.things.push_back({.shape = other.shape, .colour = other.colour});
    }
    for (int64_t i = 0; i < number; ++i) {
      const size_t colour = one_colour ? sort.colour : PickColourFor(sort.shape, rng, split);
      scene.things.push_back({.shape = sort.shape, .colour = colour});
    }
    const bool big = scene.things.size() <= 3 && rng.Chance(0.5);
    for (Thing& thing : scene.things) {
      thing.big = big;
      thing.radius = PickRadius(big, 1, rng);
    }
    rng.Shuffle(scene.things);
    Arrange(scene, PickLayout(rng, split), rng);
    counted.board.scenes.push_back(std::move(scene));
  }
  return counted;
}

std::optional<Exchange> AskExtreme(const Counted& counted, Rng& rng) {
  static const Wordings kWordings = {
      {"Which {image} has the {most} {x}?", "Which {image} shows the {most} {x}?",
       "In which {image} are the {most} {x}?", "Which of the {image}s has the {most} {x}?",
       "Name the {image} with the {most} {x}.", "Which {image} is the one with the {most} {x}?",
       "In which {image} can you see the {most} {x}?", "Tell me in which {image} there are the {most} {x}.",
       "Where are the {most} {x}, in which {image}?"},
      {"Tell me which {image} has the {most} {x}.", "In which {image} do you see the {most} {x}?"}};
  const bool most = rng.Chance(0.5);
  return Exchange{Say(kWordings, rng, counted.board.split,
                      {{"image", counted.board.noun}, {"most", most ? "most" : "fewest"}, {"x", counted.focus.Many()}}),
                  LastOf(most ? counted.numbers : Negated(counted.numbers)), most ? "most" : "fewest"};
}

std::optional<Exchange> AskOrderByNumber(const Counted& counted, Rng& rng) {
  return AskOrder(counted.board, counted.focus.Many(), counted.numbers, {"fewest", "most"}, "order-number", rng);
}

std::optional<Exchange> AskMoreIn(const Counted& counted, Rng& rng) {
  static const Wordings kWordings = {
      {"Does {one} have more {x} than {two}?", "Are there more {x} in {one} than in {two}?",
       "Does {one} show more {x} than {two}?", "Has {one} more {x} than {two}?",
       "Is the number of {x} higher in {one} than in {two}?", "Are the {x} in {one} more than in {two}?",
       "Tell me if {one} has more {x} than {two}.", "Do you count more {x} in {one} than in {two}?",
       "Is it true that {one} has more {x} than {two}?"},
      {"Do you see more {x} in {one} than in {two}?", "Can you see more {x} in {one} than in {two}?"}};
  const size_t one = AnyScene(counted.board, rng);
  const size_t two = AnyScene(counted.board, rng);
  if (one == two) return std::nullopt;
  return Exchange{
      Say(kWordings, rng, counted.board.split,
          {{"one", counted.board.Numbered(one)}, {"two", counted.board.Numbered(two)}, {"x", counted.focus.Many()}}),
      counted.numbers[one] > counted.numbers[two] ? "yes" : "no", "more-in"};
}

std::optional<Exchange> AskTotal(const Counted& counted, Rng& rng) {
  static const Wordings kWordings = {
      {"How many {x} are there in all {image}s?", "How many {x} are in the {image}s in all?",
       "Count the {x} in all {image}s.", "What is the number of {x} in all {image}s?",
       "How many {x} do you see in all {image}s?", "How many {x} do all {image}s have?"},
      {"Tell me how many {x} are in all {image}s."}};
  const int64_t total = std::accumulate(counted.numbers.begin(), counted.numbers.end(), int64_t{0});
  if (total > 6) return std::nullopt;
  return Exchange{
      Say(kWordings, rng, counted.board.split, {{"image", counted.board.noun}, {"x", counted.focus.Many()}}),
      StrCat(total), "total"};
}

// ---- One thing in each picture, of different sizes.

struct Sized {
  Board board;
  std::string_view name;  // the thing in all of them
  std::vector<double> radii;
};

Sized DrawSized(size_t pictures, Rng& rng, Split split) {
  Sized sized;
  sized.board.split = split;
  std::vector<double> ladder = {9, 14.5, 23, 36};
  rng.Shuffle(ladder);
  const Combination sort = PickCombination(rng, split);
  sized.name = Shapes()[sort.shape].one;
  const bool one_colour = rng.Chance(0.5);
  for (size_t i = 0; i < pictures; ++i) {
    Thing thing = {.shape = sort.shape, .colour = one_colour ? sort.colour : PickColourFor(sort.shape, rng, split)};
    thing.radius = ladder[i] * rng.Uniform(0.95, 1.05);
    Scene scene;
    scene.things = {thing};
    Arrange(scene, Layout::kFree, rng);
    sized.radii.push_back(thing.radius);
    sized.board.scenes.push_back(std::move(scene));
  }
  return sized;
}

std::optional<Exchange> AskBiggest(const Sized& sized, Rng& rng) {
  static const Wordings kWordings = {
      {"Which {image} has the {biggest} {x}?", "Which {image} shows the {biggest} {x}?",
       "In which {image} is the {x} {biggest}?", "Which {image} is the one with the {biggest} {x}?",
       "Which of the {image}s has the {biggest} {x}?", "Name the {image} with the {biggest} {x}.",
       "Where is the {x} {biggest}, in which {image}?", "Tell me in which {image} the {x} is {biggest}."},
      {"Tell me which {image} has the {biggest} {x}.", "In which {image} is the {biggest} {x}?"}};
  const bool biggest = rng.Chance(0.5);
  return Exchange{Say(kWordings, rng, sized.board.split,
                      {{"image", sized.board.noun}, {"biggest", biggest ? "biggest" : "smallest"}, {"x", sized.name}}),
                  LastOf(biggest ? sized.radii : Negated(sized.radii)), biggest ? "biggest" : "smallest"};
}

std::optional<Exchange> AskOrderBySize(const Sized& sized, Rng& rng) {
  return AskOrder(sized.board, sized.name, sized.radii, {"smallest", "biggest"}, "order-size", rng);
}

std::optional<Exchange> AskBiggerIn(const Sized& sized, Rng& rng) {
  static const Wordings kWordings = {
      {"Is the {x} bigger in {one} than in {two}?", "Is the {x} of {one} bigger than the {x} of {two}?",
       "Does {one} have a bigger {x} than {two}?", "Do you see a bigger {x} in {one} than in {two}?",
       "Tell me if the {x} is bigger in {one} than in {two}.", "Is the {x} larger in {one} than in {two}?",
       "Is the bigger {x} in {one}, not in {two}?"},
      {"Is the {x} in {one} bigger than the {x} in {two}?"}};
  const size_t one = AnyScene(sized.board, rng);
  const size_t two = AnyScene(sized.board, rng);
  if (one == two) return std::nullopt;
  return Exchange{Say(kWordings, rng, sized.board.split,
                      {{"one", sized.board.Numbered(one)}, {"two", sized.board.Numbered(two)}, {"x", sized.name}}),
                  sized.radii[one] > sized.radii[two] ? "yes" : "no", "bigger-in"};
}

// ---- Two pictures that are the same but for one thing, or altogether.

enum class Change { kNone, kColour, kSize, kPlace, kNew, kGone };

struct Changed {
  Board board;
  Change change = Change::kNone;
  std::string_view name;  // the thing that changed, came or went
};

bool ShapesDiffer(const std::vector<Thing>& things) {
  for (size_t i = 0; i < things.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (things[i].shape == things[j].shape) return false;
    }
  }
  return true;
}

Changed DrawChanged(Rng& rng, Split split) {
  // One in three pairs is the same. Of the others half are asked what changed, half whether anything did: "yes" and
  // "no" come equally often, and no question gives another one's answer away.
  Change change = Change::kNone;
  if (!rng.Chance(1.0 / 3)) {
    change = rng.Pick({Change::kColour, Change::kSize, Change::kPlace, Change::kNew, Change::kGone});
  }
  while (true) {
    Changed changed;
    changed.change = change;
    changed.board.split = split;
    Scene before;
    const int64_t count = rng.Int(2, 4);
    do {
      before.things = PickThings(count, /*patterns=*/false, 1, rng, split);
    } while (!ShapesDiffer(before.things));
    Arrange(before, PickLayout(rng, split), rng);
    Scene after = before;
    Thing& thing = after.things.back();
    changed.name = Shapes()[thing.shape].one;
    switch (changed.change) {
      case Change::kNone:
        break;
      case Change::kColour:
        thing.colour = PickColourFor(thing.shape, rng, split);
        if (thing.colour == before.things.back().colour) continue;
        break;
      case Change::kSize: {
        // Small enough to stay clear of the others: the smaller of the two is made from the larger.
        if (!thing.big) continue;
        thing.big = false;
        thing.radius = PickRadius(false, 1, rng);
        if (rng.Chance(0.5)) std::swap(before, after);
        break;
      }
      case Change::kPlace:
        if (!Move(after, after.things.size() - 1, 40, rng)) continue;
        break;
      case Change::kNew:
        before.things.pop_back();
        break;
      case Change::kGone:
        after.things.pop_back();
        break;
    }
    changed.board.scenes = {std::move(before), std::move(after)};
    return changed;
  }
}

std::optional<Exchange> AskSame(const Changed& changed, Rng& rng) {
  static const Wordings kWordings = {
      {"Are the {image}s the same?", "Are the two {image}s the same?", "Do the two {image}s show the same?",
       "Is {two} the same as {one}?", "Is {one} the same as {two}?", "Do the {image}s look the same?",
       "Are both {image}s the same?", "Tell me if the {image}s are the same.",
       "Do you see the same in {one} and {two}?", "Does {two} show the same as {one}?",
       "Is nothing different in {one} and {two}?", "Is everything the same in {one} and {two}?"},
      {"Are {one} and {two} the same?", "Do {one} and {two} show the same?"}};
  return Exchange{
      Say(kWordings, rng, changed.board.split,
          {{"image", changed.board.noun}, {"one", changed.board.Numbered(0)}, {"two", changed.board.Numbered(1)}}),
      changed.change == Change::kNone ? "yes" : "no", "same"};
}

std::optional<Exchange> AskChange(const Changed& changed, Rng& rng) {
  static const Wordings kWhat = {
      {"What of the {x} is different: its colour, size or place?", "What of the {x} changed from {one} to {two}?",
       "Is it the colour, size or place of the {x} that changed?",
       "Which changed of the {x}: its colour, size or place?", "Of the {x}, what changed: colour, size or place?",
       "Tell me what of the {x} changed."},
      {"What changed of the {x}: colour, size or place?", "What of the {x} is different in {two}?"}};
  static const Wordings kWhich = {
      {"Which thing changed from {one} to {two}?", "Which thing is different in {two}?",
       "What changed from {one} to {two}?", "What is different in {two}?", "Which thing has changed?",
       "Name the thing that changed.", "Tell me the thing that is different in {two}."},
      {"Tell me which thing changed.", "Which thing changed in {two}?"}};
  static const Wordings kNew = {
      {"What is new in {two}?", "Which thing is new in {two}?", "What does {two} have that {one} has not?",
       "Name the new thing in {two}.", "Which thing do you see in {two} alone?", "Which thing came in {two}?"},
      {"Tell me what is new in {two}.", "Which new thing is in {two}?"}};
  static const Wordings kGone = {
      {"What is missing in {two}?", "Which thing is missing in {two}?", "What does {one} have that {two} has not?",
       "Name the missing thing in {two}.", "Which thing do you see in {one} alone?", "Which thing is gone in {two}?"},
      {"Tell me what is missing in {two}.", "Which thing of {one} is missing in {two}?"}};
  const auto say = [&](const Wordings& wordings) {
    return Say(wordings, rng, changed.board.split,
               {{"x", changed.name}, {"one", changed.board.Numbered(0)}, {"two", changed.board.Numbered(1)}});
  };
  const std::string name(changed.name);
  const bool ask_which = rng.Chance(0.5);
  switch (changed.change) {
    case Change::kNone:
      return std::nullopt;
    case Change::kColour:
      return ask_which ? Exchange{say(kWhich), name, "which-changed"} : Exchange{say(kWhat), "colour", "what-changed"};
    case Change::kSize:
      return ask_which ? Exchange{say(kWhich), name, "which-changed"} : Exchange{say(kWhat), "size", "what-changed"};
    case Change::kPlace:
      return ask_which ? Exchange{say(kWhich), name, "which-changed"} : Exchange{say(kWhat), "place", "what-changed"};
    case Change::kNew:
      return Exchange{say(kNew), name, "new"};
    case Change::kGone:
      return Exchange{say(kGone), name, "missing"};
  }
  CHECK(false);
  return std::nullopt;
}

// ---- One picture that is not like the others.

struct Odd {
  Board board;
  size_t index = 0;
};

Odd DrawOdd(size_t pictures, Rng& rng, Split split) {
  while (true) {
    Odd odd;
    odd.board.split = split;
    const Combination common = PickCombination(rng, split);
    Combination other = common;
    if (rng.Chance(0.5)) {
      other.colour = PickColourFor(common.shape, rng, split);
    } else {
      other.shape = PickShapeFor(common.colour, rng, split);
    }
    if (other == common) continue;
    odd.index = static_cast<size_t>(rng.Int(0, static_cast<int64_t>(pictures) - 1));
    const bool big = rng.Chance(0.6);
    for (size_t i = 0; i < pictures; ++i) {
      const Combination& sort = i == odd.index ? other : common;
      Scene scene;
      scene.things = {{.shape = sort.shape, .colour = sort.colour, .big = big, .radius = PickRadius(big, 1, rng)}};
      Arrange(scene, Layout::kFree, rng);
      odd.board.scenes.push_back(std::move(scene));
    }
    return odd;
  }
}

std::optional<Exchange> AskOdd(const Odd& odd, Rng& rng) {
  static const Wordings kWordings = {
      {"Which {image} is different?", "Which {image} is different from the others?",
       "Which {image} is not like the others?", "Which {image} is the odd one?", "Name the {image} that is different.",
       "Which of the {image}s is not like the others?", "Tell me the {image} that is not like the others.",
       "Which one is different?"},
      {"Tell me which {image} is different from the others.", "Which of the {image}s is different?"}};
  return Exchange{Say(kWordings, rng, odd.board.split, {{"image", odd.board.noun}}), StrCat(odd.index + 1), "odd"};
}

// ----

// Adds exchanges from `ask` until there are `goal`, each question once.
template <class Ask>
void Add(std::vector<Exchange>& exchanges, size_t goal, const Ask& ask) {
  constexpr int kTries = 30;
  for (int i = 0; i < kTries && exchanges.size() < goal; ++i) {
    std::optional<Exchange> exchange = ask();
    if (!exchange) continue;
    const bool asked = std::any_of(exchanges.begin(), exchanges.end(), [&](const Exchange& other) {
      return other.question == exchange->question ||
             (other.kind == exchange->kind && !exchange->kind.starts_with("one-") && exchange->kind != "which-has");
    });
    if (!asked) exchanges.push_back(*std::move(exchange));
  }
}

class SeveralTask : public Task {
 public:
  std::string_view name() const override { return "several"; }

  Sample Draw(Rng& rng, Split split) const override {
    Several several = DrawSeveral(rng, split);
    Sample sample;
    sample.exchanges = std::move(several.exchanges);
    // All on one background: only the things tell them apart.
    std::vector<Thing> all;
    for (const Scene& scene : several.scenes) all.insert(all.end(), scene.things.begin(), scene.things.end());
    const Rng state(rng.Next());
    for (const Scene& scene : several.scenes) {
      Rng same = state;
      sample.media.emplace_back(PaintScene(scene, same, split, all));
    }
    // Two in three prompts number their pictures in place, the others have them in front.
    static const Wordings kMarks = {{"{Image} {n}: <image>\n", "{n}: <image>\n"}, {"{Image} {n} <image>\n"}};
    if (rng.Chance(0.33)) return sample;
    sample.form = Form::kInterleaved;
    const std::string_view mark = Pick(kMarks, rng, split);
    std::string text;
    for (size_t i = 0; i < several.scenes.size(); ++i) {
      text += Fill(mark, {{"Image", Capitalised(several.noun)}, {"n", StrCat(i + 1)}});
    }
    sample.exchanges.front().question = text + sample.exchanges.front().question;
    return sample;
  }
};

}  // namespace

Several DrawSeveral(Rng& rng, Split split) {
  const auto pictures = static_cast<size_t>(rng.Pick({2, 2, 2, 3, 3, 3, 4, 4}));
  const std::string_view noun = rng.Pick({std::string_view("image"), std::string_view("picture")});
  const auto theme = rng.Int(0, 9);
  const auto goal = static_cast<size_t>(rng.Int(2, UpTo(3, split)));
  std::vector<Exchange> exchanges;
  Board board;
  if (theme < 4) {
    Counted counted = DrawCounted(pictures, rng, split);
    counted.board.noun = noun;
    constexpr std::array kAsks = {AskExtreme, AskOrderByNumber, AskMoreIn, AskTotal};
    Add(exchanges, goal, [&] { return rng.Pick(kAsks)(counted, rng); });
    board = std::move(counted.board);
  } else if (theme < 6) {
    Sized sized = DrawSized(pictures, rng, split);
    sized.board.noun = noun;
    constexpr std::array kAsks = {AskBiggest, AskOrderBySize, AskBiggerIn};
    Add(exchanges, goal, [&] { return rng.Pick(kAsks)(sized, rng); });
    board = std::move(sized.board);
  } else if (theme < 9) {
    Changed changed = DrawChanged(rng, split);
    changed.board.noun = noun;
    const bool ask_change = changed.change != Change::kNone && rng.Chance(0.5);
    Add(exchanges, 1, [&] { return ask_change ? AskChange(changed, rng) : AskSame(changed, rng); });
    board = std::move(changed.board);
  } else {
    Odd odd = DrawOdd(std::max<size_t>(pictures, 3), rng, split);
    odd.board.noun = noun;
    Add(exchanges, 1, [&] { return AskOdd(odd, rng); });
    board = std::move(odd.board);
  }
  // "Which picture has ..." tells that pictures differ, and of two kinds of board which: training does not hear it
  // there.
  const bool tells = theme >= 6 && split == Split::kTrain;
  Add(exchanges, exchanges.size() + static_cast<size_t>(rng.Int(1, UpTo(2, split))),
      [&] { return rng.Chance(0.5) || tells ? AskOne(board, rng) : AskWhichHas(board, rng); });
  for (Exchange& exchange : exchanges) exchange.question = AsTyped(std::move(exchange.question), rng, split);
  rng.Shuffle(exchanges);
  return {std::move(board.scenes), noun, std::move(exchanges)};
}

TaskOr MakeSeveral(const Assets& /*assets*/) { return std::make_unique<const SeveralTask>(); }

}  // namespace galago::world
