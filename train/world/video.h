#ifndef GALAGO_TRAIN_WORLD_VIDEO_H_
#define GALAGO_TRAIN_WORLD_VIDEO_H_

#include "train/world/lists.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

namespace galago::world {

// A clip as the task video films it, and one list: what each shape does, or in which order they come, among others that
// are not in it: "no".
Told FindInVideo(Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_VIDEO_H_
