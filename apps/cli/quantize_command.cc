#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>

#include "apps/cli/calibration_files.h"
#include "apps/cli/commands.h"
#include "apps/cli/eval_progress.h"
#include "apps/cli/json_output.h"
#include "apps/cli/progress.h"
#include "src/base/strings.h"

// `galago quantize` (docs/cli.md, docs/quantization.md).
namespace galago::cli {
namespace {

// Stage, how far, time left: one line on a terminal, else a line every ten seconds.
class QuantizeLine {
 public:
  QuantizeLine(Log& log, ProgressMode mode) : log_(log), mode_(mode) {}
  QuantizeLine(const QuantizeLine&) = delete;
  QuantizeLine& operator=(const QuantizeLine&) = delete;
  ~QuantizeLine() {
    if (mode_ == ProgressMode::kBar && told_any_) log_.Print("\r\x1b[K");
  }

  void Tell(const QuantizeProgress& progress) {
    const auto now = Clock::now();
    if (progress.stage != stage_) {
      stage_ = progress.stage;
      begin_ = now;
      first_ = progress.done;
    }
    const auto pause = mode_ == ProgressMode::kBar ? std::chrono::milliseconds(0) : std::chrono::seconds(10);
    if (mode_ == ProgressMode::kNone || (told_any_ && now - told_ < pause)) return;
    told_ = now;
    told_any_ = true;
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    const int64_t done = progress.done - first_;
    const double left =
        done > 0 ? seconds / static_cast<double>(done) * static_cast<double>(progress.total - progress.done) : 0;
    if (mode_ == ProgressMode::kJson) {
      const Json line = {{"event", "progress"},
                         {"task", "quantize"},
                         {"stage", progress.stage},
                         {"done", progress.done},
                         {"total", progress.total}};
      log_.Print(StrCat(Dump(line), "\n"));
      return;
    }
    const std::string text = StrCat(progress.stage, " ", progress.done, "/", progress.total,
                                    left > 0 ? StrCat(", ", TimeLeftText(left), " left") : "");
    log_.Print(mode_ == ProgressMode::kBar ? StrCat("\r\x1b[K", text) : StrCat(text, "\n"));
  }

 private:
  using Clock = std::chrono::steady_clock;
  Log& log_;
  const ProgressMode mode_;
  std::string stage_;
  int64_t first_ = 0;
  bool told_any_ = false;
  Clock::time_point begin_, told_;
};

// Share of rounding's error that the search leaves, by point, over all layers.
struct Gain {
  double rounding = 0, searched = 0;
  int64_t layers = 0;
};
std::map<std::string, Gain> GainsOf(const QuantizeReport& report) {
  std::map<std::string, Gain> gains;
  for (const SearchReport& search : report.searches) {
    Gain& gain = gains[search.point];
    gain.rounding += search.rounding_loss;
    gain.searched += search.loss;
    ++gain.layers;
  }
  return gains;
}

Json ReportJson(const std::string& output, const QuantizeReport& report) {
  Json searches = Json::array();
  for (const SearchReport& search : report.searches) {
    searches.push_back({{"layer", search.layer},
                        {"point", search.point},
                        {"rounding_loss", search.rounding_loss},
                        {"loss", search.loss},
                        {"exponent", search.exponent}});
  }
  return {{"schema", "galago.quantize/1"},
          {"output", output},
          {"bytes_before", report.bytes_before},
          {"bytes", report.bytes},
          {"calibration_tokens", report.calibration_tokens},
          {"calibration_media", report.calibration_media},
          {"resumed_layers", report.resumed_layers},
          {"searches", std::move(searches)},
          {"notes", report.notes},
          {"ms", report.ms}};
}

std::string ReportText(const std::string& output, const QuantizeReport& report) {
  std::string text = fmt::format("{}: weights {:.1f} MB, were {:.1f} MB, in {:.0f} s\n", output,
                                 static_cast<double>(report.bytes) / 1e6,
                                 static_cast<double>(report.bytes_before) / 1e6, report.ms / 1e3);
  for (const auto& [point, gain] : GainsOf(report)) {
    text += fmt::format("{}: output error {:.3f} of rounding's over {} layers\n", point,
                        gain.rounding > 0 ? gain.searched / gain.rounding : 1.0, gain.layers);
  }
  return text;
}

// `work`: what the quantiser was at.
Stage StageOf(const Status& status, std::string_view work) {
  if (status.code() == StatusCode::kInvalidArgument) return Stage::kUsage;
  return work == "calibration" ? Stage::kInput : Stage::kModel;
}

}  // namespace

Exit QuantizeCommand(World& world, const Options& options) {
  Failure failure;
  const std::optional<std::string> path =
      LocateModel(world, options.arguments.empty() ? options.model : options.arguments[0], failure);
  if (!path) return Fail(world, options.json, failure.stage, failure.status);
  if (options.output.empty()) {
    return Fail(world, options.json, Stage::kUsage,
                InvalidArgument("where to? use --output NAME.galago, or a directory for other engines"));
  }
  QuantizeOptions work = options.quantize.work;
  for (const std::string& calibration : options.quantize.calibration) {
    const Status added = AddCalibration(world.engine, calibration, work);
    if (!added.ok()) return Fail(world, options.json, Stage::kInput, added);
  }
  const bool keep_search = !work.search.empty();
  if (!keep_search) work.search = options.output + ".search";
  work.threads = options.session.threads;
  work.isa = options.session.isa;
  work.cancel = &world.stop.cancel();
  StatusOr<QuantizeReport> report = Unavailable("");
  std::string at;
  {
    const Busy busy(world.busy);
    QuantizeLine line(world.log, ResolveProgress(options.progress, world.err_is_terminal, options.log_level));
    work.on_progress = [&](const QuantizeProgress& progress) {
      at = progress.stage;
      line.Tell(progress);
    };
    report = world.engine.Quantize(*path, options.model_options, options.output, work);
  }
  if (!report.ok()) {
    const Exit exit = Fail(world, options.json, StageOf(report.status(), at), report.status());
    if (report.status().code() != StatusCode::kCancelled) return exit;
    if (std::filesystem::exists(work.search)) {
      world.log.Info(StrCat("the same command goes on where this one stopped, with what is in ", work.search));
    }
    return ExitOfStop(world.stop.cause());
  }
  if (!keep_search) {
    std::error_code ignored;
    std::filesystem::remove_all(work.search, ignored);
  }
  for (const std::string& note : report->notes) world.log.Info(note);
  return Deliver(world, options.json ? StrCat(Dump(ReportJson(options.output, *report)), "\n")
                                     : ReportText(options.output, *report));
}

}  // namespace galago::cli
