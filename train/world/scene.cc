#include "train/world/scene.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "src/base/check.h"
#include "train/world/background.h"
#include "train/world/canvas.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr double kGap = 4.0;     // pixels at scale 1 between the boxes of two things
constexpr double kBorder = 3.0;  // pixels at scale 1 to the picture's edge

bool Touch(const Thing& a, const Thing& b, double gap) {
  const double reach = a.radius + b.radius + gap;
  return std::abs(a.x - b.x) < reach && std::abs(a.y - b.y) < reach;
}

// Puts `thing` at random where it touches none of `placed`.
bool PlaceFreely(const Scene& scene, std::span<const Thing> placed, Thing& thing, Rng& rng) {
  const double scale = ScaleOf(scene);
  const double border = thing.radius + kBorder * scale;
  constexpr int kTries = 80;
  for (int i = 0; i < kTries; ++i) {
    thing.x = rng.Uniform(border, static_cast<double>(scene.width) - border);
    thing.y = rng.Uniform(border, static_cast<double>(scene.height) - border);
    if (std::none_of(placed.begin(), placed.end(), [&](const Thing& b) { return Touch(thing, b, kGap * scale); })) {
      return true;
    }
  }
  return false;
}

bool ArrangeFreely(Scene& scene, Rng& rng) {
  // Large things first: small ones find room between them.
  std::vector<size_t> order(scene.things.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scene.things[a].radius > scene.things[b].radius; });
  std::vector<Thing> placed;
  for (const size_t index : order) {
    if (!PlaceFreely(scene, placed, scene.things[index], rng)) return false;
    placed.push_back(scene.things[index]);
  }
  return true;
}

// Each in a cell of its own of a grid, shaken a little.
bool ArrangeInCells(Scene& scene, int64_t columns, int64_t rows, Rng& rng) {
  const double cell_width = static_cast<double>(scene.width) / static_cast<double>(columns);
  const double cell_height = static_cast<double>(scene.height) / static_cast<double>(rows);
  std::vector<int64_t> cells(static_cast<size_t>(columns * rows));
  std::iota(cells.begin(), cells.end(), int64_t{0});
  if (cells.size() < scene.things.size()) return false;
  rng.Shuffle(cells);
  for (size_t i = 0; i < scene.things.size(); ++i) {
    Thing& thing = scene.things[i];
    const double room_x = (cell_width - kGap) / 2 - thing.radius;
    const double room_y = (cell_height - kGap) / 2 - thing.radius;
    if (room_x < 0 || room_y < 0) return false;
    // In a wide cell the thing stays near the middle, so that a row reads as a row.
    const double shake_x = std::min(room_x, cell_width * 0.1);
    const double shake_y = std::min(room_y, cell_height * 0.1);
    thing.x = cell_width * (static_cast<double>(cells[i] % columns) + 0.5) + rng.Uniform(-shake_x, shake_x);
    thing.y = cell_height * (static_cast<double>(cells[i] / columns) + 0.5) + rng.Uniform(-shake_y, shake_y);
  }
  return true;
}

bool TryArrange(Scene& scene, Layout layout, Rng& rng) {
  const auto count = static_cast<int64_t>(scene.things.size());
  switch (layout) {
    case Layout::kFree:
      return ArrangeFreely(scene, rng);
    case Layout::kGrid:
      return ArrangeInCells(scene, 3, 3, rng);
    case Layout::kRow:
      return ArrangeInCells(scene, count, 1, rng);
    case Layout::kColumn:
      return ArrangeInCells(scene, 1, count, rng);
  }
  CHECK(false);
  return false;
}

}  // namespace

double ScaleOf(const Scene& scene) { return std::min(scene.width, scene.height) >= 224 ? 1.8 : 1.0; }

double PickRadius(bool big, double scale, Rng& rng) {
  return scale * (big ? rng.Uniform(16.5, 20) : rng.Uniform(9, 11));
}

