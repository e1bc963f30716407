#ifndef GALAGO_TRAIN_CLI_FINETUNE_COMMAND_H_
#define GALAGO_TRAIN_CLI_FINETUNE_COMMAND_H_

#include <filesystem>
#include <span>
#include <string>

#include "galago/status.h"
#include "train/cli/session.h"
#include "train/loop/recipe.h"
#include "train/modules/vlm.h"

namespace galago::train {

// What `galago-train finetune` was asked to do, as a recipe of one stage.
struct FinetuneRequest {
  bool help = false;
  Recipe recipe;
  bool lora = true;
  LoraOptions lora_options;
  std::filesystem::path out;
  bool dry_run = false;
  SessionFlags session;
};
StatusOr<FinetuneRequest> ParseFinetuneRequest(std::span<const std::string> args);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_FINETUNE_COMMAND_H_
