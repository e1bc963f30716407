#include "eval/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "src/base/strings.h"

namespace galago::eval {
namespace {

constexpr std::string_view kSchema = "galago.eval/1";
constexpr double kNormal95 = 1.96;
constexpr double kHalf = 0.5;

// One answer in a group: the record it belongs to, and what it counts.
struct Item {
  size_t record;
  double score;
};

struct Mean {
  double value = 0, margin = 0;
};

// Mean of the items; by_record: of the means of the records. The margin treats records as the independent draws.
Mean MeanOf(std::span<const Item> items, bool by_record) {
  std::map<size_t, std::pair<double, double>> records;  // sum and count
  for (const Item& item : items) {
    records[item.record].first += item.score;
    records[item.record].second += 1;
  }
  double sum = 0, weight = 0;
  for (const auto& [record, total] : records) {
    sum += by_record ? total.first / total.second : total.first;
    weight += by_record ? 1 : total.second;
  }
  Mean mean{.value = sum / weight};
  double squares = 0;
  for (const auto& [record, total] : records) {
    const double share = by_record ? 1 / total.second : 1;
    const double residual = share * (total.first - total.second * mean.value) / weight;
    squares += residual * residual;
  }
  mean.margin = kNormal95 * std::sqrt(squares);
  return mean;
}

// Answers of one group, with their questions' metrics.
class Group {
 public:
  explicit Group(std::string name) : name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  bool empty() const { return scores_.empty(); }
  void Add(const Answer& answer, Metric metric) {
    scores_.push_back({answer.record, answer.score});
    halves_.push_back({answer.record, answer.score >= kHalf ? 1.0 : 0.0});
    mixed_ |= scores_.size() > 1 && metric != metric_;
    metric_ = metric;
  }
  Tally Count() const {
    const bool times = !mixed_ && metric_ == Metric::kTime;
    const Mean mean = MeanOf(scores_, times);
    Tally tally{.name = name_,
                .metric = mixed_ ? "mixed" : std::string(Name(metric_)),
                .n = static_cast<int64_t>(scores_.size()),
                .score = 100 * mean.value,
                .margin = 100 * mean.margin};
    if (times) tally.at_half = 100 * MeanOf(halves_, times).value;
    return tally;
  }

 private:
  std::string name_;
  std::vector<Item> scores_, halves_;
  Metric metric_ = Metric::kExact;
  bool mixed_ = false;
};

Group& Named(std::vector<Group>& groups, std::string_view name) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.name() == name; });
  return found != groups.end() ? *found : groups.emplace_back(std::string(name));
}

std::vector<Tally> CountAll(std::span<const Group> groups) {
  std::vector<Tally> out;
  for (const Group& group : groups) out.push_back(group.Count());
  return out;
}

TaskSummary SummariseTask(const std::string& task, const WorldSet& set, std::span<const Answer> answers) {
  Group all(task);
  std::vector<Group> kinds, metrics;
  for (const Answer& answer : answers) {
    const Record& record = set.records[answer.record];
    if (record.task != task) continue;
    const Question& question = record.questions[answer.question];
    Named(kinds, question.kind).Add(answer, question.metric);
    if (IsBaseline(question)) continue;
    all.Add(answer, question.metric);
    Named(metrics, Name(question.metric)).Add(answer, question.metric);
  }
  if (all.empty()) return {};
  TaskSummary summary{.all = all.Count(), .kinds = CountAll(kinds)};
  if (metrics.size() > 1) summary.metrics = CountAll(metrics);
  return summary;
}

std::optional<double> ScoreOfKind(const TaskSummary& task, std::string_view kind) {
  for (const Tally& tally : task.kinds) {
    if (tally.name == kind) return tally.score;
  }
  return std::nullopt;
}

double Rounded(double value) { return std::round(value * 1000) / 1000; }

Json TallyJson(std::string_view key, const Tally& tally) {
  Json json = {{std::string(key), tally.name},
               {"metric", tally.metric},
               {"n", tally.n},
               {"score", Rounded(tally.score)},
               {"margin", Rounded(tally.margin)}};
  if (tally.at_half) json["p_at_0.5"] = Rounded(*tally.at_half);
  return json;
}

