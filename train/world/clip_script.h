#ifndef GALAGO_TRAIN_WORLD_CLIP_SCRIPT_H_
#define GALAGO_TRAIN_WORLD_CLIP_SCRIPT_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "train/world/canvas.h"
#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/shapes.h"

// Short videos of shapes that do something, as a script that can be filmed at any time.
namespace galago::world {

inline constexpr double kClipSide = 112.0;  // frames are square

enum class Deed { kStay, kMove, kGrow, kShrink, kBounce, kTurn };

struct Span {
  double begin = 0.0, end = std::numeric_limits<double>::infinity();  // seconds; end excluded
  bool Holds(double time) const { return begin <= time && time < end; }
};

// One shape, and the one thing it does. Times are seconds from the start of the clip.
struct Actor {
  Combination look;
  Ink ink;
  double radius = 14.0;     // at its largest, if it grows or shrinks
  double x = 0.0, y = 0.0;  // before it moves; where it rests between bounces
  Span visible;
  Deed deed = Deed::kStay;
  Span when;                  // of the deed; a moved, grown or shrunk shape stays so
  double dx = 0.0, dy = 0.0;  // kMove: the whole way. kBounce: the highest point
  size_t later_colour = 0;    // kTurn: worn during `when`, its own before and after
  Ink later_ink;
};

std::string ShapeOf(const Actor& actor);   // "star"
std::string ColourOf(const Actor& actor);  // "red"

// How long a clip is: so many frames at a rate that is a multiple of 0.01. Frame i shows the time i / fps.
struct ClipLength {
  int64_t num_frames = 16;
  double fps = 4.0;
  double duration_s() const { return static_cast<double>(num_frames) / fps; }
};
// 2 to 8 seconds. Training: 8, 16 or 24 frames; held-out: 12, 16 or 20.
ClipLength PickLength(Rng& rng, Split split);

// `count` actors with different shapes and inks of the split's combinations, each in a band of its own so that none
// hides another: rows if `rows`, else columns. They stay where they are, in the middle of their bands.
std::vector<Actor> CastInBands(int count, bool rows, Rng& rng, Split split);
// At most four actors, each in a quarter of the frame.
std::vector<Actor> CastInQuarters(int count, Rng& rng, Split split);

// Makes the actor, in one of `count` bands, move along its band: "left", "right", "up" or "down".
std::string MoveAlongBand(Actor& actor, bool rows, const Span& when, Rng& rng);
// Bounces upwards as high as its band allows; false, and nothing changed, where that is too little to be seen.
bool Bounce(Actor& actor, int count, bool rows, const Span& when);
// A colour that is not its own, for kTurn.
void Turn(Actor& actor, const Span& when, Rng& rng, Split split);

Clip Film(std::span<const Actor> actors, const ClipLength& length, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_CLIP_SCRIPT_H_
