#include "apps/cli/bench_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/base/html.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

constexpr double kWidth = 980, kHeight = 560;
constexpr double kLeft = 80, kRight = 700, kTop = 56, kBottom = 490;  // of the plot
// Told apart by people who see fewer colours (Okabe and Ito).
constexpr std::array<const char*, 3> kPointColors = {"#0072b2", "#d55e00", "#009e73"};  // tower, prefill, decode

struct Point {
  std::string label;
  const char* color;
  double intensity, rate;  // operations a byte, operations a second
};

// A logarithmic axis from `from` to `to`, onto pixels.
struct Axis {
  double from, to, begin, end;
  double At(double value) const {
    return begin + (std::log10(value) - std::log10(from)) / (std::log10(to) - std::log10(from)) * (end - begin);
  }
  // Powers of ten inside.
  std::vector<double> Ticks() const {
    std::vector<double> ticks;
    for (int power = static_cast<int>(std::ceil(std::log10(from))); std::pow(10, power) <= to; ++power) {
      ticks.push_back(std::pow(10, power));
    }
    return ticks;
  }
};

std::string Rate(double value, std::string_view unit) {
  if (value >= 1e12) return fmt::format("{:.3g} T{}", value / 1e12, unit);
  if (value >= 1e9) return fmt::format("{:.3g} G{}", value / 1e9, unit);
  return fmt::format("{:.3g} M{}", value / 1e6, unit);
}

std::vector<Point> PointsOf(const BenchReport& report) {
  std::vector<Point> points;
  for (const BenchStage& stage : report.stages) {
    const double seconds = Summarise(stage.samples.wall_ms).median / 1e3;
    if (!(seconds > 0) || !(stage.work.operations > 0) || !(stage.work.bytes > 0)) continue;
    const bool tower = stage.kind == BenchStageKind::kTower, decode = stage.kind == BenchStageKind::kDecode;
    points.push_back({.label = StrCat(Name(stage.kind),
                                      tower    ? ", tiles "
                                      : decode ? ", depth "
                                               : ", tokens ",
                                      stage.count),
                      .color = kPointColors[tower    ? 0
                                            : decode ? 2
                                                     : 1],
                      .intensity = stage.work.operations / stage.work.bytes,
                      .rate = stage.work.operations / seconds});
  }
  return points;
}

class Picture {
 public:
  Picture() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
        "font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n<rect width=\"{0}\" height=\"{1}\" "
        "fill=\"#ffffff\"/>\n",
        kWidth, kHeight);
  }
  void Line(double x1, double y1, double x2, double y2, std::string_view style) {
    out_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, style);
  }
  void Text(double x, double y, std::string_view text, std::string_view style = "") {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, style, EscapeHtml(text));
  }
  void Dot(double x, double y, const char* color) {
    out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"9\" fill=\"{}\"/>\n", x, y, color);
  }
  std::string Take() { return std::move(out_) + "</svg>\n"; }

 private:
  std::string out_;
};

}  // namespace

