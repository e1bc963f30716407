#ifndef GALAGO_TRAIN_WORLD_SCENE_H_
#define GALAGO_TRAIN_WORLD_SCENE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/shapes.h"

// A scene is a list of things with places; questions, captions and pictures are all made from the same list.
namespace galago::world {

struct Thing {
  size_t shape = 0;   // index into Shapes()
  size_t colour = 0;  // index into Palette()
  Material material = Material::kPlain;
  bool big = false;
  double x = 0.0, y = 0.0;  // centre, pixels
  double radius = 10.0;     // within 1.35 x of each other for things of one size; 1.5 x apart between sizes
  double turn = 0.0;        // radians
  bool operator==(const Thing&) const = default;
};

struct Scene {
  int64_t width = 112;
  int64_t height = 112;
  std::vector<Thing> things;
};

// Things lie freely, or each in a cell of three by three (training); side by side or one above the other (held-out).
enum class Layout { kFree, kGrid, kRow, kColumn };

// 1 for a picture of 112 pixels' height, 1.8 for one of 224.
double ScaleOf(const Scene& scene);
// A new radius for a small or big thing.
double PickRadius(bool big, double scale, Rng& rng);
// Gives the things places that do not touch, well inside the picture. Where there is no room, big things become small
// ones.
void Arrange(Scene& scene, Layout layout, Rng& rng);
Layout PickLayout(Rng& rng, Split split);
// A new place for one thing, at least `distance` pixels from its old one; false (and nothing moved) where there is
// none.
bool Move(Scene& scene, size_t index, double distance, Rng& rng);
// Draws things (colours varied a little), background and noise. The background stands off from `others` too: pictures
// of one generator state and with the same things between scene and others have one background, and things of one index
// one colour.
media::Image PaintScene(const Scene& scene, Rng& rng, Split split, std::span<const Thing> others = {});

// What a question may say of a thing. Unset parts are left open: {.colour = red} is "red thing".
struct Description {
  std::optional<size_t> shape;
  std::optional<size_t> colour;
  std::optional<Material> material;
  std::optional<bool> big;

  bool Fits(const Thing& thing) const;
  std::string One() const;   // "big red striped star", "blue thing"
  std::string Many() const;  // "red stars", "things"
};
int64_t CountOf(const Scene& scene, const Description& description);

// Attributes of a thing, for asking after one of them or leaving it out of a description.
enum class Attribute { kShape, kColour, kMaterial, kSize };
// The shortest descriptions (one is picked) that fit this thing alone and do not tell `hidden`; nullopt if there is
// none.
std::optional<Description> Describe(const Scene& scene, size_t index, Rng& rng,
                                    std::optional<Attribute> hidden = std::nullopt);

// Directions. A thing lies clearly to one side if the boxes of the two do not meet on that axis, and the other axis
// does not dominate; it lies clearly not there if its centre is not on that side at all.
enum class Side { kLeft, kRight, kAbove, kBelow };
inline constexpr std::initializer_list<Side> kSides = {Side::kLeft, Side::kRight, Side::kAbove, Side::kBelow};
Side Opposite(Side side);
bool LiesClearly(const Thing& thing, Side side, const Thing& reference);
bool LiesClearlyNot(const Thing& thing, Side side, const Thing& reference);
// One of the sides on which `thing` clearly lies; nullopt if there is none.
std::optional<Side> ClearSide(const Thing& thing, const Thing& reference, Rng& rng);
std::string_view PhraseOf(Side side, Rng& rng);  // "left of", "to the left of", "above", ...

// Which of nine cells a centre lies in, as "top left", "top", ..., "middle", ..., "bottom right"; nullopt near a border
// between cells.
std::optional<std::string_view> PlaceOf(const Scene& scene, const Thing& thing);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SCENE_H_
