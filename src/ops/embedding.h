#ifndef GALAGO_OPS_EMBEDDING_H_
#define GALAGO_OPS_EMBEDDING_H_

#include <cstdint>
#include <span>

#include "src/ops/exec_context.h"

namespace galago::ops {

// out[i] = table[ids[i]], widened to f32. table [V, D] in f32, f16, bf16 or a panel type; ids [T], each in [0, V); out
// [T, D].
void Gather(const ExecContext& ctx, const TensorView& table, std::span<const int32_t> ids, View out);

}  // namespace galago::ops

#endif  // GALAGO_OPS_EMBEDDING_H_
