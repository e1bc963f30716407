#include "train/cli/world_command.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <utility>
#include <vector>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "train/cli/commands.h"
#include "train/cli/flags.h"
#include "train/world/gallery.h"
#include "train/world/task.h"

namespace galago::train {
namespace {

constexpr int64_t kSamplesOfGallery = 12;

// Ctrl-C and termination wait to be asked for: generation stops between two steps and tidies up.
class StopSignals {
 public:
  StopSignals() {
    std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes becomes an error with a name
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // The signal that came, or 0.
  int Poll() const {
    const timespec now = {};
    const int signal = ::sigtimedwait(&set_, nullptr, &now);
    return signal > 0 ? signal : 0;
  }

 private:
  sigset_t set_;
};

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// A line that overwrites itself on a terminal, and one line a minute elsewhere.
class ProgressLine {
 public:
  void Show(const world::Progress& progress) {
    if (progress.done == 0) start_ = Clock::now();  // what tasks load before is not drawing
    const bool last = progress.done == progress.total;
    if (progress.done == 0 || (!last && SecondsSince(shown_) < (terminal_ ? 0.2 : 60.0))) return;
    shown_ = Clock::now();
    const double rate = static_cast<double>(progress.done) / std::max(1e-3, SecondsSince(start_));
    const auto left = static_cast<int64_t>(static_cast<double>(progress.total - progress.done) / std::max(rate, 1e-3));
    std::fprintf(stderr, "%s%s: %lld of %lld samples, %.0f a second, %s, %lld s left%s", terminal_ ? "\r\x1b[K" : "",
                 progress.task.c_str(), static_cast<long long>(progress.done), static_cast<long long>(progress.total),
                 rate, HumanBytes(static_cast<uint64_t>(progress.num_bytes)).c_str(), static_cast<long long>(left),
                 terminal_ ? "" : "\n");
    open_ = terminal_;
  }
  void End() {
    if (open_) std::fputc('\n', stderr);
    open_ = false;
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_ - std::chrono::hours(1);
  bool open_ = false;
};

struct WorldFlags {
  bool help = false;
  std::string split;
  std::string tasks;
  std::string preset;
  std::string gallery;
  std::string stamps;
  int64_t count = 1000;
  int64_t seed = 1;
  int64_t jobs = 0;
  bool shards = false;
  bool force = false;
};

Usage WorldUsage(WorldFlags& flags) {
  std::string tasks;
  for (const std::string& name : world::TaskNames()) tasks += StrCat(tasks.empty() ? "" : ", ", name);
  return {
      "galago-train world [OUT] [options]",
      StrCat("Draws pictures and videos with questions and answers into the directory OUT, or a page of them to look "
             "at\n(--gallery), or both. The same seed gives the same bytes. Tasks: ",
             tasks, "."),
      {Text("--split", "NAME", flags.split, "train (default) or heldout: looks and wordings that train never has"),
       Text("--tasks", "LIST", flags.tasks, "\"scenes,things:200\": which, and how many samples of each; default all"),
       Whole("--count", "N", flags.count, 1, world::kMaxCount, "samples of each task without a count (1000)"),
       Text("--preset", "NAME", flags.preset, "eval: the held-out set that \"galago eval world\" is meant for"),
       Whole("--seed", "S", flags.seed, 0, INT64_MAX, "which World (1)"),
       Whole("--jobs", "N", flags.jobs, 0, 1024, "threads; 0: one for each core. No effect on the result"),
       Switch("--shards", flags.shards, "tar shards (webdataset) instead of JSON with picture files"),
       Switch("--force", flags.force, "replace an older World directory at OUT"),
       Text("--gallery", "FILE", flags.gallery, "write one HTML page with samples of every task (12, or --count)"),
       Text("--stamps", "DIR", flags.stamps, "pictures of things (/usr/share/tuxpaint/stamps)")}};
}

Status RunRequest(const WorldRequest& request, const StopSignals& signals, int& stopped_by) {
  if (!request.out.empty()) {
    ProgressLine line;
    world::WriteOptions options = request.options;
    options.on_progress = [&](const world::Progress& progress) {
      line.Show(progress);
      stopped_by = signals.Poll();
      return stopped_by == 0;
    };
    auto summary = world::WriteWorld(request.plan, request.out, options);
    line.End();
    RETURN_IF_ERROR(summary.status());
    std::printf("%s: %lld samples, %lld questions, %s\n", request.out.c_str(),
                static_cast<long long>(summary->num_samples), static_cast<long long>(summary->num_questions),
                HumanBytes(static_cast<uint64_t>(summary->num_bytes)).c_str());
  }
  if (!request.gallery.empty()) {
    ASSIGN_OR_RETURN(const std::string page, world::GalleryPage(request.gallery_plan, request.options.assets));
    RETURN_IF_ERROR(WriteFileAtomically(request.gallery, page));
    std::printf("%s: %s\n", request.gallery.c_str(), HumanBytes(page.size()).c_str());
  }
  return OkStatus();
}

}  // namespace

StatusOr<WorldRequest> ParseWorldRequest(std::span<const std::string> args) {
  WorldFlags flags;
  flags.count = 0;
  const Usage usage = WorldUsage(flags);
  ASSIGN_OR_RETURN(const std::vector<std::string> rest, ParseFlags(usage, args));
  WorldRequest request;
  if (rest.size() == 1 && rest[0] == "--help") {
    request.help = true;
    return request;
  }
  if (rest.size() > 1)
    return InvalidArgument(StrCat("one directory is written, '", Printable(rest[1]), "' is a second"));
  if (!rest.empty()) request.out = rest[0];
  if (request.out.empty() && flags.gallery.empty()) {
    return InvalidArgument("name a directory to write, or a page with --gallery (see --help)");
  }
  if (!flags.preset.empty() && flags.preset != "eval") {
    return InvalidArgument(StrCat("'", Printable(flags.preset), "' is no preset; there is eval"));
  }
  const bool eval = flags.preset == "eval";
  if (eval && (!flags.tasks.empty() || flags.count != 0)) {
    return InvalidArgument("--preset eval chooses tasks and counts; leave --tasks and --count away");
  }
  request.gallery = flags.gallery;
  world::Plan& plan = request.plan;
  plan.seed = static_cast<uint64_t>(flags.seed);
  plan.split = eval ? world::Split::kHeldout : world::Split::kTrain;
  if (!flags.split.empty()) {
    ASSIGN_OR_RETURN(plan.split, world::ParseSplit(flags.split));
  }
  request.gallery_plan = plan;
  const auto tasks = [&](int64_t default_count) {
    return world::ParseTasks(flags.tasks, flags.count != 0 ? flags.count : default_count);
  };
  ASSIGN_OR_RETURN(plan.tasks, tasks(1000));
  ASSIGN_OR_RETURN(request.gallery_plan.tasks, tasks(kSamplesOfGallery));
  if (eval) plan.tasks = world::EvalTasks();
  // A page beside a directory shows some of what the directory holds.
  if (!request.out.empty()) {
    request.gallery_plan.tasks = plan.tasks;
    for (world::TaskCount& task : request.gallery_plan.tasks) task.count = std::min(task.count, kSamplesOfGallery);
  }
  request.options.layout = flags.shards ? world::Layout::kShards : world::Layout::kFiles;
  request.options.jobs = static_cast<int>(flags.jobs);
  request.options.replace = flags.force;
  request.options.assets.stamps = flags.stamps;
  return request;
}

int WorldCommand(Args args) {
  const StatusOr<WorldRequest> request = ParseWorldRequest(args);
  if (!request.ok()) return Fail(request.status());
  if (request->help) {
    WorldFlags defaults;
    std::fputs(HelpText(WorldUsage(defaults)).c_str(), stdout);
    return static_cast<int>(Exit::kSuccess);
  }
  const StopSignals signals;
  int stopped_by = 0;
  const Status status = RunRequest(*request, signals, stopped_by);
  if (stopped_by == SIGTERM) return Fail(status, Exit::kTerminated);
  return status.ok() ? static_cast<int>(Exit::kSuccess) : Fail(status);
}

}  // namespace galago::train
