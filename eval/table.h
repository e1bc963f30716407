#ifndef GALAGO_EVAL_TABLE_H_
#define GALAGO_EVAL_TABLE_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eval/summary.h"

namespace galago::eval {

// Rows of cells, as many as the header has. The first num_text columns are text, the others numbers.
struct Table {
  std::vector<std::string> header;
  size_t num_text = 1;
  std::vector<std::vector<std::string>> rows;
};

std::string TextTable(const Table& table);      // aligned by spaces
std::string MarkdownTable(const Table& table);  // cells escaped
std::string CsvTable(const Table& table);       // RFC 4180

// Percent with one decimal.
std::string Percent(double value);

// A row for each task, then its kinds (indented where they follow their task's name), macro and total.
Table SummaryTable(const Summary& summary);
// The same with every cell filled, for programs.
Table SummaryCsvTable(const Summary& summary);

// What does not fit in the table: in-context gain, times, speed, and that the run was stopped. One line each.
std::vector<std::string> SummaryLines(const Report& report);

// Results side by side, one column each under its label; with exactly two, their difference too.
Table ComparisonTable(std::span<const std::pair<std::string, Report>> reports, bool with_kinds);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_TABLE_H_
