#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/documents.h"
#include "train/world/fonts.h"
#include "train/world/palette.h"
#include "train/world/surface.h"

namespace galago::world {
namespace {

constexpr double kProbe = 20.0;     // font size that a layout is measured at
constexpr double kMargin = 5.0;     // pixels around the sheet's text
constexpr double kLargest = 25.0;   // font size
constexpr double kColumnGap = 0.8;  // least space between columns, in font sizes
constexpr double kTitleScale = 1.15;

struct Cell {
  std::string text;
  bool bold = false;
  bool right = false;
};

struct Line {
  std::vector<Cell> cells;
  bool spans = false;  // its one cell takes the whole width, centred
  double scale = 1.0;
  bool head = false;
  bool body = false;  // a row of the table, for zebra stripes and rules
  bool rule_above = false;
};

bool IsAmount(Matter matter) {
  return matter == Matter::kPrice || matter == Matter::kCount || matter == Matter::kPoints || matter == Matter::kAge ||
         matter == Matter::kTime || matter == Matter::kRoom;
}

Line TitleLine(const std::string& title) { return {{{title, true, false}}, true, kTitleScale}; }

std::vector<Line> Compose(const Sheet& sheet, const Setting& setting) {
  std::vector<Line> lines;
  if (!sheet.title.empty()) lines.push_back(TitleLine(sheet.title));
  switch (sheet.genre) {
    case Genre::kTable: {
      Line head;
      head.head = true;
      for (size_t c = 0; c < sheet.heads.size(); ++c) {
        head.cells.push_back({sheet.heads[c], setting.bold_heads, IsAmount(sheet.matters[c])});
      }
      lines.push_back(std::move(head));
      for (const auto& row : sheet.rows) {
        Line line;
        line.body = true;
        for (size_t c = 0; c < row.size(); ++c) line.cells.push_back({row[c], false, IsAmount(sheet.matters[c])});
        lines.push_back(std::move(line));
      }
      break;
    }
    case Genre::kReceipt: {
      lines.push_back({{{sheet.date, false, false}}, true});
      for (const auto& row : sheet.rows) {
        Line line;
        line.body = true;
        for (size_t c = 0; c < row.size(); ++c) line.cells.push_back({row[c], false, c > 0});
        lines.push_back(std::move(line));
      }
      Line total;
      total.cells = {{"Total", true, false}, {sheet.total, true, true}};
      total.rule_above = true;
      lines.push_back(std::move(total));
      break;
    }
    case Genre::kForm:
    case Genre::kLabel:
      for (size_t i = 0; i < sheet.heads.size(); ++i) {
        const std::string& value = sheet.rows[0][i];
        if (sheet.genre == Genre::kLabel && i == 0) {
          lines.push_back({{{value, true, false}}, true, 1.4});
        } else if (setting.values_below) {
          lines.push_back({{{sheet.heads[i], setting.bold_heads, false}}, false, 0.85});
          lines.push_back({{{value, !setting.bold_heads, false}}});
        } else {
          Line line;
          line.body = true;
          line.cells = {{StrCat(sheet.heads[i], ":"), setting.bold_heads, false}, {value, false, false}};
          lines.push_back(std::move(line));
        }
      }
      break;
    case Genre::kList:
      for (size_t i = 0; i < sheet.rows.size(); ++i) {
        Line line;
        line.body = true;
        line.cells = {{setting.numbered ? StrCat(i + 1, ".") : "-", false, false}, {sheet.rows[i][0], false, false}};
        lines.push_back(std::move(line));
      }
      break;
  }
  return lines;
}

TextStyle StyleOf(const Setting& setting, const Cell& cell, double size) {
  TextStyle style;
  style.family = setting.family;
  style.size = std::floor(size);
  style.bold = cell.bold;
  style.ink = setting.ink;
  return style;
}

struct Measures {
  std::vector<double> columns;  // widths
  double width = 0;             // with gaps
  double height = 0;

