#include "train/world/charts.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/fonts.h"
#include "train/world/lexicon.h"
#include "train/world/lists.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"
#include "train/world/surface.h"

namespace galago::world {
namespace {

// Names for `count` bars, short enough to stand beside each other.
std::vector<std::string> PickNames(ChartKind kind, size_t count, Rng& rng, Split split) {
  const bool sequence = kind == ChartKind::kLine || (kind == ChartKind::kBars && rng.Chance(0.3));
  std::vector<std::string> names;
  if (sequence) {
    const int64_t sort = rng.Int(0, 2);
    const auto steps = static_cast<int64_t>(count);
    if (sort == 0) {
      const int64_t first = rng.Int(0, 12 - steps);
      for (int64_t i = 0; i < steps; ++i) {
        names.emplace_back(Nouns(Topic::kMonth)[static_cast<size_t>(first + i)].substr(0, 3));
      }
    } else if (sort == 1) {
      const int64_t first = rng.Int(0, 7 - steps);
      for (int64_t i = 0; i < steps; ++i) {
        names.emplace_back(Nouns(Topic::kDay)[static_cast<size_t>(first + i)].substr(0, 3));
      }
    } else {
      const int64_t first = rng.Int(1990, 2030 - steps);
      for (int64_t i = 0; i < steps; ++i) names.push_back(StrCat(first + i));
    }
    return names;
  }
  if (rng.Chance(0.12)) {
    for (size_t i = 0; i < count; ++i) names.emplace_back(1, static_cast<char>('A' + i));
    return names;
  }
  size_t max_letters = 7;
  if (kind == ChartKind::kBars) max_letters = count <= 2 ? 8 : count == 3 ? 6 : count == 4 ? 5 : 4;
  const Topic topic =
      rng.Pick({Topic::kFruit, Topic::kVegetable, Topic::kFood, Topic::kDrink, Topic::kAnimal, Topic::kTool,
                Topic::kClothing, Topic::kVehicle, Topic::kPerson, Topic::kPerson, Topic::kCity, Topic::kAnimal});
  names = PickNouns(topic, count, max_letters, rng, split);
  if (names.size() < count) names = PickNouns(Topic::kPerson, count, max_letters, rng, split);
  return names;
}

// Different multiples of half a step, or with labels any different numbers, up to the axis's end.
void PickValues(Chart& chart, size_t count, Rng& rng) {
  int64_t top = 0;
  int64_t grain = 1;
  do {
    chart.step = rng.Pick<int64_t>({1, 2, 2, 5, 10, 10, 20, 50, 100});
    chart.ticks = rng.Int(4, 6);
    top = chart.step * chart.ticks;
    grain = chart.labelled || chart.step == 1 ? 1 : chart.step % 2 == 0 ? chart.step / 2 : chart.step;
  } while (top / grain < static_cast<int64_t>(count) + 2);
  while (chart.values.size() < count) {
    const int64_t value = rng.Int(1, top / grain) * grain;
    // A bar without a label stays tall enough to be seen.
    if (value * 12 < top) continue;
    // Far enough apart for the eye.
    const auto close = [&](int64_t other) { return std::abs(value - other) * 18 < top || value == other; };
    if (std::any_of(chart.values.begin(), chart.values.end(), close)) continue;
    chart.values.push_back(value);
  }
}

// Different shares of at least 10 % that are multiples of 5 % and make 100 %.
void PickShares(Chart& chart, size_t count, Rng& rng) {
  for (;;) {
    chart.values.clear();
    int64_t left = 100;
    for (size_t i = 0; i + 1 < count; ++i) {
      chart.values.push_back(rng.Int(2, 14) * 5);
      left -= chart.values.back();
    }
    chart.values.push_back(left);
    std::vector<int64_t> sorted = chart.values;
    std::sort(sorted.begin(), sorted.end());
    bool good = sorted.front() >= 10;
    // Without labels the shares are compared by eye.
    const int64_t apart = chart.labelled ? 5 : 10;
    for (size_t i = 1; i < sorted.size(); ++i) good = good && sorted[i] - sorted[i - 1] >= apart;
    if (good) return;
  }
}

struct Phrases {
  const Wordings value{
      {"What is the value of {name}?", "What is the value for {name}?", "How much is {name}?",
       "Which value does {name} have?", "How high is {name}?", "Tell me the value of {name}.", "What does {name} have?",
       "Read the value of {name}.", "What number does {name} have?", "How much does {name} have?",
       "Can you tell me the value of {name}?", "How high is the value for {name}?", "{name} has which value?"},
      {"What value does {name} have?", "How high is the value of {name}?"}};
  const Wordings share{
      {"What percent is {name}?", "How many percent is {name}?", "What is the share of {name}?",
       "What percent does {name} have?", "Tell me the share of {name}.", "How large is the share of {name}?",
       "Which share does {name} have?", "{name} is how many percent?", "What share is {name}?"},
      {"How many percent does {name} have?", "What share does {name} have?"}};
  // {highest}, {largest}, {most}; or lowest, smallest, least.
  const Wordings extreme{
      {"Which is the {highest}?", "Which has the {highest} value?", "Which one is the {highest}?",
       "What is the {highest}?", "Tell me which is the {highest}.", "Name the {highest} one.",
       "Which one has the {most}?", "What has the {largest} value?", "Which name has the {highest} value?",
       "Where is the value the {highest}?", "Which one do you see with the {highest} value?", "What has the {most}?"},
      {"Which one has the {highest} value?", "What has the {highest} value?"}};
  const Wordings largest{
      {"Which part is the largest?", "Which part has the most?", "What is the biggest part?", "Name the largest part.",
       "Tell me which part is the largest.", "Which one is the biggest?", "Which has the largest share?",
       "What has the largest part?", "The largest part is what?", "Which is the largest?", "What has the most?"},
      {"What is the largest part?", "Which one is the largest?"}};
  const Wordings smallest{
      {"Which part is the smallest?", "Which part has the least?", "Name the smallest part.",
       "Tell me which part is the smallest.", "Which has the smallest share?", "What has the smallest part?",
       "The smallest part is what?", "What is the smallest?", "Which is the smallest?", "What has the least?"},
      {"What is the smallest part?", "Which one is the smallest?"}};
  const Wordings height{
      {"What is the {highest} value?", "How high is the {highest} value?", "What is the {largest} value?",
       "Tell me the {highest} value.", "What value does the {highest} one have?", "Name the {highest} value."},
      {"Which value is the {highest}?"}};
  const Wordings number{{"How many {parts} are there?", "How many {parts} are in the chart?", "Count the {parts}.",
                         "How many {parts} do you see?", "Tell me how many {parts} there are.",
                         "How many {parts} does the chart have?", "The number of {parts} is what?"},
                        {"What is the number of {parts}?"}};
  const Wordings more{
      {"Is {name} more than {other}?", "Is {name} higher than {other}?", "Is {name} larger than {other}?",
       "Is {name} bigger than {other}?", "Has {name} more than {other}?",
       "Does {name} have a higher value than {other}?", "Is the value larger for {name} than for {other}?",
       "Is it true that {name} is more than {other}?", "Is there more of {name} than of {other}?",
       "Is the number of {name} higher than that of {other}?", "Tell me if {name} is more than {other}."},
      {"Is the value of {name} higher than {other}?", "Does {name} have more than {other}?"}};
  const Wordings which{
      {"Which is more, {name} or {other}?", "Which is higher, {name} or {other}?", "What is more, {name} or {other}?",
       "Which is larger, {name} or {other}?", "Which one is higher: {name} or {other}?", "Is {name} or {other} higher?",
       "Tell me which is higher, {name} or {other}.", "What has more, {name} or {other}?",
       "Which has the higher value, {name} or {other}?"},
      {"Which has more, {name} or {other}?"}};
  const Wordings difference{
      {"How much more is {name} than {other}?", "What is the difference of {name} and {other}?",
       "By how much is {name} more than {other}?", "Tell me the difference of {name} and {other}.",
       "How much higher is {name} than {other}?", "How large is the difference between {name} and {other}?"},
      {"What is the difference between {name} and {other}?"}};
  const Wordings find{
      {"Which has the value {value}?", "Which is {value}?", "Which one has the value {value}?",
       "Which name has {value}?", "Name the one with the value {value}.", "Tell me which has the value {value}.",
       "Which name has the value {value}?", "What has {value}?"},
      {"What has the value {value}?"}};
  const Wordings colour_value{{"What is the value of the {colour} bar?", "How high is the {colour} bar?",
                               "Which value does the {colour} bar have?", "Tell me the value of the {colour} bar.",
                               "How much is the {colour} bar?"},
                              {"What value does the {colour} bar have?"}};
  const Wordings colour_of{{"What colour is {name}?", "Which colour does {name} have?", "What colour does {name} have?",
                            "Tell me the colour of {name}.", "{name} has which colour?"},
                           {"What is the colour of {name}?"}};
  const Wordings of_colour{{"What is the {colour} part?", "Which part is {colour}?", "Which is the {colour} part?",
                            "Name the {colour} part.", "Tell me which part is {colour}."},
                           {"What part is {colour}?"}};
  const Wordings bar_of_colour{{"What is the {colour} bar?", "Which bar is {colour}?", "Which is the {colour} bar?",
                                "Name the {colour} bar.", "Tell me which bar is {colour}."},
                               {"What bar is {colour}?"}};
  const Wordings trend{
      {"Does it go up or down from {name} to {other}?", "Up or down from {name} to {other}?",
       "From {name} to {other}: up or down?", "Does the line go up or down from {name} to {other}?",
       "Tell me if it goes up or down from {name} to {other}.", "Going from {name} to {other}, is it up or down?"},
      {"From {name} to {other}, does it go up or down?"}};
  const Wordings kind{{"What kind of chart is it?", "Which chart is it?", "What chart is this?",
                       "Tell me what kind of chart it is.", "Which kind of chart do you see?"},
                      {"Which kind of chart is it?"}};
};

const Phrases& Words() {
  static const Phrases kPhrases;
  return kPhrases;
}

class Asker {
 public:
  Asker(const Chart& chart, Rng& rng, Split split) : chart_(chart), rng_(rng), split_(split) {}

