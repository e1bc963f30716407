#ifndef GALAGO_CLI_EXIT_CODES_H_
#define GALAGO_CLI_EXIT_CODES_H_

#include <string>
#include <string_view>

#include "galago/status.h"

namespace galago::cli {

// What the program tells its caller (docs/cli.md).
enum class Exit {
  kSuccess = 0,
  kInternal = 1,
  kUsage = 2,
  kInput = 3,
  kModel = 4,
  kResources = 5,
  kNetwork = 6,
  kCheckFailed = 8,
  kTimeout = 9,
  kInterrupted = 130,
  kTerminated = 143,
};

// The part of a command that failed: one status code means different things to the caller in different parts.
enum class Stage { kUsage, kModel, kHub, kInput };

Exit ExitCodeFor(Stage stage, const Status& status);

// `type` and `code` of the error object that --json prints, in the vocabulary of the HTTP interface.
struct ErrorKind {
  std::string_view type;
  std::string_view code;
};
ErrorKind ErrorKindFor(Stage stage, const Status& status);

}  // namespace galago::cli

#endif  // GALAGO_CLI_EXIT_CODES_H_
