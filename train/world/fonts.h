#ifndef GALAGO_TRAIN_WORLD_FONTS_H_
#define GALAGO_TRAIN_WORLD_FONTS_H_

#include <span>
#include <string_view>

#include "galago/status.h"
#include "train/world/sample.h"

// Font families by split, all of them from Debian packages (scripts/install_deps.sh train).
namespace galago::world {

struct Font {
  std::string_view family;
  std::string_view package;
};

// For signs and single words. Training never shows the held-out families.
std::span<const Font> Fonts(Split split);
// Those among them that people set tables and charts in: upright, plain, legible when small.
std::span<const Font> PlainFonts(Split split);

// NotFound names the first family that is not installed, and the package that has it.
Status CheckFonts();

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_FONTS_H_
