#include "train/loop/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <vector>

#include "src/base/file.h"
#include "src/base/html.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "train/loop/metrics.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

constexpr double kWidth = 860, kHeight = 240, kLeft = 64, kRight = 12, kTop = 12, kBottom = 28;
constexpr size_t kMaxPoints = 600;  // of a curve on the page
constexpr const char* kColours[] = {"#2f6f9f", "#c05a2e", "#3a8a4d", "#8a4fa0", "#a08a1f", "#5a6b7a"};

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

std::string OneDecimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

struct Point {
  double x, y;
};
struct Curve {
  std::string name;
  std::string colour;
  double opacity = 1.0;
  std::vector<Point> points;
};

// Means of as many neighbours as make at most kMaxPoints.
std::vector<Point> Thinned(const std::vector<Point>& points) {
  const size_t group = (points.size() + kMaxPoints - 1) / kMaxPoints;
  if (group <= 1) return points;
  std::vector<Point> out;
  for (size_t i = 0; i < points.size(); i += group) {
    Point mean = {0, 0};
    const size_t end = std::min(points.size(), i + group);
    for (size_t j = i; j < end; ++j) {
      mean.x += points[j].x;
      mean.y += points[j].y;
    }
    const auto n = static_cast<double>(end - i);
    out.push_back({mean.x / n, mean.y / n});
  }
  return out;
}

std::vector<Point> Smoothed(const std::vector<Point>& points) {
  std::vector<Point> out;
  const double keep = std::exp(-1.0 / std::max(2.0, static_cast<double>(points.size()) / 60.0));
  double sum = 0.0, weight = 0.0;
  for (const Point& point : points) {
    sum = keep * sum + (1 - keep) * point.y;
    weight = keep * weight + (1 - keep);
    out.push_back({point.x, sum / weight});
  }
  return out;
}

// Positions of about `count` round numbers within [low, high].
std::vector<double> Ticks(double low, double high, int count) {
  const double raw = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double unit = raw / power;
  const double step = (unit < 1.5 ? 1.0 : unit < 3.5 ? 2.0 : unit < 7.5 ? 5.0 : 10.0) * power;
  std::vector<double> ticks;
  for (double at = std::ceil(low / step) * step; at <= high + step * 1e-9; at += step) {
    ticks.push_back(std::abs(at) < step * 1e-9 ? 0.0 : at);
  }
  return ticks;
}

// A diagram in SVG. Curves without points are left out; with none there is none.
std::string Chart(const std::string& title, const std::vector<Curve>& curves, std::optional<double> cap_quantile) {
  std::vector<double> ys;
  double x0 = INFINITY, x1 = -INFINITY;
  for (const Curve& curve : curves) {
    for (const Point& point : curve.points) {
      if (!std::isfinite(point.y)) continue;
      ys.push_back(point.y);
      x0 = std::min(x0, point.x);
      x1 = std::max(x1, point.x);
    }
  }
  if (ys.empty()) return {};
  std::ranges::sort(ys);
  double y0 = std::min(0.0, ys.front());
  double y1 = cap_quantile ? ys[static_cast<size_t>(*cap_quantile * static_cast<double>(ys.size() - 1))] : ys.back();
  if (!(y1 > y0)) y1 = y0 + 1.0;
  if (!(x1 > x0)) x1 = x0 + 1.0;
  y1 += (y1 - y0) * 0.04;
  const auto px = [&](double x) { return kLeft + (x - x0) / (x1 - x0) * (kWidth - kLeft - kRight); };
  const auto py = [&](double y) {
    return kHeight - kBottom - (std::clamp(y, y0, y1) - y0) / (y1 - y0) * (kHeight - kTop - kBottom);
  };
  std::string svg = StrCat("<h2>", EscapeHtml(title), "</h2>\n<svg viewBox=\"0 0 ", kWidth, " ", kHeight,
                           "\" role=\"img\" aria-label=\"", EscapeHtml(title), "\">\n");
  for (const double tick : Ticks(y0, y1, 5)) {
    svg += StrCat("<line class=\"grid\" x1=\"", kLeft, "\" x2=\"", kWidth - kRight, "\" y1=\"", OneDecimal(py(tick)),
                  "\" y2=\"", OneDecimal(py(tick)), "\"/><text class=\"tick\" text-anchor=\"end\" x=\"", kLeft - 6,
                  "\" y=\"", OneDecimal(py(tick) + 4), "\">", Short(tick), "</text>\n");
  }
  for (const double tick : Ticks(x0, x1, 8)) {
    svg += StrCat("<text class=\"tick\" text-anchor=\"middle\" x=\"", OneDecimal(px(tick)), "\" y=\"", kHeight - 8,
                  "\">", Short(tick), "</text>\n");
  }
  for (const Curve& curve : curves) {
    if (curve.points.empty()) continue;
    svg += StrCat("<polyline fill=\"none\" stroke=\"", curve.colour, "\" stroke-opacity=\"", OneDecimal(curve.opacity),
                  "\" stroke-width=\"1.5\" points=\"");
    for (const Point& point : Thinned(curve.points)) {
      if (std::isfinite(point.y)) svg += StrCat(OneDecimal(px(point.x)), ",", OneDecimal(py(point.y)), " ");
    }
    svg += "\"/>\n";
  }
  return svg + "</svg>\n";
}

