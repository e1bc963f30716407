#include "apps/cli/eval_flags.h"

#include <utility>

#include "apps/cli/values.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

using Setter = std::function<Status(Options&, const std::string&)>;

Setter SetFile(std::string EvalOptions::*file) {
  return [=](Options& options, const std::string& text) -> Status {
    if (text.empty()) return InvalidArgument("a file name is needed");
    options.eval.*file = text;
    return OkStatus();
  };
}

// --json is a switch of the other commands: its values may come from a configuration file or the environment.
Status SetJson(Options& options, const std::string& text) {
  const StatusOr<bool> as_switch = ParseBool(text);
  if (!as_switch.ok()) return SetFile(&EvalOptions::json)(options, text);
  options.eval.json = *as_switch ? "-" : "";
  return OkStatus();
}

Setter SetSwitch(bool EvalOptions::*value) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(options.eval.*value, ParseBool(text));
    return OkStatus();
  };
}

Setter SetCount(int64_t EvalOptions::*count) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(options.eval.*count, ParseInt(text, 0, int64_t{1} << 32));
    return OkStatus();
  };
}

Status AddTasks(Options& options, const std::string& text) {
  for (std::string& task : Split(text, ',')) {
    if (task.empty()) return InvalidArgument("a task without a name");
    options.eval.tasks.push_back(std::move(task));
  }
  return OkStatus();
}

Status AddMinimum(Options& options, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return InvalidArgument(StrCat("'", Printable(text), "' is not of the form NAME=SCORE"));
  }
  ASSIGN_OR_RETURN(const double score, ParseNumber(text.substr(equals + 1), -100, 100));
  options.eval.minima.emplace_back(text.substr(0, equals), score);
  return OkStatus();
}

Status SetSplit(Options& options, const std::string& text) {
  if (text != "heldout" && text != "train") {
    return InvalidArgument(StrCat("'", Printable(text), "' is none of heldout, train"));
  }
  options.eval.split = text;
  return OkStatus();
}

}  // namespace

std::vector<Flag> MakeEvalFlags() {
  CommandFlags add(Command::kEval);
  add("Questions", "--split", "NAME", "heldout (default without DIR) or train", SetSplit);
  Flag& tasks = add("Questions", "--tasks", "LIST", "only these, separated by commas", AddTasks);
  tasks.list = "tasks";
  tasks.clear = [](Options& options) { options.eval.tasks.clear(); };
  add("Questions", "--limit", "N", "questions a task; 0: all", SetCount(&EvalOptions::limit));
  add("Results", "--json", "FILE", "everything as one JSON document; - is standard output", SetJson);
  add("Results", "--questions", "", "every question and reply in --json too", SetSwitch(&EvalOptions::questions));
  add("Results", "--html", "FILE", "page with the table, and failures as pictures", SetFile(&EvalOptions::html));
  add("Results", "--failures", "N", "failures a task on the page (default 12)", SetCount(&EvalOptions::failures));
  add("Results", "--csv", "FILE", "the table for programs", SetFile(&EvalOptions::csv));
  add("Results", "--markdown", "", "the table as Markdown", SetSwitch(&EvalOptions::markdown));
  add("Results", "--kinds", "", "compare: kinds of questions too", SetSwitch(&EvalOptions::kinds));
  add("Results", "--results", "FILE", "append each answer as a line of JSON", SetFile(&EvalOptions::results));
  add("Results", "--resume", "", "go on with the answers in --results", SetSwitch(&EvalOptions::resume));
  Flag& minimum =
      add("Results", "--min", "NAME=SCORE", "exit 8 below it: a task, TASK.KIND, macro, total; repeat", AddMinimum);
  minimum.list = "min";
  minimum.clear = [](Options& options) { options.eval.minima.clear(); };
  add("Perplexity", "--window", "N", "tokens that see each other (default 2048)", SetCount(&EvalOptions::window));
  add("Perplexity", "--windows", "N", "windows looked at; 0: all", SetCount(&EvalOptions::windows));
  add("Perplexity", "--against", "MODEL", "compare each distribution with this model's",
      SetFile(&EvalOptions::against));
  return add.Take();
}

}  // namespace galago::cli
