#ifndef GALAGO_EVAL_SUMMARY_H_
#define GALAGO_EVAL_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/world_run.h"
#include "eval/world_set.h"
#include "galago/status.h"
#include "src/base/json.h"

namespace galago::eval {

// Scores of a group of questions, all in percent.
struct Tally {
  std::string name;    // of the task, kind or metric
  std::string metric;  // "exact"; "mixed" if the group has several
  int64_t n = 0;
  double score = 0;
  // Half of the 95 % interval, from the spread between records: questions about one picture are no independent draws.
  double margin = 0;
  // Groups of times only: the share of intervals that cover at least half (P@0.5); their score is the mean intersection
  // over union. Both are means over videos of the means over a video's questions.
  std::optional<double> at_half;
  bool operator==(const Tally&) const = default;
};

struct TaskSummary {
  Tally all;                   // but for questions of kind "0-shot", which are there to be compared with
  std::vector<Tally> metrics;  // by metric, if there are several
  std::vector<Tally> kinds;    // in order of appearance
  bool operator==(const TaskSummary&) const = default;
};

struct Summary {
  std::vector<TaskSummary> tasks;
  int64_t n = 0;     // answers, all of them
  double macro = 0;  // mean over tasks
  double total = 0;  // mean over questions that count
  // How many count: those of the tasks' own rows.
  int64_t counted() const {
    int64_t count = 0;
    for (const TaskSummary& task : tasks) count += task.all.n;
    return count;
  }
  // Score with four examples less that without, where a task has both kinds.
  std::optional<double> in_context_gain;
  bool operator==(const Summary&) const = default;
};

// Tasks without answers that count are left out.
Summary Summarise(const WorldSet& set, std::span<const Answer> answers);

// The score of this name: "macro", "total", "in-context-gain", a task, "TASK.KIND" or "TASK.p@0.5".
std::optional<double> ScoreNamed(const Summary& summary, std::string_view name);
// Whether that name can mean something in this set.
bool IsScoreName(const WorldSet& set, std::string_view name);

// An evaluation with what is needed to repeat it.
struct Report {
  std::string model, model_path, precision, isa, version;
  std::vector<std::string> features;  // of the build
  int threads = 0;
  std::string split;
  int64_t seed = 0;
  int64_t num_questions = 0;  // to be asked; more than summary.n if the run was stopped
  int64_t limit = 0;
  Summary summary;
  double median_ttft_ms = 0;
  double questions_per_second = 0;  // 0 if all answers were known before
  bool complete() const { return summary.n == num_questions; }
};

// Middle of the times to the first token; 0 without any.
double MedianTtft(std::span<const Answer> answers);

// Schema galago.eval/1. With `set` and `answers`, every question too.
Json ReportJson(const Report& report);
Json QuestionsJson(const WorldSet& set, std::span<const Answer> answers);

// The other way, of a file that may come from anywhere.
StatusOr<Report> ParseReport(const Json& json, const std::string& what);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_SUMMARY_H_