StatusOr<Tally> ParseTally(const Json& json, std::string_view key, const std::string& what) {
  if (!json.is_object()) return DataLoss(StrCat(what, ": an entry of scores is no object"));
  Tally tally;
  ASSIGN_OR_RETURN(const std::optional<std::string> name, JsonString(json, key, what));
  ASSIGN_OR_RETURN(const std::optional<std::string> metric, JsonString(json, "metric", what));
  ASSIGN_OR_RETURN(const std::optional<int64_t> n, JsonInt(json, "n", what, 1, std::numeric_limits<int64_t>::max()));
  ASSIGN_OR_RETURN(const std::optional<double> score, JsonNumber(json, "score", what));
  ASSIGN_OR_RETURN(const std::optional<double> margin, JsonNumber(json, "margin", what));
  ASSIGN_OR_RETURN(tally.at_half, JsonNumber(json, "p_at_0.5", what));
  if (!name || !n || !score) return DataLoss(StrCat(what, ": an entry of scores lacks ", key, ", n or score"));
  tally.name = *name;
  tally.metric = metric.value_or("");
  tally.n = *n;
  tally.score = *score;
  tally.margin = margin.value_or(0);
  return tally;
}

StatusOr<std::vector<Tally>> ParseTallies(const Json& object, std::string_view list, std::string_view key,
                                          const std::string& what) {
  std::vector<Tally> out;
  const Json* const entries = JsonFind(object, list);
  if (entries == nullptr) return out;
  if (!entries->is_array()) return DataLoss(StrCat(what, ": ", list, " is no array"));
  for (const Json& entry : *entries) {
    ASSIGN_OR_RETURN(Tally tally, ParseTally(entry, key, what));
    out.push_back(std::move(tally));
  }
  return out;
}

}  // namespace

Summary Summarise(const WorldSet& set, std::span<const Answer> answers) {
  Summary summary{.n = static_cast<int64_t>(answers.size())};
  for (const std::string& task : set.tasks) {
    TaskSummary one = SummariseTask(task, set, answers);
    if (one.all.n == 0) continue;
    summary.macro += one.all.score;
    const std::optional<double> with = ScoreOfKind(one, "4-shot"), without = ScoreOfKind(one, "0-shot");
    if (with && without) summary.in_context_gain = *with - *without;
    summary.tasks.push_back(std::move(one));
  }
  if (summary.tasks.empty()) return summary;
  int64_t counted = 0;
  for (const Answer& answer : answers) {
    if (IsBaseline(set.records[answer.record].questions[answer.question])) continue;
    summary.total += 100 * answer.score;
    ++counted;
  }
  summary.macro /= static_cast<double>(summary.tasks.size());
  summary.total /= static_cast<double>(counted);
  return summary;
}

std::optional<double> ScoreNamed(const Summary& summary, std::string_view name) {
  if (name == "macro") return summary.macro;
  if (name == "total") return summary.total;
  if (name == "in-context-gain") return summary.in_context_gain;
  const size_t dot = name.find('.');
  for (const TaskSummary& task : summary.tasks) {
    if (task.all.name == name) return task.all.score;
    if (task.all.name != name.substr(0, dot)) continue;
    const std::string_view part = name.substr(dot + 1);
    return part == "p@0.5" ? task.all.at_half : ScoreOfKind(task, part);
  }
  return std::nullopt;
}

bool IsScoreName(const WorldSet& set, std::string_view name) {
  if (name == "macro" || name == "total" || name == "in-context-gain") return true;
  const std::string task(name.substr(0, name.find('.')));
  return std::find(set.tasks.begin(), set.tasks.end(), task) != set.tasks.end();
}