void Arrange(Scene& scene, Layout layout, Rng& rng) {
  if (TryArrange(scene, layout, rng)) return;
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    if (TryArrange(scene, Layout::kFree, rng)) return;
  }
  for (Thing& thing : scene.things) {
    if (!thing.big) continue;
    thing.big = false;
    thing.radius = PickRadius(false, ScaleOf(scene), rng);
    break;
  }
  // Ten small things have room in the smallest picture, so this ends.
  Arrange(scene, Layout::kFree, rng);
}

Layout PickLayout(Rng& rng, Split split) {
  if (split == Split::kTrain) return rng.Chance(0.6) ? Layout::kFree : Layout::kGrid;
  return rng.Pick({Layout::kFree, Layout::kFree, Layout::kGrid, Layout::kRow, Layout::kColumn});
}

bool Move(Scene& scene, size_t index, double distance, Rng& rng) {
  std::vector<Thing> rest;
  for (size_t i = 0; i < scene.things.size(); ++i) {
    if (i != index) rest.push_back(scene.things[i]);
  }
  const Thing& old = scene.things[index];
  Thing thing = old;
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    if (!PlaceFreely(scene, rest, thing, rng)) return false;
    if (std::hypot(thing.x - old.x, thing.y - old.y) < distance) continue;
    scene.things[index] = thing;
    return true;
  }
  return false;
}

media::Image PaintScene(const Scene& scene, Rng& rng, Split split, std::span<const Thing> others) {
  // Streams of their own, so that one thing more does not change the background.
  Rng ink_rng(rng.Next());
  Rng background_rng(rng.Next());
  Rng noise_rng(rng.Next());
  std::vector<Ink> avoid;
  for (const Thing& thing : scene.things) avoid.push_back(Palette()[thing.colour].ink);
  for (const Thing& thing : others) avoid.push_back(Palette()[thing.colour].ink);
  const Canvas canvas(scene.width, scene.height, {1, 1, 1});
  DrawBackground(canvas, background_rng, split, avoid);
  for (const Thing& thing : scene.things) {
    DrawShape(canvas, {.shape = thing.shape,
                       .ink = Vary(Palette()[thing.colour].ink, ink_rng),
                       .material = thing.material,
                       .x = thing.x,
                       .y = thing.y,
                       .radius = thing.radius,
                       .turn = thing.turn});
  }
  media::Image image = canvas.ToImage();
  AddNoise(image, noise_rng, noise_rng.Int(0, 10) - 3);  // none in four of eleven
  return image;
}

bool Description::Fits(const Thing& thing) const {
  return (!shape || *shape == thing.shape) && (!colour || *colour == thing.colour) &&
         (!material || *material == thing.material) && (!big || *big == thing.big);
}

namespace {

std::string Words(const Description& description, std::string_view noun) {
  std::string text;
  const auto add = [&](std::string_view word) {
    if (!text.empty()) text += ' ';
    text += word;
  };
  if (description.big) add(*description.big ? "big" : "small");
  if (description.material) add(Name(*description.material));
  if (description.colour) add(Palette()[*description.colour].name);
  add(noun);
  return text;
}

}  // namespace

std::string Description::One() const { return Words(*this, shape ? Shapes()[*shape].one : "thing"); }
std::string Description::Many() const { return Words(*this, shape ? Shapes()[*shape].many : "things"); }

int64_t CountOf(const Scene& scene, const Description& description) {
  return std::count_if(scene.things.begin(), scene.things.end(),
                       [&](const Thing& thing) { return description.Fits(thing); });
}

