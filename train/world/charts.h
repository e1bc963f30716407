#ifndef GALAGO_TRAIN_WORLD_CHARTS_H_
#define GALAGO_TRAIN_WORLD_CHARTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
#include "train/world/canvas.h"
#include "train/world/lists.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// The task "charts": bars upright and lying, lines, pies; values to read and to compare.
namespace galago::world {

enum class ChartKind { kBars, kBarsAcross, kLine, kPie };

struct Chart {
  ChartKind kind = ChartKind::kBars;
  std::string title;                     // empty: none is drawn
  std::vector<std::string> names;        // in the order drawn
  std::vector<int64_t> values;           // all different; of a pie: percent, with the sum 100
  bool labelled = false;                 // values stand at the bars; otherwise they are read off the axis
  int64_t step = 1;                      // of the axis; without labels values are multiples of half a step
  int64_t ticks = 5;                     // the axis goes from 0 to ticks * step
  std::vector<std::string_view> paints;  // palette names of bars or sectors; one for all: no colour is asked for
};

struct ChartLook {
  int64_t width = 224;
  int64_t height = 224;
  enum class Grid { kNone, kLines, kDashes } grid = Grid::kLines;  // kDashes: held-out alone
  std::string_view family;
  double size = 13.0;  // of the text, pixels
  Ink paper, ink;
  std::vector<Ink> fills;  // a bar's or sector's colour each
  bool outline = false;
  bool pins = false;        // a stem with a dot instead of a bar; held-out alone
  bool axis_right = false;  // held-out alone
  bool ring = false;        // a pie with a hole; held-out alone
  double bar_share = 0.65;  // of the room a bar has
  int64_t noise = 0;
};

Chart PlanChart(Rng& rng, Split split);
// As it is written: "30", and "30%" of a pie.
std::string ValueOf(const Chart& chart, size_t i);
ChartLook ChooseLook(const Chart& chart, Rng& rng, Split split);
media::Image PaintChart(const Chart& chart, const ChartLook& look, Rng& rng);
// Values and colours by name, as far as they can be told.
std::vector<List> ListsOf(const Chart& chart);
// A picture as the task draws it, and these.
Told DrawChart(Rng& rng, Split split);
// In training now and then the lists instead of single questions.
std::vector<Exchange> AskChart(const Chart& chart, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_CHARTS_H_
