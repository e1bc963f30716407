#include "src/media/decode/decode_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "src/base/file.h"
#include "src/media/decode/exif.h"

namespace galago::media {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Golden(const std::string& file) {
  return *ReadFile(std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/pictures" / file, size_t{1} << 20);
}

StatusOr<DecodedImage> Decode(std::string_view bytes, const DecodeOptions& options = {},
                              std::string_view name = "picture") {
  return DecodeImage(std::as_bytes(std::span(bytes)), name, options);
}

std::string Little(uint64_t value, size_t size) {
  std::string out;
  for (size_t i = 0; i < size; ++i, value >>= 8) out += static_cast<char>(value);
  return out;
}
std::string Big(uint32_t value) {
  std::string out = Little(value, 4);
  return {out.rbegin(), out.rend()};
}
void Put(std::string& bytes, size_t at, std::string_view part) { bytes.replace(at, part.size(), part); }

// A BMP of the given header fields and whatever follows.
std::string Bmp(int32_t width, int32_t height, uint32_t bits, uint32_t compression, const std::string& rest,
                uint32_t colours = 0, uint32_t pixel_offset = 54) {
  return "BM" + Little(0, 8) + Little(pixel_offset, 4) + Little(40, 4) + Little(static_cast<uint32_t>(width), 4) +
         Little(static_cast<uint32_t>(height), 4) + Little(1, 2) + Little(bits, 2) + Little(compression, 4) +
         Little(0, 12) + Little(colours, 4) + Little(0, 4) + rest;
}

const std::vector<std::string> OneOfEach() {
  return {"baseline_420.jpg",     "progressive_420.jpg", "cmyk.jpg",
          "grey1_interlaced.png", "grey_alpha16.png",    "interlaced.gif",
          "lossy.webp",           "lossless_alpha.webp", "p6_16.ppm"};
}

TEST(DecodeImage, ReportsWhatItFound) {
  const DecodedImage got = *Decode(Golden("exif6.jpg"), {.exif = ExifMode::kAuto}, "exif6.jpg");
  EXPECT_EQ(got.info.format, ImageFormat::kJpeg);
  EXPECT_EQ(got.info.orientation, 6);
  EXPECT_EQ(got.info.width, got.info.original_height);
  EXPECT_EQ(got.image.width, got.info.width);
  EXPECT_THAT(got.info.warnings, IsEmpty());
}

TEST(DecodeImage, ProbeTellsTheSameWithoutPixels) {
  for (const std::string& file : OneOfEach()) {
    const std::string bytes = Golden(file);
    const StatusOr<ImageInfo> probed = ProbeImage(std::as_bytes(std::span(bytes)), file);
    ASSERT_TRUE(probed.ok()) << probed.status();
    const DecodedImage decoded = *Decode(bytes, {}, file);
    EXPECT_EQ(probed->width, decoded.image.width) << file;
    EXPECT_EQ(probed->height, decoded.image.height) << file;
    EXPECT_EQ(probed->format, decoded.info.format) << file;
  }
}

TEST(DecodeImage, TrustsTheContentNotTheName) {
  const DecodedImage got = *Decode(Golden("lossy.webp"), {}, "photo.JPG");
  EXPECT_EQ(got.info.format, ImageFormat::kWebp);
  EXPECT_THAT(got.info.warnings, ElementsAre(HasSubstr("the name says JPEG, the content is WebP")));
}

TEST(DecodeImage, RefusesOtherThingsByName) {
  const std::pair<std::string, std::string> cases[] = {
      {"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"},
      {"\xef\xbb\xbf\n<?xml version='1.0'?><!-- x --><svg/>", "SVG"},
      {"%PDF-1.7\n", "PDF"},
      {"<!DOCTYPE html><html>", "HTML"},
      {"<HTML><svg>", "HTML"},
      {"II*\0abcdefgh", "no picture"},
      {std::string("\0\0\0\x18"
                   "ftypheic",
                   12),
       "HEIC"},
      {std::string("\0\0\0\x18"
                   "ftypavif",
                   12),
       "AVIF"},
      {std::string("\0\0\0\x18"
                   "ftypisom",
                   12),
       "video"},
      {"\x1a\x45\xdf\xa3", "video"},
      {"P7\nWIDTH 1", "no picture"},
      {"hello", "no picture"},
  };
  for (const auto& [bytes, word] : cases) {
    const Status status = Decode(bytes).status();
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << bytes;
    EXPECT_THAT(MessageOf(status), HasSubstr(word));
  }
  const Status pointer = Decode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n").status();
  EXPECT_EQ(pointer.code(), StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(pointer), HasSubstr("git lfs pull"));
  EXPECT_EQ(Decode("").status().code(), StatusCode::kDataLoss);
}

// A file cut anywhere is refused or, where the cut lies behind the pixels, gives the whole picture: never a part of it.
TEST(DecodeImage, TruncatedAtEveryByte) {
  for (const std::string& file : OneOfEach()) {
    const std::string bytes = Golden(file);
    const Image whole = Decode(bytes)->image;
    size_t last_refused = 0;
    for (size_t size = 0; size < bytes.size(); ++size) {
      const StatusOr<DecodedImage> got = Decode(std::string_view(bytes).substr(0, size));
      if (got.ok()) {
        ASSERT_EQ(got->image, whole) << file << " cut at " << size;
      } else {
        last_refused = size;
      }
    }
    EXPECT_GT(last_refused, bytes.size() / 2) << file;
  }
}

// No flipped bit makes the decoder crash, leak, or invent a size over the limits.
TEST(DecodeImage, SurvivesFlippedBits) {
  const DecodeOptions options = {.limits = {.max_pixels = 200'000}, .background = Colour{255, 255, 255}};
  for (const std::string& file : OneOfEach()) {
    const std::string bytes = Golden(file);
    std::minstd_rand random(7);
    for (int trial = 0; trial < 400; ++trial) {
      std::string damaged = bytes;
      for (int flip = 0; flip < 3; ++flip) damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      const StatusOr<DecodedImage> got = Decode(damaged, options);
      if (!got.ok()) continue;
      ASSERT_LE(got->image.width * got->image.height, 200'000);
      ASSERT_EQ(got->image.rgb.size(), static_cast<size_t>(got->image.width * got->image.height * 3));
    }
  }
}

TEST(DecodeImage, ChecksSizesBeforeTakingMemory) {
  std::string png = Golden("grey8.png");
  Put(png, 16, Big(60000) + Big(60000));
  EXPECT_THAT(MessageOf(Decode(png).status()), HasSubstr("60000 x 60000 = 3600000000 pixels, the limit is 50000000"));
  Put(png, 16, Big(0x7fffffff) + Big(1));
  EXPECT_EQ(Decode(png).status().code(), StatusCode::kOutOfRange);
  Put(png, 16, Big(0) + Big(5));
  EXPECT_EQ(Decode(png).status().code(), StatusCode::kDataLoss);

  EXPECT_EQ(Decode(Bmp(70000, 1, 24, 0, "")).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Decode(Bmp(50000, 50000, 24, 0, "")).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Decode(Bmp(5000, 5000, 24, 0, "")).status().code(), StatusCode::kDataLoss);  // promises pixels it lacks
  EXPECT_EQ(Decode(Bmp(0, 5, 24, 0, "")).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Decode(Bmp(-2147483647 - 1, -2147483647 - 1, 24, 0, "")).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Decode("P6 60000 60000 255\n").status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(Decode("P6 99999999999999999999 1 255\n").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Decode("P6 5000 5000 255\nabc").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Decode("P6 0 5 255\n").status().code(), StatusCode::kDataLoss);

  std::string gif = Golden("interlaced.gif");
  Put(gif, 6, Little(65535, 2) + Little(65535, 2));
  EXPECT_EQ(Decode(gif).status().code(), StatusCode::kOutOfRange);

  EXPECT_EQ(Decode(Golden("grey8.png"), {.limits = {.max_encoded_bytes = 10}}).status().code(),
            StatusCode::kOutOfRange);
}

TEST(DecodeImage, ShrinksOnlyJpegs) {
  // 57 x 39 = 2223 pixels; half of it 29 x 20 = 580.
  const DecodedImage got = *Decode(Golden("baseline_420.jpg"), {.limits = {.max_pixels = 600}});
  EXPECT_EQ(got.image.width, 29);
  EXPECT_EQ(got.image.height, 20);
  EXPECT_EQ(got.info.original_width, 57);
  EXPECT_THAT(got.info.warnings, ElementsAre(HasSubstr("decoded at 1/2 scale")));
  EXPECT_EQ(Decode(Golden("baseline_420.jpg"), {.limits = {.max_pixels = 10}}).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_EQ(Decode(Golden("grey8.png"), {.limits = {.max_pixels = 100}}).status().code(), StatusCode::kOutOfRange);
}

TEST(DecodeImage, LaysTransparencyOverABackground) {
  // A 1 x 1 PNG cannot be written by hand without zlib; a GIF whose only pixel is the transparent index can.
  const std::string gif = std::string("GIF89a") + Little(1, 2) + Little(1, 2) + std::string("\x80\0\0", 3) +
                          std::string("\x10\x20\x30\x40\x50\x60", 6) + std::string("!\xf9\x04\x01\0\0\0\0", 8) + "," +
                          std::string(4, '\0') + Little(1, 2) + Little(1, 2) + std::string(1, '\0') +
                          std::string("\x02\x02\x44\x01\0;", 6);
  EXPECT_THAT(Decode(gif)->image.rgb, ElementsAre(0x10, 0x20, 0x30));
  EXPECT_THAT(Decode(gif, {.background = Colour{255, 255, 255}})->image.rgb, ElementsAre(255, 255, 255));
  for (const char* file : {"rgba8.png", "grey_alpha8.png", "lossless_alpha.webp", "grey8_trns.png"}) {
    const std::string bytes = Golden(file);
    const Image dropped = Decode(bytes)->image;
    const Image white = Decode(bytes, {.background = Colour{255, 255, 255}})->image;
    const Image black = Decode(bytes, {.background = Colour{}})->image;
    ASSERT_EQ(white.rgb.size(), dropped.rgb.size()) << file;
    int64_t changed = 0;
    for (size_t i = 0; i < white.rgb.size(); ++i) {
      ASSERT_GE(white.rgb[i], black.rgb[i]) << file;
      ASSERT_LE(black.rgb[i], dropped.rgb[i]) << file;
      changed += white.rgb[i] != black.rgb[i];
    }
    EXPECT_GT(changed, 0) << file;
  }
}

TEST(Bmp, DepthsMasksAndRuns) {
  const std::string palette = std::string("\x01\x02\x03\0\x11\x12\x13\0", 8);  // B, G, R, unused
  EXPECT_THAT(Decode(Bmp(2, 1, 1, 0, palette + std::string("\x40\0\0\0", 4), 2, 62))->image.rgb,
              ElementsAre(3, 2, 1, 0x13, 0x12, 0x11));
  EXPECT_THAT(Decode(Bmp(2, 1, 4, 0, palette + std::string("\x10\0\0\0", 4), 2, 62))->image.rgb,
              ElementsAre(0x13, 0x12, 0x11, 3, 2, 1));
  // 16 bits: 5-5-5, and 5-6-5 through masks. 31 -> 255, 1 -> 8.
  EXPECT_THAT(Decode(Bmp(1, 1, 16, 0, Little(0x7c01, 4)))->image.rgb, ElementsAre(255, 0, 8));
  const std::string masks = Little(0xf800, 4) + Little(0x7e0, 4) + Little(0x1f, 4);
  EXPECT_THAT(Decode(Bmp(1, 1, 16, 3, masks + Little(0x07e1, 4), 0, 66))->image.rgb, ElementsAre(0, 255, 8));
  // A mask with a hole is refused.
  const std::string hole = Little(0xa800, 4) + Little(0x7e0, 4) + Little(0x1f, 4);
  EXPECT_EQ(Decode(Bmp(1, 1, 16, 3, hole + Little(0, 4), 0, 66)).status().code(), StatusCode::kUnimplemented);
  // Rows go up unless the height is negative.
  EXPECT_THAT(Decode(Bmp(1, 2, 32, 0, Little(1, 4) + Little(2, 4)))->image.rgb, ElementsAre(0, 0, 2, 0, 0, 1));
  EXPECT_THAT(Decode(Bmp(1, -2, 32, 0, Little(1, 4) + Little(2, 4)))->image.rgb, ElementsAre(0, 0, 1, 0, 0, 2));
  // Runs: two of index 1, end of row, one to the right, one of index 1, end.
  const std::string runs("\x02\x01\0\0\0\x02\x01\0\x01\x01\0\x01", 12);
  EXPECT_THAT(Decode(Bmp(2, 2, 8, 1, palette + runs, 2, 62))->image.rgb,
              ElementsAre(3, 2, 1, 0x13, 0x12, 0x11, 0x13, 0x12, 0x11, 0x13, 0x12, 0x11));
  // Runs that leave the picture are cut off, runs that stop are truncation.
  EXPECT_TRUE(Decode(Bmp(2, 2, 8, 1, palette + std::string("\xff\x01\0\x02\xff\xff\x05\x01", 8), 2, 62)).ok());
  EXPECT_EQ(Decode(Bmp(2, 2, 8, 1, palette + std::string("\x02\x01\0", 3), 2, 62)).status().code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(Decode(Bmp(2, 2, 8, 0, palette, 4000000000, 62)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Decode(Bmp(1, 1, 2, 0, palette)).status().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(Decode(Bmp(1, 1, 24, 4, "....")).status().code(), StatusCode::kUnimplemented);
}

TEST(Pnm, PlainFormsAndDamage) {
  EXPECT_THAT(Decode("P1 # ink\n2 1\n10")->image.rgb, ElementsAre(0, 0, 0, 255, 255, 255));
  EXPECT_THAT(Decode("P2 2 1 15 0 15")->image.rgb, ElementsAre(0, 0, 0, 255, 255, 255));
  EXPECT_THAT(Decode("P3\n1 1\n# c\n7\n7 0 1 ")->image.rgb, ElementsAre(255, 0, 36));
  for (const char* bad : {"P2 2 1 15 0", "P2 2 1 15 0 16", "P2 2 1 0 0 0", "P2 2 1 x", "P2 -1 1 1 0", "P1 2 1\n1x",
                          "P5 2 1 255", "P2 2 1 70000 1 1", "P6 1 1 255#\n"}) {
    EXPECT_EQ(Decode(bad).status().code(), StatusCode::kDataLoss) << bad;
  }
}

TEST(Gif, DamagedStreams) {
  const std::string head = std::string("GIF89a") + Little(2, 2) + Little(1, 2) + std::string("\0\0\0", 3);
  const std::string frame = "," + std::string(4, '\0') + Little(2, 2) + Little(1, 2) + std::string(1, '\0');
  EXPECT_THAT(MessageOf(Decode(head + ";").status()), HasSubstr("without a picture"));
  // A code that was never defined, a code size out of range, an early end.
  EXPECT_EQ(Decode(head + frame + std::string("\x02\x02\xff\xff\0;", 6)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Decode(head + frame + std::string("\x0c\x02\x44\x01\0;", 6)).status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(Decode(head + frame + std::string("\x02\x02\x4c\x01\0;", 6)).status()),
              HasSubstr("ends after 1 of 2 pixels"));
  // Extensions chained to the end of the file.
  std::string chain = head;
  for (int i = 0; i < 10000; ++i) chain += std::string("!\xfe\x01x\0", 5);
  EXPECT_EQ(Decode(chain).status().code(), StatusCode::kDataLoss);
}

TEST(Exif, OrientationOfDamagedDirectories) {
  const auto orientation = [](const std::string& tiff) { return ExifOrientation(std::as_bytes(std::span(tiff))); };
  const std::string entry = Little(274, 2) + Little(3, 2) + Little(1, 4) + Little(6, 4);
  const std::string good = "II" + Little(42, 2) + Little(8, 4) + Little(1, 2) + entry;
  EXPECT_EQ(orientation(good), 6);
  for (size_t size = 0; size < good.size(); ++size) EXPECT_EQ(orientation(good.substr(0, size)), 1) << size;
  EXPECT_EQ(orientation("II" + Little(42, 2) + Little(0xffffffff, 4) + Little(1, 2) + entry), 1);
  EXPECT_EQ(orientation("II" + Little(42, 2) + Little(8, 4) + Little(65535, 2)), 1);
  EXPECT_EQ(orientation("XX" + good.substr(2)), 1);
  std::string nine = good;
  nine[18] = 9;
  EXPECT_EQ(orientation(nine), 1);
}

TEST(Exif, UprightMovesCornersToTheirPlaces) {
  Image image(2, 1);
  image.rgb = {1, 1, 1, 2, 2, 2};
  const std::vector<std::vector<uint8_t>> want = {{1, 2}, {2, 1}, {2, 1}, {1, 2}, {1, 2}, {1, 2}, {2, 1}, {2, 1}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image out = Upright(image, orientation);
    EXPECT_EQ(out.width, orientation < 5 ? 2 : 1);
    EXPECT_THAT((std::vector<uint8_t>{out.rgb[0], out.rgb[3]}), testing::ElementsAreArray(want[orientation - 1]))
        << orientation;
  }
}

}  // namespace
}  // namespace galago::media
