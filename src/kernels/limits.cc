#include "src/kernels/limits.h"

#include <cstddef>
#include <cstring>

namespace galago::kernels {
namespace limits {

// Four sums of eight bytes: the compiler's own vectors, whatever the processor.
uint64_t ReadPlain(const void* data, int64_t num_bytes) noexcept {
  const auto* at = static_cast<const std::byte*>(data);
  uint64_t sums[4] = {};
  for (int64_t done = 0; done < num_bytes; done += static_cast<int64_t>(sizeof(sums))) {
    uint64_t words[4];
    std::memcpy(words, at + done, sizeof(words));
    for (int i = 0; i < 4; ++i) sums[i] |= words[i];
  }
  return sums[0] | sums[1] | sums[2] | sums[3];
}

}  // namespace limits

std::vector<ArithmeticLimit> ArithmeticLimits([[maybe_unused]] const CpuFeatures& features) {
  std::vector<ArithmeticLimit> all;
#if defined(__x86_64__)
  if (features.avx2) all.push_back({"fma_f32", "avx2", limits::kAvx2Fma});
  if (features.avx512) all.push_back({"fma_f32", "avx512", limits::kAvx512Fma});
  if (features.avx2) all.push_back({"int8", "avx2", limits::kAvx2Bytes});
  if (features.avx512_bf16) all.push_back({"bf16", "avx512_bf16", limits::kAvx512Bf16});
  if (features.avx512_vnni) all.push_back({"int8", "avx512_vnni", limits::kAvx512Vnni});
  if (features.amx_bf16) all.push_back({"amx_bf16", "amx", limits::kAmxBf16});
  if (features.amx_int8) all.push_back({"amx_int8", "amx", limits::kAmxInt8});
#elif defined(__aarch64__)
  if (features.neon) all.push_back({"fma_f32", "neon", limits::kNeonFma});
  if (features.neon_bf16) all.push_back({"bf16", "neon_bf16", limits::kNeonBf16});
  if (features.neon_dotprod) all.push_back({"int8", "neon_dotprod", limits::kNeonDotprod});
  if (features.neon_i8mm) all.push_back({"int8", "neon_i8mm", limits::kNeonI8mm});
#endif
  return all;
}

ReadLimit WidestRead([[maybe_unused]] const CpuFeatures& features) {
#if defined(__x86_64__)
  if (features.avx512) return {"avx512", limits::ReadAvx512};
  if (features.avx2) return {"avx2", limits::ReadAvx2};
#elif defined(__aarch64__)
  if (features.neon) return {"neon", limits::ReadNeon};
#endif
  return {"plain", limits::ReadPlain};
}

}  // namespace galago::kernels
