#ifndef GALAGO_OPS_SCRATCH_H_
#define GALAGO_OPS_SCRATCH_H_

#include <cstdint>

#include "src/ops/exec_context.h"
#include "src/ops/view.h"

namespace galago::ops {

// Unset rows that live until the arena's present scope ends.
inline View Scratch(const ExecContext& ctx, int64_t rows, int64_t cols) {
  return {ctx.arena->Floats(rows * cols), rows, cols};
}

}  // namespace galago::ops

#endif  // GALAGO_OPS_SCRATCH_H_
