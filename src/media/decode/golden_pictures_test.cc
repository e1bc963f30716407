#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "src/base/file.h"
#include "src/base/hash.h"
#include "src/base/json.h"
#include "src/media/decode/decode_image.h"

// Every picture that tests/golden recorded with Pillow decodes to the same bytes.
namespace galago::media {
namespace {

std::filesystem::path Data() { return std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data"; }

std::string Hash(const Image& image) {
  const uint64_t hash = Fnv1a64(std::as_bytes(std::span(image.rgb)));
  std::string text(16, '0');
  for (size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  return text;
}

StatusOr<DecodedImage> Decode(const std::filesystem::path& path, ExifMode exif) {
  const std::string bytes = *ReadFile(path, size_t{1} << 20);
  return DecodeImage(std::as_bytes(std::span(bytes)), path.filename().string(), {.exif = exif});
}

TEST(GoldenPictures, DecodeAsPillowDoes) {
  const Json index = *ReadJsonFile(Data() / "pictures/pictures.json");
  ASSERT_GT(index["pictures"].size(), 100u);
  for (const Json& picture : index["pictures"]) {
    const std::string file = picture["file"];
    SCOPED_TRACE(file);
    const StatusOr<DecodedImage> got = Decode(Data() / "pictures" / file, ExifMode::kIgnore);
    if (picture.contains("error")) {
      EXPECT_EQ(got.status().code(), StatusCode::kDataLoss);
      continue;
    }
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->image.width, picture["width"]);
    EXPECT_EQ(got->image.height, picture["height"]);
    EXPECT_EQ(Hash(got->image), picture["fnv64"]);
    if (picture.contains("orientation")) {
      EXPECT_EQ(got->info.orientation, picture["orientation"]);
      const DecodedImage turned = *Decode(Data() / "pictures" / file, ExifMode::kAuto);
      EXPECT_EQ(turned.image.width, picture["transposed"]["width"]);
      EXPECT_EQ(turned.image.height, picture["transposed"]["height"]);
      EXPECT_EQ(turned.info.width, turned.image.width);
      EXPECT_EQ(Hash(turned.image), picture["transposed"]["fnv64"]);
    }
  }
}

TEST(GoldenPictures, MediaOfTheModelCases) {
  const Json index = *ReadJsonFile(Data() / "media/index.json");
  for (const auto& [file, picture] : index["pictures"].items()) {
    const StatusOr<DecodedImage> got = Decode(Data() / "media" / file, ExifMode::kIgnore);
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(Hash(got->image), picture["rgb_fnv1a64"]) << file;
  }
}

}  // namespace
}  // namespace galago::media
