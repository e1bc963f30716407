#include "train/world/series.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/palette.h"
#include "train/world/shapes.h"

namespace galago::world {
namespace {

// One picture: `number` copies of one sort.
struct Card {
  Combination sort;
  Material material = Material::kPlain;
  int64_t number = 1;
};

constexpr int64_t kMostCopies = 5;

size_t ValueOf(const Card& card, Reads reads) {
  switch (reads) {
    case Reads::kShape:
      return card.sort.shape;
    case Reads::kColour:
      return card.sort.colour;
    case Reads::kNumber:
      return static_cast<size_t>(card.number);
    case Reads::kMaterial:
      return static_cast<size_t>(card.material);
  }
  CHECK(false);
  return 0;
}

std::string WordOf(const Card& card, Reads reads) {
  switch (reads) {
    case Reads::kShape:
      return std::string(Shapes()[card.sort.shape].one);
    case Reads::kColour:
      return std::string(Palette()[card.sort.colour].name);
    case Reads::kNumber:
      return StrCat(card.number);
    case Reads::kMaterial:
      return std::string(Name(card.material));
  }
  CHECK(false);
  return {};
}

Card DrawCard(bool patterns, Rng& rng, Split split) {
  Card card;
  card.sort = PickCombination(rng, split);
  if (patterns) {
    card.material = rng.Pick({Material::kPlain, Material::kStriped, Material::kDotted, Material::kOutlined});
  }
  // Patterns go on big things, of which five are too many.
  card.number = rng.Int(1, card.material == Material::kPlain ? kMostCopies : 3);
  return card;
}

Scene Lay(const Card& card, Rng& rng, Split split) {
  Scene scene;
  const bool big = card.material != Material::kPlain || (card.number <= 3 && rng.Chance(0.7));
  for (int64_t i = 0; i < card.number; ++i) {
    scene.things.push_back({.shape = card.sort.shape,
                            .colour = card.sort.colour,
                            .material = card.material,
                            .big = big,
                            .radius = PickRadius(big, 1, rng)});
  }
  Arrange(scene, PickLayout(rng, split), rng);
  return scene;
}

// Cards for rules with made-up words. `values` of what the rule reads are the classes; card i is of class classes[i].
// Everything else is the same on all cards, or different on each (shape and colour only: of numbers and materials there
// are too few).
std::vector<Card> DrawClassCards(Reads reads, const std::vector<size_t>& classes, Rng& rng, Split split) {
  const bool same_shape = reads != Reads::kShape && rng.Chance(0.5);
  const bool same_colour = reads != Reads::kColour && rng.Chance(0.5);
  while (true) {
    const Card base = DrawCard(/*patterns=*/reads == Reads::kMaterial, rng, split);
    const int64_t number = rng.Int(1, 3);
    std::vector<Card> cards;
    std::vector<size_t> values;  // of each class
    const auto fits = [&](const Card& card, size_t which) {
      if (split == Split::kTrain && IsHeldOut(card.sort.colour, card.sort.shape)) return false;
      for (size_t i = 0; i < cards.size(); ++i) {
        const bool same_class = classes[i] == which;
        if ((ValueOf(card, reads) == ValueOf(cards[i], reads)) != same_class) return false;
        if (reads != Reads::kShape && !same_shape && card.sort.shape == cards[i].sort.shape) return false;
        if (reads != Reads::kColour && !same_colour && card.sort.colour == cards[i].sort.colour) return false;
      }
      return true;
    };
    for (const size_t which : classes) {
      const auto first = std::find(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(cards.size()), which);
      const auto earlier = static_cast<size_t>(first - classes.begin());
      constexpr int kTries = 40;
      for (int i = 0; i < kTries; ++i) {
        Card card = DrawCard(/*patterns=*/reads == Reads::kMaterial, rng, split);
        if (reads != Reads::kNumber) card.number = number;
        if (same_shape) card.sort.shape = base.sort.shape;
        if (same_colour) card.sort.colour = base.sort.colour;
        if (earlier < cards.size()) {
          if (reads == Reads::kShape) card.sort.shape = cards[earlier].sort.shape;
          if (reads == Reads::kColour) card.sort.colour = cards[earlier].sort.colour;
          if (reads == Reads::kNumber) card.number = cards[earlier].number;
          if (reads == Reads::kMaterial) card.material = cards[earlier].material;
        }
        if (!fits(card, which)) continue;
        cards.push_back(card);
        break;
      }
    }
    if (cards.size() == classes.size()) return cards;
  }
}

// Classes of the cards, each among the first `shots`; the last card's is one of them.
std::vector<size_t> DrawClasses(int64_t shots, Rng& rng) {
  // Mostly two classes: with one shot there is but one, three and four need a shot each.
  const int64_t most = std::min<int64_t>(shots, 4);
  const int64_t count = shots < 3 || rng.Chance(0.6) ? std::min<int64_t>(shots, 2) : rng.Int(2, most);
  std::vector<size_t> classes;
  for (int64_t i = 0; i < shots; ++i) {
    classes.push_back(static_cast<size_t>(i < count ? i : rng.Int(0, count - 1)));
  }
  rng.Shuffle(classes);
  classes.push_back(rng.Pick(classes));
  return classes;
}

}  // namespace

std::span<const std::string_view> MadeUpWords() {
  static constexpr std::array<std::string_view, 16> kWords = {"bim", "dax", "wug", "fep", "zot", "kiv", "lom", "nup",
                                                              "rax", "tej", "vok", "yib", "gax", "pim", "sul", "hod"};
  return kWords;
}

Series DrawSeries(const SeriesOptions& options, Rng& rng, Split split) {
  CHECK_GE(options.shots, 0);
  Series series;
  std::vector<Card> cards;
  if (options.made_up) {
    series.reads = rng.Pick({Reads::kShape, Reads::kShape, Reads::kColour, Reads::kColour, Reads::kNumber});
    const std::vector<size_t> classes = options.shots == 0 ? std::vector<size_t>{0} : DrawClasses(options.shots, rng);
    cards = DrawClassCards(series.reads, classes, rng, split);
    std::vector<std::string_view> words(MadeUpWords().begin(), MadeUpWords().end());
    rng.Shuffle(words);
    for (const size_t which : classes) series.answers.emplace_back(words[which]);
  } else {
    series.reads = rng.Pick({Reads::kShape, Reads::kColour, Reads::kNumber, Reads::kMaterial});
    const bool patterns = rng.Chance(series.reads == Reads::kMaterial ? 1.0 : 0.2);
    for (int64_t i = 0; i <= options.shots; ++i) {
      cards.push_back(DrawCard(patterns, rng, split));
      series.answers.push_back(WordOf(cards.back(), series.reads));
    }
  }
  for (const Card& card : cards) series.scenes.push_back(Lay(card, rng, split));
  return series;
}

std::vector<media::Image> PaintSeries(const Series& series, Rng& rng, Split split) {
  std::vector<Thing> all;
  const bool one_background = rng.Chance(0.5);
  if (one_background) {
    for (const Scene& scene : series.scenes) all.insert(all.end(), scene.things.begin(), scene.things.end());
  }
  const Rng state(rng.Next());
  std::vector<media::Image> images;
  for (const Scene& scene : series.scenes) {
    Rng own = one_background ? state : Rng(rng.Next());
    images.push_back(PaintScene(scene, own, split, all));
  }
  return images;
}

}  // namespace galago::world
