#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "train/world/fonts.h"
#include "train/world/lexicon.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"
#include "train/world/reading.h"
#include "train/world/scene.h"
#include "train/world/stamps.h"
#include "train/world/surface.h"
#include "train/world/things.h"

// What lies in each cell of a picture, cell by cell: "b2 red circle. c1 dog.", "a2 blue S t. b2 blue u x.". A caption
// tells the same without the places, and leaves a tower that has never seen anything to find out which words go with
// which pixels; here every answer has one place to look at. Columns are letters from the left, rows numbers from the
// top.
namespace galago::world {
namespace {

constexpr int64_t kSide = 112;      // of the picture
constexpr double kCellSide = 28.0;  // pixels; the picture of one of Nano's visual tokens

struct Content {
  int64_t column = 0, row = 0;
  std::string text;
};

int64_t CellAt(double position) {
  constexpr auto kCells = static_cast<int64_t>(kSide / kCellSide);
  return std::clamp<int64_t>(static_cast<int64_t>(std::floor(position / kCellSide)), 0, kCells - 1);
}

// Row by row, each from the left; things of one cell stay in the order they have.
std::string TextOf(std::vector<Content> contents) {
  std::stable_sort(contents.begin(), contents.end(), [](const Content& a, const Content& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  std::string text;
  for (size_t i = 0; i < contents.size(); ++i) {
    const Content& here = contents[i];
    const bool new_cell = i == 0 || here.row != contents[i - 1].row || here.column != contents[i - 1].column;
    if (new_cell) {
      text += StrCat(i == 0 ? "" : ". ", std::string(1, static_cast<char>('a' + here.column)), here.row + 1);
    }
    text += StrCat(" ", here.text);
  }
  return text + ".";
}

// Shapes, things and snippets of text, many to a picture, each in a place of its own: what costs least for each thing
// that is looked at. Or a page of small writing.
class Scatter {
 public:
  Scatter(const StampSet& stamps, Rng& rng, Split split)
      : stamps_(stamps), rng_(rng), split_(split), canvas_(kSide, kSide, {}) {}

  // Into `sample`: the picture, its letters and what lies where.
  void Draw(Sample& sample) {
    if (rng_.Chance(kPages)) {
      AddLines();
    } else {
      AddThings();
    }
    for (const Letter& letter : canvas_.letters()) {
      if (!Inside(letter)) continue;
      contents_.push_back({CellAt(letter.x), CellAt(letter.y), letter.text});
      sample.letters.push_back(letter);
    }
    sample.exchanges.push_back({"", TextOf(std::move(contents_)), "cells", Metric::kExact});
    media::Image image = canvas_.ToImage();
    AddNoise(image, rng_.Chance(0.3) ? rng_.Int(2, 12) : 0, rng_);
    sample.media.emplace_back(std::move(image));
  }

 private:
  static constexpr double kPages = 0.4;
  static constexpr double kSigns = 0.35;  // of the large snippets of text
  static constexpr int kTries = 48;
  static constexpr int kThingTries = 4;  // things are large: they come first

  struct Box {
    double x = 0, y = 0, width = 0, height = 0;
  };

  static bool Inside(const Letter& letter) {
    return letter.x >= 0 && letter.x < kSide && letter.y >= 0 && letter.y < kSide;
  }

  // What was written after the canvas had `first` letters is of this colour: each cell with its letters says so.
  void TellInk(size_t first, std::string_view colour) {
    const size_t before = contents_.size();
    for (size_t i = first; i < canvas_.letters().size(); ++i) {
      const Letter& letter = canvas_.letters()[i];
      if (!Inside(letter)) continue;
      const int64_t column = CellAt(letter.x), row = CellAt(letter.y);
      const auto same = [&](const Content& told) { return told.column == column && told.row == row; };
      if (std::any_of(contents_.begin() + static_cast<std::ptrdiff_t>(before), contents_.end(), same)) continue;
      contents_.push_back({column, row, std::string(colour)});
    }
  }

  // A free place for a box of this size; nullopt if chance finds none.
  std::optional<Box> Place(double width, double height) {
    if (width > kSide - 2 || height > kSide - 2) return std::nullopt;
    const Box box = {rng_.Uniform(1, kSide - 1 - width), rng_.Uniform(1, kSide - 1 - height), width, height};
    for (const Box& other : taken_) {
      const bool apart = box.x > other.x + other.width || other.x > box.x + box.width ||
                         box.y > other.y + other.height || other.y > box.y + box.height;
      if (!apart) return std::nullopt;
    }
    taken_.push_back(box);
    return box;
  }

  void PaintPaper(const Ink& paper) {
    backdrop_ = PickBackdrop(paper, 0.14, rng_, split_);
    PaintBackdrop(canvas_, backdrop_, rng_);
  }

  void AddThings() {
    PaintPaper(Lighter(rng_.Pick(Palette()).ink, rng_.Uniform(-0.6, 0.85)));
    if (rng_.Chance(0.35)) {
      for (int i = 0; i < kThingTries; ++i) AddThing();
    }
    small_ = rng_.Chance(0.4);
    for (int i = 0; i < kTries; ++i) {
      if (rng_.Chance(small_ ? 0.12 : 0.3)) {
        AddShape();
      } else {
        AddText();
      }
    }
  }

  // Writing as a tile of a document, a chart or a sign shows it: line below line, cut off by the edges.
  void AddLines() {
    const Ink paper = rng_.Chance(0.6) ? Ink{1, 1, 1} : Lighter(rng_.Pick(Palette()).ink, rng_.Uniform(0.6, 0.95));
    PaintPaper(paper);
    const Font& font = rng_.Pick(rng_.Chance(0.6) ? PlainFonts(split_) : Fonts(split_));
    TextStyle style = {.family = std::string(font.family),
                       .size = static_cast<double>(rng_.Int(24, 36)) / 2,
                       .bold = rng_.Chance(0.3),
                       .italic = rng_.Chance(0.1),
                       .ink = {0.1, 0.1, 0.12}};
    std::string_view colour = "black";
    const Paint& paint = rng_.Pick(Palette());
    const Ink ink = Vary(paint.ink, rng_);
    if (rng_.Chance(0.5) && Readable(ink, backdrop_.first)) {
      style.ink = ink;
      colour = paint.name;
    }
    const double pitch = style.size * rng_.Uniform(1.2, 2.0);
    const double gap = style.size * rng_.Uniform(0.4, 2.0);
    for (double y = rng_.Uniform(-0.5, 1.0) * style.size; y < kSide - style.size; y += pitch) {
      for (double x = -rng_.Uniform(0, 3) * style.size; x < kSide;) {
        const std::string text = Writing(9);
        canvas_.DrawText(text, style, x, y);
        x += canvas_.Measure(text, style).width + gap * rng_.Uniform(0.7, 1.5);
      }
    }
    TellInk(0, colour);
  }

  void AddShape() {
    const double radius = rng_.Uniform(9, 22);
    const Combination look = PickCombination(rng_, split_);
    const Ink ink = Vary(Palette()[look.colour].ink, rng_);
    if (Distance(ink, backdrop_.first) < 0.25 || Distance(ink, backdrop_.second) < 0.2) return;
    const auto box = Place(2 * radius, 2 * radius);
    if (!box) return;
    const Material material = rng_.Chance(0.6) ? Material::kPlain : static_cast<Material>(rng_.Int(1, 3));
    const ShapeLook shape = {.shape = look.shape,
                             .ink = ink,
                             .material = material,
                             .x = box->x + radius,
                             .y = box->y + radius,
                             .radius = radius,
                             .turn = rng_.Uniform(-0.2, 0.2)};
    DrawShape(canvas_, shape);
    Description description = {.shape = look.shape, .colour = look.colour};
    if (material != Material::kPlain) description.material = material;
    contents_.push_back({CellAt(shape.x), CellAt(shape.y), description.One()});
  }

  void AddThing() {
    const auto thing = static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(ThingClasses().size()) - 1));
    const double size = rng_.Uniform(42, 76);
    const auto box = Place(size, size);
    if (!box) return;
    const double x = box->x + size / 2, y = box->y + size / 2;
    LayThing(stamps_, thing, {.x = x, .y = y, .size = size}, canvas_, rng_, split_);
    contents_.push_back({CellAt(x), CellAt(y), std::string(ThingClasses()[thing].name)});
  }

  std::string Figures() {
    const int64_t number = rng_.Int(0, rng_.Pick({9, 99, 999, 9999}));
    if (!rng_.Chance(0.3)) return StrCat(number);
    if (rng_.Chance(0.4)) return StrCat("$", number);
    if (rng_.Chance(0.4)) return StrCat(number % 100, "%");
    const int64_t minute = number % 60;
    return StrCat(rng_.Int(0, 23), ":", minute < 10 ? "0" : "", minute);
  }

  std::string Writing(size_t most) {
    std::string text = InventWord(rng_, 2, most);
    if (rng_.Chance(0.4)) text = std::string(PickWord(rng_, split_, 3, most));
    if (rng_.Chance(0.3)) text = Figures();
    if (rng_.Chance(0.4)) return Upper(text);
    return rng_.Chance(0.3) ? Capitalised(text) : text;
  }

  // As large as a sign's, some of it on one, or as small as that of a document.
  void AddText() {
    const std::string text = Writing(small_ ? 9 : 6);
    const Paint& paint = rng_.Pick(Palette());
    const Paint& plate = rng_.Pick(Palette());
    TextStyle style = {.family = std::string(rng_.Pick(Fonts(split_)).family),
                       .size = small_ ? static_cast<double>(rng_.Int(13, 17)) : std::floor(rng_.Uniform(4, 12)) * 4,
                       .bold = rng_.Chance(0.4),
                       .italic = rng_.Chance(0.1),
                       .ink = Vary(paint.ink, rng_)};
    const bool on_sign = !small_ && rng_.Chance(kSigns);
    if (on_sign && split_ == Split::kTrain && IsHeldoutPair(plate.name, paint.name)) return;
    const Ink paper = on_sign ? Vary(plate.ink, rng_) : backdrop_.first;
    if (!Readable(style.ink, paper)) return;
    if (on_sign && Distance(paper, backdrop_.first) < 0.25) return;
    const double radians = rng_.Chance(0.3) ? rng_.Uniform(-0.15, 0.15) : 0.0;
    const Extent extent = canvas_.Measure(text, style);
    const double slope = std::abs(std::sin(radians)), margin = on_sign ? 0.5 * style.size : 0.0;
    const double width = extent.width + margin, height = extent.height * 0.9 + margin;
    const auto box = Place(width + slope * height, height + slope * width);
    if (!box) return;
    const double x = box->x + box->width / 2, y = box->y + box->height / 2;
    if (on_sign) {
      PaintPlate(x, y, width, height, radians, paper);
      contents_.push_back({CellAt(x), CellAt(y), StrCat(plate.name, " sign")});
    }
    const size_t first = canvas_.letters().size();
    canvas_.DrawTextCentred(text, style, x, y, radians);
    TellInk(first, paint.name);
  }

  // A sign of this size about its centre, turned clockwise.
  void PaintPlate(double x, double y, double width, double height, double radians, const Ink& paper) const {
    cairo_t* cairo = canvas_.cairo();
    cairo_save(cairo);
    cairo_translate(cairo, x, y);
    cairo_rotate(cairo, radians);
    cairo_rectangle(cairo, -width / 2, -height / 2, width, height);
    canvas_.SetInk(paper);
    cairo_fill(cairo);
    cairo_restore(cairo);
  }

  const StampSet& stamps_;
  Rng& rng_;
  const Split split_;
  const Canvas canvas_;
  bool small_ = false;  // the writing
  Backdrop backdrop_;
  std::vector<Box> taken_;
  std::vector<Content> contents_;
};

class CellsTask : public Task {
 public:
  explicit CellsTask(std::shared_ptr<const StampSet> stamps) : stamps_(std::move(stamps)) {}
  std::string_view name() const override { return "cells"; }
  Sample Draw(Rng& rng, Split split) const override {
    Sample sample;
    sample.form = Form::kCaption;
    Scatter(*stamps_, rng, split).Draw(sample);
    return sample;
  }

 private:
  std::shared_ptr<const StampSet> stamps_;
};

}  // namespace

TaskOr MakeCells(const Assets& assets) {
  RETURN_IF_ERROR(CheckFonts());
  ASSIGN_OR_RETURN(std::shared_ptr<const StampSet> stamps, LoadStamps(assets));
  return std::make_unique<const CellsTask>(std::move(stamps));
}

}  // namespace galago::world
