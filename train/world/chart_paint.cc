#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/charts.h"
#include "train/world/fonts.h"
#include "train/world/palette.h"
#include "train/world/surface.h"

namespace galago::world {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kMargin = 4.0;

class Painter {
 public:
  Painter(const Canvas& canvas, const Chart& chart, const ChartLook& look)
      : canvas_(canvas),
        cairo_(canvas.cairo()),
        width_(static_cast<double>(canvas.width())),
        height_(static_cast<double>(canvas.height())),
        chart_(chart),
        look_(look) {}

  void Paint() {
    top_ = kMargin;
    if (!chart_.title.empty()) {
      TextStyle style = Style(1.1);
      style.bold = true;
      const Extent extent = canvas_.Measure(chart_.title, style);
      canvas_.DrawText(chart_.title, style, (width_ - extent.width) / 2, top_);
      top_ += extent.height + 2;
    }
    switch (chart_.kind) {
      case ChartKind::kBars:
      case ChartKind::kLine:
        PaintUpright();
        break;
      case ChartKind::kBarsAcross:
        PaintAcross();
        break;
      case ChartKind::kPie:
        PaintPie();
        break;
    }
  }

 private:
  TextStyle Style(double scale = 1.0) const {
    TextStyle style;
    style.family = look_.family;
    style.size = std::floor(look_.size * scale * 2) / 2;  // few sizes: opening a font takes a millisecond
    style.ink = look_.ink;
    return style;
  }

  double WidestTick() const { return canvas_.Measure(StrCat(chart_.step * chart_.ticks), Style()).width; }

  void Line(double x0, double y0, double x1, double y1, double thickness) const {
    cairo_set_line_width(cairo_, thickness);
    cairo_move_to(cairo_, x0, y0);
    cairo_line_to(cairo_, x1, y1);
    cairo_stroke(cairo_);
  }

  void GridLine(double x0, double y0, double x1, double y1) const {
    if (look_.grid == ChartLook::Grid::kNone) return;
    Ink faint = look_.ink;
    faint.alpha = 0.28;
    canvas_.SetInk(faint);
    constexpr std::array<double, 2> kDash = {3, 3};
    if (look_.grid == ChartLook::Grid::kDashes) cairo_set_dash(cairo_, kDash.data(), 2, 0);
    Line(x0, y0, x1, y1, 1);
    cairo_set_dash(cairo_, nullptr, 0, 0);
  }

  const Ink& FillOf(size_t i) const { return look_.fills[std::min(i, look_.fills.size() - 1)]; }

  void Dot(double x, double y, double radius, const Ink& ink) const {
    canvas_.SetInk(ink);
    cairo_new_path(cairo_);
    cairo_arc(cairo_, x, y, radius, 0, 2 * kPi);
    cairo_fill(cairo_);
  }

  void Bar(double x, double y, double width, double height, const Ink& ink) const {
    cairo_rectangle(cairo_, x, y, width, height);
    canvas_.SetInk(ink);
    cairo_fill_preserve(cairo_);
    if (look_.outline) {
      canvas_.SetInk(look_.ink);
      cairo_set_line_width(cairo_, 1);
      cairo_stroke(cairo_);
    }
    cairo_new_path(cairo_);
  }

  // Size at which every name stays inside its room.
  double NameScale(double room) const {
    double widest = 0;
    for (const std::string& name : chart_.names) widest = std::max(widest, canvas_.Measure(name, Style()).width);
    return std::min(1.0, (room - 2) / widest);
  }

