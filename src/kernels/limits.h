#ifndef GALAGO_KERNELS_LIMITS_H_
#define GALAGO_KERNELS_LIMITS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "src/kernels/cpu/limit_loops.h"
#include "src/kernels/table.h"

// Loops that do one thing only, as fast as one thread of this processor can: the roofs that kernels are held against.
namespace galago::kernels {

struct ArithmeticLimit {
  std::string_view name;  // "fma_f32", "bf16", "int8", "amx_bf16", "amx_int8"
  std::string_view isa;   // what the loop is made of: "avx512", "avx512_vnni", ...
  ArithmeticLoop loop;
};
// Those these features allow. A name comes once for every instruction set that has such a loop, slowest first.
std::vector<ArithmeticLimit> ArithmeticLimits(const CpuFeatures& features);

struct ReadLimit {
  std::string_view isa;
  ReadLoop loop;
};
// The widest loads there are.
ReadLimit WidestRead(const CpuFeatures& features);

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_LIMITS_H_