  // Outlines are not hinted: every length grows as the size of the font does.
  void Scale(double factor) {
    for (double& column : columns) column *= factor;
    width *= factor;
    height *= factor;
  }
};

double PitchOf(const Setting& setting) { return setting.rules == Setting::Rules::kOpen ? 1.3 : 1.45; }

Measures Measure(const std::vector<Line>& lines, const Setting& setting, double size, const Canvas& canvas) {
  Measures measures;
  double spanning = 0;
  for (const Line& line : lines) {
    measures.height += PitchOf(setting) * line.scale * size;
    for (size_t c = 0; c < line.cells.size(); ++c) {
      const double width = canvas.Measure(line.cells[c].text, StyleOf(setting, line.cells[c], size * line.scale)).width;
      if (line.spans) {
        spanning = std::max(spanning, width);
      } else {
        if (measures.columns.size() <= c) measures.columns.push_back(0);
        measures.columns[c] = std::max(measures.columns[c], width);
      }
    }
  }
  for (const double column : measures.columns) measures.width += column;
  if (!measures.columns.empty()) {
    measures.width += kColumnGap * size * static_cast<double>(measures.columns.size() - 1);
  }
  measures.width = std::max(measures.width, spanning);
  return measures;
}

// The size at which everything measured at the probe's size fits into width x height.
double FittingSize(const Measures& measures, int64_t width, int64_t height) {
  const double across = (static_cast<double>(width) - 2 * kMargin - 4) / measures.width;
  const double down = (static_cast<double>(height) - 2 * kMargin) / measures.height;
  // Whole sizes only: opening a font at one more size takes a millisecond.
  return std::floor(std::min(kProbe * std::min(across, down), kLargest));
}

class Painter {
 public:
  Painter(const Canvas& canvas, const Sheet& sheet, const Setting& setting, Rng& rng)
      : canvas_(canvas), setting_(setting), lines_(Compose(sheet, setting)) {
    const auto width = static_cast<double>(canvas.width());
    const auto height = static_cast<double>(canvas.height());
    Measures measures = Measure(lines_, setting, kProbe, canvas);
    size_ = FittingSize(measures, canvas.width(), canvas.height());
    measures.Scale(size_ / kProbe);
    // What is left over goes into the gaps, and around the sheet.
    const double spare = width - 2 * kMargin - measures.width;
    width_ = measures.width + spare * rng.Uniform(0.3, 1.0);
    left_ = kMargin + (width - 2 * kMargin - width_) * rng.Uniform();
    stretch_ = std::min(1.35, (height - 2 * kMargin) / measures.height);
    stretch_ = rng.Uniform(1.0, std::max(1.0, stretch_));
    const double taken = measures.height * stretch_;
    top_ = kMargin + std::max(0.0, height - 2 * kMargin - taken) * rng.Uniform();
    bottom_ = top_ + taken;
    double x = left_;
    double columns = 0;
    for (const double column : measures.columns) columns += column;
    const bool fields = sheet.genre == Genre::kForm || sheet.genre == Genre::kLabel || sheet.genre == Genre::kList;
    const double gaps = std::max<double>(1.0, static_cast<double>(measures.columns.size()) - 1);
    double gap = (width_ - columns) / gaps;
    if (fields) gap = std::min(gap, kColumnGap * size_);
    for (const double column : measures.columns) {
      starts_.push_back(x);
      ends_.push_back(x + column);
      x += column + gap;
    }
  }

  void Paint() {
    if (setting_.rules == Setting::Rules::kBoxed) Box();
    double y = top_;
    int64_t body = 0;
    for (const Line& line : lines_) {
      const double height = PitchOf(setting_) * line.scale * size_ * stretch_;
      if (line.head) PaintHead(y, height);
      if (line.body) PaintRow(y, height, body++);
      if (line.rule_above) Rule(y, 1.5);
      PaintCells(line, y, height);
      y += height;
    }
    if (setting_.rules == Setting::Rules::kGrid) Grid();
  }

