#include "eval/table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <optional>
#include <string_view>

#include "eval/text.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

std::string Fixed(double value, int decimals) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.*f", decimals, value);
  return buffer;
}

std::string Signed(double value) { return StrCat(value < 0 ? "" : "+", Percent(value)); }

size_t Width(std::string_view text) { return CodePoints(text).size(); }

// Names come from the World directory.
std::string Label(std::string_view name) { return Printable(name); }

std::string QuotedForCsv(const std::string& cell) {
  if (cell.find_first_of(",\"\n\r") == std::string::npos) return cell;
  return StrCat('"', ReplaceAll(cell, "\"", "\"\""), '"');
}

std::vector<std::string> TallyCells(const Tally& tally) {
  return {tally.metric, StrCat(tally.n), Percent(tally.score), Percent(tally.margin),
          tally.at_half ? Percent(*tally.at_half) : ""};
}

void AddRow(Table& table, std::vector<std::string> cells, std::vector<std::string> more) {
  cells.insert(cells.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  table.rows.push_back(std::move(cells));
}

// One row of a comparison: what it shows of a report, if the report has it.
struct Line {
  std::string label;
  std::function<std::optional<double>(const Report&)> value;
};

const TaskSummary* FindTask(const Report& report, const std::string& name) {
  for (const TaskSummary& task : report.summary.tasks) {
    if (task.all.name == name) return &task;
  }
  return nullptr;
}

const Tally* FindKind(const Report& report, const std::string& task, const std::string& kind) {
  const TaskSummary* const found = FindTask(report, task);
  if (found == nullptr) return nullptr;
  for (const Tally& tally : found->kinds) {
    if (tally.name == kind) return &tally;
  }
  return nullptr;
}

void AddTaskLines(const std::string& task, const std::vector<std::string>& kinds, bool times, bool with_kinds,
                  std::vector<Line>& lines) {
  lines.push_back({Label(task), [=](const Report& report) -> std::optional<double> {
                     const TaskSummary* const found = FindTask(report, task);
                     return found == nullptr ? std::nullopt : std::optional(found->all.score);
                   }});
  if (times) {
    lines.push_back({StrCat(Label(task), " P@0.5"), [=](const Report& report) -> std::optional<double> {
                       const TaskSummary* const found = FindTask(report, task);
                       return found == nullptr ? std::nullopt : found->all.at_half;
                     }});
  }
  if (!with_kinds) return;
  for (const std::string& kind : kinds) {
    lines.push_back({StrCat("  ", Label(kind)), [=](const Report& report) -> std::optional<double> {
                       const Tally* const found = FindKind(report, task, kind);
                       return found == nullptr ? std::nullopt : std::optional(found->score);
                     }});
  }
}

std::vector<Line> ComparisonLines(std::span<const std::pair<std::string, Report>> reports, bool with_kinds) {
  // Tasks and kinds in the order in which any report has them.
  struct Known {
    std::string task;
    std::vector<std::string> kinds;
    bool times = false;
  };
  std::vector<Known> known;
  for (const auto& [label, report] : reports) {
    for (const TaskSummary& task : report.summary.tasks) {
      auto found = std::find_if(known.begin(), known.end(), [&](const Known& k) { return k.task == task.all.name; });
      if (found == known.end()) found = known.insert(known.end(), {.task = task.all.name, .kinds = {}});
      found->times |= task.all.at_half.has_value();
      for (const Tally& kind : task.kinds) {
        const bool seen = std::find(found->kinds.begin(), found->kinds.end(), kind.name) != found->kinds.end();
        if (!seen) found->kinds.push_back(kind.name);
      }
    }
  }
  std::vector<Line> lines;
  for (const Known& task : known) AddTaskLines(task.task, task.kinds, task.times, with_kinds, lines);
  lines.push_back({"in-context gain", [](const Report& report) { return report.summary.in_context_gain; }});
  lines.push_back({"macro", [](const Report& report) { return std::optional(report.summary.macro); }});
  lines.push_back({"total", [](const Report& report) { return std::optional(report.summary.total); }});
  return lines;
}

}  // namespace

std::string Percent(double value) { return Fixed(value, 1); }

std::string TextTable(const Table& table) {
  std::vector<size_t> widths;
  for (const std::string& cell : table.header) widths.push_back(Width(cell));
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], Width(row[c]));
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - Width(row[c]), ' ');
      line += StrCat(c == 0 ? "" : "  ", c < table.num_text ? "" : pad, row[c], c < table.num_text ? pad : "");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += StrCat(line, "\n");
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return out;
}

