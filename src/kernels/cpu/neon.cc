#include "src/kernels/cpu/attention-inl.h"
#include "src/kernels/cpu/elementwise-inl.h"
#include "src/kernels/cpu/gemm-inl.h"
#include "src/kernels/cpu/grid-inl.h"
#include "src/kernels/cpu/int8_neon.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_float-inl.h"
#include "src/kernels/cpu/panel_gemm-inl.h"
#include "src/kernels/cpu/vec_neon.h"

namespace galago::kernels::neon {
namespace {

// Widening products: eight of 16 bits, added in pairs twice.
struct Int8 : Int8Base {
  static Ints Dot(Ints sum, Bytes w, Bytes x) {
    const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x)), high = vmull_high_s8(w, x);
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
  }
  static Ints Dot2(Ints sum, Bytes w0, Bytes x0, Bytes w1, Bytes x1) { return Dot(Dot(sum, w0, x0), w1, x1); }
};

}  // namespace

void Override(KernelTable& table) {
  OverrideGemm<V>(table);
  OverridePanelFloats<V>(table);
  OverrideInt8Gemm<Int8>(table);
  OverrideElementwise<V>(table);
  OverrideAttention<V>(table);
  OverrideGrid<V>(table);
}

}  // namespace galago::kernels::neon
