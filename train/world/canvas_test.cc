#include "train/world/canvas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace galago::world {
namespace {

TEST(Canvas, PaperAndInkKeepTheirChannels) {
  const Canvas canvas(5, 3, {1.0, 0.5, 0.0});
  canvas.SetInk({0.0, 0.0, 1.0});
  cairo_rectangle(canvas.cairo(), 1, 1, 2, 1);
  cairo_fill(canvas.cairo());
  const media::Image image = canvas.ToImage();
  ASSERT_EQ(image.width, 5);
  ASSERT_EQ(image.height, 3);
  for (int64_t y = 0; y < 3; ++y) {
    for (int64_t x = 0; x < 5; ++x) {
      const uint8_t* pixel = image.Row(y) + 3 * x;
      if (y == 1 && (x == 1 || x == 2)) {
        EXPECT_TRUE(pixel[0] == 0 && pixel[1] == 0 && pixel[2] == 255);
      } else {
        EXPECT_EQ(pixel[0], 255);
        EXPECT_NEAR(pixel[1], 128, 1);
        EXPECT_EQ(pixel[2], 0);
      }
    }
  }
}

// Left-most, right-most, top and bottom ink.
struct Bounds {
  int64_t left = INT64_MAX, right = -1, top = INT64_MAX, bottom = -1;
};
Bounds InkOf(const media::Image& image) {
  Bounds bounds;
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      if (image.Row(y)[3 * x] > 200) continue;
      bounds.left = std::min(bounds.left, x);
      bounds.right = std::max(bounds.right, x);
      bounds.top = std::min(bounds.top, y);
      bounds.bottom = std::max(bounds.bottom, y);
    }
  }
  return bounds;
}

TEST(Canvas, TextLiesInItsMeasuredBox) {
  const Canvas canvas(120, 60, {1, 1, 1});
  const TextStyle style = {.size = 20};
  const Extent extent = canvas.Measure("HxH", style);
  canvas.DrawText("HxH", style, 30, 10);
  const Bounds ink = InkOf(canvas.ToImage());
  EXPECT_GE(static_cast<double>(ink.left), 30 - 1);
  EXPECT_LE(static_cast<double>(ink.right), 30 + extent.width + 1);
  EXPECT_GE(static_cast<double>(ink.top), 10 - 1);
  EXPECT_LE(static_cast<double>(ink.bottom), 10 + extent.height + 1);
  EXPECT_GE(static_cast<double>(ink.right - ink.left), 0.7 * extent.width);
}

TEST(Canvas, TellsEachLetterAndWhereItStands) {
  const Canvas canvas(100, 100, {1, 1, 1});
  canvas.DrawText("a \u00e9", {.size = 20}, 10, 10);
  canvas.DrawTextCentred("II", {.size = 20}, 50, 50, 1.5707963267948966);
  const std::vector<Letter>& letters = canvas.letters();
  ASSERT_EQ(letters.size(), 4u);
  EXPECT_EQ(letters[0].text, "a");
  EXPECT_EQ(letters[1].text, "\u00e9");
  EXPECT_GT(letters[1].x, letters[0].x + 10);
  EXPECT_EQ(letters[1].y, letters[0].y);
  EXPECT_NEAR(letters[2].x, 50, 1e-6);  // turned by a right angle, one stands below the other
  EXPECT_NEAR(letters[2].x, letters[3].x, 1e-6);
  EXPECT_NEAR(letters[2].y + letters[3].y, 100, 0.1);
  EXPECT_LT(letters[2].y, letters[3].y);
}

TEST(Canvas, ALettersInkLiesAboutItsCentre) {
  constexpr double kSize = 20;
  for (const std::string text : {"H", "x", "8", "m", "g"}) {
    const Canvas canvas(60, 60, {1, 1, 1});
    canvas.DrawText(text, {.size = kSize}, 12.5, 17.5);
    const Bounds ink = InkOf(canvas.ToImage());
    const Letter& letter = canvas.letters().at(0);
    EXPECT_NEAR(static_cast<double>(ink.left + ink.right + 1) / 2, letter.x, 1.5) << text;
    // The box is that of the line: ascenders, and room below for descenders.
    EXPECT_NEAR(static_cast<double>(ink.top + ink.bottom + 1) / 2, letter.y, 0.25 * kSize) << text;
  }
}

TEST(Canvas, CentredTextTurnsAroundItsMiddle) {
  const Canvas level(100, 100, {1, 1, 1});
  level.DrawTextCentred("HHHH", {.size = 18}, 50, 50);
  const Bounds wide = InkOf(level.ToImage());
  const Canvas upright(100, 100, {1, 1, 1});
  upright.DrawTextCentred("HHHH", {.size = 18}, 50, 50, 1.5707963267948966);
  const Bounds tall = InkOf(upright.ToImage());
  EXPECT_NEAR(static_cast<double>(wide.left + wide.right) / 2, 50, 2);
  EXPECT_NEAR(static_cast<double>(tall.top + tall.bottom) / 2, 50, 2);
  EXPECT_NEAR(static_cast<double>(wide.right - wide.left), static_cast<double>(tall.bottom - tall.top), 2);
  EXPECT_GT(wide.right - wide.left, wide.bottom - wide.top);
}

TEST(Canvas, LargerBoldAndLongerTextIsWider) {
  const Canvas canvas(10, 10, {1, 1, 1});
  const double width = canvas.Measure("name", {.size = 20}).width;
  EXPECT_GT(canvas.Measure("name", {.size = 30}).width, 1.3 * width);
  EXPECT_GT(canvas.Measure("name", {.size = 20, .bold = true}).width, width);
  EXPECT_GT(canvas.Measure("name name", {.size = 20}).width, 1.9 * width);
  EXPECT_GT(canvas.Measure("a\nb", {.size = 20}).height, 1.8 * canvas.Measure("a", {.size = 20}).height);
}

TEST(Canvas, KnowsWhichFontsAreThere) {
  EXPECT_TRUE(HasFontFamily("DejaVu Sans"));
  EXPECT_FALSE(HasFontFamily("No Such Family"));
}

}  // namespace
}  // namespace galago::world
