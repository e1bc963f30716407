#include "eval/page.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "eval/table.h"
#include "src/base/base64.h"
#include "src/base/file.h"
#include "src/base/html.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

// Larger media are named only: a page of many would not open any more.
constexpr size_t kMaxMediumBytes = size_t{4} << 20;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; text-align: left; white-space: pre; }
th { border-bottom: 1px solid; }
td.number, th.number { text-align: right; }
tr.task td { font-weight: 600; border-top: 1px solid #8886; }
.partial { font-weight: 700; color: #b00; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
.card { border: 1px solid #8886; border-radius: .4rem; padding: .7rem; overflow-wrap: anywhere; }
.card img, .card video { display: block; min-width: 8rem; max-width: 100%; height: auto; margin-bottom: .4rem; }
.card p { margin: .25rem 0; white-space: pre-wrap; }
.card p img { display: inline-block; min-width: 3rem; max-width: 8rem; margin: 0; vertical-align: middle; }
.card .id { opacity: .65; font-size: .8rem; }
b.expected { color: #087830; } b.got { color: #c02020; }
@media (prefers-color-scheme: dark) { b.expected { color: #5fd38a; } b.got { color: #ff8080; } .partial { color: #f77; } }
)";

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMimeTypes = {{{".png", "image/png"},
                                                                                      {".jpg", "image/jpeg"},
                                                                                      {".jpeg", "image/jpeg"},
                                                                                      {".webp", "image/webp"},
                                                                                      {".gif", "image/gif"},
                                                                                      {".mp4", "video/mp4"},
                                                                                      {".webm", "video/webm"},
                                                                                      {".mkv", "video/x-matroska"}}};

std::string MediumHtml(const std::filesystem::path& dir, const Medium& medium) {
  const std::string name = EscapeHtml(medium.path.string());
  const std::string extension = medium.path.extension().string();
  const auto mime =
      std::find_if(kMimeTypes.begin(), kMimeTypes.end(), [&](const auto& entry) { return entry.first == extension; });
  const StatusOr<std::string> bytes = ReadFile(dir / medium.path, kMaxMediumBytes);
  if (!bytes.ok() || mime == kMimeTypes.end()) return StrCat("<span class=\"id\">", name, " (not shown)</span>");
  const std::string uri = StrCat("data:", mime->second, ";base64,", Base64(*bytes));
  if (medium.kind == PartKind::kVideo) {
    return StrCat("<video controls muted loop preload=\"metadata\" title=\"", name, "\" src=\"", uri, "\"></video>");
  }
  return StrCat("<img alt=\"", name, "\" title=\"", name, "\" src=\"", uri, "\">");
}

// The question as it was asked: media in front of the text, or where its markers stand.
std::string QuestionHtml(const WorldSet& set, const Record& record, const Question& question) {
  std::string out;
  if (!question.in_place) {
    for (const Medium& medium : record.media) out += MediumHtml(set.dir, medium);
    return StrCat(out, "<p>", EscapeHtml(question.text), "</p>\n");
  }
  std::string_view rest = question.text;
  for (const Medium& medium : record.media) {
    const std::string_view marker = medium.kind == PartKind::kVideo ? "<video>" : "<image>";
    const size_t at = rest.find(marker);
    if (at == std::string_view::npos) break;
    out += StrCat(EscapeHtml(rest.substr(0, at)), MediumHtml(set.dir, medium));
    rest.remove_prefix(at + marker.size());
  }
  return StrCat("<p>", out, EscapeHtml(rest), "</p>\n");
}

std::string Card(const WorldSet& set, const Answer& answer) {
  const Record& record = set.records[answer.record];
  const Question& question = record.questions[answer.question];
  std::string out = StrCat("<div class=\"card\">\n", QuestionHtml(set, record, question));
  out += StrCat("<p>expected <b class=\"expected\">", EscapeHtml(question.answer), "</b></p>\n");
  out += StrCat("<p>got <b class=\"got\">", EscapeHtml(answer.reply), "</b></p>\n");
  out += StrCat("<p class=\"id\">", EscapeHtml(question.id), ", ", EscapeHtml(question.kind), ", ",
                Name(question.metric), " ", Percent(100 * answer.score));
  if (record.duration_s > 0) out += StrCat(", video of ", record.duration_s, " s");
  return out + "</p>\n</div>\n";
}

std::string TableHtml(const Table& table) {
  std::string out = "<table>\n<tr>";
  const auto cell = [&](size_t column, std::string_view tag, const std::string& text) {
    return StrCat("<", tag, column < table.num_text ? "" : " class=\"number\"", ">", EscapeHtml(text), "</", tag, ">");
  };
  for (size_t c = 0; c < table.header.size(); ++c) out += cell(c, "th", table.header[c]);
  out += "</tr>\n";
  for (const auto& row : table.rows) {
    out += row[0].starts_with(' ') ? "<tr>" : "<tr class=\"task\">";
    for (size_t c = 0; c < row.size(); ++c) out += cell(c, "td", row[c]);
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

bool IsWrong(const Question& question, const Answer& answer) {
  return !IsBaseline(question) && answer.score < (question.metric == Metric::kTime ? 0.5 : 1.0);
}

// Takes from each list in turn, front first, until there are `count`.
std::vector<Answer> TakeInTurn(const std::vector<std::vector<Answer>>& lists, size_t count) {
  std::vector<Answer> out;
  for (size_t depth = 0; out.size() < count; ++depth) {
    const size_t before = out.size();
    for (const std::vector<Answer>& list : lists) {
      if (depth < list.size() && out.size() < count) out.push_back(list[depth]);
    }
    if (out.size() == before) break;
  }
  return out;
}

}  // namespace

std::vector<Answer> ChooseFailures(const WorldSet& set, std::span<const Answer> answers, int64_t per_task) {
  std::vector<Answer> out;
  for (const std::string& task : set.tasks) {
    std::vector<std::string> kinds;
    std::vector<std::vector<Answer>> lists;  // by kind
    for (const Answer& answer : answers) {
      const Record& record = set.records[answer.record];
      const Question& question = record.questions[answer.question];
      if (record.task != task || !IsWrong(question, answer)) continue;
      const auto found = std::find(kinds.begin(), kinds.end(), question.kind);
      const size_t index = static_cast<size_t>(found - kinds.begin());
      if (found == kinds.end()) {
        kinds.push_back(question.kind);
        lists.emplace_back();
      }
      lists[index].push_back(answer);
    }
    for (Answer& answer : TakeInTurn(lists, static_cast<size_t>(per_task))) out.push_back(std::move(answer));
  }
  return out;
}

std::string ReportPage(const Report& report, const WorldSet& set, std::span<const Answer> answers, int64_t per_task) {
  std::string out =
      StrCat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>", EscapeHtml(report.model),
             " on World</title>\n<style>", kStyle, "</style>\n</head>\n<body>\n");
  out +=
      StrCat("<h1>", EscapeHtml(report.model), " on World, ", EscapeHtml(report.split), "</h1>\n<p>seed ", report.seed,
             ", ", report.summary.n, " questions, greedy, ", EscapeHtml(report.precision), ", ", EscapeHtml(report.isa),
             ", ", report.threads, " threads, galago ", EscapeHtml(report.version), "</p>\n");
  for (const std::string& line : SummaryLines(report)) {
    out += StrCat("<p", line.starts_with("PARTIAL") ? " class=\"partial\"" : "", ">", EscapeHtml(line), "</p>\n");
  }
  out += TableHtml(SummaryTable(report.summary));
  std::string task;
  for (const Answer& answer : ChooseFailures(set, answers, per_task)) {
    const std::string& its_task = set.records[answer.record].task;
    if (its_task != task) {
      if (!task.empty()) out += "</div>\n";
      out += StrCat("<h2>", EscapeHtml(its_task), ": wrong answers</h2>\n<div class=\"cards\">\n");
      task = its_task;
    }
    out += Card(set, answer);
  }
  if (!task.empty()) out += "</div>\n";
  return out + "</body>\n</html>\n";
}

}  // namespace galago::eval
