#ifndef GALAGO_TRAIN_CLI_WORLD_COMMAND_H_
#define GALAGO_TRAIN_CLI_WORLD_COMMAND_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "galago/status.h"
#include "train/world/plan.h"
#include "train/world/writer.h"

namespace galago::train {

// What `galago-train world` was asked to do.
struct WorldRequest {
  bool help = false;
  std::filesystem::path out;      // empty: no World directory
  std::filesystem::path gallery;  // empty: no page
  world::Plan plan;
  world::Plan gallery_plan;
  world::WriteOptions options;
};
StatusOr<WorldRequest> ParseWorldRequest(std::span<const std::string> args);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_WORLD_COMMAND_H_
