#ifndef GALAGO_TRAIN_CLI_FLAGS_H_
#define GALAGO_TRAIN_CLI_FLAGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

namespace galago::train {

// What the program tells its caller; the same codes as galago's (docs/cli.md), and 124 for a time limit.
enum class Exit {
  kSuccess = 0,
  kInternal = 1,
  kUsage = 2,
  kInput = 3,  // data: missing, damaged
  kModel = 4,
  kResources = 5,
  kTimeLimit = 124,
  kInterrupted = 130,
  kTerminated = 143,
};

// The code that a failure maps to where it did not happen to the model.
Exit ExitCodeFor(const Status& status);

// One option of a command.
struct Flag {
  std::string name;   // "--out"
  std::string value;  // what stands for the value in the help; empty for a switch
  std::string help;
  std::function<Status(const std::string&)> set;  // switches get ""
};

// Setters for the usual kinds. The target outlives the flag.
Flag Switch(std::string name, bool& target, std::string help);
Flag Text(std::string name, std::string value, std::string& target, std::string help);
Flag Texts(std::string name, std::string value, std::vector<std::string>& target, std::string help);  // repeatable
Flag Whole(std::string name, std::string value, int64_t& target, int64_t min, int64_t max, std::string help);
Flag Number(std::string name, std::string value, double& target, double min, double max, std::string help);

struct Usage {
  std::string synopsis;  // "galago-train run RECIPE [options]"
  std::string summary;   // what the command does, one or more lines
  std::vector<Flag> flags;
};

// Reads "--name value" and "--name=value"; what is no flag comes back in order, and everything behind "--". An unknown
// flag is refused with the nearest one there is. "--help" comes back as the single argument "--help".
StatusOr<std::vector<std::string>> ParseFlags(const Usage& usage, std::span<const std::string> args);

std::string HelpText(const Usage& usage);

// ParseFlags for a command that goes on only with arguments.
struct Arguments {
  std::vector<std::string> rest;
  std::optional<int> exit;  // set: the command ends with it, "--help" having been printed or a refusal said
};
Arguments ParseOrExplain(const Usage& usage, std::span<const std::string> args);

// InvalidArgument with the nearest name unless the flag's value is one of them.
Status OneOf(const char* flag, const std::string& value, const std::vector<std::string>& names);

// Prints "error: ..." and returns the code.
int Fail(const Status& status);
int Fail(const Status& status, Exit code);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_FLAGS_H_
