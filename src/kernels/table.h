#ifndef GALAGO_KERNELS_TABLE_H_
#define GALAGO_KERNELS_TABLE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/kernels/kernel_table.h"

namespace galago::kernels {

// What this machine can execute, operating system included.
struct CpuFeatures {
  bool avx2 = false;         // with fma and f16c
  bool avx512 = false;       // f, bw, vl, dq
  bool avx512_vnni = false;  // vpdpbusd
  bool avx512_bf16 = false;
  bool amx_bf16 = false;  // tiles and bf16 products, permission granted to this process
  bool amx_int8 = false;
  bool neon = false;
  bool neon_bf16 = false;     // bfdot
  bool neon_dotprod = false;  // sdot
  bool neon_i8mm = false;     // smmla, usdot
};

// Asks the processor and, for AMX, asks the kernel for permission to use tiles: call it before threads start.
CpuFeatures DetectCpuFeatures();

// "ref", "avx2", "avx512", "avx512vnni", "avx512bf16", "amx", "neon", "neon_dot", "neon_bf16", "neon_i8mm": the
// values of GALAGO_ISA.
std::string_view Name(Isa isa);
std::vector<std::string_view> IsaNames();
std::optional<Isa> IsaFromName(std::string_view name);

// The instruction sets these features allow, slowest first; kRef is always there.
std::vector<Isa> AvailableIsas(const CpuFeatures& features);

// Empty when the features allow `isa`, else what is missing: "avx512_bf16".
std::string MissingFor(const CpuFeatures& features, Isa isa);

// Complete for every isa: what `isa` does not override comes from the sets below it. The features must allow `isa`.
KernelTable MakeKernelTable(Isa isa);

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_TABLE_H_
