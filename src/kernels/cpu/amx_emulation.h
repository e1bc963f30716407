#ifndef GALAGO_KERNELS_CPU_AMX_EMULATION_H_
#define GALAGO_KERNELS_CPU_AMX_EMULATION_H_

#include <array>
#include <cmath>
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
  template <int kSum, bool kUnsigned>
  void MulAddInt() {
    constexpr int kA = 4 + kSum / 2, kB = 6 + kSum % 2;
    for (int m = 0; m < 16; ++m) {
      for (int n = 0; n < 16; ++n) {
        int32_t sum = At<int32_t>(kSum, m, n * 4);
        for (int k = 0; k < 64; ++k) {
          const int at = n * 4 + k % 4;
          const int b = kUnsigned ? int{At<uint8_t>(kB, k / 4, at)} : int{At<int8_t>(kB, k / 4, at)};
          sum += At<int8_t>(kA, m, k) * b;
        }
        std::memcpy(tiles_[kSum] + m * 64 + n * 4, &sum, sizeof(sum));
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

// A vector of 16 floats with the operations products of quantised activations ask for (vec_avx512.h).
struct EmulatedVector {
  static constexpr int64_t kLanes = 16;
  using F32 = std::array<float, kLanes>;

  template <class F>
  static F32 Each(const F& f) {
    F32 out;
    for (size_t i = 0; i < out.size(); ++i) out[i] = f(i);
    return out;
  }
  static F32 Zero() { return {}; }
  static F32 Set1(float x) {
    return Each([&](size_t) { return x; });
  }
  static F32 Load(const float* p) { return LoadN(p, kLanes); }
  static F32 LoadN(const float* p, int64_t n) {
    F32 out = {};
    std::memcpy(out.data(), p, static_cast<size_t>(n) * sizeof(float));
    return out;
  }
  static void Store(float* p, const F32& x) { std::memcpy(p, x.data(), sizeof(x)); }
  template <FloatType kType>
  static F32 LoadAs(const void* p) {
    static_assert(kType == FloatType::kF16);
    std::array<uint16_t, kLanes> bits;
    std::memcpy(bits.data(), p, sizeof(bits));
    return Each([&](size_t i) { return F16ToF32(bits[i]); });
  }
  static F32 Add(const F32& a, const F32& b) {
    return Each([&](size_t i) { return a[i] + b[i]; });
  }
  static F32 Mul(const F32& a, const F32& b) {
    return Each([&](size_t i) { return a[i] * b[i]; });
  }
  static F32 MulAdd(const F32& a, const F32& b, const F32& c) {
    return Each([&](size_t i) { return std::fma(a[i], b[i], c[i]); });
  }
  static F32 NegMulAdd(const F32& a, const F32& b, const F32& c) {
    return Each([&](size_t i) { return std::fma(-a[i], b[i], c[i]); });
  }
  static F32 MaxMagnitude(const F32& m, const F32& x) {
    return Each([&](size_t i) { return std::fabs(x[i]) <= m[i] ? m[i] : std::isnan(m[i]) ? m[i] : std::fabs(x[i]); });
  }
  static F32 Round(const F32& x) {
    return Each([&](size_t i) { return std::nearbyint(x[i]); });
  }
  static float ReduceMagnitude(const F32& m) {
    float most = 0.0f;
    for (const float value : m) most = value <= most || std::isnan(most) ? most : value;
    return most;
  }
  static float Sum(const F32& x) {
    float sum = 0.0f;
    for (const float value : x) sum += value;
    return sum;
  }
};

// The Int8 policy (panel_gemm-inl.h) of that vector.
struct EmulatedInt8 {
  using V = EmulatedVector;
  using Ints = std::array<int32_t, 16>;
  using Bytes = std::array<int8_t, 64>;
  static constexpr int kRows = 4;
  static constexpr int kVecs = 1;
  static constexpr int32_t kOffset = 0;

  template <class T>
  static T Read(const void* p) {
    T value;
    std::memcpy(&value, p, sizeof(value));
    return value;
  }
  static Bytes Load(const void* p) { return Read<Bytes>(p); }
  static void StoreBytes(void* p, const Bytes& b) { std::memcpy(p, b.data(), sizeof(b)); }
  static Bytes Low(Bytes b) {
    for (int8_t& x : b) x = static_cast<int8_t>(x & 15);
    return b;
  }
  static Bytes High(Bytes b) {
    for (int8_t& x : b) x = static_cast<int8_t>(static_cast<uint8_t>(x) >> 4);
    return b;
  }
  static Bytes Signed(const Bytes& b) { return b; }
  static Bytes Four(const void* p) {
    Bytes b;
    for (size_t i = 0; i < b.size(); i += 4) std::memcpy(b.data() + i, p, 4);
    return b;
  }
  static Ints Zero() { return {}; }
  static Ints Set1(const void* p) {
    Ints x;
    x.fill(Read<int32_t>(p));
    return x;
  }
  static Ints LoadInts(const void* p) { return Read<Ints>(p); }
  static void StoreInts(void* p, const Ints& x) { std::memcpy(p, x.data(), sizeof(x)); }
  static Ints Plus(Ints a, const Ints& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  static void KeepInRegister(Ints&) {}
  static Ints Dot(Ints sum, const Bytes& w, const Bytes& x) {
    for (size_t i = 0; i < w.size(); ++i) sum[i / 4] += w[i] * x[i];
    return sum;
  }
  static Ints Dot2(const Ints& sum, const Bytes& w0, const Bytes& x0, const Bytes& w1, const Bytes& x1) {
    return Dot(Dot(sum, w0, x0), w1, x1);
  }
  static V::F32 ToFloat(const Ints& x) {
    return V::Each([&](size_t i) { return static_cast<float>(x[i]); });
  }
  static void StoreCodes(void* p, const V::F32& x) {
    for (size_t i = 0; i < x.size(); ++i) {
      const auto code = static_cast<int8_t>(std::isfinite(x[i]) ? x[i] : 0.0f);
      std::memcpy(static_cast<char*>(p) + i, &code, 1);
    }
  }
};

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_AMX_EMULATION_H_
