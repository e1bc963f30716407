#ifndef GALAGO_TRAIN_WORLD_CAPTIONS_H_
#define GALAGO_TRAIN_WORLD_CAPTIONS_H_

#include <string>

#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/scene.h"

namespace galago::world {

// "a red star above a blue fish", "two cups and a green key", "a car at the top left and a moon in the middle": a
// phrase that tells every thing of the scene, and nothing that is not clearly so.
std::string PhraseFor(const Scene& scene, Rng& rng);
// The same as a sentence.
std::string CaptionFor(const Scene& scene, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_CAPTIONS_H_