std::string MarkdownTable(const Table& table) {
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    for (const std::string& cell : row) out += StrCat("| ", ReplaceAll(cell, "|", "\\|"), " ");
    out += "|\n";
  };
  add(table.header);
  for (size_t c = 0; c < table.header.size(); ++c) out += c < table.num_text ? "| --- " : "| ---: ";
  out += "|\n";
  for (const auto& row : table.rows) add(row);
  return out;
}

std::string CsvTable(const Table& table) {
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    for (size_t c = 0; c < row.size(); ++c) out += StrCat(c == 0 ? "" : ",", QuotedForCsv(row[c]));
    out += "\r\n";
  };
  add(table.header);
  for (const auto& row : table.rows) add(row);
  return out;
}

Table SummaryTable(const Summary& summary) {
  Table table{.header = {"task", "metric", "n", "score", "+-95%", "P@0.5"}, .num_text = 2};
  for (const TaskSummary& task : summary.tasks) {
    AddRow(table, {Label(task.all.name)}, TallyCells(task.all));
    for (const Tally& tally : task.metrics) AddRow(table, {StrCat("  all ", tally.name)}, TallyCells(tally));
    for (const Tally& tally : task.kinds) AddRow(table, {StrCat("  ", Label(tally.name))}, TallyCells(tally));
  }
  table.rows.push_back({"macro", "", StrCat(summary.tasks.size()), Percent(summary.macro), "", ""});
  table.rows.push_back({"total", "", StrCat(summary.counted()), Percent(summary.total), "", ""});
  return table;
}

Table SummaryCsvTable(const Summary& summary) {
  Table table{.header = {"task", "kind", "metric", "n", "score", "margin", "p_at_0.5"}, .num_text = 3};
  for (const TaskSummary& task : summary.tasks) {
    AddRow(table, {Label(task.all.name), ""}, TallyCells(task.all));
    for (const Tally& tally : task.kinds) AddRow(table, {Label(task.all.name), Label(tally.name)}, TallyCells(tally));
  }
  table.rows.push_back({"macro", "", "", StrCat(summary.tasks.size()), Percent(summary.macro), "", ""});
  table.rows.push_back({"total", "", "", StrCat(summary.counted()), Percent(summary.total), "", ""});
  return table;
}

std::vector<std::string> SummaryLines(const Report& report) {
  const Summary& summary = report.summary;
  std::vector<std::string> lines;
  if (summary.in_context_gain) {
    lines.push_back(StrCat("in-context gain, 4-shot less 0-shot: ", Signed(*summary.in_context_gain), " points"));
  }
  for (const TaskSummary& task : summary.tasks) {
    if (!task.all.at_half) continue;
    lines.push_back(StrCat("times of ", Label(task.all.name), ": mIoU ", Percent(task.all.score), ", P@0.5 ",
                           Percent(*task.all.at_half)));
  }
  if (summary.n > 0) {
    std::string speed = StrCat("median time to first token ", Fixed(report.median_ttft_ms, 1), " ms");
    if (report.questions_per_second > 0) speed += StrCat(", ", Fixed(report.questions_per_second, 1), " questions/s");
    lines.push_back(std::move(speed));
  }
  if (!report.complete()) {
    lines.push_back(StrCat("PARTIAL: stopped after ", summary.n, " of ", report.num_questions, " questions"));
  }
  return lines;
}

Table ComparisonTable(std::span<const std::pair<std::string, Report>> reports, bool with_kinds) {
  Table table{.header = {"task"}, .num_text = 1};
  for (const auto& [label, report] : reports) {
    table.header.push_back(StrCat(Label(label), report.complete() ? "" : " (partial)"));
  }
  const bool pair = reports.size() == 2;
  if (pair) table.header.emplace_back("change");
  for (const Line& line : ComparisonLines(reports, with_kinds)) {
    std::vector<std::string> row = {line.label};
    std::vector<std::optional<double>> values;
    for (const auto& [label, report] : reports) {
      values.push_back(line.value(report));
      row.push_back(values.back() ? Percent(*values.back()) : "");
    }
    const auto has = [](const std::optional<double>& value) { return value.has_value(); };
    if (std::none_of(values.begin(), values.end(), has)) continue;
    if (pair) row.push_back(values[0] && values[1] ? Signed(*values[1] - *values[0]) : "");
    table.rows.push_back(std::move(row));
  }
  std::vector<std::string> counts = {"questions"};
  for (const auto& [label, report] : reports) counts.push_back(StrCat(report.summary.n));
  if (pair) counts.emplace_back("");
  table.rows.push_back(std::move(counts));
  return table;
}

}  // namespace galago::eval
