#include "train/world/scenery.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "src/base/check.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

// A muted tone.
Ink Tone(Rng& rng) {
  const double light = rng.Uniform(0.50, 0.78);
  const auto channel = [&] { return std::clamp(light + rng.Uniform(-0.14, 0.14), 0.0, 1.0); };
  const double red = channel();
  const double green = channel();
  const double blue = channel();
  return {red, green, blue};
}

Ink Neighbour(const Ink& tone, Rng& rng, double amount) { return Lighter(tone, rng.Chance(0.5) ? amount : -amount); }

void Fill(const Canvas& canvas, const Ink& ink) {
  canvas.SetInk(ink);
  cairo_paint(canvas.cairo());
}

void FillWith(const Canvas& canvas, cairo_pattern_t* gradient, const Ink& from, const Ink& to) {
  cairo_pattern_add_color_stop_rgb(gradient, 0, from.red, from.green, from.blue);
  cairo_pattern_add_color_stop_rgb(gradient, 1, to.red, to.green, to.blue);
  cairo_set_source(canvas.cairo(), gradient);
  cairo_paint(canvas.cairo());
  cairo_pattern_destroy(gradient);
}

// A few pixels of noise blown up to the whole canvas.
void Clouds(const Canvas& canvas, Rng& rng, const Ink& tone) {
  constexpr int kSide = 9;
  std::array<uint32_t, static_cast<size_t>(kSide) * kSide> pixels;
  for (uint32_t& pixel : pixels) {
    const Ink ink = Lighter(tone, rng.Uniform(-0.22, 0.22));
    const auto byte = [](double value) { return static_cast<uint32_t>(std::lround(value * 255)); };
    pixel = byte(ink.red) << 16 | byte(ink.green) << 8 | byte(ink.blue);
  }
  cairo_surface_t* surface = cairo_image_surface_create_for_data(reinterpret_cast<unsigned char*>(pixels.data()),
                                                                 CAIRO_FORMAT_RGB24, kSide, kSide, kSide * 4);
  CHECK(cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS);
  cairo_t* cairo = canvas.cairo();
  cairo_save(cairo);
  cairo_scale(cairo, static_cast<double>(canvas.width()) / (kSide - 1),
              static_cast<double>(canvas.height()) / (kSide - 1));
  cairo_set_source_surface(cairo, surface, -0.5, -0.5);
  cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_BILINEAR);
  cairo_pattern_set_extend(cairo_get_source(cairo), CAIRO_EXTEND_PAD);
  cairo_paint(cairo);
  cairo_restore(cairo);
  cairo_set_source_rgb(cairo, 0, 0, 0);
  cairo_surface_destroy(surface);
}

void Stripes(const Canvas& canvas, double step, double radians) {
  cairo_t* cairo = canvas.cairo();
  const auto reach = static_cast<double>(canvas.width() + canvas.height());
  cairo_save(cairo);
  cairo_rotate(cairo, radians);
  for (double x = -reach; x < reach; x += step) cairo_rectangle(cairo, x, -reach, step / 2, 2 * reach);
  cairo_fill(cairo);
  cairo_restore(cairo);
}

void Dots(const Canvas& canvas, double step) {
  cairo_t* cairo = canvas.cairo();
  for (double y = step / 2; y < static_cast<double>(canvas.height()); y += step) {
    for (double x = step / 2; x < static_cast<double>(canvas.width()); x += step) {
      cairo_new_sub_path(cairo);
      cairo_arc(cairo, x, y, step * 0.25, 0, 2 * std::numbers::pi);
    }
  }
  cairo_fill(cairo);
}

// Sky above, grass or sand below; hills: how far the skyline rises and falls.
void Land(const Canvas& canvas, Rng& rng, double hills) {
  const auto width = static_cast<double>(canvas.width());
  const auto height = static_cast<double>(canvas.height());
  const Ink sky = {rng.Uniform(0.55, 0.70), rng.Uniform(0.70, 0.80), rng.Uniform(0.84, 0.95)};
  FillWith(canvas, cairo_pattern_create_linear(0, 0, 0, height), sky, Lighter(sky, 0.35));
  const bool grass = rng.Chance(0.6);
  const Ink ground = grass ? Ink{rng.Uniform(0.42, 0.58), rng.Uniform(0.62, 0.75), rng.Uniform(0.32, 0.45)}
                           : Ink{rng.Uniform(0.74, 0.85), rng.Uniform(0.66, 0.75), rng.Uniform(0.48, 0.58)};
  cairo_t* cairo = canvas.cairo();
  const double skyline = height * rng.Uniform(0.35, 0.75);
  const double phase = rng.Uniform(0, 6);
  cairo_move_to(cairo, 0, height);
  for (double x = 0; x <= width; x += 4) {
    cairo_line_to(cairo, x, skyline + hills * std::sin(phase + x / width * 7));
  }
  cairo_line_to(cairo, width, height);
  cairo_close_path(cairo);
  canvas.SetInk(ground);
  cairo_fill(cairo);
}

}  // namespace

void DrawScenery(const Canvas& canvas, Rng& rng, Split split) {
  const bool unseen = split == Split::kHeldout && rng.Chance(0.75);
  const auto kind = rng.Int(0, unseen ? 3 : 4);
  const Ink tone = Tone(rng);
  const Ink other = Neighbour(tone, rng, rng.Uniform(0.1, 0.3));
  const auto width = static_cast<double>(canvas.width());
  const auto height = static_cast<double>(canvas.height());
  if (unseen) {
    if (kind == 0) {
      FillWith(canvas, cairo_pattern_create_radial(width / 2, height / 2, 0, width / 2, height / 2, width * 0.7), tone,
               other);
    }
    if (kind == 1 || kind == 2) {
      Fill(canvas, tone);
      canvas.SetInk(other);
      if (kind == 1) Dots(canvas, rng.Uniform(9, 16));
      if (kind == 2) Stripes(canvas, rng.Uniform(10, 22), rng.Pick({-0.8, 0.8}));
    }
    if (kind == 3) Land(canvas, rng, rng.Uniform(4, 9));
    return;
  }
  if (kind == 0) Fill(canvas, tone);
  if (kind == 1) FillWith(canvas, cairo_pattern_create_linear(0, 0, 0, height), tone, other);
  if (kind == 2) Clouds(canvas, rng, tone);
  if (kind == 3) {
    Fill(canvas, tone);
    canvas.SetInk(other);
    Stripes(canvas, rng.Uniform(10, 22), rng.Pick({0.0, std::numbers::pi / 2}));
  }
  if (kind == 4) Land(canvas, rng, 0);
}

}  // namespace galago::world
