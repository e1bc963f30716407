#include "train/world/shapes.h"

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "src/base/check.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr double kPi = std::numbers::pi;

// All paths lie within [-1, 1] both ways. Holes (windows, eyes) come from the even-odd rule, so parts must not overlap
// except as holes.
void Ellipse(cairo_t* cairo, double x, double y, double width, double height) {
  cairo_save(cairo);
  cairo_translate(cairo, x, y);
  cairo_scale(cairo, width, height);
  cairo_new_sub_path(cairo);
  cairo_arc(cairo, 0, 0, 1, 0, 2 * kPi);
  cairo_close_path(cairo);
  cairo_restore(cairo);
}

struct Point {
  double x, y;
};
void Polygon(cairo_t* cairo, std::initializer_list<Point> points) {
  cairo_new_sub_path(cairo);
  for (const Point& point : points) cairo_line_to(cairo, point.x, point.y);
  cairo_close_path(cairo);
}

void Circle(cairo_t* cairo) { Ellipse(cairo, 0, 0, 1, 1); }
void Square(cairo_t* cairo) { cairo_rectangle(cairo, -0.9, -0.9, 1.8, 1.8); }
void Triangle(cairo_t* cairo) { Polygon(cairo, {{0, -0.95}, {1, 0.85}, {-1, 0.85}}); }
void Diamond(cairo_t* cairo) { Polygon(cairo, {{0, -1}, {0.72, 0}, {0, 1}, {-0.72, 0}}); }

void Star(cairo_t* cairo) {
  cairo_new_sub_path(cairo);
  for (int i = 0; i < 10; ++i) {
    const double radius = i % 2 == 0 ? 1.0 : 0.42;
    const double angle = -kPi / 2 + i * kPi / 5;
    cairo_line_to(cairo, radius * std::cos(angle), radius * std::sin(angle));
  }
  cairo_close_path(cairo);
}

void Heart(cairo_t* cairo) {
  cairo_new_sub_path(cairo);
  cairo_move_to(cairo, 0, 0.95);
  cairo_curve_to(cairo, -0.5, 0.5, -1, 0.15, -1, -0.35);
  cairo_curve_to(cairo, -1, -0.8, -0.7, -0.9, -0.5, -0.9);
  cairo_curve_to(cairo, -0.25, -0.9, -0.08, -0.75, 0, -0.5);
  cairo_curve_to(cairo, 0.08, -0.75, 0.25, -0.9, 0.5, -0.9);
  cairo_curve_to(cairo, 0.7, -0.9, 1, -0.8, 1, -0.35);
  cairo_curve_to(cairo, 1, 0.15, 0.5, 0.5, 0, 0.95);
  cairo_close_path(cairo);
}

void Ring(cairo_t* cairo) {
  Ellipse(cairo, 0, 0, 1, 1);
  Ellipse(cairo, 0, 0, 0.55, 0.55);
}

void Cross(cairo_t* cairo) {
  constexpr double kArm = 0.33;
  Polygon(cairo, {{-kArm, -1},
                  {kArm, -1},
                  {kArm, -kArm},
                  {1, -kArm},
                  {1, kArm},
                  {kArm, kArm},
                  {kArm, 1},
                  {-kArm, 1},
                  {-kArm, kArm},
                  {-1, kArm},
                  {-1, -kArm},
                  {-kArm, -kArm}});
}

void Moon(cairo_t* cairo) {
  cairo_new_sub_path(cairo);
  cairo_arc(cairo, 0.1, 0, 1, kPi * 0.3, kPi * 1.7);
  // The inner side runs back from horn to horn.
  const double x = 0.1 + std::cos(kPi * 0.3);
  const double y = std::sin(kPi * 0.3);
  cairo_curve_to(cairo, -0.45, -0.55, -0.45, 0.55, x, y);
  cairo_close_path(cairo);
}

void House(cairo_t* cairo) {
  Polygon(cairo, {{0, -1}, {1, -0.12}, {0.78, -0.12}, {0.78, 0.95}, {-0.78, 0.95}, {-0.78, -0.12}, {-1, -0.12}});
  cairo_rectangle(cairo, -0.5, 0.3, 0.42, 0.65);
  cairo_rectangle(cairo, 0.12, 0.05, 0.42, 0.38);
}