double MedianTtft(std::span<const Answer> answers) {
  if (answers.empty()) return 0;
  std::vector<double> times;
  for (const Answer& answer : answers) times.push_back(answer.ttft_ms);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

Json ReportJson(const Report& report) {
  Json tasks = Json::array();
  for (const TaskSummary& task : report.summary.tasks) {
    Json json = TallyJson("task", task.all);
    for (const Tally& tally : task.metrics) json["metrics"].push_back(TallyJson("metric", tally));
    for (const Tally& tally : task.kinds) json["kinds"].push_back(TallyJson("kind", tally));
    tasks.push_back(std::move(json));
  }
  const Summary& summary = report.summary;
  const auto maybe = [](const std::optional<double>& value) { return value ? Json(Rounded(*value)) : Json(); };
  return {{"schema", kSchema},
          {"model", report.model},
          {"model_path", report.model_path},
          {"engine", {{"version", report.version}, {"features", report.features}}},
          {"device", {{"isa", report.isa}, {"threads", report.threads}, {"precision", report.precision}}},
          {"sampling", {{"temperature", 0}}},
          {"world", {{"split", report.split}, {"seed", report.seed}}},
          {"limit", report.limit},
          {"questions_to_ask", report.num_questions},
          {"n", summary.n},
          {"complete", report.complete()},
          {"macro", Rounded(summary.macro)},
          {"total", Rounded(summary.total)},
          {"in_context_gain", maybe(summary.in_context_gain)},
          {"tasks", std::move(tasks)},
          {"timings",
           {{"median_ttft_ms", Rounded(report.median_ttft_ms)},
            {"questions_per_second", Rounded(report.questions_per_second)}}}};
}

Json QuestionsJson(const WorldSet& set, std::span<const Answer> answers) {
  Json out = Json::array();
  for (const Answer& answer : answers) {
    const Record& record = set.records[answer.record];
    const Question& question = record.questions[answer.question];
    Json media = Json::array();
    for (const Medium& medium : record.media) media.push_back(medium.path.string());
    out.push_back({{"id", question.id},
                   {"task", record.task},
                   {"kind", question.kind},
                   {"metric", Name(question.metric)},
                   {"media", std::move(media)},
                   {"question", question.text},
                   {"expected", question.answer},
                   {"reply", answer.reply},
                   {"score", Rounded(answer.score)},
                   {"ttft_ms", Rounded(answer.ttft_ms)}});
  }
  return out;
}

StatusOr<Report> ParseReport(const Json& json, const std::string& what) {
  ASSIGN_OR_RETURN(const std::optional<std::string> schema, JsonString(json, "schema", what));
  if (schema != kSchema)
    return DataLoss(StrCat(what, ": is no result of galago eval, schema ", kSchema, " is missing"));
  Report report;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ASSIGN_OR_RETURN(const std::optional<std::string> model, JsonString(json, "model", what));
  ASSIGN_OR_RETURN(const std::optional<int64_t> to_ask, JsonInt(json, "questions_to_ask", what, 0, kMax));
  ASSIGN_OR_RETURN(const std::optional<int64_t> n, JsonInt(json, "n", what, 0, kMax));
  ASSIGN_OR_RETURN(const std::optional<double> macro, JsonNumber(json, "macro", what));
  ASSIGN_OR_RETURN(const std::optional<double> total, JsonNumber(json, "total", what));
  ASSIGN_OR_RETURN(report.summary.in_context_gain, JsonNumber(json, "in_context_gain", what));
  report.model = model.value_or("");
  report.num_questions = to_ask.value_or(0);
  report.summary.n = n.value_or(0);
  report.summary.macro = macro.value_or(0);
  report.summary.total = total.value_or(0);
  if (const Json* const world = JsonFind(json, "world"); world != nullptr) {
    ASSIGN_OR_RETURN(const std::optional<std::string> split, JsonString(*world, "split", what));
    ASSIGN_OR_RETURN(const std::optional<int64_t> seed, JsonInt(*world, "seed", what, 0, kMax));
    report.split = split.value_or("");
    report.seed = seed.value_or(0);
  }
  const Json* const tasks = JsonFind(json, "tasks");
  if (tasks == nullptr || !tasks->is_array()) return DataLoss(StrCat(what, ": tasks is no array"));
  for (const Json& entry : *tasks) {
    TaskSummary task;
    ASSIGN_OR_RETURN(task.all, ParseTally(entry, "task", what));
    ASSIGN_OR_RETURN(task.metrics, ParseTallies(entry, "metrics", "metric", what));
    ASSIGN_OR_RETURN(task.kinds, ParseTallies(entry, "kinds", "kind", what));
    report.summary.tasks.push_back(std::move(task));
  }
  return report;
}

}  // namespace galago::eval
