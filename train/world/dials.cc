#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "train/world/background.h"
#include "train/world/fonts.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"

// Instruments with a needle. Nano's recipe leaves this task out: it is there to be learnt afterwards, by fine-tuning.
namespace galago::world {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int64_t kSide = 112;
constexpr int64_t kTop = 10;  // the scale runs from 0 to here

struct Zone {
  int64_t end;  // on the scale; it begins where the one before ends
  std::string_view colour;
};

struct Dial {
  int64_t value = 0;
  std::vector<Zone> zones;  // up the scale, the last one ends at kTop; empty: none are painted
  double x = 0, y = 0, radius = 0;
  double sweep = 0;  // radians from 0 to kTop, clockwise, symmetrical about the top
  Ink face, print, needle;

  double AngleOf(double value) const { return -kPi / 2 + sweep * (value / static_cast<double>(kTop) - 0.5); }
};

Ink InkOf(std::string_view colour) {
  for (const Paint& paint : Palette()) {
    if (paint.name == colour) return paint.ink;
  }
  CHECK(false);
  return {};
}

// Colours that stand off from the face; each split has its own.
std::vector<std::string_view> NeedlesOn(bool dark, Split split) {
  if (split == Split::kTrain)
    return dark ? std::vector<std::string_view>{"red", "orange"} : std::vector<std::string_view>{"red", "blue"};
  return dark ? std::vector<std::string_view>{"yellow", "pink"} : std::vector<std::string_view>{"orange", "purple"};
}

Dial PlanDial(Rng& rng, Split split) {
  Dial dial;
  dial.value = rng.Int(0, kTop);
  dial.radius = rng.Uniform(40, 50);
  const double room = static_cast<double>(kSide) / 2 - dial.radius - 2;
  dial.x = static_cast<double>(kSide) / 2 + rng.Uniform(-room, room);
  dial.y = static_cast<double>(kSide) / 2 + rng.Uniform(-room, room);
  const double degrees = split == Split::kTrain ? rng.Pick({240.0, 270.0}) : 255.0;
  dial.sweep = degrees * kPi / 180;
  const bool dark = rng.Chance(0.3);
  dial.face = Vary(dark ? Ink{0.14, 0.15, 0.18} : Ink{0.95, 0.95, 0.93}, rng);
  dial.print = dark ? Ink{0.96, 0.96, 0.96} : Ink{0.08, 0.08, 0.10};
  dial.needle = Vary(InkOf(rng.Pick(NeedlesOn(dark, split))), rng);
  if (rng.Chance(0.5)) {
    const int64_t first = rng.Int(3, 5);
    const int64_t second = rng.Int(first + 2, 8);
    dial.zones = {{first, "green"}, {second, "yellow"}, {kTop, "red"}};
    if (rng.Chance(0.5)) std::swap(dial.zones.front().colour, dial.zones.back().colour);
  }
  return dial;
}

void PaintFace(cairo_t* cairo, const Dial& dial, const Canvas& canvas) {
  cairo_arc(cairo, dial.x, dial.y, dial.radius, 0, 2 * kPi);
  canvas.SetInk(dial.face);
  cairo_fill_preserve(cairo);
  canvas.SetInk(Lighter(dial.print, 0.3));
  cairo_set_line_width(cairo, 2.0);
  cairo_stroke(cairo);
  double from = 0;
  cairo_set_line_width(cairo, 5.0);
  for (const Zone& zone : dial.zones) {
    canvas.SetInk(InkOf(zone.colour));
    cairo_arc(cairo, dial.x, dial.y, dial.radius - 5, dial.AngleOf(from), dial.AngleOf(static_cast<double>(zone.end)));
    cairo_stroke(cairo);
    from = static_cast<double>(zone.end);
  }
}

media::Image PaintDial(const Dial& dial, Rng& rng, Split split) {
  const Canvas canvas(kSide, kSide, {1, 1, 1});
  const std::array<Ink, 1> avoid = {dial.face};
  DrawBackground(canvas, rng, split, avoid);
  cairo_t* cairo = canvas.cairo();
  PaintFace(cairo, dial, canvas);

  TextStyle style;
  style.family = rng.Pick(PlainFonts(split)).family;
  style.size = 10.0;
  style.bold = rng.Chance(0.5);
  style.ink = dial.print;
  const auto spot = [&](int64_t value, double part) {
    const double angle = dial.AngleOf(static_cast<double>(value));
    return std::pair(dial.x + part * dial.radius * std::cos(angle), dial.y + part * dial.radius * std::sin(angle));
  };
  for (int64_t value = 0; value <= kTop; ++value) {
    const auto [x0, y0] = spot(value, value % 2 == 0 ? 0.80 : 0.86);
    const auto [x1, y1] = spot(value, 0.96);
    canvas.SetInk(dial.print);
    cairo_set_line_width(cairo, value % 2 == 0 ? 1.6 : 1.0);
    cairo_move_to(cairo, x0, y0);
    cairo_line_to(cairo, x1, y1);
    cairo_stroke(cairo);
    if (value % 2 != 0) continue;
    const auto [x, y] = spot(value, 0.64);
    canvas.DrawTextCentred(StrCat(value), style, x, y);
  }
  const auto [tail_x, tail_y] = spot(dial.value, -0.15);
  const auto [tip_x, tip_y] = spot(dial.value, 0.84);
  canvas.SetInk(dial.needle);
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_width(cairo, rng.Uniform(2.4, 3.4));
  cairo_move_to(cairo, tail_x, tail_y);
  cairo_line_to(cairo, tip_x, tip_y);
  cairo_stroke(cairo);
  cairo_arc(cairo, dial.x, dial.y, 4.0, 0, 2 * kPi);
  cairo_fill(cairo);
  media::Image image = canvas.ToImage();
  AddNoise(image, rng, 4);
  return image;
}

std::vector<Exchange> AskDial(const Dial& dial, Rng& rng, Split split) {
  static const Wordings kValue = {
      {"What does the dial show?", "Which number does the needle point to?", "Read the dial.", "What is the value?"},
      {"Which value does the dial show?", "What number does the needle show?"}};
  static const Wordings kMore = {{"Is it more than {n}?", "Does the dial show more than {n}?"},
                                 {"Is the value more than {n}?"}};
  static const Wordings kZone = {
      {"Which colour does the needle point to?", "What colour is the part that the needle points to?"},
      {"What colour does the needle point to?"}};
  std::vector<Exchange> exchanges;
  exchanges.push_back({Say(kValue, rng, split), StrCat(dial.value), "value", Metric::kExact});
  const int64_t other = rng.Int(0, kTop - 1);
  exchanges.push_back(
      {Say(kMore, rng, split, {{"n", StrCat(other)}}), dial.value > other ? "yes" : "no", "more", Metric::kExact});
  for (size_t i = 0; i < dial.zones.size(); ++i) {
    const int64_t begin = i == 0 ? -1 : dial.zones[i - 1].end;
    // A needle on the seam of two zones is in neither.
    if (dial.value <= begin || dial.value >= dial.zones[i].end + (i + 1 == dial.zones.size() ? 1 : 0)) continue;
    exchanges.push_back({Say(kZone, rng, split), std::string(dial.zones[i].colour), "zone", Metric::kExact});
  }
  return exchanges;
}

class DialsTask : public Task {
 public:
  std::string_view name() const override { return "dials"; }
  Sample Draw(Rng& rng, Split split) const override {
    const Dial dial = PlanDial(rng, split);
    Sample sample;
    sample.media.emplace_back(PaintDial(dial, rng, split));
    sample.exchanges = AskDial(dial, rng, split);
    return sample;
  }
};

}  // namespace

TaskOr MakeDials(const Assets& /*assets*/) {
  RETURN_IF_ERROR(CheckFonts());
  return std::make_unique<const DialsTask>();
}

}  // namespace galago::world
