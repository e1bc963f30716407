#ifndef GALAGO_TRAIN_WORLD_CANVAS_H_
#define GALAGO_TRAIN_WORLD_CANVAS_H_

#include <cairo.h>
#include <pango/pango.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
#include "train/world/letter.h"

// Drawing through Cairo and Pango. One canvas belongs to one thread.
namespace galago::world {

struct Ink {
  double red = 0.0, green = 0.0, blue = 0.0;  // 0 to 1
  double alpha = 1.0;
};

struct TextStyle {
  std::string family = "DejaVu Sans";
  double size = 16.0;  // pixels from line to line, roughly: Pango's absolute font size
  bool bold = false;
  bool italic = false;
  Ink ink;
};

struct Extent {
  double width = 0.0, height = 0.0;
};

class Canvas {
 public:
  // Opaque, filled with `paper`.
  Canvas(int64_t width, int64_t height, const Ink& paper);
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;
  ~Canvas();

  int64_t width() const { return width_; }
  int64_t height() const { return height_; }
  // For shapes: paths, gradients, transforms. Text goes through DrawText.
  cairo_t* cairo() const { return cairo_; }
  void SetInk(const Ink& ink) const;

  // Size of the laid-out text on one line (or on its "\n" lines).
  Extent Measure(std::string_view text, const TextStyle& style) const;
  // The text's box has its top left at (x, y), in the current transform.
  void DrawText(std::string_view text, const TextStyle& style, double x, double y) const;
  // Turned by `radians` clockwise around the centre of its box, which lies at (x, y).
  void DrawTextCentred(std::string_view text, const TextStyle& style, double x, double y, double radians = 0.0) const;

  media::Image ToImage() const;
  // Of all text drawn so far, without spaces, as it was written.
  const std::vector<Letter>& letters() const { return letters_; }

 private:
  // Of a layout drawn at (x, y).
  void TellLetters(std::string_view text, PangoLayout* layout, double x, double y) const;

  int64_t width_;
  int64_t height_;
  cairo_surface_t* surface_;
  cairo_t* cairo_;
  struct Pango;
  std::unique_ptr<Pango> pango_;
  mutable std::vector<Letter> letters_;
};

// Whether text in this family would really be drawn in it.
bool HasFontFamily(std::string_view family);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_CANVAS_H_