  void PaintUpright() {
    const double text = canvas_.Measure("0", Style()).height;
    const bool axis = !chart_.labelled;
    double left = kMargin + 2;
    double right = width_ - kMargin;
    if (axis) (look_.axis_right ? right : left) += (look_.axis_right ? -1 : 1) * (WidestTick() + 5);
    // Room for the label of the highest bar, or half a tick's.
    const double high = top_ + (axis ? text * 0.5 : text + (chart_.kind == ChartKind::kLine ? 4 : 0));
    const double low = height_ - kMargin - text - 2;
    const auto end = static_cast<double>(chart_.step * chart_.ticks);
    const auto y_of = [&](double value) { return low - (low - high) * value / end; };

    if (axis) {
      for (int64_t tick = 0; tick <= chart_.ticks; ++tick) {
        const double y = y_of(static_cast<double>(tick * chart_.step));
        if (tick > 0) GridLine(left, y, right, y);
        const std::string number = StrCat(tick * chart_.step);
        const Extent extent = canvas_.Measure(number, Style());
        const double x = look_.axis_right ? right + 4 : left - 4 - extent.width;
        canvas_.DrawText(number, Style(), x, y - extent.height / 2);
        canvas_.SetInk(look_.ink);
        const double at = look_.axis_right ? right : left;
        Line(at - 2, y, at + 2, y, 1);
      }
      canvas_.SetInk(look_.ink);
      const double at = look_.axis_right ? right : left;
      Line(at, high, at, low, 1.2);
    }
    canvas_.SetInk(look_.ink);
    Line(left, low, right, low, 1.2);

    const double room = (right - left) / static_cast<double>(chart_.names.size());
    const double scale = NameScale(room);
    std::vector<std::pair<double, double>> points;
    for (size_t i = 0; i < chart_.names.size(); ++i) {
      const double x = left + room * (static_cast<double>(i) + 0.5);
      const double y = y_of(static_cast<double>(chart_.values[i]));
      points.emplace_back(x, y);
      if (chart_.kind == ChartKind::kBars) {
        const double width = room * look_.bar_share;
        if (look_.pins) {
          canvas_.SetInk(FillOf(i));
          Line(x, low, x, y, 5);
          Dot(x, y, 7, FillOf(i));
        } else {
          Bar(x - width / 2, y, width, low - y, FillOf(i));
        }
      }
      canvas_.DrawTextCentred(chart_.names[i], Style(scale), x, low + 2 + text / 2);
    }
    if (chart_.kind == ChartKind::kLine) {
      canvas_.SetInk(FillOf(0));
      cairo_set_line_width(cairo_, 2.5);
      cairo_new_path(cairo_);
      for (const auto& [x, y] : points) cairo_line_to(cairo_, x, y);
      cairo_stroke(cairo_);
      for (const auto& [x, y] : points) Dot(x, y, 4, FillOf(0));
    }
    if (!chart_.labelled) return;
    const double lift = look_.pins && chart_.kind == ChartKind::kBars ? 7 : chart_.kind == ChartKind::kLine ? 4 : 0;
    for (size_t i = 0; i < points.size(); ++i) {
      canvas_.DrawTextCentred(StrCat(chart_.values[i]), Style(), points[i].first, points[i].second - lift - text / 2);
    }
  }

  void PaintAcross() {
    const double text = canvas_.Measure("0", Style()).height;
    const bool axis = !chart_.labelled;
    double widest = 0;
    for (const std::string& name : chart_.names) widest = std::max(widest, canvas_.Measure(name, Style()).width);
    const double left = kMargin + widest + 4;
    const double right = width_ - kMargin - (axis ? WidestTick() / 2 : WidestTick() + 6);
    const double low = height_ - kMargin - (axis ? text + 2 : 0);
    const auto end = static_cast<double>(chart_.step * chart_.ticks);
    const auto x_of = [&](double value) { return left + (right - left) * value / end; };
    if (axis) {
      for (int64_t tick = 0; tick <= chart_.ticks; ++tick) {
        const double x = x_of(static_cast<double>(tick * chart_.step));
        if (tick > 0) GridLine(x, top_, x, low);
        const bool crowded = x_of(static_cast<double>(chart_.step)) - left < WidestTick() + 5;
        if (!crowded || tick % 2 == 0) {
          canvas_.DrawTextCentred(StrCat(tick * chart_.step), Style(), x, low + 2 + text / 2);
        }
        canvas_.SetInk(look_.ink);
        Line(x, low - 2, x, low + 2, 1);
      }
      Line(left, low, right, low, 1.2);
    }
    canvas_.SetInk(look_.ink);
    Line(left, top_, left, low, 1.2);
    const double room = (low - top_) / static_cast<double>(chart_.names.size());
    for (size_t i = 0; i < chart_.names.size(); ++i) {
      const double y = top_ + room * (static_cast<double>(i) + 0.5);
      const double x = x_of(static_cast<double>(chart_.values[i]));
      const double height = std::min(room * look_.bar_share, 36.0);
      if (look_.pins) {
        canvas_.SetInk(FillOf(i));
        Line(left, y, x, y, 5);
        Dot(x, y, 7, FillOf(i));
      } else {
        Bar(left, y - height / 2, x - left, height, FillOf(i));
      }
      const Extent extent = canvas_.Measure(chart_.names[i], Style());
      canvas_.DrawText(chart_.names[i], Style(), left - 4 - extent.width, y - extent.height / 2);
      if (chart_.labelled) {
        const std::string number = StrCat(chart_.values[i]);
        canvas_.DrawText(number, Style(), x + (look_.pins ? 9 : 3), y - text / 2);
      }
    }
  }

