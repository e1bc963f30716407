#include "train/world/stamps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::world {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(ThingClasses, AreNamedOnceAndShareNoPicture) {
  std::set<std::string_view> names, plurals, paths;
  for (const ThingClass& thing : ThingClasses()) {
    EXPECT_TRUE(names.insert(thing.name).second) << thing.name;
    EXPECT_TRUE(plurals.insert(thing.plural).second) << thing.plural;
    EXPECT_LT(static_cast<size_t>(thing.num_heldout), thing.files.size()) << thing.name << ": training needs a picture";
    if (thing.num_heldout > 0) {
      EXPECT_GE(thing.files.size(), 3U) << thing.name;
    }
    for (const StampFile& file : thing.files) EXPECT_TRUE(paths.insert(file.path).second) << file.path;
  }
  EXPECT_GE(names.size(), 60U);
}

class Copies : public ::testing::Test {
 protected:
  // A directory of links to the package's pictures, in which the tests spoil one.
  void SetUp() override {
    directory_ = fs::temp_directory_path() / StrCat("galago_stamps_", ::getpid());
    for (const ThingClass& thing : ThingClasses()) {
      for (const StampFile& file : thing.files) {
        fs::create_directories((directory_ / file.path).parent_path());
        fs::create_symlink(fs::path(kStampsDirectory) / file.path, directory_ / file.path);
      }
    }
    victim_ = directory_ / ThingClasses()[3].files[0].path;
  }
  void TearDown() override { fs::remove_all(directory_); }

  void Replace(const std::string& bytes) {
    fs::remove(victim_);
    ASSERT_TRUE(WriteFileAtomically(victim_, bytes).ok());
  }

  fs::path directory_;
  fs::path victim_;
};

TEST_F(Copies, LoadWhenAllAreThere) {
  const auto set = StampSet::Load(directory_);
  ASSERT_TRUE(set.ok()) << MessageOf(set.status());
  for (size_t i = 0; i < ThingClasses().size(); ++i) {
    EXPECT_EQ((*set)->stamps(i).size(), ThingClasses()[i].files.size());
  }
}

TEST_F(Copies, AMissingOneIsNamedWithItsPackage) {
  fs::remove(victim_);
  const auto set = StampSet::Load(directory_);
  EXPECT_EQ(set.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(set.status()), HasSubstr(victim_.string()));
  EXPECT_THAT(MessageOf(set.status()), HasSubstr(std::string(kStampsPackage)));
}

TEST_F(Copies, ACutOrChangedOneIsNamed) {
  const auto whole = ReadFile(victim_, size_t{1} << 24);
  ASSERT_TRUE(whole.ok());
  std::string changed = *whole;
  changed[changed.size() / 2] ^= 1;
  for (const std::string& bytes : {whole->substr(0, whole->size() / 2), changed, std::string()}) {
    Replace(bytes);
    const auto set = StampSet::Load(directory_);
    EXPECT_EQ(set.status().code(), StatusCode::kDataLoss);
    EXPECT_THAT(MessageOf(set.status()), HasSubstr(victim_.string()));
  }
}

TEST(StampSet, AMissingPackageIsNamed) {
  const auto set = StampSet::Load("/nonexistent/stamps");
  EXPECT_EQ(set.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(set.status()), HasSubstr("apt-get install tuxpaint-stamps-default"));
}

// A 20 x 10 picture whose visible part is the 10 x 5 at its bottom right: red on the left half, blue on the right.
Stamp RedAndBlue() {
  std::vector<uint8_t> rgba(20 * 10 * 4);
  for (size_t y = 5; y < 10; ++y) {
    for (size_t x = 10; x < 20; ++x) {
      uint8_t* pixel = rgba.data() + (y * 20 + x) * 4;
      pixel[x < 15 ? 0 : 2] = 255;
      pixel[3] = 255;
    }
  }
  return {20, 10, rgba};
}

TEST(Stamp, IsCroppedScaledAndMirrored) {
  const Stamp stamp = RedAndBlue();
  EXPECT_DOUBLE_EQ(stamp.width(), 1.0);
  EXPECT_DOUBLE_EQ(stamp.height(), 0.5);
  using Pixel = std::array<uint8_t, 3>;
  const auto at = [](const media::Image& image, int64_t x, int64_t y) {
    const uint8_t* pixel = image.Row(y) + 3 * x;
    return Pixel{pixel[0], pixel[1], pixel[2]};
  };
  for (const double size : {20.0, 40.0, 100.0}) {
    for (const bool mirrored : {false, true}) {
      const Canvas canvas(112, 112, {1, 1, 1});
      stamp.Draw(canvas, {.x = 56, .y = 56, .size = size, .mirrored = mirrored});
      const media::Image image = canvas.ToImage();
      const auto quarter = static_cast<int64_t>(size / 4);
      EXPECT_EQ(at(image, 56 - quarter, 56), mirrored ? (Pixel{0, 0, 255}) : (Pixel{255, 0, 0})) << size;
      EXPECT_EQ(at(image, 56 + quarter, 56), mirrored ? (Pixel{255, 0, 0}) : (Pixel{0, 0, 255})) << size;
      EXPECT_EQ(at(image, 56, 56 - quarter - 3), (Pixel{255, 255, 255})) << size;
      EXPECT_EQ(at(image, 56 + 2 * quarter + 3, 56), (Pixel{255, 255, 255})) << size;
    }
  }
}

TEST(Stamp, TakesTheGain) {
  const Canvas canvas(112, 112, {1, 1, 1});
  RedAndBlue().Draw(canvas, {.x = 56, .y = 56, .size = 100, .gain = {0.5, 1.0, 0.2}});
  const media::Image image = canvas.ToImage();
  EXPECT_EQ(image.Row(56)[3 * 30], 128);
  EXPECT_EQ(image.Row(56)[3 * 80 + 2], 51);
}

}  // namespace
}  // namespace galago::world
