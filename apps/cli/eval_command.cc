#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "apps/cli/commands.h"
#include "apps/cli/eval_progress.h"
#include "apps/cli/json_output.h"
#include "apps/cli/model_ref.h"
#include "apps/cli/progress.h"
#include "apps/cli/world_maker.h"
#include "eval/answer_log.h"
#include "eval/page.h"
#include "eval/summary.h"
#include "eval/table.h"
#include "eval/world_run.h"
#include "eval/world_set.h"
#include "src/base/file.h"
#include "src/base/hash.h"
#include "src/base/strings.h"

// `galago eval world` and `galago eval compare` (docs/evaluation.md).
namespace galago::cli {
namespace {

namespace fs = std::filesystem;

bool JsonOnOutput(const Options& options) { return options.eval.json == "-"; }

Exit FailEval(World& world, const Options& options, Stage stage, const Status& status) {
  const Exit exit = Fail(world, JsonOnOutput(options), stage, status);
  const StopCause cause = world.stop.cause();
  return status.code() == StatusCode::kCancelled && cause != StopCause::kNone ? ExitOfStop(cause) : exit;
}

// What would only be found out after the last question.
Status CheckFlags(const EvalOptions& eval) {
  if (eval.resume && eval.results.empty()) return InvalidArgument("--resume needs --results FILE");
  int on_output = 0;
  for (const auto& [flag, file] : std::map<std::string, std::string>{
           {"--json", eval.json}, {"--html", eval.html}, {"--csv", eval.csv}, {"--results", eval.results}}) {
    if (file == "-" && flag == "--results") return InvalidArgument("--results: a file is needed, to go on with");
    if (file == "-" && ++on_output > 1) return InvalidArgument(StrCat(flag, ": standard output is taken already"));
    const fs::path folder = fs::path(file).parent_path();
    std::error_code error;
    if (file != "-" && !folder.empty() && !fs::is_directory(folder, error)) {
      return InvalidArgument(StrCat(flag, ": there is no folder ", Printable(folder.string(), 256)));
    }
  }
  return OkStatus();
}

// Identifies checkpoint and arithmetic for a file of answers: paths, sizes and times of the checkpoint's files stand
// for their bytes, which may be many.
std::string ModelIdentity(const std::string& path, const ModelOptions& options) {
  std::map<std::string, std::string> files;
  const auto add = [&](const fs::path& file) {
    std::error_code error;
    const uintmax_t size = fs::file_size(file, error);
    if (error) return;
    files[file.string()] = StrCat(size, " ", fs::last_write_time(file, error).time_since_epoch().count());
  };
  for (const fs::path& part : {fs::path(path), fs::path(options.mmproj), fs::path(options.adapter)}) {
    std::error_code error;
    if (part.empty()) continue;
    if (!fs::is_directory(part, error)) {
      add(part);
      continue;
    }
    for (auto it = fs::recursive_directory_iterator(part, error); !error && it != fs::recursive_directory_iterator();
         it.increment(error)) {
      add(it->path());
    }
  }
  std::string text =
      StrCat(options.chat_template, " ", static_cast<int>(options.vila15), "\n", options.mmproj, "\n", options.adapter);
  for (const auto& [file, facts] : files) text += StrCat("\n", file, " ", facts);
  return StrCat(path, " ", Name(options.precision), " ", Sha256Hex(std::as_bytes(std::span(text))).substr(0, 16));
}

// The directory to read: the one named, or the cache's, made if need be.
StatusOr<fs::path> FindWorld(World& world, const Options& options) {
  if (options.arguments.size() > 1) return fs::path(options.arguments[1]);
  const std::string split = options.eval.split.empty() ? "heldout" : options.eval.split;
  ASSIGN_OR_RETURN(const fs::path dir, WorldCacheDir(world.surroundings.env, split));
  std::error_code error;
  if (fs::exists(dir / "world.json", error)) return dir;
  const fs::path program = SiblingProgram("galago-train");
  if (fs::exists(program, error)) world.log.Info(StrCat("making World (", split, ") in ", dir.string(), ", once"));
  const Busy busy(world.busy);
  RETURN_IF_ERROR(MakeWorld(program, split, dir, world.stop));
  return dir;
}

Status CheckSet(const eval::WorldSet& set, const EvalOptions& eval) {
  if (!eval.split.empty() && eval.split != set.split) {
    return InvalidArgument(
        StrCat(set.dir.string(), ": is split ", Printable(set.split), ", --split asks for ", eval.split));
  }
  for (const auto& [name, score] : eval.minima) {
    if (!eval::IsScoreName(set, name))
      return InvalidArgument(StrCat("--min: there is no score '", Printable(name), "'"));
  }
  return OkStatus();
}

Exit WriteOutput(World& world, std::string_view flag, const std::string& file, std::string_view text) {
  if (file == "-") return Deliver(world, text);
  const Status status = Annotate(WriteFileAtomically(file, text), flag);
  if (status.ok()) return Exit::kSuccess;
  world.log.Error(MessageOf(status));
  return Exit::kResources;
}

Exit CheckMinima(World& world, const EvalOptions& eval, const eval::Summary& summary) {
  Exit exit = Exit::kSuccess;
  for (const auto& [name, least] : eval.minima) {
    const std::optional<double> score = eval::ScoreNamed(summary, name);
    if (score && *score >= least) continue;
    world.log.Error(score ? StrCat(Printable(name), ": ", eval::Percent(*score), " is below the ", least, " of --min")
                          : StrCat(Printable(name), ": was not scored, --min asks for ", least));
    exit = Exit::kCheckFailed;
  }
  return exit;
}

Exit Present(World& world, const Options& options, const eval::Report& report, const eval::WorldSet& set,
             std::span<const eval::Answer> answers) {
  const EvalOptions& eval = options.eval;
  std::vector<Exit> exits;
  if (!eval.json.empty()) {
    Json json = eval::ReportJson(report);
    if (eval.questions) json["questions"] = eval::QuestionsJson(set, answers);
    exits.push_back(WriteOutput(world, "--json", eval.json, StrCat(Dump(json), "\n")));
  }
  if (!eval.html.empty()) {
    exits.push_back(WriteOutput(world, "--html", eval.html, eval::ReportPage(report, set, answers, eval.failures)));
  }
  if (!eval.csv.empty()) {
    exits.push_back(WriteOutput(world, "--csv", eval.csv, eval::CsvTable(eval::SummaryCsvTable(report.summary))));
  }
  if (eval.json != "-" && eval.html != "-" && eval.csv != "-") {
    const eval::Table table = eval::SummaryTable(report.summary);
    std::string text =
        StrCat(Printable(report.model), " on World ", Printable(report.split), " (seed ", report.seed, "), greedy, ",
               report.precision, "\n\n", eval.markdown ? eval::MarkdownTable(table) : eval::TextTable(table), "\n");
    for (const std::string& line : eval::SummaryLines(report)) text += StrCat(line, "\n");
    exits.push_back(Deliver(world, text));
  } else if (!report.complete()) {
    world.log.Warning(eval::SummaryLines(report).back());
  }
  for (const Exit exit : exits) {
    if (exit != Exit::kSuccess) return exit;
  }
  return Exit::kSuccess;
}

// Everything known before the first question.
eval::Report BeginReport(World& world, const Options& options, const Loaded& loaded, const eval::WorldSet& set) {
  const BuildFacts build = world.engine.Build();
  const std::string& adapter = options.model_options.adapter;
  return {.model = adapter.empty() ? loaded.model->name() : StrCat(loaded.model->name(), " + ", adapter),
          .model_path = options.model,
          .precision = std::string(Name(options.model_options.precision)),
          .isa = loaded.session->isa(),
          .version = build.version,
          .features = build.features,
          .threads = loaded.session->threads(),
          .split = set.split,
          .seed = set.seed,
          .num_questions = set.num_questions(),
          .limit = options.eval.limit};
}

eval::Asker AskerFor(World& world, EngineSession& session) {
  return {.place_media = [&](const std::string& text,
                             std::vector<Part> media) { return world.engine.PlaceMedia(text, std::move(media)); },
          .generate =
              [&](const std::vector<Message>& conversation, const GenerateOptions& generate) {
                return session.Generate(conversation, generate, [](std::string_view) { return Flow::kContinue; });
              }};
}

StatusOr<std::unique_ptr<eval::AnswerLog>> OpenLog(World& world, const Options& options, const eval::WorldSet& set,
                                                   std::vector<eval::Answer>& answers) {
  const EvalOptions& eval = options.eval;
  if (eval.results.empty()) return std::unique_ptr<eval::AnswerLog>();
  ASSIGN_OR_RETURN(const std::string path, ResolveModel(options.model, world.surroundings.env));
  const std::string identity = ModelIdentity(path, options.model_options);
  if (!eval.resume) return eval::AnswerLog::Create(eval.results, identity);
  return eval::AnswerLog::Resume(eval.results, identity, set, answers);
}

Exit Evaluate(World& world, const Options& options, const eval::WorldSet& set) {
  const Deadline deadline(world.stop, options.timeout_s);
  std::vector<eval::Answer> answers;
  const StatusOr<std::unique_ptr<eval::AnswerLog>> log = OpenLog(world, options, set, answers);
  if (!log.ok()) return FailEval(world, options, Stage::kInput, log.status());
  if (!answers.empty()) world.log.Info(StrCat(answers.size(), " answers are known from ", options.eval.results));
  Failure failure;
  const std::unique_ptr<Loaded> loaded = Load(world, options, Weights::kLoad, failure);
  if (loaded == nullptr) return FailEval(world, options, failure.stage, failure.status);
  eval::Report report = BeginReport(world, options, *loaded, set);
  Status run;
  {
    const Busy busy(world.busy);
    EvalProgress progress(world.log, ResolveProgress(options.progress, world.err_is_terminal, options.log_level),
                          report.num_questions, static_cast<int64_t>(answers.size()));
    const auto score = [&](const eval::Answer& answer) {
      if (!eval::IsBaseline(set.records[answer.record].questions[answer.question])) progress.Score(answer.score);
    };
    for (const eval::Answer& answer : answers) score(answer);
    const auto on_answer = [&](const eval::Answer& answer) {
      score(answer);
      progress.Add();
      return *log == nullptr ? OkStatus() : (*log)->Append(set, answer);
    };
    run = eval::RunWorld(set, AskerFor(world, *loaded->session),
                         {.media = {}, .cancel = &world.stop.cancel(), .on_answer = on_answer}, answers);
    report.questions_per_second = progress.questions_per_second();
  }
  const StopCause cause = world.stop.cause();
  const bool stopped = run.code() == StatusCode::kCancelled && cause != StopCause::kNone;
  if (!run.ok() && !stopped) return FailEval(world, options, Stage::kInput, run);
  report.summary = eval::Summarise(set, answers);
  report.median_ttft_ms = eval::MedianTtft(answers);
  const Exit written = Present(world, options, report, set, answers);
  if (stopped) return ExitOfStop(cause);
  return written != Exit::kSuccess ? written : CheckMinima(world, options.eval, report.summary);
}

Exit EvalWorld(World& world, const Options& options) {
  if (options.arguments.size() > 2) {
    return FailEval(world, options, Stage::kUsage, InvalidArgument("galago eval world takes one directory"));
  }
  const Status flags = CheckFlags(options.eval);
  if (!flags.ok()) return FailEval(world, options, Stage::kUsage, flags);
  // Before anything that takes long.
  Failure failure;
  if (OpenModel(world, options, failure) == nullptr) return FailEval(world, options, failure.stage, failure.status);
  const StatusOr<fs::path> dir = FindWorld(world, options);
  if (!dir.ok()) return FailEval(world, options, Stage::kInput, dir.status());
  StatusOr<eval::WorldSet> set = eval::ReadWorldSet(*dir, {.tasks = options.eval.tasks, .limit = options.eval.limit});
  Status usable = set.status();
  if (usable.ok()) usable = CheckSet(*set, options.eval);
  if (!usable.ok()) return FailEval(world, options, Stage::kInput, usable);
  if (set->num_unscored > 0) {
    world.log.Info(StrCat(set->num_unscored, " records ask nothing and are left out"));
  }
  return Evaluate(world, options, *set);
}

// File names without folder and ending, unless two are alike.
std::vector<std::string> LabelsOf(std::span<const std::string> files) {
  std::vector<std::string> labels;
  for (const std::string& file : files) labels.push_back(fs::path(file).stem().string());
  std::vector<std::string> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  const bool alike = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  return alike ? std::vector<std::string>(files.begin(), files.end()) : labels;
}

StatusOr<eval::Report> ReadReport(const std::string& file) {
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(file, {.max_bytes = size_t{1} << 30}));
  return eval::ParseReport(json, file);
}

Exit EvalCompare(World& world, const Options& options) {
  const std::span<const std::string> files = std::span(options.arguments).subspan(1);
  if (files.size() < 2) {
    return FailEval(world, options, Stage::kUsage,
                    InvalidArgument("galago eval compare needs two or more --json files"));
  }
  std::vector<std::pair<std::string, eval::Report>> reports;
  const std::vector<std::string> labels = LabelsOf(files);
  for (size_t i = 0; i < files.size(); ++i) {
    StatusOr<eval::Report> report = ReadReport(files[i]);
    if (!report.ok()) return FailEval(world, options, Stage::kInput, report.status());
    reports.emplace_back(labels[i], *std::move(report));
  }
  const eval::Report& first = reports[0].second;
  for (const auto& [label, report] : reports) {
    if (report.split != first.split || report.seed != first.seed || report.num_questions != first.num_questions) {
      world.log.Warning(StrCat(Printable(label), " was asked other questions than ", Printable(labels[0])));
    }
  }
  const eval::Table table = eval::ComparisonTable(reports, options.eval.kinds);
  if (!options.eval.csv.empty()) {
    const Exit exit = WriteOutput(world, "--csv", options.eval.csv, eval::CsvTable(table));
    if (exit != Exit::kSuccess || options.eval.csv == "-") return exit;
  }
  return Deliver(world, options.eval.markdown ? eval::MarkdownTable(table) : eval::TextTable(table));
}

}  // namespace

Exit EvalCommand(World& world, const Options& options) {
  const std::string what = options.arguments.empty() ? "" : options.arguments[0];
  if (what == "world") return EvalWorld(world, options);
  if (what == "perplexity") return PerplexityCommand(world, options);
  if (what == "compare") return EvalCompare(world, options);
  return FailEval(
      world, options, Stage::kUsage,
      InvalidArgument(
          "what to evaluate is missing: galago eval world [DIR], galago eval perplexity FILE, or galago eval "
          "compare FILE FILE"));
}

}  // namespace galago::cli
