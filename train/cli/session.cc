#include "train/cli/session.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "src/base/strings.h"
#include "train/loop/metrics.h"
#include "train/loop/report.h"
#include "train/modules/torch_setup.h"

namespace galago::train {

void AddSessionFlags(Usage& usage, SessionFlags& flags) {
  usage.flags.push_back(
      Whole("--threads", "N", flags.threads, 0, 4096, "threads of a process (default: its share of the cores)"));
  usage.flags.push_back(Number("--time-limit", "MIN", flags.time_limit_min, 0.0, 1e9,
                               "save and end with code 124 before this many minutes are over"));
}

Exit ModelExit(const Status& status) {
  const Exit code = ExitCodeFor(status);
  return code == Exit::kInput ? Exit::kModel : code;
}

StatusOr<std::unique_ptr<Session>> Session::Begin(const SessionFlags& flags) {
  auto session = std::unique_ptr<Session>(new Session());
  session->flags_ = flags;
  ASSIGN_OR_RETURN(session->ranks_, ConnectRanks());
  // Ranks of one machine share its cores.
  const int threads =
      flags.threads > 0 ? static_cast<int>(flags.threads) : std::max(1, UsableCores() / session->ranks_->local_size());
  UseThreads(threads);
  session->pool_ = std::make_unique<ThreadPool>(threads);
  return session;
}

int Session::Fail(const Status& status, Exit code) {
  if (ranks_->size() > 1) {
    std::fprintf(stderr, "error: rank %d: %s\n", ranks_->rank(), MessageOf(status).c_str());
    std::fflush(stderr);
    ranks_->Abort(static_cast<int>(code));
  } else {
    std::fprintf(stderr, "error: %s\n", MessageOf(status).c_str());
  }
  return static_cast<int>(code);
}

int Session::Train(const Recipe& recipe, const RunPlace& place, RunParts& parts) {
  std::optional<MetricsFile> metrics;
  Status metrics_status = OkStatus();
  bool metrics_told = false;
  Surroundings around = {.ranks = *ranks_,
                         .pool = *pool_,
                         .stop = signals_.stop(),
                         .time_limit_s = flags_.time_limit_min * 60.0,
                         .start = start_};
  around.on_message = [&](const std::string& text) { progress_.Message(text); };
  around.on_step = [&](const StepMetrics& step) {
    progress_.Step(step);
    if (!metrics && metrics_status.ok()) {
      StatusOr<MetricsFile> file = MetricsFile::Append(place.out / "metrics.jsonl");
      metrics_status = file.status();
      if (file.ok()) metrics = *std::move(file);
    }
    // A metrics file that cannot be written is said once and ends nothing.
    if (metrics) metrics_status = metrics->Write(step);
    if (!metrics_status.ok() && !metrics_told) {
      progress_.Message("warning: " + MessageOf(metrics_status));
      metrics_told = true;
      metrics.reset();
    }
  };
  if (ranks_->rank() == 0 && ranks_->size() > 1) {
    progress_.Message(StrCat(ranks_->size(), " ranks over ", ranks_->engine()));
  }
  const bool bf16 = std::ranges::any_of(
      recipe.stages, [](const StageConfig& stage) { return stage.precision == ComputePrecision::kBf16; });
  if (ranks_->rank() == 0 && bf16 && !HasBf16Products()) {
    progress_.Message(
        "note: this processor has no products in bf16: they are made in float32 and rounded; precision = \"f32\" is "
        "faster here");
  }
  const StatusOr<RunEnd> end = Run(recipe, place, parts, around);
  if (ranks_->rank() == 0 && end.ok() && *end != RunEnd::kAlreadyFinished) {
    if (const auto page = WriteReport(place.out); page.ok()) progress_.Message(StrCat("report: ", page->string()));
  }
  if (!end.ok()) return Fail(end.status(), ExitCodeFor(end.status()));
  switch (*end) {
    case RunEnd::kFinished:
      return static_cast<int>(Exit::kSuccess);
    case RunEnd::kAlreadyFinished:
      if (ranks_->rank() == 0)
        progress_.Message(StrCat("finished: ", place.out.string(), " has nothing left to train"));
      return static_cast<int>(Exit::kSuccess);
    case RunEnd::kInterrupted:
      return static_cast<int>(Exit::kInterrupted);
    case RunEnd::kTerminated:
      return static_cast<int>(Exit::kTerminated);
    case RunEnd::kTimeLimit:
      return static_cast<int>(Exit::kTimeLimit);
  }
  return static_cast<int>(Exit::kInternal);
}

}  // namespace galago::train