void Tree(cairo_t* cairo) {
  Polygon(cairo, {{0, -1},
                  {0.5, -0.35},
                  {0.28, -0.35},
                  {0.72, 0.15},
                  {0.42, 0.15},
                  {0.9, 0.62},
                  {0.17, 0.62},
                  {0.17, 1},
                  {-0.17, 1},
                  {-0.17, 0.62},
                  {-0.9, 0.62},
                  {-0.42, 0.15},
                  {-0.72, 0.15},
                  {-0.28, -0.35},
                  {-0.5, -0.35}});
}

void Car(cairo_t* cairo) {
  cairo_new_sub_path(cairo);
  for (const Point& point :
       {Point{-1, 0.42}, {-1, 0}, {-0.72, -0.1}, {-0.45, -0.55}, {0.4, -0.55}, {0.66, -0.1}, {1, 0.05}, {1, 0.42}}) {
    cairo_line_to(cairo, point.x, point.y);
  }
  cairo_close_path(cairo);
  Polygon(cairo, {{-0.48, -0.1}, {-0.32, -0.4}, {-0.06, -0.4}, {-0.06, -0.1}});
  Polygon(cairo, {{0.08, -0.1}, {0.08, -0.4}, {0.3, -0.4}, {0.45, -0.1}});
  Ellipse(cairo, -0.52, 0.7, 0.25, 0.25);
  Ellipse(cairo, 0.52, 0.7, 0.25, 0.25);
}

void Fish(cairo_t* cairo) {
  cairo_new_sub_path(cairo);
  cairo_move_to(cairo, -1, 0);
  cairo_curve_to(cairo, -0.75, -0.7, 0.1, -0.75, 0.48, -0.12);
  cairo_line_to(cairo, 1, -0.6);
  cairo_line_to(cairo, 1, 0.6);
  cairo_line_to(cairo, 0.48, 0.12);
  cairo_curve_to(cairo, 0.1, 0.75, -0.75, 0.7, -1, 0);
  cairo_close_path(cairo);
  Ellipse(cairo, -0.58, -0.12, 0.12, 0.12);
}

void Cup(cairo_t* cairo) {
  Polygon(cairo, {{-0.9, -0.75}, {0.42, -0.75}, {0.28, 0.8}, {-0.76, 0.8}});
  // The handle: a bent band beside the body.
  cairo_new_sub_path(cairo);
  cairo_move_to(cairo, 0.47, -0.5);
  cairo_curve_to(cairo, 1.15, -0.6, 1.15, 0.5, 0.39, 0.45);
  cairo_line_to(cairo, 0.41, 0.2);
  cairo_curve_to(cairo, 0.76, 0.22, 0.76, -0.3, 0.45, -0.26);
  cairo_close_path(cairo);
}

void Key(cairo_t* cairo) {
  Ellipse(cairo, -0.55, 0, 0.45, 0.45);
  Ellipse(cairo, -0.55, 0, 0.19, 0.19);
  Polygon(cairo, {{-0.11, -0.12},
                  {1, -0.12},
                  {1, 0.45},
                  {0.78, 0.45},
                  {0.78, 0.12},
                  {0.6, 0.12},
                  {0.6, 0.38},
                  {0.38, 0.38},
                  {0.38, 0.12},
                  {-0.11, 0.12}});
}

void Flower(cairo_t* cairo) {
  // Five petals as one outline, and the hole of its middle.
  cairo_new_sub_path(cairo);
  constexpr int kSteps = 60;
  for (int i = 0; i < kSteps; ++i) {
    const double angle = -kPi / 2 + 2 * kPi * i / kSteps;
    const double radius = 0.55 + 0.45 * std::abs(std::cos(2.5 * (angle + kPi / 2)));
    cairo_line_to(cairo, radius * std::cos(angle), radius * std::sin(angle));
  }
  cairo_close_path(cairo);
  Ellipse(cairo, 0, 0, 0.24, 0.24);
}

struct Shape {
  ShapeName name;
  void (*trace)(cairo_t*);
};
constexpr std::array<Shape, 16> kShapes = {{{{"circle", "circles"}, Circle},
                                            {{"square", "squares"}, Square},
                                            {{"triangle", "triangles"}, Triangle},
                                            {{"star", "stars"}, Star},
                                            {{"heart", "hearts"}, Heart},
                                            {{"ring", "rings"}, Ring},
                                            {{"cross", "crosses"}, Cross},
                                            {{"diamond", "diamonds"}, Diamond},
                                            {{"moon", "moons"}, Moon},
                                            {{"house", "houses"}, House},
                                            {{"tree", "trees"}, Tree},
                                            {{"car", "cars"}, Car},
                                            {{"fish", "fish"}, Fish},
                                            {{"cup", "cups"}, Cup},
                                            {{"key", "keys"}, Key},
                                            {{"flower", "flowers"}, Flower}}};

