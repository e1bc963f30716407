#ifndef GALAGO_KERNELS_CPU_INT8_NEON_DOT_H_
#define GALAGO_KERNELS_CPU_INT8_NEON_DOT_H_

#include "src/kernels/cpu/int8_neon.h"

namespace galago::kernels::neon_dot {
namespace {

// The Int8 policy of panel_gemm-inl.h by SDOT: four products to a lane.
struct Int8 : neon::Int8Base {
  static Ints Dot(Ints sum, Bytes w, Bytes x) { return vdotq_s32(sum, w, x); }
  static Ints Dot2(Ints sum, Bytes w0, Bytes x0, Bytes w1, Bytes x1) { return Dot(Dot(sum, w0, x0), w1, x1); }
};

}  // namespace
}  // namespace galago::kernels::neon_dot

#endif  // GALAGO_KERNELS_CPU_INT8_NEON_DOT_H_
