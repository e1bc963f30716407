#include "train/world/surface.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "src/base/check.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr double kPi = std::numbers::pi;

void PaintGradient(const Canvas& canvas, const Backdrop& backdrop) {
  const auto width = static_cast<double>(canvas.width());
  const auto height = static_cast<double>(canvas.height());
  const double dx = std::cos(backdrop.radians) * width / 2;
  const double dy = std::sin(backdrop.radians) * height / 2;
  cairo_pattern_t* gradient =
      cairo_pattern_create_linear(width / 2 - dx, height / 2 - dy, width / 2 + dx, height / 2 + dy);
  const auto stop = [&](double at, const Ink& ink) {
    cairo_pattern_add_color_stop_rgb(gradient, at, ink.red, ink.green, ink.blue);
  };
  stop(0.0, backdrop.first);
  stop(1.0, backdrop.second);
  cairo_set_source(canvas.cairo(), gradient);
  cairo_paint(canvas.cairo());
  cairo_pattern_destroy(gradient);
}

void PaintStripes(const Canvas& canvas, const Backdrop& backdrop) {
  cairo_t* cairo = canvas.cairo();
  const double reach = std::hypot(static_cast<double>(canvas.width()), static_cast<double>(canvas.height())) / 2;
  cairo_save(cairo);
  cairo_translate(cairo, static_cast<double>(canvas.width()) / 2, static_cast<double>(canvas.height()) / 2);
  cairo_rotate(cairo, backdrop.radians);
  for (double x = -reach; x < reach; x += backdrop.scale) {
    cairo_rectangle(cairo, x, -reach, backdrop.scale / 2, 2 * reach);
  }
  cairo_fill(cairo);
  cairo_restore(cairo);
}

void PaintGrid(const Canvas& canvas, const Backdrop& backdrop) {
  cairo_t* cairo = canvas.cairo();
  const auto width = static_cast<double>(canvas.width());
  const auto height = static_cast<double>(canvas.height());
  int64_t row = 0;
  for (double y = 0; y < height; y += backdrop.scale, ++row) {
    for (double x = row % 2 == 0 ? 0.0 : backdrop.scale; x < width; x += 2 * backdrop.scale) {
      if (backdrop.pattern == Pattern::kChecks) {
        cairo_rectangle(cairo, x, y, backdrop.scale, backdrop.scale);
      } else {
        cairo_new_sub_path(cairo);
        cairo_arc(cairo, x, y, backdrop.scale / 4, 0, 2 * kPi);
      }
    }
  }
  cairo_fill(cairo);
}

void PaintBlobs(const Canvas& canvas, const Backdrop& backdrop, Rng& rng) {
  cairo_t* cairo = canvas.cairo();
  Ink ink = backdrop.second;
  ink.alpha = 0.6;
  canvas.SetInk(ink);
  for (int64_t i = rng.Int(5, 10); i > 0; --i) {
    const double x = rng.Uniform(0, static_cast<double>(canvas.width()));
    const double y = rng.Uniform(0, static_cast<double>(canvas.height()));
    cairo_arc(cairo, x, y, rng.Uniform(0.6, 2.5) * backdrop.scale, 0, 2 * kPi);
    cairo_fill(cairo);
  }
}

void PaintWaves(const Canvas& canvas, const Backdrop& backdrop) {
  cairo_t* cairo = canvas.cairo();
  cairo_set_line_width(cairo, backdrop.scale / 3);
  for (double y = 0; y < static_cast<double>(canvas.height()) + backdrop.scale; y += backdrop.scale) {
    cairo_move_to(cairo, 0, y);
    for (double x = 0; x < static_cast<double>(canvas.width()); x += 2 * backdrop.scale) {
      cairo_rel_curve_to(cairo, backdrop.scale * 0.6, -backdrop.scale * 0.6, backdrop.scale * 1.4, backdrop.scale * 0.6,
                         backdrop.scale * 2, 0);
    }
    cairo_stroke(cairo);
  }
}

}  // namespace

Backdrop PickBackdrop(const Ink& first, double contrast, Rng& rng, Split split) {
  Backdrop backdrop;
  backdrop.first = first;
  const double change = rng.Uniform(0.3, 1.0) * contrast;
  backdrop.second = Lighter(first, Luminance(first) > 0.5 ? -change : change);
  backdrop.scale = rng.Uniform(7, 20);
  backdrop.radians = rng.Uniform(0, 2 * kPi);
  backdrop.pattern = rng.Pick({Pattern::kPlain, Pattern::kPlain, Pattern::kGradient, Pattern::kGradient,
                               Pattern::kStripes, Pattern::kChecks, Pattern::kDots, Pattern::kBlobs});
  if (split == Split::kHeldout && rng.Chance(0.25)) backdrop.pattern = Pattern::kWaves;
  return backdrop;
}

void PaintBackdrop(const Canvas& canvas, const Backdrop& backdrop, Rng& rng) {
  canvas.SetInk(backdrop.first);
  cairo_paint(canvas.cairo());
  canvas.SetInk(backdrop.second);
  switch (backdrop.pattern) {
    case Pattern::kPlain:
      break;
    case Pattern::kGradient:
      PaintGradient(canvas, backdrop);
      break;
    case Pattern::kStripes:
      PaintStripes(canvas, backdrop);
      break;
    case Pattern::kChecks:
    case Pattern::kDots:
      PaintGrid(canvas, backdrop);
      break;
    case Pattern::kBlobs:
      PaintBlobs(canvas, backdrop, rng);
      break;
    case Pattern::kWaves:
      PaintWaves(canvas, backdrop);
      break;
  }
}

double Luminance(const Ink& ink) { return 0.30 * ink.red + 0.59 * ink.green + 0.11 * ink.blue; }

bool Readable(const Ink& text, const Ink& paper) { return std::abs(Luminance(text) - Luminance(paper)) >= 0.32; }

void AddNoise(media::Image& image, int64_t amplitude, Rng& rng) {
  CHECK(amplitude >= 0 && amplitude < 128);
  if (amplitude == 0) return;
  const int64_t range = 2 * amplitude + 1;
  uint64_t bits = 0;
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    if (i % 8 == 0) bits = rng.Next();
    const int64_t delta = (static_cast<int64_t>(bits & 0xFF) * range >> 8) - amplitude;
    bits >>= 8;
    image.rgb[i] = static_cast<uint8_t>(std::clamp<int64_t>(image.rgb[i] + delta, 0, 255));
  }
}

void Soften(media::Image& image) {
  const auto smooth = [](std::vector<int>& line, size_t count) {
    int before = line[0];
    for (size_t i = 0; i < count; ++i) {
      const int here = line[i];
      const int after = line[std::min(i + 1, count - 1)];
      line[i] = (before + 2 * here + after + 2) / 4;
      before = here;
    }
  };
  const auto pass = [&](int64_t lines, int64_t length, int64_t line_step, int64_t step) {
    std::vector<int> line(static_cast<size_t>(length));
    for (int64_t l = 0; l < lines; ++l) {
      for (int64_t channel = 0; channel < 3; ++channel) {
        uint8_t* at = image.rgb.data() + l * line_step + channel;
        for (int64_t i = 0; i < length; ++i) line[static_cast<size_t>(i)] = at[i * step];
        smooth(line, line.size());
        for (int64_t i = 0; i < length; ++i) at[i * step] = static_cast<uint8_t>(line[static_cast<size_t>(i)]);
      }
    }
  };
  if (image.rgb.empty()) return;
  pass(image.height, image.width, image.width * 3, 3);
  pass(image.width, image.height, 3, image.width * 3);
}

}  // namespace galago::world
