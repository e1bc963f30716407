#ifndef GALAGO_TRAIN_WORLD_SERIES_H_
#define GALAGO_TRAIN_WORLD_SERIES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/scene.h"

// Series of pictures that follow one rule: each shows some copies of one thing, and the rule turns a picture into a
// word.
namespace galago::world {

// What of the picture the rule reads.
enum class Reads { kShape, kColour, kNumber, kMaterial };

struct SeriesOptions {
  int64_t shots = 4;  // pictures before the last one
  // Words without a meaning of their own, bound anew in every series: only the examples tell what they stand for. Else
  // the rule's own words ("star", "red", "3", "striped"): the examples tell only which of them is wanted.
  bool made_up = false;
};

struct Series {
  Reads reads = Reads::kShape;
  std::vector<Scene> scenes;         // shots + 1
  std::vector<std::string> answers;  // one for each scene
};

// Made-up words: every class of the series appears among the shots, the last picture's too, and nothing but the rule
// links pictures of a class: everything else is alike in all of them or different in each.
Series DrawSeries(const SeriesOptions& options, Rng& rng, Split split);

// On one background in half of the series.
std::vector<media::Image> PaintSeries(const Series& series, Rng& rng, Split split);

// The made-up words, the same in both splits.
std::span<const std::string_view> MadeUpWords();

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SERIES_H_
