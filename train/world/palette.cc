#include "train/world/palette.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace galago::world {

std::span<const Paint> Palette() {
  static constexpr std::array<Paint, 10> kPaints = {{{"red", {0.86, 0.08, 0.10}},
                                                     {"green", {0.10, 0.62, 0.20}},
                                                     {"blue", {0.10, 0.28, 0.86}},
                                                     {"yellow", {0.98, 0.87, 0.10}},
                                                     {"orange", {0.98, 0.53, 0.06}},
                                                     {"purple", {0.50, 0.14, 0.66}},
                                                     {"pink", {0.98, 0.56, 0.76}},
                                                     {"brown", {0.45, 0.26, 0.10}},
                                                     {"black", {0.06, 0.06, 0.07}},
                                                     {"white", {0.97, 0.97, 0.97}}}};
  return kPaints;
}

Ink Vary(const Ink& ink, Rng& rng) {
  const double light = rng.Uniform(-0.03, 0.03);
  const auto channel = [&](double value) { return std::clamp(value + light + rng.Uniform(-0.025, 0.025), 0.0, 1.0); };
  const double red = channel(ink.red);
  const double green = channel(ink.green);
  const double blue = channel(ink.blue);
  return {red, green, blue, ink.alpha};
}

double Distance(const Ink& a, const Ink& b) {
  // "Redmean": weighs the channels about as the eye does, without a change of colour space.
  const double mean_red = (a.red + b.red) / 2;
  const double red = a.red - b.red;
  const double green = a.green - b.green;
  const double blue = a.blue - b.blue;
  return std::sqrt((2 + mean_red) * red * red + 4 * green * green + (3 - mean_red) * blue * blue) / 3;
}

Ink Lighter(const Ink& ink, double amount) {
  const double goal = amount > 0 ? 1.0 : 0.0;
  const double weight = std::abs(amount);
  const auto channel = [&](double value) { return value + (goal - value) * weight; };
  return {channel(ink.red), channel(ink.green), channel(ink.blue), ink.alpha};
}

}  // namespace galago::world
