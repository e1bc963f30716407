#ifndef GALAGO_TRAIN_WORLD_SCENES_H_
#define GALAGO_TRAIN_WORLD_SCENES_H_

#include "train/world/rng.h"
#include "train/world/scene.h"

// Scenes of shapes and simple objects, for every task that shows them.
namespace galago::world {

struct SceneOptions {
  int64_t least = 1;  // things
  int64_t most = 6;
  bool patterns = true;  // materials other than plain
  bool large = true;     // three pictures in ten are two or four times as large
};
// One thing in a scene in ten, several of a sort in half of them; a held-out scene may hold one thing more than
// training's most. Every combination of colour and shape is one that the split shows.
Scene DrawScene(Rng& rng, Split split, const SceneOptions& options = {});

// Things without places, as DrawScene chooses them.
std::vector<Thing> PickThings(int64_t count, bool patterns, double scale, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SCENES_H_
