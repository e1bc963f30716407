#include "train/world/shapes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr double kRadius = 16;

media::Image Draw(size_t shape, Material material) {
  const Canvas canvas(40, 40, {1, 1, 1});
  DrawShape(canvas, {.shape = shape, .ink = {0, 0, 0.5}, .material = material, .x = 20, .y = 20, .radius = kRadius});
  return canvas.ToImage();
}

bool IsInk(const media::Image& image, int64_t x, int64_t y) { return image.Row(y)[3 * x] < 128; }

TEST(Shapes, FillTheirBoxAndStayInIt) {
  for (size_t shape = 0; shape < Shapes().size(); ++shape) {
    const media::Image image = Draw(shape, Material::kPlain);
    int64_t left = 40;
    int64_t right = -1;
    int64_t top = 40;
    int64_t bottom = -1;
    for (int64_t y = 0; y < 40; ++y) {
      for (int64_t x = 0; x < 40; ++x) {
        if (!IsInk(image, x, y)) continue;
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    EXPECT_GE(std::min(left, top), 4) << Shapes()[shape].one;
    EXPECT_LE(std::max(right, bottom), 35) << Shapes()[shape].one;
    EXPECT_GE(std::max(right - left, bottom - top) + 1, 28) << Shapes()[shape].one;
  }
}

TEST(Shapes, LookDifferent) {
  std::vector<media::Image> images;
  for (size_t shape = 0; shape < Shapes().size(); ++shape) images.push_back(Draw(shape, Material::kPlain));
  for (size_t a = 0; a < images.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      int64_t differing = 0;
      for (int64_t y = 0; y < 40; ++y) {
        for (int64_t x = 0; x < 40; ++x) differing += IsInk(images[a], x, y) != IsInk(images[b], x, y) ? 1 : 0;
      }
      EXPECT_GT(differing, 80) << Shapes()[a].one << " and " << Shapes()[b].one;
    }
  }
}

TEST(Shapes, MaterialsLookDifferent) {
  for (size_t shape = 0; shape < Shapes().size(); ++shape) {
    std::set<std::vector<uint8_t>> looks;
    for (size_t i = 0; i < kMaterials; ++i) looks.insert(Draw(shape, static_cast<Material>(i)).rgb);
    EXPECT_EQ(looks.size(), kMaterials) << Shapes()[shape].one;
  }
}

TEST(Palette, ColoursLieApartEvenWhenVaried) {
  Rng rng(1);
  for (size_t a = 0; a < Palette().size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      for (int i = 0; i < 50; ++i) {
        EXPECT_GT(Distance(Vary(Palette()[a].ink, rng), Vary(Palette()[b].ink, rng)), 0.12)
            << Palette()[a].name << " and " << Palette()[b].name;
      }
    }
  }
}

TEST(Combinations, OneInSevenIsHeldOutOfEveryShapeAndColour) {
  size_t held_out = 0;
  for (size_t shape = 0; shape < Shapes().size(); ++shape) {
    size_t of_shape = 0;
    for (size_t colour = 0; colour < Palette().size(); ++colour) of_shape += IsHeldOut(colour, shape) ? 1 : 0;
    EXPECT_GE(of_shape, 1U);
    EXPECT_LE(of_shape, 2U);
    held_out += of_shape;
  }
  for (size_t colour = 0; colour < Palette().size(); ++colour) {
    size_t of_colour = 0;
    for (size_t shape = 0; shape < Shapes().size(); ++shape) of_colour += IsHeldOut(colour, shape) ? 1 : 0;
    EXPECT_GE(of_colour, 2U);
  }
  EXPECT_NEAR(static_cast<double>(held_out), static_cast<double>(Shapes().size() * Palette().size()) / 7, 1.0);
}

TEST(Combinations, TrainingPicksNoHeldOutOnes) {
  Rng rng(2);
  int held_out = 0;
  constexpr int kPicks = 4000;
  for (int i = 0; i < kPicks; ++i) {
    const Combination train = PickCombination(rng, Split::kTrain);
    EXPECT_FALSE(IsHeldOut(train.colour, train.shape));
    EXPECT_FALSE(IsHeldOut(train.colour, PickShapeFor(train.colour, rng, Split::kTrain)));
    const Combination other = PickCombination(rng, Split::kHeldout);
    held_out += IsHeldOut(other.colour, other.shape) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(held_out) / kPicks, 0.5, 0.04);
}

}  // namespace
}  // namespace galago::world