struct Stage {
  std::string name;
  std::vector<StepMetrics> steps;
};

std::vector<Stage> ByStage(const std::vector<StepMetrics>& steps) {
  std::vector<Stage> stages;
  for (const StepMetrics& step : steps) {
    if (stages.empty() || stages.back().name != step.stage) stages.push_back({step.stage, {}});
    stages.back().steps.push_back(step);
  }
  return stages;
}

template <class Field>
std::vector<Curve> Curves(const std::vector<Stage>& stages, bool smooth, Field&& field) {
  std::vector<Curve> curves;
  for (size_t i = 0; i < stages.size(); ++i) {
    Curve curve = {stages[i].name, kColours[i % std::size(kColours)], smooth ? 0.3 : 1.0, {}};
    for (const StepMetrics& step : stages[i].steps) {
      curve.points.push_back({static_cast<double>(step.global_step), field(step)});
    }
    const std::vector<Point> raw = curve.points;
    curves.push_back(std::move(curve));
    if (smooth) curves.push_back({stages[i].name, kColours[i % std::size(kColours)], 1.0, Smoothed(raw)});
  }
  return curves;
}

std::string StageTable(const std::vector<Stage>& stages) {
  std::string html =
      "<table><tr><th></th><th>stage</th><th>steps</th><th>samples</th><th>tokens</th><th>first loss</th>"
      "<th>last loss</th><th>samples/s</th><th>tokens/s</th><th>GFLOP/s</th><th>data "
      "wait</th><th>memory</th><th>time</th></tr>\n";
  for (size_t i = 0; i < stages.size(); ++i) {
    const std::vector<StepMetrics>& steps = stages[i].steps;
    double seconds = 0, wait = 0, samples = 0, tokens = 0, flops = 0, last = 0;
    uint64_t memory = 0;
    for (const StepMetrics& step : steps) {
      seconds += step.step_s;
      wait += step.wait_s;
      samples += static_cast<double>(step.samples);
      tokens += static_cast<double>(step.tokens);
      flops += step.flops;
      memory = std::max(memory, step.memory_bytes);
    }
    const size_t tail = std::min<size_t>(20, steps.size());
    for (size_t j = steps.size() - tail; j < steps.size(); ++j) last += steps[j].loss / static_cast<double>(tail);
    const double safe = std::max(seconds, 1e-9);
    html += StrCat("<tr><td><span class=\"dot\" style=\"background:", kColours[i % std::size(kColours)],
                   "\"></span></td><td>", EscapeHtml(stages[i].name), "</td><td>", steps.back().step, " of ",
                   steps.back().num_steps, "</td><td>", Short(samples), "</td><td>", Short(tokens), "</td><td>",
                   Short(steps.front().loss), "</td><td>", Short(last), "</td><td>", OneDecimal(samples / safe),
                   "</td><td>", OneDecimal(tokens / safe), "</td><td>", OneDecimal(1e-9 * flops / safe), "</td><td>",
                   OneDecimal(100 * wait / safe), " %</td><td>", HumanBytes(memory), "</td><td>", ClockText(seconds),
                   "</td></tr>\n");
  }
  return html + "</table>\n";
}

// Scores by task of each stage's model, from galago.eval/1 files.
struct Scores {
  std::string stage;
  std::vector<std::pair<std::string, double>> tasks;
  double macro = 0.0;
};

std::vector<Scores> ReadScores(const fs::path& out) {
  std::map<std::string, Scores> by_folder;  // "stage-1-align" < "stage-2-..."
  std::error_code error;
  for (fs::directory_iterator it(out, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("stage-")) continue;
    const StatusOr<Json> json = ReadJsonFile(it->path() / "scores.json");
    if (!json.ok() || !json->is_object()) continue;
    Scores scores = {name, {}, 0.0};
    if (const auto macro = JsonNumber(*json, "macro", name); macro.ok() && *macro) scores.macro = **macro;
    const Json* tasks = JsonFind(*json, "tasks");
    if (tasks == nullptr || !tasks->is_array()) continue;
    for (const Json& task : *tasks) {
      const auto task_name = JsonString(task, "task", name);
      const auto score = JsonNumber(task, "score", name);
      if (task_name.ok() && *task_name && score.ok() && *score) scores.tasks.emplace_back(**task_name, **score);
    }
    by_folder[name] = std::move(scores);
  }
  std::vector<Scores> all;
  for (auto& [name, scores] : by_folder) all.push_back(std::move(scores));
  return all;
}

