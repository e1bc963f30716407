#ifndef GALAGO_KERNELS_CPU_AMX_EMULATION_H_
#define GALAGO_KERNELS_CPU_AMX_EMULATION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "src/kernels/kernel_table.h"
#include "src/tensor/float16.h"

// Stand-ins that let any machine run the logic of amx-inl.h.
namespace galago::kernels {

// Tiles as Intel's manual describes TDPBF16PS, but for its flushing of subnormal numbers.
class EmulatedTiles {
 public:
  void Configure() {}
  void Release() {}
  template <int kTile>
  void Zero() {
    std::memset(tiles_[kTile], 0, sizeof(tiles_[kTile]));
  }
  template <int kTile>
  void Load(const void* p, int64_t stride) {
    for (int64_t r = 0; r < 16; ++r) std::memcpy(tiles_[kTile] + r * 64, static_cast<const char*>(p) + r * stride, 64);
  }
  template <int kTile>
  void Store(void* p, int64_t stride) {
    for (int64_t r = 0; r < 16; ++r) std::memcpy(static_cast<char*>(p) + r * stride, tiles_[kTile] + r * 64, 64);
  }
  template <int kSum, int kA, int kB>
  void MulAdd() {
    for (int m = 0; m < 16; ++m) {
      for (int k = 0; k < 16; ++k) {
        for (int n = 0; n < 16; ++n) {
          float sum = At<float>(kSum, m, n * 4);
          for (int odd = 0; odd < 2; ++odd) {
            const float a = Bf16ToF32(At<uint16_t>(kA, m, k * 4 + odd * 2));
            const float b = Bf16ToF32(At<uint16_t>(kB, k, n * 4 + odd * 2));
            sum += a * b;
          }
          std::memcpy(tiles_[kSum] + m * 64 + n * 4, &sum, sizeof(sum));
        }
      }
    }
  }

 private:
  template <class T>
  T At(int tile, int row, int byte) const {
    T value;
    std::memcpy(&value, tiles_[tile] + row * 64 + byte, sizeof(value));
    return value;
  }
  std::byte tiles_[8][1024] = {};
};

// What packing asks of a vector type, one lane at a time.
struct ScalarVector {
  static constexpr int64_t kLanes = 1;
  static float LoadN(const float* p, int64_t) { return *p; }
  template <FloatType kType>
  static void StoreAs(void* p, float x) {
    static_assert(kType == FloatType::kBF16);
    const uint16_t bits = F32ToBf16(x);
    std::memcpy(p, &bits, sizeof(bits));
  }
};

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_AMX_EMULATION_H_