  std::vector<Exchange> Ask() {
    const bool pie = chart_.kind == ChartKind::kPie;
    AskValues();
    AskExtremes();
    AskPair();
    if (!pie && rng_.Chance(0.35)) AskHeights();
    if (chart_.paints.size() == chart_.names.size()) AskColours();
    if (rng_.Chance(0.3)) {
      const std::string_view parts = pie ? "parts" : chart_.kind == ChartKind::kLine ? "points" : "bars";
      Add(Words().number, StrCat(chart_.names.size()), "count", {{"parts", parts}});
    }
    if (!chart_.title.empty() && rng_.Chance(0.7)) Add(TitleWordings(), chart_.title, "title");
    if (rng_.Chance(0.12)) Add(Words().kind, pie ? "pie" : chart_.kind == ChartKind::kLine ? "line" : "bar", "kind");
    rng_.Shuffle(exchanges_);
    const auto most = static_cast<size_t>(rng_.Int(4, UpTo(6, split_)));
    if (exchanges_.size() > most) exchanges_.resize(most);
    if (split_ == Split::kTrain && rng_.Chance(kAskLists)) AskLists();
    return std::move(exchanges_);
  }

 private:
  void Add(const Wordings& wordings, std::string answer, std::string_view kind, Slots slots = {}) {
    // A name may be a year, and another year is not nearly right.
    const bool name = std::find(chart_.names.begin(), chart_.names.end(), answer) != chart_.names.end();
    const Metric metric = name ? Metric::kExact : Metric::kRelaxed;
    exchanges_.push_back({Say(wordings, rng_, split_, slots), std::move(answer), std::string(kind), metric});
  }

