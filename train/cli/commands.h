#ifndef GALAGO_TRAIN_CLI_COMMANDS_H_
#define GALAGO_TRAIN_CLI_COMMANDS_H_

#include <span>
#include <string>

// The commands of galago-train. Each takes what follows its name on the command line and returns the exit code
// (docs/training.md); main.cc lists them in its table.
namespace galago::train {

using Args = std::span<const std::string>;

int WorldCommand(Args args);
int TokenizerCommand(Args args);
int RunCommand(Args args);
int FinetuneCommand(Args args);
int MergeCommand(Args args);
int AverageCommand(Args args);
int ReportCommand(Args args);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_COMMANDS_H_