std::optional<Description> Describe(const Scene& scene, size_t index, Rng& rng, std::optional<Attribute> hidden) {
  CHECK_LT(index, scene.things.size());
  const Thing& thing = scene.things[index];
  constexpr std::array<Attribute, 4> kAll = {Attribute::kShape, Attribute::kColour, Attribute::kMaterial,
                                             Attribute::kSize};
  // Sizes and patterns tell things apart only where they differ: a thing by itself is not "the small thing".
  const bool sizes_differ = CountOf(scene, {.big = thing.big}) < static_cast<int64_t>(scene.things.size());
  const bool materials_differ =
      CountOf(scene, {.material = thing.material}) < static_cast<int64_t>(scene.things.size());
  std::vector<Description> shortest;
  size_t parts = kAll.size() + 1;
  for (unsigned mask = 1; mask < 16; ++mask) {
    Description description;
    size_t used = 0;
    bool tells_hidden = false;
    for (size_t bit = 0; bit < kAll.size(); ++bit) {
      if ((mask >> bit & 1U) == 0) continue;
      ++used;
      tells_hidden = tells_hidden || hidden == kAll[bit];
      if (kAll[bit] == Attribute::kShape) description.shape = thing.shape;
      if (kAll[bit] == Attribute::kColour) description.colour = thing.colour;
      if (kAll[bit] == Attribute::kMaterial) description.material = thing.material;
      if (kAll[bit] == Attribute::kSize) description.big = thing.big;
    }
    if ((description.big && !sizes_differ) || (description.material && !materials_differ)) continue;
    if (tells_hidden || used > parts || CountOf(scene, description) != 1) continue;
    if (used < parts) shortest.clear();
    parts = used;
    shortest.push_back(description);
  }
  if (shortest.empty()) return std::nullopt;
  // A name is the common way to speak of a thing, even where its colour would do.
  for (const Description& description : shortest) {
    if (description.shape && rng.Chance(0.5)) return description;
  }
  return rng.Pick(shortest);
}

Side Opposite(Side side) {
  switch (side) {
    case Side::kLeft:
      return Side::kRight;
    case Side::kRight:
      return Side::kLeft;
    case Side::kAbove:
      return Side::kBelow;
    case Side::kBelow:
      return Side::kAbove;
  }
  CHECK(false);
  return side;
}

namespace {

struct Offset {
  double along = 0.0;   // how far `thing` lies to the side asked for
  double across = 0.0;  // how far it lies off on the other axis
};
Offset OffsetOf(const Thing& thing, Side side, const Thing& reference) {
  const double dx = thing.x - reference.x;
  const double dy = thing.y - reference.y;
  switch (side) {
    case Side::kLeft:
      return {-dx, std::abs(dy)};
    case Side::kRight:
      return {dx, std::abs(dy)};
    case Side::kAbove:
      return {-dy, std::abs(dx)};
    case Side::kBelow:
      return {dy, std::abs(dx)};
  }
  CHECK(false);
  return {};
}

}  // namespace

bool LiesClearly(const Thing& thing, Side side, const Thing& reference) {
  const Offset offset = OffsetOf(thing, side, reference);
  return offset.along >= thing.radius + reference.radius && offset.along >= 0.6 * offset.across;
}

bool LiesClearlyNot(const Thing& thing, Side side, const Thing& reference) {
  return OffsetOf(thing, side, reference).along <= 0.2 * reference.radius;
}

std::optional<Side> ClearSide(const Thing& thing, const Thing& reference, Rng& rng) {
  std::vector<Side> sides(kSides);
  rng.Shuffle(sides);
  for (const Side side : sides) {
    if (LiesClearly(thing, side, reference)) return side;
  }
  return std::nullopt;
}

std::string_view PhraseOf(Side side, Rng& rng) {
  switch (side) {
    case Side::kLeft:
      return rng.Pick({std::string_view("left of"), std::string_view("to the left of")});
    case Side::kRight:
      return rng.Pick({std::string_view("right of"), std::string_view("to the right of")});
    case Side::kAbove:
      return "above";
    case Side::kBelow:
      return rng.Pick({std::string_view("below"), std::string_view("under")});
  }
  CHECK(false);
  return {};
}

std::optional<std::string_view> PlaceOf(const Scene& scene, const Thing& thing) {
  static constexpr std::array<std::string_view, 9> kPlaces = {
      "top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"};
  // Thirds, less a margin on both sides of each border.
  const auto third = [](double position, int64_t length) -> std::optional<size_t> {
    const double share = position / static_cast<double>(length);
    if (share <= 0.28) return 0;
    if (share >= 0.41 && share <= 0.59) return 1;
    if (share >= 0.72) return 2;
    return std::nullopt;
  };
  const auto column = third(thing.x, scene.width);
  const auto row = third(thing.y, scene.height);
  if (!column || !row) return std::nullopt;
  return kPlaces[*row * 3 + *column];
}

}  // namespace galago::world