 private:
  void Rule(double y, double thickness) const {
    canvas_.SetInk(setting_.ink);
    cairo_set_line_width(canvas_.cairo(), thickness);
    cairo_move_to(canvas_.cairo(), left_ - 2, y);
    cairo_line_to(canvas_.cairo(), left_ + width_ + 2, y);
    cairo_stroke(canvas_.cairo());
  }

  void Fill(double y, double height, const Ink& ink) const {
    canvas_.SetInk(ink);
    cairo_rectangle(canvas_.cairo(), left_ - 3, y, width_ + 6, height);
    cairo_fill(canvas_.cairo());
  }

  void PaintHead(double y, double height) {
    grid_top_ = y;
    if (setting_.rules == Setting::Rules::kOpen) return;
    Fill(y, height, setting_.accent);
    Rule(y + height, 1);
  }

  void PaintRow(double y, double height, int64_t index) {
    if (setting_.rules == Setting::Rules::kZebra && index % 2 == 1) Fill(y, height, setting_.accent);
    if (setting_.rules == Setting::Rules::kLines && index > 0) Rule(y, 0.6);
    rows_.push_back(y + height);
  }

  void Box() const {
    cairo_t* cairo = canvas_.cairo();
    const double r = 7;
    const double x0 = 2.5, x1 = static_cast<double>(canvas_.width()) - 2.5;
    const double y0 = std::max(2.5, top_ - 4), y1 = std::min(static_cast<double>(canvas_.height()) - 2.5, bottom_ + 4);
    constexpr double kPi = std::numbers::pi;
    cairo_new_path(cairo);
    cairo_arc(cairo, x1 - r, y0 + r, r, -kPi / 2, 0);
    cairo_arc(cairo, x1 - r, y1 - r, r, 0, kPi / 2);
    cairo_arc(cairo, x0 + r, y1 - r, r, kPi / 2, kPi);
    cairo_arc(cairo, x0 + r, y0 + r, r, kPi, 1.5 * kPi);
    cairo_close_path(cairo);
    canvas_.SetInk(setting_.ink);
    cairo_set_line_width(cairo, 1.5);
    cairo_stroke(cairo);
  }

  // Lines between the columns of a table and around all of it.
  void Grid() const {
    if (grid_top_ < 0 || rows_.empty()) return;
    cairo_t* cairo = canvas_.cairo();
    canvas_.SetInk(setting_.ink);
    cairo_set_line_width(cairo, 1);
    cairo_rectangle(cairo, left_ - 3, grid_top_, width_ + 6, rows_.back() - grid_top_);
    for (size_t i = 0; i + 1 < rows_.size(); ++i) {
      cairo_move_to(cairo, left_ - 3, rows_[i]);
      cairo_line_to(cairo, left_ + width_ + 3, rows_[i]);
    }
    for (size_t c = 0; c + 1 < starts_.size(); ++c) {
      const double x = (ends_[c] + starts_[c + 1]) / 2;
      cairo_move_to(cairo, x, grid_top_);
      cairo_line_to(cairo, x, rows_.back());
    }
    cairo_stroke(cairo);
  }

  void PaintCells(const Line& line, double y, double height) const {
    for (size_t c = 0; c < line.cells.size(); ++c) {
      const Cell& cell = line.cells[c];
      const TextStyle style = StyleOf(setting_, cell, size_ * line.scale);
      const Extent extent = canvas_.Measure(cell.text, style);
      double x = line.spans ? left_ + (width_ - extent.width) / 2 : starts_[c];
      if (cell.right && !line.spans) x = ends_[c] - extent.width;
      canvas_.DrawText(cell.text, style, x, y + (height - extent.height) / 2);
      if (setting_.dotted && line.body && c == 0 && line.cells.size() == 2 && line.cells[1].right) {
        Dots(x + extent.width, line.cells[1], y + height * 0.68);
      }
    }
  }

