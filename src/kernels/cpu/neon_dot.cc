#include "src/kernels/cpu/int8_neon.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_gemm-inl.h"

namespace galago::kernels::neon_dot {

void Override(KernelTable& table) { OverrideInt8Gemm<neon::DotInt8>(table); }

}  // namespace galago::kernels::neon_dot
