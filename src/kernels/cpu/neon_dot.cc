#include "src/kernels/cpu/int8_neon_dot.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_gemm-inl.h"

namespace galago::kernels::neon_dot {

void Override(KernelTable& table) { OverrideInt8Gemm<Int8>(table); }

}  // namespace galago::kernels::neon_dot
