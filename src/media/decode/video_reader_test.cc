#include "src/media/decode/video_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "src/base/file.h"
#include "src/base/hash.h"
#include "src/base/json.h"

namespace galago::media {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::filesystem::path Media() { return std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/media"; }
std::filesystem::path Seed(const std::string& file) {
  return std::filesystem::path(GALAGO_SOURCE_DIR) / "fuzz/corpus/video" / file;
}
std::string Bytes(const std::filesystem::path& path) { return *ReadFile(path, size_t{1} << 20); }

std::vector<int64_t> All(const VideoReader& reader) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < reader.info().num_frames; ++i) indices.push_back(i);
  return indices;
}

std::vector<uint64_t> Hashes(VideoReader& reader, const std::vector<int64_t>& indices) {
  std::vector<uint64_t> hashes;
  const Status status = reader.ReadFrames(indices, [&](VideoFrame frame) {
    hashes.push_back(Fnv1a64(std::as_bytes(std::span(frame.image.rgb))));
    return OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return hashes;
}

class ScratchDirectory {
 public:
  ScratchDirectory() : path_(testing::TempDir() + "/galago_frames_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The goldens are frames as OpenCV's VideoCapture and as Pillow read them.
TEST(VideoReader, FramesEqualTheReferences) {
  const Json index = *ReadJsonFile(Media() / "index.json");
  for (const char* name : {"clip.mp4", "clip_frames"}) {
    SCOPED_TRACE(name);
    const Json& clip = index["clips"][name];
    const auto reader = VideoReader::Open(Media() / name);
    ASSERT_TRUE(reader.ok()) << reader.status();
    const VideoInfo& info = (*reader)->info();
    EXPECT_EQ(info.width, clip["width"]);
    EXPECT_EQ(info.height, clip["height"]);
    ASSERT_EQ(info.num_frames, clip["frames"]);
    EXPECT_EQ(info.fps, clip["fps"].is_null() ? 0.0 : clip["fps"].get<double>());
    std::vector<uint64_t> want;
    for (const Json& hash : clip["rgb_fnv1a64"]) want.push_back(std::stoull(hash.get<std::string>(), nullptr, 16));
    EXPECT_EQ(Hashes(**reader, All(**reader)), want);
    EXPECT_THAT(info.warnings, IsEmpty());
  }
}

// H.264 with B frames in MP4, VP8 with hidden frames in WebM, MJPEG in AVI, MPEG-TS: any choice of frames gives what
// reading them all gives, and both come out of a second reading unchanged.
TEST(VideoReader, ChosenFramesEqualThoseOfAFullReading) {
  for (const char* file : {"h264.mp4", "vp8.webm", "mjpeg.avi", "h264.ts"}) {
    SCOPED_TRACE(file);
    const auto reader = VideoReader::Open(Seed(file));
    ASSERT_TRUE(reader.ok()) << reader.status();
    const int64_t n = (*reader)->info().num_frames;
    EXPECT_EQ(n, 12);
    const std::vector<uint64_t> all = Hashes(**reader, All(**reader));
    ASSERT_EQ(all.size(), static_cast<size_t>(n));
    for (const std::vector<int64_t>& indices :
         {std::vector<int64_t>{n - 1}, {0, 0, n / 2, n / 2, n - 1}, {1, 2, n - 2}, {n / 2, n / 2 + 1}}) {
      std::vector<uint64_t> want;
      for (size_t i = 0; i < indices.size(); ++i) {
        if (i == 0 || indices[i] != indices[i - 1]) want.push_back(all[static_cast<size_t>(indices[i])]);
      }
      EXPECT_EQ(Hashes(**reader, indices), want);
    }
    const auto in_memory = VideoReader::OpenBytes(Bytes(Seed(file)), file, {.num_threads = 1});
    ASSERT_TRUE(in_memory.ok()) << in_memory.status();
    EXPECT_EQ(Hashes(**in_memory, All(**in_memory)), all);
  }
}

TEST(VideoReader, TimestampsFollowPresentation) {
  const auto reader = VideoReader::Open(Seed("h264.mp4"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  const double fps = (*reader)->info().fps;
  EXPECT_DOUBLE_EQ((*reader)->info().duration_s, 12 / fps);
  const Status status = (*reader)->ReadFrames(All(**reader), [&](const VideoFrame& frame) {
    EXPECT_NEAR(frame.timestamp_s, static_cast<double>(frame.index) / fps, 1e-6);
    return OkStatus();
  });
  EXPECT_TRUE(status.ok());
}

TEST(VideoReader, AppliesRotationMetadata) {
  const auto reader = VideoReader::Open(Seed("rotated.mp4"));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->info().rotation_degrees, 90);
  EXPECT_EQ((*reader)->info().width, 36);
  EXPECT_EQ((*reader)->info().height, 48);
  // The clip's left edge is red and its right edge blue: turned clockwise, red is on top.
  const Status status = (*reader)->ReadFrames(std::vector<int64_t>{0}, [](const VideoFrame& frame) {
    EXPECT_EQ(frame.image.width, 36);
    const uint8_t* top = frame.image.Row(2) + 3 * 18;
    const uint8_t* bottom = frame.image.Row(45) + 3 * 18;
    EXPECT_GT(top[0], top[2] + 100);
    EXPECT_GT(bottom[2], bottom[0] + 100);
    return OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
}

TEST(VideoReader, RefusesByLimit) {
  const std::filesystem::path clip = Media() / "clip.mp4";
  EXPECT_EQ(VideoReader::Open(clip, {.max_video_bytes = 100}).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(VideoReader::Open(clip, {.max_packets = 5}).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(VideoReader::Open(clip, {.image = {.limits = {.max_pixels = 100}}}).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_EQ(VideoReader::Open(Media() / "clip_frames", {.max_video_bytes = 100}).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_EQ(VideoReader::Open(Media() / "none.mp4").status().code(), StatusCode::kNotFound);
  const auto reader = VideoReader::Open(clip, {.max_frames = 2});
  ASSERT_TRUE(reader.ok());
  const auto ignore = [](const VideoFrame&) { return OkStatus(); };
  EXPECT_EQ((*reader)->ReadFrames(std::vector<int64_t>{0, 1, 2}, ignore).code(), StatusCode::kOutOfRange);
  EXPECT_EQ((*reader)->ReadFrames(std::vector<int64_t>{10}, ignore).code(), StatusCode::kOutOfRange);
  EXPECT_EQ((*reader)->ReadFrames(std::vector<int64_t>{-1}, ignore).code(), StatusCode::kOutOfRange);
  EXPECT_EQ((*reader)->ReadFrames(std::vector<int64_t>{3, 1}, ignore).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE((*reader)->ReadFrames({}, ignore).ok());
  EXPECT_EQ((*reader)->ReadFrames(std::vector<int64_t>{1}, [](const VideoFrame&) { return Cancelled("stop"); }).code(),
            StatusCode::kCancelled);
}

TEST(VideoReader, GivesUpWhenTimeIsOver) {
  const std::string bytes = Bytes(Seed("h264.mp4"));
  const auto reader = VideoReader::OpenBytes(bytes, "clip", {.timeout = std::chrono::milliseconds(60'000)});
  EXPECT_TRUE(reader.ok());
  const auto late = VideoReader::OpenBytes(bytes, "clip", {.timeout = std::chrono::milliseconds(-1)});
  EXPECT_EQ(late.status().code(), StatusCode::kDeadlineExceeded);
}

TEST(VideoReader, RefusesWhatIsNoVideo) {
  for (const std::string& bytes : {std::string(), std::string("hello"), std::string(1000, '\0'),
                                   std::string("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
                                   std::string("ffconcat version 1.0\nfile /etc/passwd\n")}) {
    const Status status = VideoReader::OpenBytes(bytes, "clip.mp4").status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("clip.mp4"));
  }
}

std::string MessageFor(const std::string& bytes) { return MessageOf(VideoReader::OpenBytes(bytes, "clip").status()); }

TEST(VideoReader, PicturesAndDevicesAreRefusedByName) {
  const std::string picture = (Media() / "one_1x1.png").string();
  EXPECT_EQ(MessageOf(VideoReader::Open(picture).status()), picture + ": is a PNG picture; give it with --image");
  EXPECT_EQ(MessageFor("GIF89a..."), "clip: is a GIF picture; give it with --image");
  EXPECT_EQ(VideoReader::Open("/dev/zero").status().code(), StatusCode::kNotFound);
}

// MP4 states the length of its parts, so both numbers are known.
TEST(VideoReader, CutVideosSayWhatIsMissing) {
  const std::string mp4 = Bytes(Seed("h264.mp4"));
  const size_t mdat = mp4.find("mdat") - 4;
  ASSERT_LT(mdat, mp4.find("moov")) << "the index comes last here";
  EXPECT_EQ(MessageFor(mp4.substr(0, mdat + 1000)), "clip: is a video that is cut short: its \"mdat\" box needs " +
                                                        std::to_string(mp4.find("moov") - 4 - mdat) +
                                                        " bytes, 1000 are left");
  EXPECT_THAT(MessageFor(Bytes(Seed("vp8.webm")).substr(0, 40)), HasSubstr("is a video that is damaged or cut short"));
  EXPECT_THAT(MessageFor("no video at all, this"), HasSubstr("is not a video in a known container"));

  // An AVI announces its frames in front.
  const std::string avi = Bytes(Seed("mjpeg.avi"));
  const std::string cut = MessageFor(avi.substr(0, avi.find("movi") + 4));
  EXPECT_THAT(cut, HasSubstr("none of its 12 frames decodes: it is cut short: its AVI list needs"));
}

TEST(VideoReader, ReadingCanBeCancelled) {
  const std::atomic<bool> stop = true;
  EXPECT_EQ(VideoReader::Open(Media() / "clip.mp4", {.cancel = &stop}).status().code(), StatusCode::kCancelled);
  std::atomic<bool> later = false;
  for (const char* clip : {"clip.mp4", "clip_frames"}) {
    const auto reader = VideoReader::Open(Media() / clip, {.cancel = &later});
    ASSERT_TRUE(reader.ok()) << reader.status();
    int frames = 0;
    const Status status = (*reader)->ReadFrames(All(**reader), [&](const VideoFrame&) {
      later = ++frames == 2;
      return OkStatus();
    });
    EXPECT_EQ(status.code(), StatusCode::kCancelled) << clip;
    EXPECT_EQ(frames, 2);
    later = false;
  }
}

// Cut or bent files open with fewer frames or not at all, and what they promise can be read without failing otherwise.
TEST(VideoReader, SurvivesDamage) {
  for (const char* file : {"h264.mp4", "vp8.webm", "mjpeg.avi"}) {
    SCOPED_TRACE(file);
    const std::string bytes = Bytes(Seed(file));
    std::minstd_rand random(3);
    for (int trial = 0; trial < 40; ++trial) {
      std::string damaged = bytes;
      if (trial % 2 == 0) {
        damaged.resize(random() % damaged.size());
      } else {
        for (int i = 0; i < 20; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      const auto reader = VideoReader::OpenBytes(
          damaged, file, {.max_packets = 1000, .num_threads = 1, .image = {.limits = {.max_pixels = 1'000'000}}});
      if (!reader.ok()) continue;
      ASSERT_GT((*reader)->info().num_frames, 0);
      const std::vector<int64_t> indices = {0, (*reader)->info().num_frames - 1};
      (void)(*reader)->ReadFrames(indices, [](const VideoFrame& frame) {
        EXPECT_EQ(frame.image.rgb.size(), static_cast<size_t>(frame.image.width * frame.image.height * 3));
        return OkStatus();
      });
    }
  }
}

// An AVI cut in its data still promises all its frames.
TEST(VideoReader, StepsBackToTheLastFrameThatDecodes) {
  const std::string bytes = Bytes(Seed("mjpeg.avi"));
  const auto reader = VideoReader::OpenBytes(bytes.substr(0, bytes.size() * 2 / 3), "cut.avi");
  ASSERT_TRUE(reader.ok()) << reader.status();
  const int64_t n = (*reader)->info().num_frames;
  EXPECT_GT(n, 3);
  EXPECT_LT(n, 12);
  EXPECT_EQ(Hashes(**reader, {0, n - 1}).size(), 2u);
}

TEST(VideoReader, DirectoriesAreSortedByNameAndHiddenFilesDoNotCount) {
  const ScratchDirectory scratch;
  EXPECT_EQ(VideoReader::Open(scratch.path()).status().code(), StatusCode::kDataLoss);
  for (const char* name : {"b.ppm", "a10.ppm", "a2.ppm", ".hidden"}) {
    std::ofstream(scratch.path() / name) << "P3 1 1 255 " << static_cast<int>(name[1] * 2) << " 0 0";
  }
  const auto reader = VideoReader::Open(scratch.path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<int> reds;
  const Status status = (*reader)->ReadFrames(std::vector<int64_t>{0, 1, 1, 2}, [&](const VideoFrame& frame) {
    reds.push_back(frame.image.rgb[0]);
    return OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(reds, ElementsAre('1' * 2, '2' * 2, '.' * 2));
  std::ofstream(scratch.path() / "c.ppm") << "no picture";
  const auto bad = VideoReader::Open(scratch.path());
  ASSERT_TRUE(bad.ok());
  const Status refused = (*bad)->ReadFrames(std::vector<int64_t>{3}, [](const VideoFrame&) { return OkStatus(); });
  EXPECT_THAT(MessageOf(refused), HasSubstr("c.ppm"));
}

}  // namespace
}  // namespace galago::media
