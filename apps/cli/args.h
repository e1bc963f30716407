#ifndef GALAGO_CLI_ARGS_H_
#define GALAGO_CLI_ARGS_H_

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/flags.h"
#include "apps/cli/options.h"
#include "galago/status.h"

// From the command line, the environment and configuration files to Options. Lowest to highest: defaults,
// /etc/galago/config.toml, $XDG_CONFIG_HOME/galago/config.toml, --config FILE, environment, command line.
namespace galago::cli {

struct CommandInfo {
  Command command;
  std::string_view name;
  std::string_view arguments;  // "MODEL"; empty: takes none
  size_t max_arguments = 0;
  std::string_view summary;
};
std::span<const CommandInfo> Commands();
const CommandInfo& InfoOf(Command command);

enum class Help { kNone, kOverview, kShort, kFull, kCompat };

struct Invocation {
  Command command = Command::kHelp;
  Help help = Help::kNone;
  Options options;
};

struct Surroundings {
  GetEnv env;
  std::filesystem::path system_config = "/etc/galago/config.toml";
};

// `args` without the program's name. Every failure is a usage error.
StatusOr<Invocation> ParseArgs(std::span<const std::string> args, const Surroundings& surroundings);

std::string OverviewText();
std::string HelpText(Command command, Help help);

}  // namespace galago::cli

#endif  // GALAGO_CLI_ARGS_H_
