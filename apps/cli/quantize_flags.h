#ifndef GALAGO_CLI_QUANTIZE_FLAGS_H_
#define GALAGO_CLI_QUANTIZE_FLAGS_H_

#include <vector>

#include "apps/cli/flags.h"

namespace galago::cli {

// Flags that only `quantize` has.
std::vector<Flag> MakeQuantizeFlags();

}  // namespace galago::cli

#endif  // GALAGO_CLI_QUANTIZE_FLAGS_H_
