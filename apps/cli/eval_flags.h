#ifndef GALAGO_CLI_EVAL_FLAGS_H_
#define GALAGO_CLI_EVAL_FLAGS_H_

#include <vector>

#include "apps/cli/flags.h"

namespace galago::cli {

// The flags that only `eval` has.
std::vector<Flag> MakeEvalFlags();

}  // namespace galago::cli

#endif  // GALAGO_CLI_EVAL_FLAGS_H_
