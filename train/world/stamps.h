#ifndef GALAGO_TRAIN_WORLD_STAMPS_H_
#define GALAGO_TRAIN_WORLD_STAMPS_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "train/world/canvas.h"

// Cut-out pictures of named things, from Debian's package tuxpaint-stamps-default (GPL-2).
namespace galago::world {

inline constexpr std::string_view kStampsPackage = "tuxpaint-stamps-default";
inline constexpr std::string_view kStampsDirectory = "/usr/share/tuxpaint/stamps";

// One file of the package and what its bytes must be: another picture under the same name would be another World.
struct StampFile {
  std::string_view path;  // below the stamps directory
  uint64_t hash;          // Fnv1a64 of the file
};

// A named thing. The last `num_heldout` files appear in the held-out split alone.
struct ThingClass {
  std::string_view name;    // "dog"
  std::string_view plural;  // "dogs"
  std::span<const StampFile> files;
  int num_heldout = 0;
  bool mirrors = true;  // false where writing would be turned round
};

// All classes, in an order that never changes.
std::span<const ThingClass> ThingClasses();

// How a stamp is laid down.
struct Placement {
  double x = 0.0, y = 0.0;  // of its centre
  double size = 0.0;        // pixels of its longer side
  double radians = 0.0;     // clockwise
  bool mirrored = false;
  std::array<double, 3> gain = {1.0, 1.0, 1.0};  // of red, green and blue
};

// One cut-out, cropped to its visible part, in sizes that halve. Immutable.
class Stamp {
 public:
  // rgba: [height, width, 4], alpha not multiplied in.
  Stamp(int64_t width, int64_t height, std::span<const uint8_t> rgba);

  // Longer side 1.
  double width() const { return width_; }
  double height() const { return height_; }
  void Draw(const Canvas& canvas, const Placement& placement) const;

 private:
  struct Level {
    int64_t width = 0, height = 0;
    std::vector<uint32_t> argb;  // premultiplied, as Cairo wants it
  };
  double width_ = 0.0, height_ = 0.0;
  std::vector<Level> levels_;  // the largest first
};

// The stamps of every class, in the order of ThingClasses. Shared by threads.
class StampSet {
 public:
  // NotFound: the package is not installed, or a file of it is missing. DataLoss: a file is damaged or not the one the
  // table names.
  static StatusOr<std::shared_ptr<const StampSet>> Load(const std::filesystem::path& directory);

  std::span<const Stamp> stamps(size_t thing) const { return stamps_[thing]; }

 private:
  std::vector<std::vector<Stamp>> stamps_;
};

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_STAMPS_H_