StatusOr<std::string> RooflineSvg(const BenchReport& report) {
  const MachineLimit* memory = nullptr;
  std::vector<const MachineLimit*> ceilings;
  for (const MachineLimit& limit : report.limits) {
    if (limit.threads != report.threads) continue;
    if (limit.name == "dram_read") {
      memory = &limit;
      continue;
    }
    // Of one kind of arithmetic the fastest instructions; the others would be drawn on top of them or nearly so.
    const auto same = std::ranges::find_if(ceilings, [&](const auto* other) { return other->name == limit.name; });
    if (same == ceilings.end()) {
      ceilings.push_back(&limit);
    } else if (limit.best > (*same)->best) {
      *same = &limit;
    }
  }
  if (memory == nullptr || ceilings.empty()) {
    return FailedPrecondition(StrCat("there are no limits of ", report.threads, " threads to draw a roof from"));
  }
  std::ranges::sort(ceilings, {}, &MachineLimit::best);
  const std::vector<Point> points = PointsOf(report);

  const double highest = ceilings.back()->best;
  Axis x = {.from = std::min(0.5, highest / memory->best / 4),
            .to = 4 * highest / memory->best,
            .begin = kLeft,
            .end = kRight};
  Axis y = {.from = ceilings.front()->best, .to = 2 * highest, .begin = kBottom, .end = kTop};
  for (const Point& point : points) {
    x.from = std::min(x.from, point.intensity / 2);
    x.to = std::max(x.to, point.intensity * 2);
    y.from = std::min(y.from, point.rate);
    y.to = std::max(y.to, point.rate * 2);
  }
  y.from = std::min(y.from, x.from * memory->best) / 2;

  Picture picture;
  picture.Text(kLeft, 28, report.model.empty() ? "Limits" : report.model, "font-size=\"18\" fill=\"#222222\"");
  picture.Text(kLeft, 46,
               StrCat(report.system.cpu_model, ", ", report.threads, report.threads == 1 ? " thread" : " threads",
                      report.isa.empty() ? "" : StrCat(", kernels ", report.isa)),
               "fill=\"#555555\"");
  for (const double tick : x.Ticks()) {
    picture.Line(x.At(tick), kTop, x.At(tick), kBottom, "stroke=\"#e4e4e4\"");
    picture.Text(x.At(tick), kBottom + 18, fmt::format("{:g}", tick), "text-anchor=\"middle\" fill=\"#555555\"");
  }
  for (const double tick : y.Ticks()) {
    picture.Line(kLeft, y.At(tick), kRight, y.At(tick), "stroke=\"#e4e4e4\"");
    picture.Text(kLeft - 8, y.At(tick) + 4, Rate(tick, ""), "text-anchor=\"end\" fill=\"#555555\"");
  }
  picture.Text((kLeft + kRight) / 2, kBottom + 40, "operations a byte of weights and cache",
               "text-anchor=\"middle\" fill=\"#222222\"");
  picture.Text(
      20, (kTop + kBottom) / 2, "operations a second",
      fmt::format("text-anchor=\"middle\" transform=\"rotate(-90 20 {:.1f})\" fill=\"#222222\"", (kTop + kBottom) / 2));

  picture.Line(x.At(x.from), y.At(x.from * memory->best), x.At(highest / memory->best), y.At(highest),
               "stroke=\"#222222\" stroke-width=\"2\"");
  // On the free side of the slope, a third of the way up.
  const double along = x.from * std::cbrt(highest / memory->best / x.from);
  picture.Text(x.At(along) + 14, y.At(along * memory->best) + 12, StrCat("memory ", Rate(memory->best, "B/s")),
               "fill=\"#222222\"");
  for (const MachineLimit* limit : ceilings) {
    picture.Line(x.At(std::max(x.from, limit->best / memory->best)), y.At(limit->best), kRight, y.At(limit->best),
                 "stroke=\"#222222\" stroke-width=\"2\"");
    picture.Text(kRight + 8, y.At(limit->best) + 4,
                 StrCat(limit->name, " ", limit->isa, ": ", Rate(limit->best, "op/s")), "fill=\"#222222\"");
  }
  double legend = std::max(kTop, y.At(ceilings.front()->best)) + 40;
  for (size_t i = 0; i < points.size(); ++i, legend += 24) {
    const Point& point = points[i];
    const std::string number = StrCat(i + 1);
    constexpr const char* kInDot = "text-anchor=\"middle\" fill=\"#ffffff\" font-size=\"11\"";
    picture.Dot(x.At(point.intensity), y.At(point.rate), point.color);
    picture.Text(x.At(point.intensity), y.At(point.rate) + 4, number, kInDot);
    picture.Dot(kRight + 18, legend, point.color);
    picture.Text(kRight + 18, legend + 4, number, kInDot);
    picture.Text(kRight + 34, legend + 4, StrCat(point.label, ": ", Rate(point.rate, "op/s")), "fill=\"#222222\"");
  }
  return picture.Take();
}

}  // namespace galago::cli
