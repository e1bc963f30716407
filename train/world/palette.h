#ifndef GALAGO_TRAIN_WORLD_PALETTE_H_
#define GALAGO_TRAIN_WORLD_PALETTE_H_

#include <cstddef>
#include <span>
#include <string_view>

#include "train/world/canvas.h"
#include "train/world/rng.h"

// The colours that World names. They lie far enough apart that people agree on the name even of a varied one.
namespace galago::world {

struct Paint {
  std::string_view name;
  Ink ink;
};

// red, green, blue, yellow, orange, purple, pink, brown, black, white.
std::span<const Paint> Palette();

// The paint's colour as one object wears it: a little lighter, darker or tinted, never near another paint.
Ink Vary(const Ink& ink, Rng& rng);

// 0 to 1: how far apart two colours look. Below about 0.15 they are hard to tell, above 0.25 easy.
double Distance(const Ink& a, const Ink& b);

// Towards white (amount 1) or black (amount -1).
Ink Lighter(const Ink& ink, double amount);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_PALETTE_H_
