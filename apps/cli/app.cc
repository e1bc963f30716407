#include <algorithm>

#include "apps/cli/commands.h"
#include "src/base/strings.h"

namespace galago::cli {

Exit Main(std::span<const std::string> args, World& world) {
  const GetEnv& env = world.surroundings.env;
  world.log.set_color(UseColor(ColorMode::kAuto, world.err_is_terminal, env));
  const StatusOr<Invocation> invocation = ParseArgs(args, world.surroundings);
  if (!invocation.ok()) {
    const bool json = std::find(args.begin(), args.end(), "--json") != args.end();
    return Fail(world, json, Stage::kUsage, invocation.status());
  }
  if (invocation->help == Help::kOverview) return Deliver(world, OverviewText());
  if (invocation->help != Help::kNone) return Deliver(world, HelpText(invocation->command, invocation->help));
  const Options& options = invocation->options;
  world.log.set_level(options.log_level);
  world.log.set_color(UseColor(options.color, world.err_is_terminal, env));
  for (const std::string& warning : options.warnings) world.log.Warning(warning);
  switch (invocation->command) {
    case Command::kRun:
      return RunCommand(world, options);
    case Command::kChat:
      return ChatCommand(world, options);
    case Command::kInspect:
      return InspectCommand(world, options);
    case Command::kTokenize:
      return TokenizeCommand(world, options);
    case Command::kEval:
      return EvalCommand(world, options);
    case Command::kBench:
      return BenchCommand(world, options);
    case Command::kConvert:
      return ConvertCommand(world, options);
    case Command::kQuantize:
      return QuantizeCommand(world, options);
    case Command::kDoctor:
      return DoctorCommand(world, options);
    case Command::kVersion:
      return VersionCommand(world, options);
    case Command::kHelp:
      return Deliver(world, OverviewText());
  }
  return Exit::kInternal;
}

}  // namespace galago::cli
