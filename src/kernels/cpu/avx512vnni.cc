#include "src/kernels/cpu/int8_avx512vnni.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_gemm-inl.h"

namespace galago::kernels::avx512vnni {

void Override(KernelTable& table) { OverrideInt8Gemm<Int8>(table); }

}  // namespace galago::kernels::avx512vnni
