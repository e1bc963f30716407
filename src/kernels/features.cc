#include "src/kernels/table.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace galago::kernels {

#if defined(__x86_64__)
namespace {

struct CpuidResult {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};
CpuidResult Cpuid(unsigned leaf, unsigned subleaf) {
  CpuidResult r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // zeros when the leaf does not exist
  return r;
}
bool Bit(unsigned word, int bit) { return ((word >> bit) & 1u) != 0; }

// Register state the operating system saves.
uint64_t Xcr0() {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

bool RequestAmxPermission() {
  constexpr long kArchReqXcompPerm = 0x1023;
  constexpr long kXfeatureTileData = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureTileData) == 0;
}

}  // namespace

CpuFeatures DetectCpuFeatures() {
  CpuFeatures features;
  const CpuidResult leaf1 = Cpuid(1, 0);
  const bool osxsave = Bit(leaf1.ecx, 27);
  if (!osxsave) return features;
  const uint64_t xcr0 = Xcr0();
  const bool ymm_state = (xcr0 & 0x6) == 0x6;
  const bool zmm_state = (xcr0 & 0xe6) == 0xe6;
  const bool tile_state = (xcr0 & 0x60000) == 0x60000;
  const CpuidResult leaf7 = Cpuid(7, 0);
  const CpuidResult leaf7_1 = Cpuid(7, 1);
  const bool fma = Bit(leaf1.ecx, 12);
  const bool f16c = Bit(leaf1.ecx, 29);
  features.avx2 = ymm_state && fma && f16c && Bit(leaf7.ebx, 5);
  const bool f = Bit(leaf7.ebx, 16), dq = Bit(leaf7.ebx, 17), bw = Bit(leaf7.ebx, 30), vl = Bit(leaf7.ebx, 31);
  features.avx512 = features.avx2 && zmm_state && f && dq && bw && vl;
  features.avx512_vnni = features.avx512 && Bit(leaf7.ecx, 11);
  features.avx512_bf16 = features.avx512_vnni && Bit(leaf7_1.eax, 5);
  const bool tiles = Bit(leaf7.edx, 24) && features.avx512_bf16 && tile_state && RequestAmxPermission();
  features.amx_bf16 = tiles && Bit(leaf7.edx, 22);
  features.amx_int8 = tiles && Bit(leaf7.edx, 25);
  return features;
}
#elif defined(__aarch64__)
CpuFeatures DetectCpuFeatures() {
  CpuFeatures features;
  features.neon = true;  // part of the architecture
  features.neon_bf16 = (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0;
  features.neon_dotprod = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
  features.neon_i8mm = (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
  return features;
}
#else
CpuFeatures DetectCpuFeatures() { return {}; }
#endif

}  // namespace galago::kernels
