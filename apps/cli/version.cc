#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "src/base/strings.h"

namespace galago::cli {

Exit VersionCommand(World& world, const Options& options) {
  const BuildFacts build = world.engine.Build();
  if (options.json) return Deliver(world, StrCat(Dump(VersionJson(build)), "\n"));
  const auto joined = [](const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items) out += StrCat(out.empty() ? "" : ", ", item);
    return out;
  };
  return Deliver(world, StrCat("galago ", build.version, "\ncompiler   ", build.compiler, "\nfeatures   ",
                               joined(build.features), "\nlibraries  ", joined(build.libraries), "\n"));
}

}  // namespace galago::cli
