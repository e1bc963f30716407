#ifndef GALAGO_TRAIN_WORLD_SURFACE_H_
#define GALAGO_TRAIN_WORLD_SURFACE_H_

#include <cstdint>

#include "src/media/image.h"
#include "train/world/canvas.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// What writing stands on, and what a camera does to it.
namespace galago::world {

enum class Pattern { kPlain, kGradient, kStripes, kChecks, kDots, kBlobs, kWaves };

struct Backdrop {
  Pattern pattern = Pattern::kPlain;
  Ink first;
  Ink second;
  double scale = 12.0;   // pixels from one mark of the pattern to the next
  double radians = 0.0;  // direction of gradient and stripes
};

// Waves belong to the held-out split alone. `first` is varied by up to `contrast` (0 to 1) towards white or black.
Backdrop PickBackdrop(const Ink& first, double contrast, Rng& rng, Split split);
void PaintBackdrop(const Canvas& canvas, const Backdrop& backdrop, Rng& rng);

// 0 (black) to 1 (white), as the eye weighs the channels.
double Luminance(const Ink& ink);
// Whether text in one colour can be read well on the other.
bool Readable(const Ink& text, const Ink& paper);

// Independent noise of at most `amplitude` (0 to 127) in every byte.
void AddNoise(media::Image& image, int64_t amplitude, Rng& rng);
// [1 2 1] / 4 in both directions; borders are repeated.
void Soften(media::Image& image);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SURFACE_H_
