#ifndef GALAGO_TRAIN_WORLD_LETTER_H_
#define GALAGO_TRAIN_WORLD_LETTER_H_

#include <string>

namespace galago::world {

// A letter that was drawn, and the centre of the box its line gives it, in pixels of the picture.
struct Letter {
  std::string text;  // one character, UTF-8
  double x = 0.0, y = 0.0;
};

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_LETTER_H_
