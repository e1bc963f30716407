#ifndef GALAGO_KERNELS_CPU_OVERRIDES_H_
#define GALAGO_KERNELS_CPU_OVERRIDES_H_

#include "src/kernels/kernel_table.h"

// Each replaces the slots its instruction set does better. Defined in NAME.cc, compiled with that set's flags.
namespace galago::kernels {

namespace avx2 {
void Override(KernelTable& table);
}
namespace avx512 {
void Override(KernelTable& table);
}
namespace avx512vnni {
void Override(KernelTable& table);
}
namespace avx512bf16 {
void Override(KernelTable& table);
}
namespace amx {
void Override(KernelTable& table);
}
namespace neon {
void Override(KernelTable& table);
}
namespace neon_dot {
void Override(KernelTable& table);
}
namespace neon_bf16 {
void Override(KernelTable& table);
}
namespace neon_i8mm {
void Override(KernelTable& table);
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_OVERRIDES_H_
