#include <memory>
#include <string>
#include <utility>

#include "src/base/strings.h"
#include "train/world/charts.h"
#include "train/world/documents.h"
#include "train/world/fonts.h"
#include "train/world/makers.h"
#include "train/world/reading.h"

// Everything that can be read in a picture, as one text: many words to learn from for each picture that is looked at,
// where a question has one or two.
namespace galago::world {
namespace {

std::string TextOf(const Board& board) {
  std::string text;
  for (const Sign& sign : board.signs) text += StrCat(text.empty() ? "" : ", ", sign.Text());
  return text;
}

// "Olga: 12, blue. Ivan: 9, red."; fields as "Name: Olga. Age: 12."; lists as their things.
std::string TextOf(const Sheet& sheet) {
  std::string text;
  if (!sheet.title.empty()) text = StrCat(sheet.title, ". ");
  if (!sheet.date.empty()) text += StrCat(sheet.date, ". ");
  if (HasFields(sheet)) {
    for (size_t i = 0; i < sheet.heads.size(); ++i) text += StrCat(sheet.heads[i], ": ", sheet.rows[0][i], ". ");
  } else {
    for (const std::vector<std::string>& row : sheet.rows) {
      text += row[0];
      for (size_t i = 1; i < row.size(); ++i) text += StrCat(i == 1 ? ": " : ", ", row[i]);
      text += ". ";
    }
  }
  if (!sheet.total.empty()) text += StrCat("Total: ", sheet.total, ".");
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

// "corn: 30, beans: 20".
std::string TextOf(const Chart& chart) {
  std::string text;
  for (size_t i = 0; i < chart.names.size(); ++i) {
    text += StrCat(text.empty() ? "" : ", ", chart.names[i], ": ", ValueOf(chart, i));
  }
  return chart.title.empty() ? text : StrCat(chart.title, ". ", text);
}

class TranscriptsTask : public Task {
 public:
  std::string_view name() const override { return "transcripts"; }
  Sample Draw(Rng& rng, Split split) const override {
    Sample sample;
    sample.form = Form::kCaption;
    std::string text;
    switch (rng.Int(0, 2)) {
      case 0: {
        const Board board = PlanBoard(rng, split);
        sample.media.emplace_back(PaintBoard(board, rng));
        text = TextOf(board);
        break;
      }
      case 1: {
        const Sheet sheet = WriteSheet(rng, split);
        sample.media.emplace_back(PaintSheet(sheet, ChooseSetting(sheet, rng, split), rng));
        text = TextOf(sheet);
        break;
      }
      default: {
        const Chart chart = PlanChart(rng, split);
        sample.media.emplace_back(PaintChart(chart, ChooseLook(chart, rng, split), rng));
        text = TextOf(chart);
      }
    }
    sample.exchanges.push_back({"", std::move(text), "transcript", Metric::kExact});
    return sample;
  }
};

}  // namespace

TaskOr MakeTranscripts(const Assets& /*assets*/) {
  RETURN_IF_ERROR(CheckFonts());
  return std::make_unique<const TranscriptsTask>();
}

}  // namespace galago::world
