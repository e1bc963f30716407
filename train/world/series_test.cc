#include "train/world/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "src/base/strings.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

size_t ValueOf(const Scene& scene, Reads reads) {
  switch (reads) {
    case Reads::kShape:
      return scene.things[0].shape;
    case Reads::kColour:
      return scene.things[0].colour;
    case Reads::kNumber:
      return scene.things.size();
    case Reads::kMaterial:
      return static_cast<size_t>(scene.things[0].material);
  }
  return 0;
}

TEST(Series, EveryPictureShowsCopiesOfOneThing) {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    Rng rng(1);
    for (int i = 0; i < 1500; ++i) {
      const Series series = DrawSeries({.shots = i % 7, .made_up = i % 2 == 0}, rng, split);
      ASSERT_EQ(series.scenes.size(), static_cast<size_t>(i % 7 + 1));
      ASSERT_EQ(series.answers.size(), series.scenes.size());
      for (const Scene& scene : series.scenes) {
        ASSERT_FALSE(scene.things.empty());
        for (const Thing& thing : scene.things) {
          EXPECT_EQ(thing.shape, scene.things[0].shape);
          EXPECT_EQ(thing.colour, scene.things[0].colour);
          EXPECT_EQ(thing.material, scene.things[0].material);
          if (split == Split::kTrain) {
            EXPECT_FALSE(IsHeldOut(thing.colour, thing.shape));
          }
        }
      }
    }
  }
}

TEST(Series, OwnWordsNameWhatTheRuleReads) {
  Rng rng(2);
  for (int i = 0; i < 500; ++i) {
    const Series series = DrawSeries({.shots = 4, .made_up = false}, rng, Split::kTrain);
    for (size_t j = 0; j < series.scenes.size(); ++j) {
      const Scene& scene = series.scenes[j];
      const std::string wanted = series.reads == Reads::kShape    ? std::string(Shapes()[scene.things[0].shape].one)
                                 : series.reads == Reads::kColour ? std::string(Palette()[scene.things[0].colour].name)
                                 : series.reads == Reads::kNumber ? StrCat(scene.things.size())
                                                                  : std::string(Name(scene.things[0].material));
      EXPECT_EQ(series.answers[j], wanted);
    }
  }
}

TEST(Series, MadeUpWordsAreBoundByTheExamplesAlone) {
  Rng rng(3);
  std::map<size_t, std::set<std::string>> words_of_shape;
  for (int i = 0; i < 3000; ++i) {
    const Series series = DrawSeries({.shots = 1 + i % 6, .made_up = true}, rng, Split::kTrain);
    const size_t last = series.scenes.size() - 1;
    std::map<size_t, std::string> word_of_value;
    std::map<std::string, size_t> value_of_word;
    for (size_t j = 0; j <= last; ++j) {
      const size_t value = ValueOf(series.scenes[j], series.reads);
      // One word for one value, both ways.
      EXPECT_EQ(word_of_value.emplace(value, series.answers[j]).first->second, series.answers[j]);
      EXPECT_EQ(value_of_word.emplace(series.answers[j], value).first->second, value);
      if (series.reads == Reads::kShape) words_of_shape[value].insert(series.answers[j]);
    }
    // The last picture's word was shown before.
    EXPECT_NE(std::find(series.answers.begin(), series.answers.end() - 1, series.answers[last]),
              series.answers.end() - 1);
    // No other attribute links the last picture with an example of another class and not with all.
    for (const Reads other : {Reads::kShape, Reads::kColour, Reads::kNumber, Reads::kMaterial}) {
      if (other == series.reads) continue;
      size_t alike = 0;
      for (size_t j = 0; j < last; ++j) {
        alike += ValueOf(series.scenes[j], other) == ValueOf(series.scenes[last], other) ? 1 : 0;
      }
      EXPECT_TRUE(alike == 0 || alike == last) << i;
    }
  }
  // Every shape was called by most of the words at one time or another.
  for (const auto& [shape, words] : words_of_shape) EXPECT_GE(words.size(), MadeUpWords().size() / 2) << shape;
}

TEST(Series, AnswersOfTheLastPictureAreSpreadOut) {
  Rng rng(4);
  std::map<size_t, int> positions;  // of the example that has the last picture's word, with two classes in four shots
  for (int i = 0; i < 2000; ++i) {
    const Series series = DrawSeries({.shots = 2, .made_up = true}, rng, Split::kTrain);
    ++positions[series.answers[0] == series.answers[2] ? 0 : 1];
  }
  EXPECT_NEAR(positions[0], 1000, 120);
}

TEST(Series, PicturesAreDrawnForEveryScene) {
  Rng rng(5);
  const Series series = DrawSeries({.shots = 3, .made_up = true}, rng, Split::kHeldout);
  const auto images = PaintSeries(series, rng, Split::kHeldout);
  ASSERT_EQ(images.size(), 4U);
  for (const media::Image& image : images) EXPECT_EQ(image.width * image.height, 112 * 112);
}

}  // namespace
}  // namespace galago::world
