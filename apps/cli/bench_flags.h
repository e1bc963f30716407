#ifndef GALAGO_CLI_BENCH_FLAGS_H_
#define GALAGO_CLI_BENCH_FLAGS_H_

#include <vector>

#include "apps/cli/flags.h"

namespace galago::cli {

// The flags that only `bench` has.
std::vector<Flag> MakeBenchFlags();

}  // namespace galago::cli

#endif  // GALAGO_CLI_BENCH_FLAGS_H_
