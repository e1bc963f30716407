#include "train/world/clip_script.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "src/base/check.h"
#include "train/world/background.h"
#include "train/world/palette.h"

namespace galago::world {
namespace {

constexpr double kMargin = 3.0;     // between a shape and the border of its band
constexpr double kSmallest = 0.45;  // of its radius, for what grows or shrinks
constexpr int kBounces = 2;         // in the time a shape bounces
constexpr double kLeastHop = 14.0;  // pixels: a hop that 14-pixel patches show

std::vector<Actor> Cast(int count, double largest, Rng& rng, Split split) {
  std::vector<Actor> actors;
  while (static_cast<int>(actors.size()) < count) {
    const Combination look = PickCombination(rng, split);
    const auto alike = [&](const Actor& other) {
      return other.look.shape == look.shape || other.look.colour == look.colour;
    };
    if (std::any_of(actors.begin(), actors.end(), alike)) continue;
    Actor actor;
    actor.look = look;
    actor.ink = Vary(Palette()[look.colour].ink, rng);
    actor.radius = rng.Uniform(0.82, 1.0) * largest;
    actors.push_back(actor);
  }
  return actors;
}

// How much of its deed is done: 0 before, 1 after.
double Progress(const Actor& actor, double time) {
  if (time < actor.when.begin) return 0.0;
  return std::min(1.0, (time - actor.when.begin) / (actor.when.end - actor.when.begin));
}

std::optional<ShapeLook> LookAt(const Actor& actor, double time) {
  if (!actor.visible.Holds(time)) return std::nullopt;
  ShapeLook look = {.shape = actor.look.shape, .ink = actor.ink, .x = actor.x, .y = actor.y, .radius = actor.radius};
  const double done = Progress(actor, time);
  switch (actor.deed) {
    case Deed::kStay:
      break;
    case Deed::kMove:
      look.x += done * actor.dx;
      look.y += done * actor.dy;
      break;
    case Deed::kGrow:
      look.radius *= kSmallest + (1.0 - kSmallest) * done;
      break;
    case Deed::kShrink:
      look.radius *= 1.0 - (1.0 - kSmallest) * done;
      break;
    case Deed::kBounce: {
      const double height = std::abs(std::sin(kBounces * std::numbers::pi * done));
      look.x += height * actor.dx;
      look.y += height * actor.dy;
      break;
    }
    case Deed::kTurn:
      if (actor.when.Holds(time)) look.ink = actor.later_ink;
      break;
  }
  return look;
}

}  // namespace

std::string ShapeOf(const Actor& actor) { return std::string(Shapes()[actor.look.shape].one); }
std::string ColourOf(const Actor& actor) { return std::string(Palette()[actor.look.colour].name); }

ClipLength PickLength(Rng& rng, Split split) {
  ClipLength length;
  length.num_frames = split == Split::kTrain ? rng.Pick({int64_t{8}, int64_t{16}, int64_t{16}, int64_t{24}})
                                             : rng.Pick({int64_t{12}, int64_t{16}, int64_t{20}});
  const double seconds = rng.Uniform(2.0, 8.0);
  length.fps = std::round(100.0 * static_cast<double>(length.num_frames) / seconds) / 100.0;
  return length;
}

std::vector<Actor> CastInBands(int count, bool rows, Rng& rng, Split split) {
  const double band = kClipSide / count;
  std::vector<Actor> actors = Cast(count, std::min(20.0, band / 2 - kMargin), rng, split);
  for (int i = 0; i < count; ++i) {
    Actor& actor = actors[static_cast<size_t>(i)];
    const double slack = band / 2 - kMargin - actor.radius;
    const double across = band * (i + 0.5) + std::min(8.0, slack) * rng.Uniform(-1, 1);
    const double along = kClipSide / 2 + rng.Uniform(-24, 24);
    actor.x = rows ? along : across;
    actor.y = rows ? across : along;
  }
  return actors;
}

std::vector<Actor> CastInQuarters(int count, Rng& rng, Split split) {
  CHECK_LE(count, 4);
  std::vector<Actor> actors = Cast(count, 20.0, rng, split);
  std::vector<int> quarters = {0, 1, 2, 3};
  rng.Shuffle(quarters);
  for (int i = 0; i < count; ++i) {
    const int quarter = quarters[static_cast<size_t>(i)];
    Actor& actor = actors[static_cast<size_t>(i)];
    const double slack = kClipSide / 4 - kMargin - actor.radius;
    actor.x = kClipSide * (quarter % 2 == 0 ? 0.25 : 0.75) + slack * rng.Uniform(-1, 1);
    actor.y = kClipSide * (quarter < 2 ? 0.25 : 0.75) + slack * rng.Uniform(-1, 1);
  }
  return actors;
}

std::string MoveAlongBand(Actor& actor, bool rows, const Span& when, Rng& rng) {
  const double reach = kClipSide - 2 * (actor.radius + kMargin);
  const double way = rng.Uniform(0.75, 1.0) * reach;
  const double start = actor.radius + kMargin + rng.Uniform(0, reach - way);
  const bool forward = rng.Chance(0.5);
  (rows ? actor.x : actor.y) = forward ? start : kClipSide - start;
  (rows ? actor.dx : actor.dy) = forward ? way : -way;
  actor.deed = Deed::kMove;
  actor.when = when;
  if (rows) return forward ? "right" : "left";
  return forward ? "down" : "up";
}

bool Bounce(Actor& actor, int count, bool rows, const Span& when) {
  const double band = rows ? kClipSide / count : kClipSide;
  const double hop = std::min(40.0, band - 2 * (actor.radius + kMargin));
  if (hop < kLeastHop) return false;
  const double middle = rows ? std::floor(actor.y / band) * band + band / 2 : kClipSide / 2;
  actor.y = middle + hop / 2;
  actor.dy = -hop;
  actor.deed = Deed::kBounce;
  actor.when = when;
  return true;
}

void Turn(Actor& actor, const Span& when, Rng& rng, Split split) {
  actor.deed = Deed::kTurn;
  actor.when = when;
  do {
    actor.later_colour = PickColourFor(actor.look.shape, rng, split);
  } while (actor.later_colour == actor.look.colour);
  actor.later_ink = Vary(Palette()[actor.later_colour].ink, rng);
}

Clip Film(std::span<const Actor> actors, const ClipLength& length, Rng& rng, Split split) {
  std::vector<Ink> inks;
  for (const Actor& actor : actors) {
    inks.push_back(actor.ink);
    if (actor.deed == Deed::kTurn) inks.push_back(actor.later_ink);
  }
  constexpr auto kSide = static_cast<int64_t>(kClipSide);
  const Canvas background(kSide, kSide, {});
  DrawBackground(background, rng, split, inks);

  Clip clip;
  clip.fps = length.fps;
  const Canvas canvas(kSide, kSide, {});
  for (int64_t i = 0; i < length.num_frames; ++i) {
    cairo_set_source_surface(canvas.cairo(), cairo_get_target(background.cairo()), 0, 0);
    cairo_paint(canvas.cairo());
    for (const Actor& actor : actors) {
      const std::optional<ShapeLook> look = LookAt(actor, static_cast<double>(i) / length.fps);
      if (look) DrawShape(canvas, *look);
    }
    clip.frames.push_back(canvas.ToImage());
  }
  // The background goes first; the context must not name it longer.
  cairo_set_source_rgb(canvas.cairo(), 0, 0, 0);
  return clip;
}

}  // namespace galago::world
