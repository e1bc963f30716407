#ifndef GALAGO_KERNELS_REF_REF_H_
#define GALAGO_KERNELS_REF_REF_H_

#include <cstddef>
#include <cstring>

#include "src/kernels/kernel_table.h"
#include "src/tensor/float16.h"

// The kernels every other one answers to: plain loops, sums in double precision.
namespace galago::kernels::ref {

// Fills every slot.
KernelTable Table();

// The parts of the table, by file.
void FillGemm(KernelTable& table);
void FillPanelGemm(KernelTable& table);
void FillElementwise(KernelTable& table);
void FillNorm(KernelTable& table);
void FillAttention(KernelTable& table);
void FillGrid(KernelTable& table);

// Element i of a float array that may lie at any address.
inline float Element(FloatType type, const void* data, int64_t i) {
  const auto* bytes = static_cast<const std::byte*>(data) + i * SizeOf(type);
  if (type == FloatType::kF32) {
    float value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return type == FloatType::kF16 ? F16ToF32(bits) : Bf16ToF32(bits);
}

}  // namespace galago::kernels::ref

#endif  // GALAGO_KERNELS_REF_REF_H_
