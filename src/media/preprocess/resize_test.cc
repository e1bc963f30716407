#include "src/media/preprocess/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "src/base/hash.h"
#include "src/base/json.h"

namespace galago::media {
namespace {

// The picture of the goldens: channels by formula.
Image FormulaImage(int64_t width, int64_t height) {
  Image image(width, height);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      uint8_t* pixel = image.Row(y) + 3 * x;
      pixel[0] = static_cast<uint8_t>(5 * x + 3 * y);
      pixel[1] = static_cast<uint8_t>(x * x + 7 * y);
      pixel[2] = static_cast<uint8_t>(x * y + 11 * x);
    }
  }
  return image;
}

Image RandomImage(int64_t width, int64_t height, bool extreme) {
  Image image(width, height);
  std::minstd_rand random(static_cast<uint32_t>(width * 1000 + height));
  for (uint8_t& sample : image.rgb) {
    sample = extreme ? static_cast<uint8_t>(random() % 2 * 255) : static_cast<uint8_t>(random() >> 8);
  }
  return image;
}

uint64_t Hash(const Image& image) { return Fnv1a64(std::as_bytes(std::span(image.rgb))); }

// Pillow's algorithm on one line, written down as the specification has it: the oracle of the fast passes.
std::vector<uint8_t> ResizeLine(const std::vector<uint8_t>& line, int64_t out_size) {
  const auto in_size = static_cast<int64_t>(line.size());
  if (in_size == out_size) return line;
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  const double filter_scale = std::max(scale, 1.0), support = 2.0 * filter_scale;
  std::vector<uint8_t> out;
  for (int64_t o = 0; o < out_size; ++o) {
    const double center = (static_cast<double>(o) + 0.5) * scale;
    const int64_t low = std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5));
    const int64_t high = std::min(in_size, static_cast<int64_t>(center + support + 0.5));
    std::vector<double> weights;
    double total = 0.0;
    for (int64_t i = low; i < high; ++i) {
      const double t = std::abs((static_cast<double>(i) - center + 0.5) * (1.0 / filter_scale));
      weights.push_back(t < 1   ? ((-0.5 + 2) * t - (-0.5 + 3)) * t * t + 1
                        : t < 2 ? (((t - 5) * t + 8) * t - 4) * -0.5
                                : 0.0);
      total += weights.back();
    }
    int64_t sum = 1 << 21;
    for (int64_t i = low; i < high; ++i) {
      const double weight = weights[static_cast<size_t>(i - low)] / total * 4194304.0;
      sum += line[static_cast<size_t>(i)] * static_cast<int64_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    out.push_back(static_cast<uint8_t>(std::clamp<int64_t>(sum >> 22, 0, 255)));
  }
  return out;
}

Image ResizeReference(const Image& image, int64_t width, int64_t height) {
  Image middle(width, image.height), out(width, height);
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t y = 0; y < image.height; ++y) {
      std::vector<uint8_t> line;
      for (int64_t x = 0; x < image.width; ++x) line.push_back(image.Row(y)[3 * x + c]);
      line = ResizeLine(line, width);
      for (int64_t x = 0; x < width; ++x) middle.Row(y)[3 * x + c] = line[static_cast<size_t>(x)];
    }
    for (int64_t x = 0; x < width; ++x) {
      std::vector<uint8_t> line;
      for (int64_t y = 0; y < image.height; ++y) line.push_back(middle.Row(y)[3 * x + c]);
      line = ResizeLine(line, height);
      for (int64_t y = 0; y < height; ++y) out.Row(y)[3 * x + c] = line[static_cast<size_t>(y)];
    }
  }
  return out;
}

Image Padded(const Image& image, const Canvas& canvas) {
  Image out(canvas.width, canvas.height);
  for (int64_t y = 0; y < canvas.height; ++y) {
    for (int64_t x = 0; x < canvas.width; ++x) {
      std::copy_n(canvas.fill.data(), 3, out.Row(y) + 3 * x);
    }
  }
  for (int64_t y = 0; y < image.height; ++y) {
    std::copy_n(image.Row(y), image.width * 3, out.Row(canvas.y + y) + 3 * canvas.x);
  }
  return out;
}

std::string HashText(const Image& image) {
  std::string text(16, '0');
  for (size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[Hash(image) >> (60 - 4 * i) & 15];
  return text;
}

struct Sums {
  int64_t r = 0, g = 0, b = 0;
  bool operator==(const Sums&) const = default;
};
Sums ChannelSums(const Image& image) {
  Sums sums;
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    sums.r += image.rgb[i];
    sums.g += image.rgb[i + 1];
    sums.b += image.rgb[i + 2];
  }
  return sums;
}

