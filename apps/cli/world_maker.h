#ifndef GALAGO_CLI_WORLD_MAKER_H_
#define GALAGO_CLI_WORLD_MAKER_H_

#include <filesystem>
#include <string>

#include "apps/cli/signals.h"
#include "apps/cli/terminal.h"
#include "galago/status.h"

// The World directory that `eval world` uses when none is named: kept in the cache, made by galago-train once.
namespace galago::cli {

// $XDG_CACHE_HOME/galago/world/SPLIT-v2, or below ~/.cache; the number goes up when World draws
// otherwise, so that an older set is not taken for it. FailedPrecondition if neither variable is set.
StatusOr<std::filesystem::path> WorldCacheDir(const GetEnv& env, const std::string& split);

// A program in the folder that this one was started from.
std::filesystem::path SiblingProgram(const std::string& name);

// Runs `program world DIR --split SPLIT --preset eval`, its output on our standard error, into a directory beside `dir`
// that takes its name once complete. NotFound if the program is not there, Cancelled when stopped.
Status MakeWorld(const std::filesystem::path& program, const std::string& split, const std::filesystem::path& dir,
                 const Stop& stop);

}  // namespace galago::cli

#endif  // GALAGO_CLI_WORLD_MAKER_H_
