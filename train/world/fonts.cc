#include "train/world/fonts.h"

#include <array>

#include "src/base/strings.h"
#include "train/world/canvas.h"

namespace galago::world {
namespace {

// The plain ones come first.
constexpr std::array<Font, 19> kTrain = {{{"DejaVu Sans", "fonts-dejavu"},
                                          {"Liberation Sans", "fonts-liberation"},
                                          {"Roboto", "fonts-roboto-unhinted"},
                                          {"Lato", "fonts-lato"},
                                          {"Cabin", "fonts-cabin"},
                                          {"Tuffy", "fonts-tuffy"},
                                          {"DejaVu Serif", "fonts-dejavu"},
                                          {"Liberation Serif", "fonts-liberation"},
                                          {"Gentium Basic", "fonts-sil-gentium-basic"},
                                          {"B612", "fonts-b612"},
                                          {"DejaVu Sans Mono", "fonts-dejavu"},
                                          {"Liberation Mono", "fonts-liberation"},
                                          {"Courier Prime", "fonts-courier-prime"},
                                          {"Averia Serif GWF", "fonts-averia-serif-gwf"},
                                          {"Comic Neue", "fonts-comic-neue"},
                                          {"Comfortaa", "fonts-comfortaa"},
                                          {"Dosis", "fonts-dosis"},
                                          {"Quicksand", "fonts-quicksand"},
                                          {"League Spartan", "fonts-league-spartan"}}};
constexpr size_t kPlainTrain = 10;
constexpr std::array<Font, 6> kHeldout = {{{"Open Sans", "fonts-open-sans"},
                                           {"Cantarell", "fonts-cantarell"},
                                           {"Go", "fonts-go"},
                                           {"Caladea", "fonts-crosextra-caladea"},
                                           {"Play", "fonts-play"},
                                           {"Averia Sans GWF", "fonts-averia-sans-gwf"}}};
constexpr size_t kPlainHeldout = 5;

}  // namespace

std::span<const Font> Fonts(Split split) {
  return split == Split::kTrain ? std::span<const Font>(kTrain) : std::span<const Font>(kHeldout);
}

std::span<const Font> PlainFonts(Split split) {
  return Fonts(split).first(split == Split::kTrain ? kPlainTrain : kPlainHeldout);
}

Status CheckFonts() {
  for (const Split split : {Split::kTrain, Split::kHeldout}) {
    for (const Font& font : Fonts(split)) {
      if (HasFontFamily(font.family)) continue;
      return NotFound(StrCat("font family \"", font.family, "\" is not installed (Debian package ", font.package,
                             "; scripts/install_deps.sh train)"));
    }
  }
  return OkStatus();
}

}  // namespace galago::world
