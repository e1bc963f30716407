#ifndef GALAGO_TRAIN_WORLD_SHAPES_H_
#define GALAGO_TRAIN_WORLD_SHAPES_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "train/world/canvas.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// Shapes and simple objects drawn as one path in one colour.
namespace galago::world {

struct ShapeName {
  std::string_view one;
  std::string_view many;
};

// circle, square, triangle, star, heart, ring, cross, diamond, moon, house, tree, car, fish, cup, key, flower.
std::span<const ShapeName> Shapes();

enum class Material { kPlain, kStriped, kDotted, kOutlined };
inline constexpr size_t kMaterials = 4;
std::string_view Name(Material material);  // "plain", "striped", "dotted", "outlined"

// How one shape lies on the canvas.
struct ShapeLook {
  size_t shape = 0;  // index into Shapes()
  Ink ink;
  Material material = Material::kPlain;
  double x = 0.0, y = 0.0;  // centre
  double radius = 16.0;     // the shape lies within [-radius, radius] of its centre both ways, and fills it one way
  double turn = 0.0;        // radians, clockwise
};
// Patterned materials show their second tone (white, or dark on pale inks) between stripes or in dots; an outlined
// shape is filled with nothing.
void DrawShape(const Canvas& canvas, const ShapeLook& look);

// Colour and shape together, as (index into Palette(), index into Shapes()): one pair in seven is kept out of training,
// of every shape and of every colour some.
bool IsHeldOut(size_t colour, size_t shape);

struct Combination {
  size_t colour = 0;
  size_t shape = 0;
  bool operator==(const Combination&) const = default;
};
// A pair that the split may show: training never shows a held-out one, held-out samples show them half of the time.
Combination PickCombination(Rng& rng, Split split);
// The same with one half given.
size_t PickColourFor(size_t shape, Rng& rng, Split split);
size_t PickShapeFor(size_t colour, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SHAPES_H_