std::string ScoreTable(const std::vector<Scores>& all) {
  if (all.empty()) return {};
  std::vector<std::string> tasks;
  for (const Scores& scores : all) {
    for (const auto& [task, score] : scores.tasks) {
      if (std::ranges::find(tasks, task) == tasks.end()) tasks.push_back(task);
    }
  }
  std::string html = "<h2>Scores on held-out data after each stage</h2>\n<table><tr><th>task</th>";
  for (const Scores& scores : all) html += StrCat("<th>", EscapeHtml(scores.stage), "</th>");
  html += "</tr>\n";
  for (const std::string& task : tasks) {
    html += StrCat("<tr><td>", EscapeHtml(task), "</td>");
    for (const Scores& scores : all) {
      const auto it = std::ranges::find(scores.tasks, task, &std::pair<std::string, double>::first);
      html += it == scores.tasks.end() ? std::string("<td></td>") : StrCat("<td>", OneDecimal(it->second), "</td>");
    }
    html += "</tr>\n";
  }
  html += "<tr><td><b>mean of tasks</b></td>";
  for (const Scores& scores : all) html += StrCat("<td><b>", OneDecimal(scores.macro), "</b></td>");
  html += "</tr></table>\n";
  std::vector<Curve> curves;
  for (size_t t = 0; t < tasks.size(); ++t) {
    Curve curve = {tasks[t], kColours[t % std::size(kColours)], 1.0, {}};
    for (size_t i = 0; i < all.size(); ++i) {
      for (const auto& [task, score] : all[i].tasks) {
        if (task == tasks[t]) curve.points.push_back({static_cast<double>(i + 1), score});
      }
    }
    curves.push_back(std::move(curve));
  }
  return html + Chart("Score by stage, each line a task", curves, std::nullopt);
}

constexpr char kStyle[] = R"(<style>
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:960px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.1em;margin:1.6em 0 .3em}svg{width:100%;height:auto}
.grid{stroke:#ddd}.tick{font-size:11px;fill:#555}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid #eee}
td:first-child,th:first-child,td:nth-child(2){text-align:left}.dot{display:inline-block;width:.8em;height:.8em;border-radius:50%}
pre{background:#f6f6f4;padding:1em;overflow:auto;font-size:13px}
@media(prefers-color-scheme:dark){body{background:#181a1c;color:#ddd}.grid{stroke:#333}.tick{fill:#999}td,th{border-color:#333}pre{background:#222}}
</style>)";

}  // namespace

StatusOr<std::string> ReportHtml(const fs::path& out) {
  ASSIGN_OR_RETURN(const MetricsHistory history, ReadMetrics(out / "metrics.jsonl"));
  if (history.steps.empty()) return NotFound(StrCat((out / "metrics.jsonl").string(), ": holds no steps"));
  const std::vector<Stage> stages = ByStage(history.steps);
  const StepMetrics& last = history.steps.back();
  const std::string name = fs::absolute(out).lexically_normal().filename().string();
  std::string html = StrCat("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>", EscapeHtml(name),
                            "</title>\n", kStyle, "\n<h1>Training run ", EscapeHtml(name), "</h1>\n<p>",
                            last.global_step, " steps in ", ClockText(last.elapsed_s), " of training.");
  if (history.num_broken > 0) html += StrCat(" ", history.num_broken, " lines of metrics.jsonl could not be read.");
  html += "</p>\n";
  html += StageTable(stages);
  html += Chart("Loss per label token", Curves(stages, true, [](const StepMetrics& m) { return m.loss; }), 0.995);
  html += ScoreTable(ReadScores(out));
  html += Chart("Learning rate", Curves(stages, false, [](const StepMetrics& m) { return m.lr; }), std::nullopt);
  html += Chart("Gradient norm before clipping", Curves(stages, true, [](const StepMetrics& m) { return m.grad_norm; }),
                0.98);
  html +=
      Chart("Samples per second",
            Curves(stages, true,
                   [](const StepMetrics& m) { return m.step_s > 0 ? static_cast<double>(m.samples) / m.step_s : 0.0; }),
            0.995);
  if (const StatusOr<std::string> recipe = ReadFile(out / "recipe.toml", size_t{1} << 20); recipe.ok()) {
    html += StrCat("<h2>Recipe</h2>\n<pre>", EscapeHtml(*recipe), "</pre>\n");
  }
  return html + "</html>\n";
}

StatusOr<fs::path> WriteReport(const fs::path& out) {
  ASSIGN_OR_RETURN(const std::string html, ReportHtml(out));
  RETURN_IF_ERROR(WriteFileAtomically(out / "report.html", html));
  return out / "report.html";
}

}  // namespace galago::train