  std::vector<size_t> Shuffled() {
    std::vector<size_t> order(chart_.names.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    rng_.Shuffle(order);
    return order;
  }

  void AskValues() {
    const std::vector<size_t> order = Shuffled();
    if (chart_.kind == ChartKind::kPie) {
      if (!chart_.labelled) return;
      for (size_t i = 0; i < 2; ++i) {
        Add(Words().share, ValueOf(chart_, order[i]), "share", {{"name", chart_.names[order[i]]}});
      }
      return;
    }
    for (size_t i = 0; i < std::min(order.size(), static_cast<size_t>(UpTo(3, split_))); ++i) {
      Add(Words().value, StrCat(chart_.values[order[i]]), "value", {{"name", chart_.names[order[i]]}});
    }
    if (rng_.Chance(0.5)) {
      Add(Words().find, chart_.names[order[0]], "find", {{"value", StrCat(chart_.values[order[0]])}});
    }
  }

  // Of the highest or of the lowest.
  void AddEnd(const Wordings& wordings, bool high, std::string answer, std::string_view kind) {
    Add(wordings, std::move(answer), kind,
        {{"highest", high ? "highest" : "lowest"},
         {"largest", high ? "largest" : "smallest"},
         {"most", high ? "most" : "least"}});
  }

  void AskExtremes() {
    const bool pie = chart_.kind == ChartKind::kPie;
    const auto highest = std::max_element(chart_.values.begin(), chart_.values.end()) - chart_.values.begin();
    const auto lowest = std::min_element(chart_.values.begin(), chart_.values.end()) - chart_.values.begin();
    AddEnd(pie ? Words().largest : Words().extreme, true, chart_.names[static_cast<size_t>(highest)], "most");
    AddEnd(pie ? Words().smallest : Words().extreme, false, chart_.names[static_cast<size_t>(lowest)], "least");
  }

  void AskHeights() {
    if (rng_.Chance(0.5)) {
      AddEnd(Words().height, true, StrCat(*std::max_element(chart_.values.begin(), chart_.values.end())), "highest");
    } else {
      AddEnd(Words().height, false, StrCat(*std::min_element(chart_.values.begin(), chart_.values.end())), "lowest");
    }
  }

  void AskPair() {
    const std::vector<size_t> order = Shuffled();
    const size_t a = order[0];
    const size_t b = order[1];
    const Slots slots = {{"name", chart_.names[a]}, {"other", chart_.names[b]}};
    const bool more = chart_.values[a] > chart_.values[b];
    Add(Words().more, more ? "yes" : "no", "more", slots);
    if (rng_.Chance(0.5)) Add(Words().which, chart_.names[more ? a : b], "which", slots);
    if (chart_.kind != ChartKind::kPie && more && rng_.Chance(0.3)) {
      Add(Words().difference, StrCat(chart_.values[a] - chart_.values[b]), "difference", slots);
    }
    if (chart_.kind == ChartKind::kLine) {
      const auto at = static_cast<size_t>(rng_.Int(1, static_cast<int64_t>(chart_.names.size()) - 1));
      Add(Words().trend, chart_.values[at] > chart_.values[at - 1] ? "up" : "down", "trend",
          {{"name", chart_.names[at - 1]}, {"other", chart_.names[at]}});
    }
  }

  void AskColours() {
    const auto at = static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(chart_.names.size()) - 1));
    const std::string& name = chart_.names[at];
    const std::string_view colour = chart_.paints[at];
    if (chart_.kind == ChartKind::kPie) {
      if (rng_.Chance(0.5)) {
        Add(Words().colour_of, std::string(colour), "colour", {{"name", name}});
      } else {
        Add(Words().of_colour, name, "of-colour", {{"colour", colour}});
      }
      return;
    }
    if (rng_.Chance(0.5)) {
      Add(Words().colour_value, StrCat(chart_.values[at]), "colour-value", {{"colour", colour}});
    } else {
      Add(Words().bar_of_colour, name, "of-colour", {{"colour", colour}});
    }
  }

