#ifndef GALAGO_CLI_MEMORY_CHECK_H_
#define GALAGO_CLI_MEMORY_CHECK_H_

#include <functional>
#include <string>

#include "apps/cli/options.h"
#include "galago/model.h"
#include "galago/status.h"

// Whether a model fits is known before it is loaded: a board that hangs is the worst outcome.
namespace galago::cli {

// "memory: 2.9 GiB weights + ... = 3.1 GiB of 20.1 GiB available".
std::string MemoryLine(const MemoryPlan& plan);

// The plan of the same model under another precision and context.
using PlanFor = std::function<StatusOr<MemoryPlan>(Precision precision, int64_t ctx_size)>;

// ResourceExhausted when the plan does not fit, naming the flags that would make it fit and what they save.
Status CheckMemory(const MemoryPlan& plan, Precision precision, const PlanFor& plan_for);

}  // namespace galago::cli

#endif  // GALAGO_CLI_MEMORY_CHECK_H_
