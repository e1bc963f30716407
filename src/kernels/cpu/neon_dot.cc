#include "src/kernels/cpu/int8_neon.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_gemm-inl.h"

namespace galago::kernels::neon_dot {
namespace {

// SDOT: four products to a lane.
struct Int8 : neon::Int8Base {
  static Ints Dot(Ints sum, Bytes w, Bytes x) { return vdotq_s32(sum, w, x); }
  static Ints Dot2(Ints sum, Bytes w0, Bytes x0, Bytes w1, Bytes x1) { return Dot(Dot(sum, w0, x0), w1, x1); }
};

}  // namespace

void Override(KernelTable& table) { OverrideInt8Gemm<Int8>(table); }

}  // namespace galago::kernels::neon_dot
