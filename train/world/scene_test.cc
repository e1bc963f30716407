#include "train/world/scene.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "train/world/palette.h"
#include "train/world/scenes.h"

namespace galago::world {
namespace {

TEST(Scene, ThingsLieInsideApartAndLargeEnough) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    Rng rng(5);
    for (int i = 0; i < 3000; ++i) {
      const Scene scene = DrawScene(rng, split);
      EXPECT_LE(scene.things.size(), split == Split::kTrain ? 6U : 7U);
      for (size_t a = 0; a < scene.things.size(); ++a) {
        const Thing& thing = scene.things[a];
        EXPECT_GE(2 * thing.radius, 16);
        EXPECT_GE(std::min(thing.x, thing.y) - thing.radius, 0);
        EXPECT_LE(thing.x + thing.radius, static_cast<double>(scene.width));
        EXPECT_LE(thing.y + thing.radius, static_cast<double>(scene.height));
        for (size_t b = 0; b < a; ++b) {
          const Thing& other = scene.things[b];
          EXPECT_GE(std::max(std::abs(thing.x - other.x), std::abs(thing.y - other.y)),
                    thing.radius + other.radius + 3);
          if (thing.big && !other.big) {
            EXPECT_GE(thing.radius, 1.45 * other.radius);
          }
          if (thing.big == other.big) {
            EXPECT_LE(thing.radius, 1.25 * other.radius);
          }
        }
      }
    }
  }
}

TEST(Scene, TrainingNeverShowsHeldOutCombinations) {
  Rng rng(6);
  for (int i = 0; i < 5000; ++i) {
    for (const Thing& thing : DrawScene(rng, Split::kTrain).things) ASSERT_FALSE(IsHeldOut(thing.colour, thing.shape));
  }
  int held_out = 0;
  int all = 0;
  for (int i = 0; i < 1000; ++i) {
    for (const Thing& thing : DrawScene(rng, Split::kHeldout).things) {
      held_out += IsHeldOut(thing.colour, thing.shape) ? 1 : 0;
      ++all;
    }
  }
  EXPECT_NEAR(static_cast<double>(held_out) / all, 0.5, 0.05);
}

// red = 0, green = 1, blue = 2 in Palette(); circle = 0, square = 1, star = 3 in Shapes().
Scene ThreeThings() {
  Scene scene;
  scene.things = {
      {.shape = 3, .colour = 0, .x = 20, .y = 20, .radius = 10},
      {.shape = 3, .colour = 2, .x = 90, .y = 22, .radius = 10},
      {.shape = 0, .colour = 2, .material = Material::kDotted, .big = true, .x = 56, .y = 80, .radius = 18}};
  return scene;
}

TEST(Scene, DescriptionsFitOneThingAndHideWhatIsAsked) {
  const Scene scene = ThreeThings();
  Rng rng(7);
  for (int i = 0; i < 100; ++i) {
    const auto red_star = Describe(scene, 0, rng);
    ASSERT_TRUE(red_star.has_value());
    EXPECT_EQ(red_star->One(), "red thing");  // the only part that tells it from both others
    const auto star = Describe(scene, 1, rng);
    ASSERT_TRUE(star.has_value());
    EXPECT_EQ(CountOf(scene, *star), 1);
    const auto circle = Describe(scene, 2, rng, Attribute::kShape);
    ASSERT_TRUE(circle.has_value());
    EXPECT_FALSE(circle->shape.has_value());
    EXPECT_EQ(CountOf(scene, *circle), 1);
    EXPECT_EQ(Describe(scene, 0, rng, Attribute::kColour), std::nullopt);  // both stars are small and plain
  }
  Scene single;
  single.things = {scene.things[2]};
  for (int i = 0; i < 100; ++i) {
    // A thing by itself is neither "the big thing" nor "the dotted thing".
    const auto description = Describe(single, 0, rng);
    ASSERT_TRUE(description.has_value());
    EXPECT_FALSE(description->big.has_value());
    EXPECT_FALSE(description->material.has_value());
  }
}

