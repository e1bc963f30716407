#include "train/data/world_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "src/base/strings.h"
#include "train/data/marks.h"
#include "train/data/resample_420.h"
#include "train/data/world_text.h"

namespace galago::train {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// Four questions whose answers name the draw.
class NumberTask : public world::Task {
 public:
  std::string_view name() const override { return "numbers"; }
  world::Sample Draw(world::Rng& rng, world::Split) const override {
    const std::string number = StrCat(rng.Int(0, 1'000'000'000));
    world::Sample sample{.media = {media::Image(4, 4)}};
    for (const char* question : {"a", "b", "c", "d"}) sample.exchanges.push_back({question, number});
    return sample;
  }
};

std::vector<std::string> Texts(const Dataset& dataset, int64_t i) {
  const auto records = dataset.Get(i);
  EXPECT_TRUE(records.ok()) << records.status();
  std::vector<std::string> out;
  for (const text::Turn& turn : records->front().turns) out.push_back(std::get<std::string>(turn.parts.back()));
  return out;
}

TEST(WorldDataset, AnIndexIsAlwaysTheSameSample) {
  const auto dataset = MakeWorldDataset(std::make_unique<NumberTask>(), {.seed = 3, .count = 20});
  const auto later = MakeWorldDataset(std::make_unique<NumberTask>(), {.seed = 3, .count = 5, .first = 7});
  const auto other = MakeWorldDataset(std::make_unique<NumberTask>(), {.seed = 4, .count = 20});
  EXPECT_EQ(dataset->size(), 20);
  EXPECT_EQ(Texts(*dataset, 9), Texts(*dataset, 9));
  EXPECT_EQ(Texts(*dataset, 9), Texts(*later, 2));
  EXPECT_NE(Texts(*dataset, 9)[1], Texts(*dataset, 8)[1]);
  EXPECT_NE(Texts(*dataset, 9)[1], Texts(*other, 9)[1]);
  EXPECT_EQ(dataset->Source(9), "world numbers train seed 3:9");
}

// What a cell holds, in the form of the task "cells".
class CellTask : public world::Task {
 public:
  std::string_view name() const override { return "cells"; }
  world::Sample Draw(world::Rng&, world::Split) const override {
    return {.form = world::Form::kCaption,
            .media = {media::Image(16, 32)},
            .exchanges = {{"", "b1 red fish. b3 T e l."}},
            .letters = {{"T", 4.5, 19.9}, {"e", 7.5, 20.0}, {"l", 7.9, 23.5}}};
  }
};

TEST(WorldDataset, RowsSayTheWordsOfTheirCells) {
  const auto dataset = MakeWorldDataset(std::make_unique<CellTask>(), {.count = 1, .rows = true});
  const auto records = dataset->Get(0);
  ASSERT_TRUE(records.ok()) << records.status();
  EXPECT_EQ(records->front().style, Style::kOpenEnd);
  std::vector<std::vector<RowWord>> want(16, {{"."}});
  want[1] = {{"red"}, {"fish"}};
  want[9] = {{"T"},    {"e"},    {"l"},    {"T", 1}, {"e", 8}, {"l", 8},
             {".", 2}, {".", 3}, {".", 4}, {".", 5}, {".", 6}, {".", 7}};
  EXPECT_EQ(records->front().row_words, want);
}

// A text that tells one word of three.
class FindTask : public world::Task {
 public:
  std::string_view name() const override { return "finds"; }
  world::Sample Draw(world::Rng&, world::Split) const override {
    world::Exchange exchange{"", "there: cup no."};
    exchange.told = {{10, 13}};
    return {.form = world::Form::kCaption, .media = {media::Image(4, 4)}, .exchanges = {std::move(exchange)}};
  }
};

TEST(WorldDataset, WhatIsToldGoesWithThePicture) {
  const auto finds = MakeWorldDataset(std::make_unique<FindTask>(), {.count = 1});
  const auto record = finds->Get(0);
  ASSERT_TRUE(record.ok()) << record.status();
  ASSERT_EQ(record->front().told.size(), 1u);
  EXPECT_EQ(Texts(*finds, 0).front().substr(record->front().told[0].begin, 3), " no");
  const auto words = MakeWorldDataset(std::make_unique<FindTask>(), {.count = 1, .media = false})->Get(0);
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_THAT(words->front().told, testing::IsEmpty()) << "without a picture all is to be learnt";
}

// A document, marks in its text.
class PageTask : public world::Task {
 public:
  std::string_view name() const override { return "pages"; }
  world::Sample Draw(world::Rng&, world::Split) const override {
    return {.form = world::Form::kDocument, .media = {media::Image(4, 4)}, .exchanges = {{"", "A cat <image> sits."}}};
  }
};

TEST(WorldDataset, WithoutMediaTheWordsRemain) {
  const auto pages = MakeWorldDataset(std::make_unique<PageTask>(), {.count = 1, .media = false});
  const auto page = pages->Get(0);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->front().media, testing::IsEmpty());
  EXPECT_THAT(Texts(*pages, 0), ElementsAre(WithoutMarks("A cat <image> sits.")));
  const auto numbers = MakeWorldDataset(std::make_unique<NumberTask>(), {.count = 1, .media = false});
  const auto number = numbers->Get(0);
  ASSERT_TRUE(number.ok()) << number.status();
  EXPECT_THAT(number->front().media, testing::IsEmpty());
  EXPECT_THAT(Texts(*numbers, 0),
              ElementsAreArray(Texts(*MakeWorldDataset(std::make_unique<NumberTask>(), {.count = 1}), 0)));
}

TEST(WorldDataset, EveryQuestionIsFirstAtTimes) {
  const auto plain = MakeWorldDataset(std::make_unique<NumberTask>(), {.count = 40, .shuffle = false});
  const auto shuffled = MakeWorldDataset(std::make_unique<NumberTask>(), {.count = 40});
  std::vector<std::string> firsts;
  for (int64_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(Texts(*plain, i).front().ends_with("a")) << Texts(*plain, i).front();  // led in at times
    std::vector<std::string> want = Texts(*plain, i);
    std::vector<std::string> got = Texts(*shuffled, i);
    firsts.emplace_back(1, got.front().back());
    std::sort(want.begin(), want.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(want, got);
  }
  for (const std::string question : {"a", "b", "c", "d"}) EXPECT_THAT(firsts, ::testing::Contains(question));
}

TEST(WorldRecord, WrongMarksAreErrors) {
  world::Sample sample{.form = world::Form::kInterleaved,
                       .media = {media::Image(4, 4), media::Image(4, 4)},
                       .exchanges = {{"One <image> only?", "no"}}};
  EXPECT_THAT(MessageOf(WorldRecord(sample).status()), HasSubstr("1 media marks for 2"));
  sample.exchanges[0].question = "A <image> <image> <image>?";
  EXPECT_THAT(MessageOf(WorldRecord(sample).status()), HasSubstr("has 3 media marks"));
  sample.exchanges.clear();
  EXPECT_FALSE(WorldRecord(sample).ok());
}

TEST(Resample420, KeepsLumaAndWhatIsConstantInABlock) {
  media::Image frame(3, 2);  // a whole block and half a one
  const std::vector<uint8_t> colours = {200, 30, 60};
  for (size_t i = 0; i < frame.rgb.size(); ++i) frame.rgb[i] = colours[i % 3];
  Resample420(frame);
  for (size_t i = 0; i < frame.rgb.size(); ++i) EXPECT_NEAR(frame.rgb[i], colours[i % 3], 2) << i;

  media::Image grey(2, 2);
  grey.rgb = {0, 0, 0, 255, 255, 255, 100, 100, 100, 50, 50, 50};
  media::Image same = grey;
  Resample420(same);
  for (size_t i = 0; i < grey.rgb.size(); ++i) EXPECT_NEAR(same.rgb[i], grey.rgb[i], 1) << i;

  media::Image half(2, 1);  // red beside white: the colour runs over, the light does not
  half.rgb = {255, 0, 0, 255, 255, 255};
  Resample420(half);
  EXPECT_LT(half.rgb[4], 240);
  EXPECT_GT(half.rgb[1], 20);
}

TEST(WorldText, DoesNotDependOnThreads) {
  WorldTextOptions options{.tasks = {"scenes", "reading"}, .samples = 70};
  const auto one = CountWorldText(options);
  options.num_threads = 3;
  const auto three = CountWorldText(options);
  ASSERT_TRUE(one.ok() && three.ok()) << one.status() << three.status();
  ASSERT_EQ(one->size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ((*one)[i].counts, (*three)[i].counts);
  std::vector<Quotes> quotes;
  for (const TextGroup& group : *one) quotes.push_back(group.quotes);
  EXPECT_THAT(quotes, ElementsAre(Quotes::kNone, Quotes::kNone, Quotes::kSome, Quotes::kAll));
  options.tasks = {"none"};
  EXPECT_EQ(CountWorldText(options).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace galago::train
