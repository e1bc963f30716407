#ifndef GALAGO_KERNELS_TEST_UTIL_H_
#define GALAGO_KERNELS_TEST_UTIL_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "src/kernels/cpu/amx-inl.h"
#include "src/kernels/cpu/amx_emulation.h"
#include "src/kernels/cpu/amx_int8-inl.h"
#include "src/kernels/ref/ref.h"
#include "src/kernels/table.h"

// What the parity tests of this folder share.
namespace galago::kernels::testing {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

struct NamedTable {
  std::string name;
  KernelTable table;
};

// Every instruction set this machine has, and AMX by emulation.
inline std::vector<NamedTable> AllTables() {
  std::vector<NamedTable> tables;
  for (const Isa isa : AvailableIsas(DetectCpuFeatures())) {
    tables.push_back({std::string(Name(isa)), MakeKernelTable(isa)});
  }
  KernelTable emulated = ref::Table();
  OverrideAmxGemm<ScalarVector, EmulatedTiles>(emulated);
  OverrideAmxInt8Gemm<EmulatedInt8, EmulatedTiles>(emulated);
  tables.push_back({"amx_emulated", emulated});
  return tables;
}

// `count` elements between guard bands, at an address that is `offset` bytes past a multiple of 64.
template <class T>
class GuardedBuffer {
 public:
  explicit GuardedBuffer(int64_t count, size_t offset = 0)
      : count_(static_cast<size_t>(count)), offset_(offset), bytes_(count_ * sizeof(T) + 2 * kGuard + 128, kPattern) {}
  T* data() { return reinterpret_cast<T*>(Start()); }
  std::span<T> span() { return {data(), count_}; }
  T& operator[](int64_t i) { return data()[i]; }
  bool GuardsIntact() {
    const auto* start = reinterpret_cast<const unsigned char*>(Start());
    for (size_t i = 0; i < kGuard; ++i) {
      if (start[-1 - static_cast<ptrdiff_t>(i)] != kPattern || start[count_ * sizeof(T) + i] != kPattern) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 256;
  static constexpr unsigned char kPattern = 0xa5;
  unsigned char* Start() {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.data()) + kGuard;
    return bytes_.data() + kGuard + ((64 - address % 64) % 64) + offset_;
  }
  size_t count_;
  size_t offset_;
  std::vector<unsigned char> bytes_;
};

// Numbers of a few magnitudes, so that the order of summation shows.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  float Next() {
    const float value = normal_(engine_);
    return engine_() % 8 == 0 ? value * 64.0f : value;
  }
  void Fill(std::span<float> out) {
    for (float& x : out) x = Next();
  }
  std::vector<float> Floats(int64_t count) {
    std::vector<float> out(static_cast<size_t>(count));
    Fill(out);
    return out;
  }
  int64_t Below(int64_t n) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n)); }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<float> normal_;
};

// Weights of any float type at an address only as aligned as the type demands.
class Weights {
 public:
  Weights(FloatType type, std::span<const float> values)
      : type_(type), bytes_(static_cast<int64_t>(values.size()) * SizeOf(type), static_cast<size_t>(SizeOf(type))) {
    ref::Table().from_f32(type, values.data(), bytes_.data(), static_cast<int64_t>(values.size()));
  }
  const void* data() { return bytes_.data(); }
  float At(int64_t i) { return ref::Element(type_, bytes_.data(), i); }

 private:
  FloatType type_;
  GuardedBuffer<std::byte> bytes_;
};

inline bool SameBits(float a, float b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

// Within tolerance, or the same infinity, or both NaN.
inline bool Close(float got, float want, double tolerance) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want)) return got == want;
  return std::abs(static_cast<double>(got) - want) <= tolerance;
}

}  // namespace galago::kernels::testing

#endif  // GALAGO_KERNELS_TEST_UTIL_H_
