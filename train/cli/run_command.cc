#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "src/base/strings.h"
#include "train/cli/commands.h"
#include "train/cli/flags.h"
#include "train/cli/session.h"
#include "train/loop/assembly.h"
#include "train/loop/nearest.h"
#include "train/loop/plan.h"
#include "train/loop/report.h"
#include "train/loop/run.h"

namespace galago::train {
namespace {

struct RunFlags {
  std::vector<std::string> set;
  std::string out;
  bool dry_run = false;
  std::string stage;
  std::string export_to;
  SessionFlags session;
};

Usage RunUsage(RunFlags& flags) {
  Usage usage = {
      "galago-train run RECIPE [options]",
      "Trains the stages of a recipe (a recipe.toml or its folder), or goes on where the run in --out stopped.\n"
      "Ctrl-C and SIGTERM end it with a checkpoint; the same command goes on from there. Several processes: start it\n"
      "under mpirun or srun. Recipes, files and exit codes: docs/training.md.",
      {Texts("--set", "KEY=VALUE", flags.set, "assignment over the recipe: stage.align.lr=1e-3; repeatable"),
       Text("--out", "DIR", flags.out, "where the run lives (default: runs/NAME)"),
       Text("--stage", "N|NAME", flags.stage, "train up to and with this stage"),
       {"--export", "DIR", "write the model as --out has it now to the new folder DIR; train nothing",
        [&flags](const std::string& dir) -> Status {
          if (dir.empty()) return InvalidArgument("no folder is named");
          flags.export_to = dir;
          return OkStatus();
        }},
       Switch("--dry-run", flags.dry_run, "count parameters, tokens, memory and time; train nothing")}};
  AddSessionFlags(usage, flags.session);
  return usage;
}

// "3" or a name; 0 for "".
StatusOr<int64_t> StageNumber(const Recipe& recipe, const std::string& text) {
  if (text.empty()) return int64_t{0};
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto count = static_cast<int64_t>(recipe.stages.size());
  if (error == std::errc() && end == text.data() + text.size()) {
    if (number >= 1 && number <= count) return number;
    return InvalidArgument(StrCat("--stage ", number, ": the recipe has stages 1 to ", count));
  }
  const auto it = std::ranges::find(recipe.stages, text, &StageConfig::name);
  if (it != recipe.stages.end()) return it - recipe.stages.begin() + 1;
  std::vector<std::string> names;
  for (const StageConfig& stage : recipe.stages) names.push_back(stage.name);
  return InvalidArgument(
      StrCat("--stage: there is no stage ", Printable(text), "; the nearest is ", Nearest(text, names)));
}

}  // namespace

int RunCommand(Args args) {
  RunFlags flags;
  const Usage usage = RunUsage(flags);
  const Arguments arguments = ParseOrExplain(usage, args);
  if (arguments.exit) return *arguments.exit;
  if (arguments.rest.size() != 1) return Fail(InvalidArgument(StrCat("one recipe is needed: ", usage.synopsis)));
  if (!flags.export_to.empty() && (flags.dry_run || !flags.stage.empty())) {
    return Fail(InvalidArgument("--export takes the newest checkpoint and goes with neither --dry-run nor --stage"));
  }
  const StatusOr<Recipe> recipe = LoadRecipe(arguments.rest.front(), flags.set);
  if (!recipe.ok()) return Fail(recipe.status(), Exit::kUsage);
  const StatusOr<int64_t> last_stage = StageNumber(*recipe, flags.stage);
  if (!last_stage.ok()) return Fail(last_stage.status());

  StatusOr<std::unique_ptr<Session>> session = Session::Begin(flags.session);
  if (!session.ok()) return Fail(session.status(), Exit::kUsage);
  StatusOr<std::unique_ptr<Assembly>> assembly = Assembly::Make(*recipe, (*session)->ranks());
  if (!assembly.ok()) return (*session)->Fail(assembly.status(), ModelExit(assembly.status()));
  RunParts parts = (*assembly)->parts();
  if (flags.dry_run) {
    const StatusOr<RunPlan> plan = MakePlan(*recipe, parts, (*session)->ranks());
    if (!plan.ok()) return (*session)->Fail(plan.status(), ExitCodeFor(plan.status()));
    if ((*session)->ranks().rank() == 0) std::fputs(PlanText(*plan).c_str(), stdout);
    return 0;
  }
  const std::filesystem::path out =
      flags.out.empty() ? std::filesystem::path("runs") / recipe->name : std::filesystem::path(flags.out);
  if (!flags.export_to.empty()) {
    if ((*session)->ranks().rank() > 0) return 0;
    const StatusOr<LoopState> state = ExportCheckpoint(*recipe, out, parts, (*session)->ranks(), flags.export_to);
    if (!state.ok()) return (*session)->Fail(state.status(), ModelExit(state.status()));
    const bool ended = state->stage_name.empty();
    std::printf("%s: the model after %s%s\n", flags.export_to.c_str(),
                ended ? "all stages" : StrCat("step ", state->step, " of stage ").c_str(), state->stage_name.c_str());
    return 0;
  }
  return (*session)->Train(*recipe, {.out = out, .last_stage = *last_stage}, parts);
}

int ReportCommand(Args args) {
  const Usage usage = {
      "galago-train report OUT",
      "Writes OUT/report.html, a page without network: curves of loss and speed by stage, and the scores in\n"
      "OUT/stage-N-NAME/scores.json (galago eval world --json).",
      {}};
  const Arguments arguments = ParseOrExplain(usage, args);
  if (arguments.exit) return *arguments.exit;
  if (arguments.rest.size() != 1) return Fail(InvalidArgument(StrCat("one folder is needed: ", usage.synopsis)));
  const StatusOr<std::filesystem::path> page = WriteReport(arguments.rest.front());
  if (!page.ok()) return Fail(page.status());
  std::printf("%s\n", page->c_str());
  return 0;
}

}  // namespace galago::train
