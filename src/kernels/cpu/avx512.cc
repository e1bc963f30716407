#include "src/kernels/cpu/attention-inl.h"
#include "src/kernels/cpu/elementwise-inl.h"
#include "src/kernels/cpu/gemm-inl.h"
#include "src/kernels/cpu/grid-inl.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_float-inl.h"
#include "src/kernels/cpu/vec_avx512.h"

namespace galago::kernels::avx512 {

void Override(KernelTable& table) {
  OverrideGemm<V>(table);
  OverridePanelFloats<V>(table);
  OverrideElementwise<V>(table);
  OverrideAttention<V>(table);
  OverrideGrid<V>(table);
}

}  // namespace galago::kernels::avx512