  void Dots(double from, const Cell& to, double y) const {
    const double end = ends_[1] - canvas_.Measure(to.text, StyleOf(setting_, to, size_)).width;
    canvas_.SetInk(setting_.ink);
    cairo_new_path(canvas_.cairo());
    for (double x = from + 5; x < end - 4; x += 5) {
      cairo_arc(canvas_.cairo(), x, y, 0.7, 0, 2 * std::numbers::pi);
      cairo_fill(canvas_.cairo());
    }
  }

  const Canvas& canvas_;
  const Setting& setting_;
  const std::vector<Line> lines_;
  double size_ = 0;
  double left_ = 0, top_ = 0, bottom_ = 0, width_ = 0;
  double stretch_ = 1.0;
  double grid_top_ = -1;
  std::vector<double> starts_, ends_;  // of the columns
  std::vector<double> rows_;           // lower edges
};

}  // namespace

Setting ChooseSetting(const Sheet& sheet, Rng& rng, Split split) {
  Setting setting;
  setting.family = rng.Pick(PlainFonts(split)).family;
  setting.bold_heads = rng.Chance(0.7);
  setting.rules = rng.Pick({Setting::Rules::kGrid, Setting::Rules::kGrid, Setting::Rules::kLines,
                            Setting::Rules::kZebra, Setting::Rules::kOpen});
  setting.numbered = rng.Chance(0.6);
  if (split == Split::kHeldout) {
    if (rng.Chance(0.3)) setting.rules = Setting::Rules::kBoxed;
    setting.values_below = sheet.genre == Genre::kForm && sheet.heads.size() <= 4 && rng.Chance(0.3);
    setting.dotted = sheet.genre == Genre::kReceipt && rng.Chance(0.4);
  }
  const Paint& tint = rng.Pick(Palette());
  setting.paper = rng.Chance(0.5) ? Ink{0.98, 0.98, 0.97} : Lighter(tint.ink, rng.Uniform(0.8, 0.95));
  if (Luminance(setting.paper) < 0.7) setting.paper = {0.95, 0.95, 0.95};
  setting.ink = rng.Chance(0.6)
                    ? Ink{0.08, 0.08, 0.1}
                    : Lighter(rng.Pick({Ink{0.1, 0.2, 0.6}, Ink{0.5, 0.1, 0.1}, Ink{0.1, 0.35, 0.15}}), -0.2);
  setting.accent = Lighter(rng.Pick(Palette()).ink, 0.7);
  if (Luminance(setting.accent) < 0.6) setting.accent = {0.85, 0.85, 0.85};
  if (rng.Chance(0.08)) {  // light writing on a dark sheet
    setting.paper = Lighter(tint.ink, -0.75);
    setting.ink = {0.97, 0.97, 0.97};
    setting.accent = Lighter(setting.paper, 0.2);
  }
  setting.noise = rng.Chance(0.3) ? rng.Int(2, 10) : 0;

  // The smallest picture that leaves the writing large enough, mostly: it costs the fewest tiles.
  constexpr double kLegible = 14.5;
  const Canvas ruler(1, 1, {});
  const Measures measures = Measure(Compose(sheet, setting), setting, kProbe, ruler);
  const auto fits = [&](int64_t width, int64_t height) {
    return FittingSize(measures, width, height) >= kLegible && rng.Chance(0.8);
  };
  if (fits(112, 112)) {
    setting.width = 112;
    setting.height = 112;
  } else if (fits(224, 112)) {
    setting.height = 112;
  }
  return setting;
}

media::Image PaintSheet(const Sheet& sheet, const Setting& setting, Rng& rng) {
  const Canvas canvas(setting.width, setting.height, setting.paper);
  Painter(canvas, sheet, setting, rng).Paint();
  media::Image image = canvas.ToImage();
  AddNoise(image, setting.noise, rng);
  return image;
}

}  // namespace galago::world
