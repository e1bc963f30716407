#include "src/media/preprocess/preprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <string>
#include <vector>

#include "src/base/hash.h"
#include "src/base/json.h"
#include "src/media/preprocess/resize.h"
#include "src/media/preprocess/tiling.h"

namespace galago::media {
namespace {

using spec::AspectMode;
using spec::MediaLayout;
using spec::PreprocessSpec;

PreprocessSpec Nvila() {
  return {.image_aspect_ratio = AspectMode::kDynamicS2,
          .size = 448,
          .rescale_factor = 0.00392156862745098,
          .scales = {448, 896, 1344}};
}
PreprocessSpec NvilaLite() {
  return {.image_aspect_ratio = AspectMode::kDynamic, .size = 448, .rescale_factor = 0.00392156862745098};
}
PreprocessSpec MobileVlm() {
  return {.image_aspect_ratio = AspectMode::kPad,
          .processor = spec::Processor::kShortestCrop,
          .size = 336,
          .rescale_factor = 0.00392156862745098,
          .image_mean = {0.48145466, 0.4578275, 0.40821073},
          .image_std = {0.26862954, 0.26130258, 0.27577711}};
}

Image Noise(int64_t width, int64_t height) {
  Image image(width, height);
  std::minstd_rand random(static_cast<uint32_t>(width + 31 * height));
  for (uint8_t& sample : image.rgb) sample = static_cast<uint8_t>(random() >> 8);
  return image;
}

float Normalised(uint8_t value, double mean, double std) {
  return (static_cast<float>(static_cast<double>(value) * 0.00392156862745098) - static_cast<float>(mean)) /
         static_cast<float>(std);
}

// Expects tile `tile` to be the square of `image` whose top left corner is (x, y), for SigLIP's constants.
void ExpectTile(const Preprocessed& got, int64_t tile, const Image& image, int64_t x, int64_t y) {
  const int64_t side = got.pixels.shape()[2];
  const float* pixels = got.pixels.f32().data() + tile * 3 * side * side;
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t row = 0; row < side; ++row) {
      for (int64_t column = 0; column < side; ++column) {
        const float want = Normalised(image.Row(y + row)[3 * (x + column) + c], 0.5, 0.5);
        ASSERT_EQ(pixels[(c * side + row) * side + column], want)
            << "tile " << tile << " channel " << c << " at " << column << "," << row;
      }
    }
  }
}

TEST(Preprocess, PadBottomRightPutsThePictureAtTheTopLeft) {
  PreprocessSpec spec = MobileVlm();
  const Image wide = Noise(336, 168);
  const auto centred = PreprocessImage(spec, wide, Turn::kOnlyImage);
  spec.pad_bottom_right = true;
  const auto top = PreprocessImage(spec, wide, Turn::kOnlyImage);
  ASSERT_TRUE(centred.ok() && top.ok());
  // A 336-pixel square needs no resizing, so rows of the picture move up by a quarter of it unchanged.
  for (int64_t i = 0; i < 168 * 336; ++i) ASSERT_EQ(top->pixels.f32()[i], centred->pixels.f32()[84 * 336 + i]) << i;
  EXPECT_EQ(top->pixels.f32()[335 * 336], centred->pixels.f32()[0]);
}