constexpr std::array<ShapeName, kShapes.size()> kNames = [] {
  std::array<ShapeName, kShapes.size()> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kShapes[i].name;
  return names;
}();

// Stripes or dots over the shape's square; the caller has clipped to the shape. Steps are in shape units but never
// finer than pixels can show.
void DrawPattern(const Canvas& canvas, const ShapeLook& look, const Ink& tone) {
  cairo_t* cairo = canvas.cairo();
  canvas.SetInk(tone);
  const double step = std::max(0.5, 7.0 / look.radius);
  if (look.material == Material::kStriped) {
    for (double x = -2 + step / 2; x < 2; x += step) {
      Polygon(cairo, {{x - 1, 1}, {x - 1 + step * 0.42, 1}, {x + 1 + step * 0.42, -1}, {x + 1, -1}});
    }
  } else {
    int row = 0;
    for (double y = -1; y <= 1.01; y += step * 0.8, ++row) {
      for (double x = -1 + (row % 2 == 0 ? 0 : step / 2); x <= 1.01; x += step) {
        Ellipse(cairo, x, y, step * 0.24, step * 0.24);
      }
    }
  }
  cairo_fill(cairo);
}

}  // namespace

std::span<const ShapeName> Shapes() { return kNames; }

std::string_view Name(Material material) {
  switch (material) {
    case Material::kPlain:
      return "plain";
    case Material::kStriped:
      return "striped";
    case Material::kDotted:
      return "dotted";
    case Material::kOutlined:
      return "outlined";
  }
  CHECK(false);
  return {};
}

void DrawShape(const Canvas& canvas, const ShapeLook& look) {
  CHECK_LT(look.shape, kShapes.size());
  cairo_t* cairo = canvas.cairo();
  cairo_save(cairo);
  cairo_translate(cairo, look.x, look.y);
  cairo_rotate(cairo, look.turn);
  cairo_scale(cairo, look.radius, look.radius);
  cairo_set_fill_rule(cairo, CAIRO_FILL_RULE_EVEN_ODD);
  cairo_new_path(cairo);
  kShapes[look.shape].trace(cairo);
  canvas.SetInk(look.ink);
  if (look.material == Material::kOutlined) {
    cairo_set_line_width(cairo, std::max(0.16, 2.2 / look.radius));
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(cairo);
  } else if (look.material == Material::kPlain) {
    cairo_fill(cairo);
  } else {
    cairo_fill_preserve(cairo);
    cairo_save(cairo);
    cairo_clip(cairo);
    const bool pale = Distance(look.ink, {1, 1, 1}) < 0.3;
    DrawPattern(canvas, look, pale ? Ink{0.25, 0.25, 0.28} : Ink{1, 1, 1});
    cairo_restore(cairo);
    // The rim keeps the silhouette whole where the pattern's tone is near the background's.
    cairo_new_path(cairo);
    kShapes[look.shape].trace(cairo);
    canvas.SetInk(look.ink);
    cairo_set_line_width(cairo, 2.0 / look.radius);
    cairo_stroke(cairo);
  }
  cairo_restore(cairo);
}

bool IsHeldOut(size_t colour, size_t shape) { return (colour + 3 * shape) % 7 == 0; }

namespace {

template <class Allowed>
size_t PickIndex(size_t count, Rng& rng, const Allowed& allowed) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < count; ++i) {
    if (allowed(i)) indices.push_back(i);
  }
  return rng.Pick(indices);
}

bool WantsHeldOut(Rng& rng, Split split) { return split == Split::kHeldout && rng.Chance(0.5); }

}  // namespace

Combination PickCombination(Rng& rng, Split split) {
  const auto shape = static_cast<size_t>(rng.Int(0, static_cast<int64_t>(kShapes.size()) - 1));
  return {PickColourFor(shape, rng, split), shape};
}

size_t PickColourFor(size_t shape, Rng& rng, Split split) {
  const bool held_out = WantsHeldOut(rng, split);
  return PickIndex(Palette().size(), rng, [&](size_t colour) { return IsHeldOut(colour, shape) == held_out; });
}

size_t PickShapeFor(size_t colour, Rng& rng, Split split) {
  const bool held_out = WantsHeldOut(rng, split);
  return PickIndex(kShapes.size(), rng, [&](size_t shape) { return IsHeldOut(colour, shape) == held_out; });
}

}  // namespace galago::world