  // Names beside coloured squares: below the pie, in rows of two.
  void PaintPie() {
    const double text = canvas_.Measure("0", Style()).height;
    const size_t rows = (chart_.names.size() + 1) / 2;
    const double legend = height_ - kMargin - static_cast<double>(rows) * text;
    const double radius = std::min((legend - top_) / 2 - 3, 88.0);
    const double cx = width_ / 2;
    const double cy = (top_ + legend) / 2;
    double angle = -kPi / 2;
    for (size_t i = 0; i < chart_.names.size(); ++i) {
      const double sweep = 2 * kPi * static_cast<double>(chart_.values[i]) / 100;
      cairo_move_to(cairo_, cx, cy);
      cairo_arc(cairo_, cx, cy, radius, angle, angle + sweep);
      cairo_close_path(cairo_);
      canvas_.SetInk(FillOf(i));
      cairo_fill_preserve(cairo_);
      canvas_.SetInk(look_.paper);
      cairo_set_line_width(cairo_, 1.5);
      cairo_stroke(cairo_);
      angle += sweep;
    }
    if (look_.ring) Dot(cx, cy, radius * 0.34, look_.paper);
    angle = -kPi / 2;
    for (size_t i = 0; i < chart_.names.size(); ++i) {
      const double sweep = 2 * kPi * static_cast<double>(chart_.values[i]) / 100;
      if (chart_.labelled) {
        TextStyle style = Style();
        style.bold = true;
        style.ink = Luminance(FillOf(i)) > 0.5 ? Ink{0.05, 0.05, 0.05} : Ink{1, 1, 1};
        const double reach = radius * 0.66;
        canvas_.DrawTextCentred(StrCat(chart_.values[i], "%"), style, cx + reach * std::cos(angle + sweep / 2),
                                cy + reach * std::sin(angle + sweep / 2));
      }
      angle += sweep;
      const double x = i % 2 == 0 ? width_ * 0.03 : width_ / 2 + 2;
      const double y = legend + static_cast<double>(i / 2) * text;
      Bar(x, y + text / 2 - 5, 10, 10, FillOf(i));
      canvas_.DrawText(chart_.names[i], Style(), x + 13, y);
    }
  }

  const Canvas& canvas_;
  cairo_t* cairo_;
  const double width_;
  const double height_;
  const Chart& chart_;
  const ChartLook& look_;
  double top_ = 0;
};

}  // namespace

ChartLook ChooseLook(const Chart& chart, Rng& rng, Split split) {
  ChartLook look;
  look.family = rng.Pick(PlainFonts(split)).family;
  look.size = static_cast<double>(rng.Int(27, 32)) / 2;
  look.grid = rng.Chance(0.75) ? ChartLook::Grid::kLines : ChartLook::Grid::kNone;
  look.outline = rng.Chance(0.3);
  look.bar_share = rng.Uniform(0.45, 0.85);
  if (split == Split::kHeldout) {
    if (rng.Chance(0.5)) look.grid = ChartLook::Grid::kDashes;
    look.pins = rng.Chance(0.2);
    look.axis_right = rng.Chance(0.2);
    look.ring = rng.Chance(0.35);
  }
  look.paper = rng.Chance(0.7) ? Ink{1, 1, 1} : Lighter(rng.Pick(Palette()).ink, rng.Uniform(0.86, 0.95));
  if (Luminance(look.paper) < 0.8) look.paper = {0.94, 0.94, 0.94};
  look.ink = {0.1, 0.1, 0.12};
  for (const std::string_view name : chart.paints) {
    const auto paints = Palette();
    const auto paint = std::find_if(paints.begin(), paints.end(), [&](const Paint& p) { return p.name == name; });
    CHECK(paint != paints.end());
    look.fills.push_back(Vary(paint->ink, rng));
  }
  const size_t count = chart.names.size();
  const auto short_names = [&](size_t most) {
    return std::all_of(chart.names.begin(), chart.names.end(),
                       [&](const std::string& name) { return name.size() <= most; });
  };
  // Simple charts fit into fewer tiles.
  if (chart.kind == ChartKind::kBarsAcross && count <= 3 && rng.Chance(0.6)) look.height = 112;
  const bool plain_bars = chart.kind == ChartKind::kBars && chart.labelled && count <= 3 && short_names(4);
  const bool plain_pie = chart.kind == ChartKind::kPie && count == 2 && short_names(5);
  if ((plain_bars || plain_pie) && chart.title.empty() && rng.Chance(0.8)) {
    look.width = 112;
    look.height = 112;
  }
  look.noise = rng.Chance(0.3) ? rng.Int(2, 10) : 0;
  return look;
}

media::Image PaintChart(const Chart& chart, const ChartLook& look, Rng& rng) {
  const Canvas canvas(look.width, look.height, look.paper);
  Painter(canvas, chart, look).Paint();
  media::Image image = canvas.ToImage();
  AddNoise(image, look.noise, rng);
  return image;
}

}  // namespace galago::world