  // The whole chart at once instead: names by value, then what ListsOf tells.
  void AskLists() {
    static const Wordings kRanking = {
        {"Name them from the highest to the lowest.", "Name all from the highest to the lowest."}, {}};
    std::vector<size_t> order = Shuffled();
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return chart_.values[a] > chart_.values[b]; });
    std::vector<std::string> ranking;
    for (const size_t i : order) ranking.push_back(chart_.names[i]);
    exchanges_.clear();
    Add(kRanking, Listed(ranking), "ranking");
    for (Exchange& question : QuestionsOf(ListsOf(chart_), Metric::kRelaxed, rng_)) {
      exchanges_.push_back(std::move(question));
    }
  }

  const Chart& chart_;
  Rng& rng_;
  const Split split_;
  std::vector<Exchange> exchanges_;
};

class Charts : public Task {
 public:
  std::string_view name() const override { return "charts"; }
  Sample Draw(Rng& rng, Split split) const override {
    const Chart chart = PlanChart(rng, split);
    const ChartLook look = ChooseLook(chart, rng, split);
    Sample sample;
    sample.media.emplace_back(PaintChart(chart, look, rng));
    sample.exchanges = AskChart(chart, rng, split);
    return sample;
  }
};

}  // namespace

std::string ValueOf(const Chart& chart, size_t i) {
  return StrCat(chart.values[i], chart.kind == ChartKind::kPie ? "%" : "");
}

