#ifndef GALAGO_TRAIN_WORLD_SCENERY_H_
#define GALAGO_TRAIN_WORLD_SCENERY_H_

#include "train/world/canvas.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// What lies behind cut-out things: of middle lightness, so that black and white ones both stand off.
namespace galago::world {

// Covers the canvas. Training: plain, upright gradients, clouds, stripes, sky over a flat ground. Held-out, three times
// of four: round gradients, dots, slanting stripes, sky over hills.
void DrawScenery(const Canvas& canvas, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SCENERY_H_