// The table of published sizes: grid of NVILA-Lite with its tiles, grid and tiles of NVILA.
TEST(PlanImage, GridsOfCommonSizes) {
  struct Case {
    int64_t width, height;
    TileGrid lite;
    int64_t lite_tiles;
    TileGrid s2;
    int64_t s2_tiles;
  };
  const Case cases[] = {
      {448, 448, {1, 1}, 1, {3, 3}, 14},   {300, 300, {1, 1}, 1, {3, 3}, 14},    {633, 633, {1, 1}, 1, {3, 3}, 14},
      {634, 634, {2, 2}, 5, {3, 3}, 14},   {896, 896, {2, 2}, 5, {3, 3}, 14},    {950, 950, {2, 2}, 5, {3, 3}, 14},
      {951, 951, {3, 3}, 10, {3, 3}, 14},  {1344, 1344, {3, 3}, 10, {3, 3}, 14}, {640, 480, {4, 3}, 13, {4, 3}, 17},
      {1024, 768, {4, 3}, 13, {4, 3}, 17}, {1280, 720, {4, 2}, 9, {4, 3}, 17},   {1920, 1080, {4, 2}, 9, {4, 3}, 17},
      {2000, 500, {4, 1}, 5, {6, 2}, 17},  {896, 1344, {2, 3}, 7, {3, 4}, 17},   {1344, 896, {3, 2}, 7, {4, 3}, 17},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(testing::Message() << test.width << " x " << test.height);
    const MediaLayout lite = *PlanImage(NvilaLite(), test.width, test.height, Turn::kOnlyImage);
    EXPECT_EQ(lite.tiles, test.lite_tiles);
    EXPECT_EQ(*lite.grid, (std::array{test.lite.columns, test.lite.rows}));
    EXPECT_FALSE(lite.block.has_value());
    const MediaLayout s2 = *PlanImage(Nvila(), test.width, test.height, Turn::kOnlyImage);
    EXPECT_EQ(s2.tiles, test.s2_tiles);
    EXPECT_EQ(*s2.grid, (std::array{test.s2.columns, test.s2.rows}));
    EXPECT_EQ(*s2.block, (std::array{test.s2.rows, test.s2.columns}));
  }
}

