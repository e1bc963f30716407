#include <fmt/format.h>

#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "src/base/strings.h"

namespace galago::cli {

Exit ConvertCommand(World& world, const Options& options) {
  Failure failure;
  const std::optional<std::string> path =
      LocateModel(world, options.arguments.empty() ? options.model : options.arguments[0], failure);
  if (!path) return Fail(world, options.json, failure.stage, failure.status);
  if (options.output.empty()) {
    return Fail(world, options.json, Stage::kUsage, InvalidArgument("where to? use --output NAME.galago"));
  }
  StatusOr<ConvertReport> report = Unavailable("");
  {
    const Busy busy(world.busy);
    report = world.engine.Convert(*path, options.model_options, options.output, &world.stop.cancel());
  }
  if (!report.ok()) {
    if (report.status().code() == StatusCode::kCancelled) return ExitOfStop(world.stop.cause());
    const bool ours = report.status().code() == StatusCode::kInvalidArgument;
    return Fail(world, options.json, ours ? Stage::kUsage : Stage::kModel, report.status());
  }
  if (options.json) {
    const Json json = {{"schema", "galago.convert/1"}, {"file", options.output}, {"bytes", report->bytes},
                       {"tensors", report->tensors},   {"ms", report->ms},       {"notes", report->notes}};
    return Deliver(world, StrCat(Dump(json), "\n"));
  }
  for (const std::string& note : report->notes) world.log.Info(note);
  return Deliver(world, fmt::format("{}: {:.1f} MB, {} tensors, in {:.1f} s\n", options.output,
                                    static_cast<double>(report->bytes) / 1e6, report->tensors, report->ms / 1e3));
}

}  // namespace galago::cli
