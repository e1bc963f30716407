#include "train/world/canvas.h"

#include <pango/pangocairo.h>

#include <cstring>
#include <memory>
#include <mutex>

#include "src/base/check.h"

namespace galago::world {
namespace {

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
using Layout = std::unique_ptr<PangoLayout, Unref>;

// Fonts of one face and size are one object of cairo's for all threads, and cairo 1.16 may drop pages of its glyph
// cache while another thread measures with them. So text is laid out and drawn by one thread at a time; shapes are not
// held up. The lock guards the library's state, hence a global.
constinit std::mutex text_mutex;

}  // namespace

// Pango's default font map belongs to the thread and keeps its fonts open from one canvas to the next. Hinting follows
// the desktop's settings unless it is set, so it is set: the same pixels everywhere.
struct Canvas::Pango {
  std::unique_ptr<PangoContext, Unref> context{pango_font_map_create_context(pango_cairo_font_map_get_default())};

  Pango() {
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context.get(), options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(context.get(), FALSE);
  }

  Layout Lay(std::string_view text, const TextStyle& style) const {
    Layout layout(pango_layout_new(context.get()));
    PangoFontDescription* font = pango_font_description_new();
    pango_font_description_set_family(font, style.family.c_str());
    pango_font_description_set_absolute_size(font, style.size * PANGO_SCALE);
    pango_font_description_set_weight(font, style.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_font_description_set_style(font, style.italic ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
    pango_layout_set_font_description(layout.get(), font);
    pango_font_description_free(font);
    pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));
    return layout;
  }
};

Canvas::Canvas(int64_t width, int64_t height, const Ink& paper)
    : width_(width), height_(height), pango_(std::make_unique<Pango>()) {
  surface_ = cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width), static_cast<int>(height));
  CHECK(cairo_surface_status(surface_) == CAIRO_STATUS_SUCCESS);
  cairo_ = cairo_create(surface_);
  SetInk(paper);
  cairo_paint(cairo_);
}

Canvas::~Canvas() {
  cairo_destroy(cairo_);
  cairo_surface_destroy(surface_);
}

void Canvas::SetInk(const Ink& ink) const { cairo_set_source_rgba(cairo_, ink.red, ink.green, ink.blue, ink.alpha); }

Extent Canvas::Measure(std::string_view text, const TextStyle& style) const {
  const std::scoped_lock lock(text_mutex);
  const Layout layout = pango_->Lay(text, style);
  int width = 0;
  int height = 0;
  pango_layout_get_size(layout.get(), &width, &height);
  return {static_cast<double>(width) / PANGO_SCALE, static_cast<double>(height) / PANGO_SCALE};
}

void Canvas::DrawText(std::string_view text, const TextStyle& style, double x, double y) const {
  const std::scoped_lock lock(text_mutex);
  const Layout layout = pango_->Lay(text, style);
  SetInk(style.ink);
  cairo_move_to(cairo_, x, y);
  pango_cairo_show_layout(cairo_, layout.get());
  TellLetters(text, layout.get(), x, y);
}

void Canvas::TellLetters(std::string_view text, PangoLayout* layout, double x, double y) const {
  const auto continues = [&](size_t i) { return i < text.size() && (static_cast<uint8_t>(text[i]) & 0xc0) == 0x80; };
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    end = begin + 1;
    while (continues(end)) ++end;
    if (text[begin] == ' ' || text[begin] == '\n') continue;
    PangoRectangle box;
    pango_layout_index_to_pos(layout, static_cast<int>(begin), &box);
    Letter letter = {.text = std::string(text.substr(begin, end - begin)),
                     .x = x + (box.x + box.width / 2.0) / PANGO_SCALE,
                     .y = y + (box.y + box.height / 2.0) / PANGO_SCALE};
    cairo_user_to_device(cairo_, &letter.x, &letter.y);
    letters_.push_back(std::move(letter));
  }
}

void Canvas::DrawTextCentred(std::string_view text, const TextStyle& style, double x, double y, double radians) const {
  const Extent extent = Measure(text, style);
  cairo_save(cairo_);
  cairo_translate(cairo_, x, y);
  cairo_rotate(cairo_, radians);
  DrawText(text, style, -extent.width / 2, -extent.height / 2);
  cairo_restore(cairo_);
}

media::Image Canvas::ToImage() const {
  cairo_surface_flush(surface_);
  const uint8_t* data = cairo_image_surface_get_data(surface_);
  const auto stride = static_cast<size_t>(cairo_image_surface_get_stride(surface_));
  media::Image image(width_, height_);
  for (int64_t y = 0; y < height_; ++y) {
    const uint8_t* from = data + static_cast<size_t>(y) * stride;
    uint8_t* to = image.Row(y);
    for (int64_t x = 0; x < width_; ++x, from += 4, to += 3) {
      uint32_t pixel = 0;
      std::memcpy(&pixel, from, sizeof(pixel));  // native-endian xRGB
      to[0] = static_cast<uint8_t>(pixel >> 16);
      to[1] = static_cast<uint8_t>(pixel >> 8);
      to[2] = static_cast<uint8_t>(pixel);
    }
  }
  return image;
}

bool HasFontFamily(std::string_view family) {
  PangoFontFamily** families = nullptr;
  int count = 0;
  pango_font_map_list_families(pango_cairo_font_map_get_default(), &families, &count);
  bool found = false;
  for (int i = 0; i < count; ++i) found = found || family == pango_font_family_get_name(families[i]);
  g_free(families);
  return found;
}

}  // namespace galago::world
