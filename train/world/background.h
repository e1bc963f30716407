#ifndef GALAGO_TRAIN_WORLD_BACKGROUND_H_
#define GALAGO_TRAIN_WORLD_BACKGROUND_H_

#include <span>

#include "src/media/image.h"
#include "train/world/canvas.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// What lies behind the things of a picture. Training and held-out pictures have different kinds.
namespace galago::world {

// Covers the canvas with tones that stand off from every ink in `avoid`. Training: plain, upright and level gradients,
// lines, specks. Held-out: slanting and round gradients, checks, slanting lines, and tones of its own.
void DrawBackground(const Canvas& canvas, Rng& rng, Split split, std::span<const Ink> avoid);

// Shifts every pixel by up to `levels` of 255, its three channels alike.
void AddNoise(media::Image& image, Rng& rng, int64_t levels);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_BACKGROUND_H_