// Grids, blocks and tile counts of the official code.
TEST(PlanImage, EqualsTheRecordedTables) {
  const Json tables = *ReadJsonFile(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/vila_tables.json");
  const Json& grids = tables["nvila"]["grids"];
  ASSERT_GT(grids["dynamic"].size(), 50u);
  for (const Json& test : grids["dynamic"]) {
    const MediaLayout got = *PlanImage(NvilaLite(), test["width"], test["height"], Turn::kOnlyImage);
    EXPECT_EQ(*got.grid, (test["grid"].get<std::array<int64_t, 2>>())) << test;
    EXPECT_EQ(got.tiles, test["tiles"]) << test;
  }
  for (const Json& test : grids["dynamic_s2"]) {
    const MediaLayout got = *PlanImage(Nvila(), test["width"], test["height"], Turn::kOnlyImage);
    EXPECT_EQ(*got.grid, (test["grid"].get<std::array<int64_t, 2>>())) << test;
    EXPECT_EQ(*got.block, (test["block"].get<std::array<int64_t, 2>>())) << test;
    EXPECT_EQ(got.tiles, test["tiles"]) << test;
  }
  ASSERT_GT(grids["dynamic_side_56"].size(), 100u);
  for (const Json& test : grids["dynamic_side_56"]) {
    PreprocessSpec spec = NvilaLite();
    spec.size = test["side"];
    spec.max_tiles = test["max_tiles"];
    const MediaLayout got = *PlanImage(spec, test["width"], test["height"], Turn::kOnlyImage);
    EXPECT_EQ(*got.grid, (test["grid"].get<std::array<int64_t, 2>>())) << test;
    EXPECT_EQ(got.tiles, test["tiles"]) << test;
  }
}

TEST(PlanImage, SeveralImagesAreNotTiled) {
  EXPECT_EQ(*PlanImage(NvilaLite(), 1344, 896, Turn::kOneOfSeveral), MediaLayout{});
  EXPECT_EQ(*PlanImage(Nvila(), 1344, 896, Turn::kOneOfSeveral), MediaLayout{});
  EXPECT_EQ(*PlanImage(MobileVlm(), 1344, 896, Turn::kOnlyImage), MediaLayout{});
}

TEST(PlanImage, RefusesNonsense) {
  EXPECT_EQ(PlanImage(NvilaLite(), 0, 5, Turn::kOnlyImage).status().code(), StatusCode::kInvalidArgument);
  PreprocessSpec spec = NvilaLite();
  spec.size = 0;
  EXPECT_EQ(PlanImage(spec, 5, 5, Turn::kOnlyImage).status().code(), StatusCode::kInvalidArgument);
  spec = NvilaLite();
  spec.max_tiles = 1'000'000;
  EXPECT_EQ(PlanImage(spec, 5, 5, Turn::kOnlyImage).status().code(), StatusCode::kInvalidArgument);
  spec = Nvila();
  spec.scales = {};
  EXPECT_EQ(PlanImage(spec, 5, 5, Turn::kOnlyImage).status().code(), StatusCode::kInvalidArgument);
  spec.scales = {896, 448};
  EXPECT_EQ(PlanImage(spec, 5, 5, Turn::kOnlyImage).status().code(), StatusCode::kInvalidArgument);
  spec.scales = {1, 4096};
  EXPECT_EQ(PlanImage(spec, 5, 5, Turn::kOnlyImage).status().code(), StatusCode::kInvalidArgument);
  spec = NvilaLite();
  spec.min_tiles = 20;  // above max_tiles: no grid qualifies
  EXPECT_EQ(PlanImage(spec, 500, 5, Turn::kOnlyImage)->tiles, 1);
}

TEST(PreprocessImage, DynamicTilesAreRowMajorAndTheThumbnailIsLast) {
  PreprocessSpec spec = NvilaLite();
  spec.size = 32;
  const Image image = Noise(96, 64);
  const Preprocessed got = *PreprocessImage(spec, image, Turn::kOnlyImage);
  ASSERT_EQ(got.layout.tiles, 7);
  EXPECT_EQ(got.pixels.shape(), Shape({7, 3, 32, 32}));
  for (int64_t tile = 0; tile < 6; ++tile) ExpectTile(got, tile, image, tile % 3 * 32, tile / 3 * 32);
  ExpectTile(got, 6, ResizeBicubic(image, 32, 32), 0, 0);
}

TEST(PreprocessImage, DynamicS2ShowsEveryScaleInOrder) {
  PreprocessSpec spec = Nvila();
  spec.size = 16;
  spec.scales = {16, 32, 48};
  const Image image = Noise(90, 60);
  const Preprocessed got = *PreprocessImage(spec, image, Turn::kOnlyImage);
  ASSERT_EQ(got.layout.tiles, 1 + 4 + 12);
  ExpectTile(got, 0, ResizeBicubic(image, 16, 16), 0, 0);
  const Image second = ResizeBicubic(image, 32, 32);
  for (int64_t tile = 0; tile < 4; ++tile) ExpectTile(got, 1 + tile, second, tile % 2 * 16, tile / 2 * 16);
  const Image last = ResizeBicubic(image, 64, 48);
  for (int64_t tile = 0; tile < 12; ++tile) ExpectTile(got, 5 + tile, last, tile % 4 * 16, tile / 4 * 16);
}

TEST(PreprocessImage, SquashesWhenNothingElseIsAsked) {
  for (const AspectMode mode : {AspectMode::kResize, AspectMode::kProcessorOnly, AspectMode::kDynamic}) {
    PreprocessSpec spec = NvilaLite();
    spec.image_aspect_ratio = mode;
    spec.size = 24;
    const Image image = Noise(51, 37);
    const Preprocessed got = *PreprocessImage(spec, image, Turn::kOneOfSeveral);
    EXPECT_EQ(got.layout, MediaLayout{});
    ExpectTile(got, 0, ResizeBicubic(image, 24, 24), 0, 0);
  }
}

TEST(PreprocessImage, CropsTheMiddleOfTheShortestEdge) {
  PreprocessSpec spec = NvilaLite();
  spec.image_aspect_ratio = AspectMode::kProcessorOnly;
  spec.processor = spec::Processor::kShortestCrop;
  spec.size = 20;
  const Image wide = Noise(75, 41);  // 20 * 75 / 41 = 36.58 -> 36
  ExpectTile(*PreprocessImage(spec, wide, Turn::kOnlyImage), 0, ResizeBicubic(wide, 36, 20), 8, 0);
  const Image tall = Noise(41, 75);
  ExpectTile(*PreprocessImage(spec, tall, Turn::kOnlyImage), 0, ResizeBicubic(tall, 20, 36), 0, 8);
  // The middle of a picture a thousand times longer than high is found without making the whole.
  EXPECT_TRUE(PreprocessImage(spec, Noise(60000, 1), Turn::kOnlyImage).ok());
}

TEST(PreprocessImage, NormalisesThePadColour) {
  const Preprocessed got = *PreprocessImage(MobileVlm(), Noise(50, 30), Turn::kOnlyImage);
  const auto pixels = got.pixels.f32();
  EXPECT_NEAR(pixels[0], -0.011255, 1e-6);  // the first row is padding
  EXPECT_NEAR(pixels[336 * 336], -0.011196, 1e-6);
  EXPECT_NEAR(pixels[2 * 336 * 336], -0.001333, 1e-6);
  EXPECT_EQ(pixels[0], Normalised(122, 0.48145466, 0.26862954));
}

// Bits of every level of every channel as the official processors give them, and whole pictures.
TEST(PreprocessImage, EqualsTheOfficialProcessors) {
  const Json goldens = *ReadJsonFile(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/pillow/pillow.json");
  Image levels(16, 16);
  for (size_t i = 0; i < levels.rgb.size(); ++i) levels.rgb[i] = static_cast<uint8_t>(i / 3);
  for (const char* processor : {"clip", "siglip", "intern", "intern_clip_processor"}) {
    SCOPED_TRACE(processor);
    PreprocessSpec spec = processor == std::string("clip") ? MobileVlm() : NvilaLite();
    spec.image_aspect_ratio = AspectMode::kResize;
    spec.size = 16;
    if (std::string(processor).starts_with("intern")) {
      spec.image_mean = {0.485, 0.456, 0.406};
      spec.image_std = {0.229, 0.224, 0.225};
      if (processor == std::string("intern")) spec.rescale = spec::Rescale::kDivide255;
    }
    const Preprocessed got = *PreprocessImage(spec, levels, Turn::kOnlyImage);
    for (size_t c = 0; c < 3; ++c) {
      for (size_t i = 0; i < 256; ++i) {
        const std::string want = goldens["pixel_values"][processor]["levels"][c][i];
        ASSERT_EQ(std::bit_cast<uint32_t>(got.pixels.f32()[256 * c + i]), std::stoul(want, nullptr, 16)) << i;
      }
    }
  }
  const auto formula = [](int64_t width, int64_t height) {
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
  };
  for (const Json& test : goldens["clip_pad_336"]) {
    const Preprocessed got = *PreprocessImage(MobileVlm(), formula(test["w"], test["h"]), Turn::kOnlyImage);
    EXPECT_EQ(Fnv1a64(std::as_bytes(got.pixels.f32())), std::stoull(std::string(test["fnv64_f32"]), nullptr, 16))
        << test;
  }
  // The crop of the non-padding processor, compared as 8-bit pixels: each normalised value names one level.
  for (const Json& test : goldens["clip_resize_crop"]) {
    PreprocessSpec spec = MobileVlm();
    spec.image_aspect_ratio = AspectMode::kProcessorOnly;
    spec.size = test["size"];
    spec.image_mean = {0.0, 0.0, 0.0};
    spec.image_std = {1.0, 1.0, 1.0};
    const Preprocessed got = *PreprocessImage(spec, formula(test["w"], test["h"]), Turn::kOnlyImage);
    const auto pixels = got.pixels.f32();
    const size_t plane = pixels.size() / 3;
    std::vector<uint8_t> rgb(pixels.size());
    for (size_t i = 0; i < pixels.size(); ++i) {
      rgb[i % plane * 3 + i / plane] = static_cast<uint8_t>(pixels[i] * 255.0f + 0.5f);
    }
    EXPECT_EQ(Fnv1a64(std::as_bytes(std::span(rgb))), std::stoull(std::string(test["fnv64"]), nullptr, 16)) << test;
  }
}

TEST(PreprocessImage, DividesBy255WhereTheProcessorDoes) {
  PreprocessSpec spec = NvilaLite();
  spec.image_aspect_ratio = AspectMode::kResize;
  spec.rescale = spec::Rescale::kDivide255;
  spec.image_mean = {0.485, 0.456, 0.406};
  spec.image_std = {0.229, 0.224, 0.225};
  spec.size = 16;
  Image ramp(16, 16);
  for (size_t i = 0; i < 256; ++i) ramp.rgb[3 * i] = static_cast<uint8_t>(i);
  const Preprocessed got = *PreprocessImage(spec, ramp, Turn::kOnlyImage);
  for (size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(got.pixels.f32()[i], (static_cast<float>(i) / 255.0f - 0.485f) / 0.229f);
  }
}

TEST(PreprocessImage, DoesNotDependOnThreads) {
  ThreadPool pool(4);
  PreprocessSpec spec = Nvila();
  spec.size = 28;
  spec.scales = {28, 56, 84};
  const Image image = Noise(233, 150);
  const Preprocessed one = *PreprocessImage(spec, image, Turn::kOnlyImage);
  const Preprocessed many = *PreprocessImage(spec, image, Turn::kOnlyImage, &pool);
  EXPECT_EQ(one.layout, many.layout);
  EXPECT_TRUE(std::ranges::equal(one.pixels.f32(), many.pixels.f32()));
}

TEST(PreprocessFrames, FramesAreSquashedAndRepeatsAreCopies) {
  PreprocessSpec spec = Nvila();
  spec.size = 16;
  spec.scales = {16, 32, 48};
  const Image first = Noise(40, 30), second = Noise(41, 30);
  FrameStack stack(spec);
  ASSERT_TRUE(stack.Add(first, 2).ok());
  ASSERT_TRUE(stack.Add(second).ok());
  const Preprocessed got = stack.Finish();
  EXPECT_EQ(got.layout, (MediaLayout{.kind = spec::MediaKind::kVideo, .tiles = 3}));
  ExpectTile(got, 0, ResizeBicubic(first, 16, 16), 0, 0);
  ExpectTile(got, 1, ResizeBicubic(first, 16, 16), 0, 0);
  ExpectTile(got, 2, ResizeBicubic(second, 16, 16), 0, 0);
  EXPECT_EQ(*PlanFrames(spec, 40, 30, 3), got.layout);
}

TEST(PreprocessFrames, VideoMaxTilesTilesEachFrame) {
  PreprocessSpec spec = NvilaLite();
  spec.size = 16;
  spec.video_max_tiles = 2;
  const std::vector<Image> frames = {Noise(64, 32), Noise(64, 32)};
  const Preprocessed got = *PreprocessFrames(spec, frames);
  EXPECT_EQ(got.layout, (MediaLayout{.kind = spec::MediaKind::kVideo, .tiles = 6}));  // 2 tiles and a thumbnail each
  ExpectTile(got, 3, ResizeBicubic(frames[1], 32, 16), 0, 0);
  EXPECT_EQ(*PlanFrames(spec, 64, 32, 2), got.layout);
  // dynamic_s2 uses max_tiles whatever video_max_tiles says, and forgets the blocks.
  PreprocessSpec s2 = Nvila();
  s2.size = 16;
  s2.scales = {16, 32, 48};
  s2.video_max_tiles = 2;
  EXPECT_EQ(*PlanFrames(s2, 64, 32, 2), (MediaLayout{.kind = spec::MediaKind::kVideo, .tiles = 2 * (1 + 4 + 10)}));
  EXPECT_FALSE(PreprocessFrames(spec, {}).ok());
}

}  // namespace
}  // namespace galago::media