std::vector<List> ListsOf(const Chart& chart) {
  static const Wordings kValues = {{"What value: {names}?", "Which value: {names}?", "Tell me the value: {names}."},
                                   {}};
  static const Wordings kColours = {{"What colour: {names}?", "Which colour: {names}?"}, {}};
  List values{"values", "value", &kValues, {}};
  List colours{"colours", "colour", &kColours, {}};
  const bool read = chart.kind != ChartKind::kPie || chart.labelled;
  for (size_t i = 0; i < chart.names.size(); ++i) {
    if (read) values.items.push_back({chart.names[i], ValueOf(chart, i)});
    if (chart.paints.size() == chart.names.size()) {
      colours.items.push_back({chart.names[i], std::string(chart.paints[i])});
    }
  }
  std::vector<List> lists;
  if (!values.items.empty()) lists.push_back(std::move(values));
  if (!colours.items.empty()) lists.push_back(std::move(colours));
  return lists;
}

Told DrawChart(Rng& rng, Split split) {
  const Chart chart = PlanChart(rng, split);
  return {PaintChart(chart, ChooseLook(chart, rng, split), rng), ListsOf(chart)};
}

Chart PlanChart(Rng& rng, Split split) {
  Chart chart;
  chart.kind = rng.Pick({ChartKind::kBars, ChartKind::kBars, ChartKind::kBars, ChartKind::kBarsAcross,
                         ChartKind::kBarsAcross, ChartKind::kLine, ChartKind::kLine, ChartKind::kPie, ChartKind::kPie});
  chart.labelled = rng.Chance(chart.kind == ChartKind::kPie ? 0.7 : 0.5);
  int64_t low = 2;
  int64_t high = 5;
  if (chart.kind == ChartKind::kLine) low = 3;
  if (chart.kind == ChartKind::kPie) high = 4;
  auto count = static_cast<size_t>(rng.Int(low, high));
  // One more than training shows. Four unlabelled sectors cannot be far enough apart with a fifth.
  if (split == Split::kHeldout && chart.kind != ChartKind::kPie && rng.Chance(0.12)) {
    count = static_cast<size_t>(high) + 1;
  }
  chart.names = PickNames(chart.kind, count, rng, split);
  CHECK_EQ(chart.names.size(), count);
  if (chart.kind == ChartKind::kPie) {
    PickShares(chart, count, rng);
  } else {
    PickValues(chart, count, rng);
  }
  if (rng.Chance(0.6)) {
    chart.title =
        rng.Chance(0.6)
            ? rng.Pick({"Sales", "Votes", "Points", "Visitors", "Books sold", "Our count", "Orders"})
            : StrCat(Capitalised(PickWord(rng, split, 4, 6)), " ", rng.Pick({"sales", "count", "chart", "points"}));
  }
  const bool colourful = chart.kind == ChartKind::kPie || (chart.kind != ChartKind::kLine && rng.Chance(0.4));
  std::vector<std::string_view> paints;
  for (const Paint& paint : Palette()) {
    if (paint.name != "white") paints.push_back(paint.name);
  }
  rng.Shuffle(paints);
  paints.resize(colourful ? count : 1);
  chart.paints = std::move(paints);
  return chart;
}

std::vector<Exchange> AskChart(const Chart& chart, Rng& rng, Split split) { return Asker(chart, rng, split).Ask(); }

TaskOr MakeCharts(const Assets& /*assets*/) {
  RETURN_IF_ERROR(CheckFonts());
  return std::unique_ptr<const Task>(std::make_unique<Charts>());
}

}  // namespace galago::world
