#include "train/world/background.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr std::array<Ink, 10> kTrainTones = {{{0.86, 0.86, 0.86},
                                              {0.96, 0.93, 0.82},
                                              {0.80, 0.88, 0.96},
                                              {0.82, 0.92, 0.82},
                                              {0.88, 0.84, 0.95},
                                              {0.62, 0.63, 0.64},
                                              {0.80, 0.73, 0.60},
                                              {0.42, 0.52, 0.60},
                                              {0.30, 0.32, 0.34},
                                              {0.14, 0.32, 0.34}}};
constexpr std::array<Ink, 7> kHeldoutTones = {{{0.91, 0.89, 0.88},
                                               {0.86, 0.94, 0.94},
                                               {0.70, 0.68, 0.63},
                                               {0.52, 0.58, 0.56},
                                               {0.36, 0.40, 0.46},
                                               {0.56, 0.62, 0.70},
                                               {0.20, 0.24, 0.30}}};
// Enough to see a shape's edge at once; black and white both keep it from the middle greys.
constexpr double kClearDistance = 0.24;

double Clearance(const Ink& tone, std::span<const Ink> avoid) {
  double least = std::numeric_limits<double>::infinity();
  for (const Ink& ink : avoid) least = std::min(least, Distance(tone, ink));
  return least;
}

// One of the tones that stand off, or else the one that stands off most.
Ink PickTone(std::span<const Ink> tones, std::span<const Ink> avoid, Rng& rng) {
  std::vector<Ink> clear;
  const Ink* best = &tones[0];
  for (const Ink& tone : tones) {
    if (Clearance(tone, avoid) >= kClearDistance) clear.push_back(tone);
    if (Clearance(tone, avoid) > Clearance(*best, avoid)) best = &tone;
  }
  return clear.empty() ? *best : rng.Pick(clear);
}

void FillWithGradient(const Canvas& canvas, cairo_pattern_t* pattern, const Ink& from, const Ink& to) {
  cairo_pattern_add_color_stop_rgb(pattern, 0, from.red, from.green, from.blue);
  cairo_pattern_add_color_stop_rgb(pattern, 1, to.red, to.green, to.blue);
  cairo_set_source(canvas.cairo(), pattern);
  cairo_paint(canvas.cairo());
  cairo_pattern_destroy(pattern);
}

void Lines(const Canvas& canvas, double step, double slant) {
  cairo_t* cairo = canvas.cairo();
  const auto width = static_cast<double>(canvas.width());
  const auto height = static_cast<double>(canvas.height());
  cairo_set_line_width(cairo, 1.2);
  for (double y = -slant * width; y < height + slant * width; y += step) {
    cairo_move_to(cairo, 0, y + slant * width);
    cairo_line_to(cairo, width, y);
  }
  cairo_stroke(cairo);
}

void Specks(const Canvas& canvas, Rng& rng) {
  cairo_t* cairo = canvas.cairo();
  const int64_t count = canvas.width() * canvas.height() / 60;
  for (int64_t i = 0; i < count; ++i) {
    const double x = rng.Uniform(0, static_cast<double>(canvas.width()));
    const double y = rng.Uniform(0, static_cast<double>(canvas.height()));
    cairo_rectangle(cairo, x, y, 1.2, 1.2);
  }
  cairo_fill(cairo);
}

void Checks(const Canvas& canvas, double step) {
  cairo_t* cairo = canvas.cairo();
  int row = 0;
  for (double y = 0; y < static_cast<double>(canvas.height()); y += step, ++row) {
    for (double x = row % 2 == 0 ? 0 : step; x < static_cast<double>(canvas.width()); x += 2 * step) {
      cairo_rectangle(cairo, x, y, step, step);
    }
  }
  cairo_fill(cairo);
}

}  // namespace

void DrawBackground(const Canvas& canvas, Rng& rng, Split split, std::span<const Ink> avoid) {
  const bool train = split == Split::kTrain;
  const std::span<const Ink> tones = train ? std::span<const Ink>(kTrainTones) : kHeldoutTones;
  const Ink tone = PickTone(tones, avoid, rng);
  canvas.SetInk(tone);
  cairo_paint(canvas.cairo());
  const auto width = static_cast<double>(canvas.width());
  const auto height = static_cast<double>(canvas.height());
  // The second tone: the lighter or darker neighbour that stands off more.
  const double amount = rng.Uniform(0.08, 0.22);
  const Ink lighter = Lighter(tone, amount);
  const Ink darker = Lighter(tone, -amount);
  Ink other = Clearance(lighter, avoid) > Clearance(darker, avoid) ? lighter : darker;
  const auto kind = rng.Int(0, train ? 5 : 3);
  if (train) {
    if (kind == 2) FillWithGradient(canvas, cairo_pattern_create_linear(0, 0, 0, height), tone, other);
    if (kind == 3) FillWithGradient(canvas, cairo_pattern_create_linear(0, 0, width, 0), tone, other);
    other.alpha = 0.5;
    canvas.SetInk(other);
    if (kind == 4) Lines(canvas, rng.Uniform(5, 9), 0);
    if (kind == 5) Specks(canvas, rng);
    return;  // 0 and 1: plain
  }
  if (kind == 0) FillWithGradient(canvas, cairo_pattern_create_linear(0, 0, width, height), tone, other);
  if (kind == 1) {
    FillWithGradient(canvas, cairo_pattern_create_radial(width / 2, height / 2, 0, width / 2, height / 2, width * 0.6),
                     tone, other);
  }
  other.alpha = 0.5;
  canvas.SetInk(other);
  if (kind == 2) Checks(canvas, rng.Uniform(9, 15));
  if (kind == 3) Lines(canvas, rng.Uniform(6, 10), 1);
}

void AddNoise(media::Image& image, Rng& rng, int64_t levels) {
  if (levels <= 0) return;
  // Eight pixels' shifts come out of one 64-bit number: noise must not cost more than drawing.
  uint64_t bits = 0;
  int left = 0;
  for (size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    if (left == 0) {
      bits = rng.Next();
      left = 8;
    }
    const auto shift =
        static_cast<int>((static_cast<int64_t>(bits & 0xFF) * (2 * levels + 1)) >> 8) - static_cast<int>(levels);
    bits >>= 8;
    --left;
    for (size_t c = 0; c < 3; ++c)
      image.rgb[i + c] = static_cast<uint8_t>(std::clamp(image.rgb[i + c] + shift, 0, 255));
  }
}

}  // namespace galago::world
