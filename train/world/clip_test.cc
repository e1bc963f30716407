#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "src/media/decode/video_reader.h"
#include "train/world/clip_script.h"
#include "train/world/encode.h"
#include "train/world/makers.h"
#include "train/world/video.h"

namespace galago::world {
namespace {

std::unique_ptr<const Task> Made(TaskOr task) {
  EXPECT_TRUE(task.ok());
  return std::move(task).value();
}

int64_t Difference(const media::Image& a, const media::Image& b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int{a.rgb[i]} - int{b.rgb[i]});
  return sum;
}

const Exchange* Find(const Sample& sample, std::string_view kind) {
  for (const Exchange& exchange : sample.exchanges) {
    if (exchange.kind == kind) return &exchange;
  }
  return nullptr;
}

TEST(Video, LengthsAreThoseOfTheSplit) {
  const auto task = Made(MakeVideo({}));
  std::map<Split, std::set<size_t>> lengths;
  for (uint64_t index = 0; index < 100; ++index) {
    for (const Split split : {Split::kTrain, Split::kHeldout}) {
      const Sample sample = DrawSample(*task, split, 1, index);
      const Clip& clip = std::get<Clip>(sample.media.at(0));
      lengths[split].insert(clip.frames.size());
      EXPECT_GE(clip.duration_s(), 1.95);
      EXPECT_LE(clip.duration_s(), 8.05);
    }
  }
  EXPECT_EQ(lengths[Split::kTrain], (std::set<size_t>{8, 16, 24}));
  EXPECT_EQ(lengths[Split::kHeldout], (std::set<size_t>{12, 16, 20}));
}

TEST(Video, AnswersAgreeWithTheFrames) {
  const auto task = Made(MakeVideo({}));
  int still = 0;
  for (uint64_t index = 0; index < 200; ++index) {
    const Sample sample = DrawSample(*task, Split::kTrain, 5, index);
    const Clip& clip = std::get<Clip>(sample.media.at(0));
    const bool changes = Difference(clip.frames.front(), clip.frames.back()) > 0;
    if (Find(sample, "how many appear") != nullptr || Find(sample, "how many disappear") != nullptr ||
        Find(sample, "direction") != nullptr || Find(sample, "new colour") != nullptr) {
      EXPECT_TRUE(changes) << index;
    }
    // Shapes come and go at moments of their own.
    for (const std::string_view kind : {"how many appear", "how many disappear"}) {
      const Exchange* how_many = Find(sample, kind);
      if (how_many == nullptr) continue;
      int64_t moments = 0;
      for (size_t i = 1; i < clip.frames.size(); ++i) {
        if (Difference(clip.frames[i - 1], clip.frames[i]) > 0) ++moments;
      }
      EXPECT_EQ(how_many->answer, std::to_string(moments)) << index;
    }
    if (sample.exchanges.size() == 2 && sample.exchanges[0].answer == "stays") {
      EXPECT_FALSE(changes) << index;
      ++still;
    }
    const Exchange* first = Find(sample, "first");
    if (first != nullptr) {
      EXPECT_NE(first->answer, Find(sample, "last")->answer);
    }
  }
  EXPECT_GT(still, 0);
}

// What is found in a clip is what the questions about the same clip say; other shapes are looked for in vain.
TEST(Video, FindsAgreeWithTheQuestions) {
  const auto task = Made(MakeVideo({}));
  int does = 0, orders = 0, found = 0, in_vain = 0;
  for (uint64_t index = 0; index < 300; ++index) {
    Rng rng(MixSeed(MixSeed(5, "train", 0), "video", index));
    const Told told = FindInVideo(rng, Split::kTrain);
    const Sample sample = DrawSample(*task, Split::kTrain, 5, index);
    ASSERT_EQ(told.lists.size(), 1U);
    const List& list = told.lists[0];
    EXPECT_EQ(std::get<Clip>(told.medium).frames, std::get<Clip>(sample.media[0]).frames);
    std::set<std::string> names;
    for (const ListItem& item : list.items) {
      EXPECT_TRUE(names.insert(item.name).second) << item.name;
      (item.answer == "no" ? in_vain : found) += 1;
      for (const Exchange& exchange : sample.exchanges) {
        if (exchange.kind == "does" && list.title == "does" && exchange.question.find(item.name) != std::string::npos) {
          EXPECT_EQ(item.answer, exchange.answer) << exchange.question;
          ++does;
        }
        if (list.title == "order" && exchange.kind == item.answer) {  // "first", "last"
          EXPECT_EQ(item.name, exchange.answer) << exchange.question;
          ++orders;
        }
      }
    }
  }
  EXPECT_NEAR(in_vain, 0.5 * (in_vain + found), 2.5 * std::sqrt(in_vain + found));  // five standard deviations
  EXPECT_GT(does, 100);
  EXPECT_GT(orders, 50);
}

TEST(Temporal, IntervalsLieInTheClipAndMatchTheFrames) {
  const auto task = Made(MakeTemporal({}));
  for (uint64_t index = 0; index < 300; ++index) {
    const Split split = index % 2 == 0 ? Split::kTrain : Split::kHeldout;
    const Sample sample = DrawSample(*task, split, 1, index);
    const Clip& clip = std::get<Clip>(sample.media.at(0));
    double first = 1e9;
    double last = 0;
    for (const Exchange& exchange : sample.exchanges) {
      EXPECT_EQ(exchange.metric, Metric::kTime);
      if (exchange.kind == "events") {
        EXPECT_EQ(split, Split::kTrain);
        continue;
      }
      double begin = -1;
      double end = -1;
      ASSERT_EQ(std::sscanf(exchange.answer.c_str(), "<%lf> <%lf>", &begin, &end), 2) << exchange.answer;
      EXPECT_GE(begin, 0.0);
      EXPECT_LE(end, clip.duration_s() + 0.005);
      EXPECT_GE(end - begin, 0.15 * clip.duration_s()) << "too short to find";
      first = std::min(first, begin);
      last = std::max(last, end);
    }
    // Nothing changes before the first event or after the last one. Rounding moved the times by up to 0.005 s.
    for (size_t i = 1; i < clip.frames.size(); ++i) {
      const double before = static_cast<double>(i - 1) / clip.fps;
      const double now = static_cast<double>(i) / clip.fps;
      if (now < first - 0.005 || before > last + 0.005) {
        EXPECT_EQ(Difference(clip.frames[i - 1], clip.frames[i]), 0) << index << " frame " << i;
      }
    }
  }
}

TEST(Clips, AreFilmedFastEnoughToTrainFrom) {
  constexpr int kSamples = 50;
  const auto video = Made(MakeVideo({}));
  const auto temporal = Made(MakeTemporal({}));
  for (const Task* task : {video.get(), temporal.get()}) {
    const std::clock_t start = std::clock();  // processor time: other work on the machine does not count
    for (uint64_t index = 0; index < kSamples; ++index) DrawSample(*task, Split::kTrain, 4, index);
    const double ms = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / kSamples;
    EXPECT_LT(ms, 10.0) << task->name();
  }
}

TEST(Mp4, KeepsFramesRateAndLooks) {
  const auto task = Made(MakeTemporal({}));
  for (uint64_t index = 0; index < 12; ++index) {
    const Sample sample = DrawSample(*task, index % 2 == 0 ? Split::kTrain : Split::kHeldout, 9, index);
    const Clip& clip = std::get<Clip>(sample.media.at(0));
    const auto bytes = EncodeMp4(clip);
    ASSERT_TRUE(bytes.ok()) << MessageOf(bytes.status());
    EXPECT_EQ(*bytes, *EncodeMp4(clip)) << "the same clip gives the same bytes";
    auto reader = media::VideoReader::OpenBytes(*bytes, "clip.mp4");
    ASSERT_TRUE(reader.ok()) << MessageOf(reader.status());
    const media::VideoInfo& info = (*reader)->info();
    EXPECT_EQ(info.num_frames, static_cast<int64_t>(clip.frames.size()));
    EXPECT_NEAR(info.fps, clip.fps, 0.001);
    EXPECT_NEAR(info.duration_s, clip.duration_s(), 0.005);
    std::vector<int64_t> indices(clip.frames.size());
    std::iota(indices.begin(), indices.end(), 0);
    const Status read = (*reader)->ReadFrames(indices, [&](media::VideoFrame frame) {
      const media::Image& want = clip.frames[static_cast<size_t>(frame.index)];
      EXPECT_EQ(frame.image.width, want.width);
      // Colour is stored at half resolution, so edges differ; on average a frame is within 3 of 255.
      EXPECT_LT(Difference(frame.image, want), 3 * static_cast<int64_t>(want.rgb.size()));
      return OkStatus();
    });
    EXPECT_TRUE(read.ok()) << MessageOf(read);
    EXPECT_TRUE((*reader)->info().warnings.empty());
  }
}

TEST(ClipScript, BandsKeepActorsApartWhileTheyMove) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Rng rng(seed);
    const bool rows = seed % 2 == 0;
    std::vector<Actor> actors = CastInBands(3, rows, rng, Split::kTrain);
    for (size_t i = 0; i < actors.size(); ++i) {
      MoveAlongBand(actors[i], rows, {1, 2}, rng);
      const double across = rows ? actors[i].y : actors[i].x;
      EXPECT_GE(across - actors[i].radius, kClipSide / 3 * static_cast<double>(i));
      EXPECT_LE(across + actors[i].radius, kClipSide / 3 * static_cast<double>(i + 1));
      for (const double end : {actors[i].x, actors[i].x + actors[i].dx, actors[i].y, actors[i].y + actors[i].dy}) {
        EXPECT_GE(end, actors[i].radius);
        EXPECT_LE(end, kClipSide - actors[i].radius);
      }
    }
  }
}

}  // namespace
}  // namespace galago::world
