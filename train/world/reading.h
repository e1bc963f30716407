#ifndef GALAGO_TRAIN_WORLD_READING_H_
#define GALAGO_TRAIN_WORLD_READING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
#include "train/world/canvas.h"
#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/surface.h"

// The task "reading": words, signs, labels, numbers and short lines. Answers have the case that is drawn.
namespace galago::world {

// Text alone, on shapes of signs; tags and hexagons belong to the held-out split alone.
enum class SignShape { kBare, kRectangle, kRounded, kEllipse, kArrow, kBanner, kTag, kHexagon };

struct Sign {
  std::vector<std::vector<std::string>> rows;  // words as drawn, in reading order
  SignShape shape = SignShape::kBare;
  double x = 0, y = 0, width = 0, height = 0;  // box, pixels
  double radians = 0.0;                        // clockwise
  double shear = 0.0;
  std::string_view paper_name;  // of the palette; empty: a tint without a name, or no sign at all
  Ink paper;
  std::string_view ink_name;
  TextStyle style;  // with the size that fits
  bool shadow = false;

  std::vector<std::string> Words() const;
  std::string Text() const;  // the words with single spaces
};

enum class Content { kWord, kCode, kLines, kTwoSigns };

struct Board {
  Content content = Content::kWord;
  int64_t width = 112;
  int64_t height = 112;
  Backdrop backdrop;
  std::vector<Sign> signs;  // one; kTwoSigns: from the top down or from the left to the right
  int64_t noise = 0;
  bool soft = false;
};

Board PlanBoard(Rng& rng, Split split);
media::Image PaintBoard(const Board& board, Rng& rng);
std::vector<Exchange> AskBoard(const Board& board, Rng& rng, Split split);

// Whether training never shows text of the one colour on a sign of the other, nor signs of the two colours together.
bool IsHeldoutPair(std::string_view paint, std::string_view other);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_READING_H_