// Values of Pillow 9.4.0.
TEST(ResizeBicubic, EqualsPillowOnPaddedPictures) {
  struct Case {
    int64_t width, height;
    uint64_t hash;
    Sums sums;
    std::array<int, 3> pixel;  // at (167, 168)
  };
  const Case cases[] = {
      {50, 30, 0xa101969eb3870013, {14256371, 13794584, 12890407}, {166, 201, 113}},
      {700, 500, 0x6b47e1b6b2936d79, {14219876, 14013503, 13493131}, {190, 176, 124}},
      {401, 640, 0x8472d11d6053f5b2, {14169235, 13899073, 13252009}, {167, 88, 101}},
      {336, 336, 0x53580be50c53a325, {14401280, 14362368, 14154688}, {59, 137, 197}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(testing::Message() << test.width << " x " << test.height);
    const Image image = FormulaImage(test.width, test.height);
    const Image out = ResizeBicubic(image, SquareCanvas(test.width, test.height, {122, 116, 104}), 336, 336,
                                    {.width = 336, .height = 336});
    EXPECT_EQ(ChannelSums(out), test.sums);
    EXPECT_THAT(std::vector<int>(out.Row(168) + 3 * 167, out.Row(168) + 3 * 168),
                testing::ElementsAreArray(test.pixel));
    EXPECT_EQ(Hash(out), test.hash);
  }
}

// Recorded with Pillow 10: from version 13 on tall pictures go through the vertical pass first
// (python-pillow/Pillow#9549), which the reference programs predate.
TEST(ResizeBicubic, EqualsEveryRecordedResize) {
  const Json goldens = *ReadJsonFile(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/pillow/pillow.json");
  ASSERT_GT(goldens["resize_bicubic"].size(), 40u);
  for (const Json& test : goldens["resize_bicubic"]) {
    EXPECT_EQ(HashText(ResizeBicubic(FormulaImage(test["w"], test["h"]), test["w2"], test["h2"])),
              test["fnv64"].get<std::string>())
        << test;
  }
  // A canvas at its own size is the padded picture.
  for (const Json& test : goldens["expand2square"]) {
    const Colour fill = test["fill"].get<Colour>();
    const int64_t side = test["side"];
    const Image out = ResizeBicubic(FormulaImage(test["w"], test["h"]), SquareCanvas(test["w"], test["h"], fill), side,
                                    side, {.width = side, .height = side});
    EXPECT_EQ(HashText(out), test["fnv64"]) << test;
  }
}

TEST(ResizeBicubic, EqualsPillowOnWindows) {
  const Image wide = ResizeBicubic(FormulaImage(700, 500), {.width = 700, .height = 500}, 470, 336, {67, 0, 336, 336});
  EXPECT_EQ(Hash(wide), 0xef1870c7fe2ba8a3);
  EXPECT_EQ(ChannelSums(wide), (Sums{14399527, 14380932, 14193025}));
  const Image tall = ResizeBicubic(FormulaImage(401, 640), {.width = 401, .height = 640}, 336, 536, {0, 100, 336, 336});
  EXPECT_EQ(Hash(tall), 0x5a5e91632c53b09c);
  EXPECT_EQ(ChannelSums(tall), (Sums{14384137, 14394656, 14142894}));
}

TEST(ResizeBicubic, EqualsTheReferenceOverAwkwardSizes) {
  const int64_t sizes[] = {1, 2, 3, 5, 16, 17, 31, 33, 64, 97};
  ThreadPool pool(3);
  for (const int64_t in_width : sizes) {
    for (const int64_t in_height : {1, 15, 16, 50}) {
      const Image image = RandomImage(in_width, in_height, (in_width + in_height) % 2 == 0);
      for (const int64_t out_width : {1, 7, 16, 33, 64}) {
        for (const int64_t out_height : {1, 15, 32}) {
          const Image want = ResizeReference(image, out_width, out_height);
          EXPECT_EQ(ResizeBicubic(image, out_width, out_height), want)
              << in_width << " x " << in_height << " -> " << out_width << " x " << out_height;
          EXPECT_EQ(ResizeBicubic(image, out_width, out_height, &pool), want);
        }
      }
    }
  }
}

TEST(ResizeBicubic, CanvasEqualsAPictureThatWasReallyPadded) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 90}, {90, 1}, {57, 41}, {33, 64}, {20, 21}}) {
    const Image image = RandomImage(width, height, true);
    const Canvas canvas = SquareCanvas(width, height, {127, 3, 255});
    for (const int64_t size : {1, 16, 28, 100}) {
      const Image want = ResizeReference(Padded(image, canvas), size, size);
      EXPECT_EQ(ResizeBicubic(image, canvas, size, size, {.width = size, .height = size}), want)
          << width << " x " << height << " -> " << size;
    }
  }
}

TEST(ResizeBicubic, WindowIsThePartOfTheWhole) {
  const Image image = RandomImage(61, 43, false);
  const Image whole = ResizeBicubic(image, 100, 77);
  const Window window = {13, 20, 50, 31};
  const Image part = ResizeBicubic(image, {.width = 61, .height = 43}, 100, 77, window);
  for (int64_t y = 0; y < window.height; ++y) {
    for (int64_t s = 0; s < window.width * 3; ++s) {
      ASSERT_EQ(part.Row(y)[s], whole.Row(window.y + y)[3 * window.x + s]) << s << "," << y;
    }
  }
}

TEST(ResizeBicubic, SameSizeIsTheSamePictureAndPlainStaysPlain) {
  const Image image = RandomImage(40, 30, false);
  EXPECT_EQ(ResizeBicubic(image, 40, 30), image);
  Image plain(50, 20);
  for (size_t i = 0; i < plain.rgb.size(); ++i) plain.rgb[i] = static_cast<uint8_t>(50 + 100 * (i % 3));
  const Image out = ResizeBicubic(plain, 333, 7);
  for (size_t i = 0; i < out.rgb.size(); ++i) ASSERT_EQ(out.rgb[i], 50 + 100 * (i % 3));
}

// A strip padded to a square of 65500 x 65500 (12.9 GB) costs what its own pixels cost.
TEST(ResizeBicubic, LongStripsStaySmall) {
  const Image strip = FormulaImage(65500, 2);
  const Image out = ResizeBicubic(strip, SquareCanvas(65500, 2, {9, 9, 9}), 64, 64, {.width = 64, .height = 64});
  EXPECT_EQ(out.width, 64);
  EXPECT_EQ(out.Row(0)[0], 9);
}

}  // namespace
}  // namespace galago::media
