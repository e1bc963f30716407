#include "src/kernels/cpu/attention-inl.h"
#include "src/kernels/cpu/elementwise-inl.h"
#include "src/kernels/cpu/gemm-inl.h"
#include "src/kernels/cpu/grid-inl.h"
#include "src/kernels/cpu/int8_avx2.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_float-inl.h"
#include "src/kernels/cpu/panel_gemm-inl.h"
#include "src/kernels/cpu/vec_avx2.h"

namespace galago::kernels::avx2 {

void Override(KernelTable& table) {
  OverrideGemm<V>(table);
  OverridePanelFloats<V>(table);
  OverrideInt8Gemm<Int8>(table);
  OverrideElementwise<V>(table);
  OverrideAttention<V>(table);
  OverrideGrid<V>(table);
}

}  // namespace galago::kernels::avx2
