#ifndef GALAGO_OPS_ROPE_H_
#define GALAGO_OPS_ROPE_H_

#include <cstdint>
#include <span>

#include "src/ops/exec_context.h"

namespace galago::ops {

using kernels::RopePairs;

// cos and sin of position * inv_freq, both [T, H / 2] in arena memory of the caller's scope. The angle is one float32
// product and the functions are float32, as in transformers. Position of row t is first_position + t.
struct RopeTable {
  ConstView cos;
  ConstView sin;
};
RopeTable MakeRopeTable(const ExecContext& ctx, std::span<const float> inv_freq, int64_t first_position, int64_t rows);

// Rotates every head of x [T, heads * H] in place.
void ApplyRope(const ExecContext& ctx, const RopeTable& table, RopePairs pairs, int64_t heads, View x);

}  // namespace galago::ops

#endif  // GALAGO_OPS_ROPE_H_