TEST(Scene, Directions) {
  const Scene scene = ThreeThings();
  const Thing& red = scene.things[0];
  const Thing& blue = scene.things[1];
  const Thing& circle = scene.things[2];
  EXPECT_TRUE(LiesClearly(red, Side::kLeft, blue));
  EXPECT_FALSE(LiesClearly(blue, Side::kLeft, red));
  EXPECT_TRUE(LiesClearlyNot(blue, Side::kLeft, red));
  EXPECT_TRUE(LiesClearly(circle, Side::kBelow, red));
  EXPECT_TRUE(LiesClearly(red, Side::kAbove, circle));
  // Two pixels higher is neither above nor clearly not above.
  EXPECT_FALSE(LiesClearly(red, Side::kAbove, blue));
  EXPECT_TRUE(LiesClearlyNot(red, Side::kAbove, blue));
  for (const Side side : kSides) EXPECT_EQ(Opposite(Opposite(side)), side);
}

TEST(Scene, Places) {
  const Scene scene = ThreeThings();
  EXPECT_EQ(PlaceOf(scene, scene.things[0]), "top left");
  EXPECT_EQ(PlaceOf(scene, scene.things[1]), "top right");
  EXPECT_EQ(PlaceOf(scene, scene.things[2]), std::nullopt);  // between middle and bottom by its height of 80 in 112
  EXPECT_EQ(PlaceOf(scene, {.x = 56, .y = 56}), "middle");
  EXPECT_EQ(PlaceOf(scene, {.x = 100, .y = 56}), "right");
}

TEST(Scene, MovesFarAndWithoutTouching) {
  Rng rng(8);
  int moved = 0;
  for (int i = 0; i < 300; ++i) {
    Scene scene = DrawScene(rng, Split::kTrain, {.least = 2, .most = 4, .large = false});
    const Scene before = scene;
    if (!Move(scene, 0, 40, rng)) {
      EXPECT_EQ(scene.things, before.things);
      continue;
    }
    ++moved;
    const Thing& thing = scene.things[0];
    EXPECT_GE(std::hypot(thing.x - before.things[0].x, thing.y - before.things[0].y), 40);
    for (size_t j = 1; j < scene.things.size(); ++j) {
      const Thing& other = scene.things[j];
      EXPECT_EQ(other, before.things[j]);
      EXPECT_GE(std::max(std::abs(thing.x - other.x), std::abs(thing.y - other.y)), thing.radius + other.radius);
    }
  }
  EXPECT_GE(moved, 75);  // where there is room
}

// One thing more must not change the background, or "what changed?" could be answered without looking at things.
TEST(Scene, PicturesOfOneStateShareTheirBackground) {
  Scene with = ThreeThings();
  Scene without = with;
  without.things.pop_back();
  const Rng state(9);
  Rng first = state;
  Rng second = state;
  const media::Image a = PaintScene(with, first, Split::kTrain, with.things);
  const media::Image b = PaintScene(without, second, Split::kTrain, with.things);
  const Thing& gone = with.things.back();
  int64_t differing = 0;
  for (int64_t y = 0; y < a.height; ++y) {
    for (int64_t x = 0; x < a.width; ++x) {
      const bool equal = std::equal(a.Row(y) + 3 * x, a.Row(y) + 3 * x + 3, b.Row(y) + 3 * x);
      const bool near = std::abs(static_cast<double>(x) - gone.x) <= gone.radius + 2 &&
                        std::abs(static_cast<double>(y) - gone.y) <= gone.radius + 2;
      if (!near) {
        EXPECT_TRUE(equal) << x << ", " << y;
      }
      differing += equal ? 0 : 1;
    }
  }
  EXPECT_GT(differing, 500);
}

// A thing must stand off from what lies behind it: the picture with it and the same without it differ clearly where it
// is.
TEST(Scene, EveryColourStandsOffFromItsBackground) {
  Rng rng(10);
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (size_t colour = 0; colour < Palette().size(); ++colour) {
      for (int i = 0; i < 20; ++i) {
        Scene scene;
        scene.things = {{.shape = 1, .colour = colour, .x = 56, .y = 56, .radius = 18}};
        Rng own(rng.Next());
        const media::Image image = PaintScene(scene, own, split);
        const auto ink = [&](int64_t x, int64_t y) {
          const uint8_t* pixel = image.Row(y) + 3 * x;
          return Ink{pixel[0] / 255.0, pixel[1] / 255.0, pixel[2] / 255.0};
        };
        EXPECT_GT(Distance(ink(56, 56), ink(28, 56)), 0.12) << Palette()[colour].name;
      }
    }
  }
}

}  // namespace
}  // namespace galago::world
