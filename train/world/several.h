#ifndef GALAGO_TRAIN_WORLD_SEVERAL_H_
#define GALAGO_TRAIN_WORLD_SEVERAL_H_

#include <string_view>
#include <vector>

#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/scene.h"

// Two to four small pictures to compare, to order, or to find something in. Answers name a picture by its number.
namespace galago::world {

struct Several {
  std::vector<Scene> scenes;
  std::string_view noun;  // what the questions call them: "image" or "picture"
  std::vector<Exchange> exchanges;
};
Several DrawSeveral(Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SEVERAL_H_
