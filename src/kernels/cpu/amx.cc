#include <immintrin.h>

#include "src/kernels/cpu/amx-inl.h"
#include "src/kernels/cpu/amx_int8-inl.h"
#include "src/kernels/cpu/int8_avx512vnni.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/vec_avx512.h"

namespace galago::kernels::amx {
namespace {

// The processor's tiles. Their contents belong to the thread, the configuration too.
struct ProcessorTiles {
  void Configure() {
    // Palette 1: eight tiles of up to 16 rows of 64 bytes.
    struct alignas(64) Config {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
    static_assert(sizeof(Config) == 64);
    const Config config;
    _tile_loadconfig(&config);
  }
  void Release() { _tile_release(); }
  // GCC's intrinsics paste the tile's number into assembly, so each is written out.
  template <int kTile>
  void Zero() {
    static_assert(kTile < 4);
    if constexpr (kTile == 0) _tile_zero(0);
    if constexpr (kTile == 1) _tile_zero(1);
    if constexpr (kTile == 2) _tile_zero(2);
    if constexpr (kTile == 3) _tile_zero(3);
  }
  template <int kTile>
  void Load(const void* p, int64_t stride) {
    static_assert(kTile >= 4 && kTile < 8);
    asm volatile("" ::: "memory");  // the load does not tell the compiler that it reads memory
    if constexpr (kTile == 4) _tile_loadd(4, p, stride);
    if constexpr (kTile == 5) _tile_loadd(5, p, stride);
    if constexpr (kTile == 6) _tile_loadd(6, p, stride);
    if constexpr (kTile == 7) _tile_loadd(7, p, stride);
  }
  template <int kTile>
  void Store(void* p, int64_t stride) {
    static_assert(kTile < 4);
    if constexpr (kTile == 0) _tile_stored(0, p, stride);
    if constexpr (kTile == 1) _tile_stored(1, p, stride);
    if constexpr (kTile == 2) _tile_stored(2, p, stride);
    if constexpr (kTile == 3) _tile_stored(3, p, stride);
  }
  template <int kSum, int kA, int kB>
  void MulAdd() {
    static_assert(kSum < 4 && kA == 4 + kSum / 2 && kB == 6 + kSum % 2);
    if constexpr (kSum == 0) _tile_dpbf16ps(0, 4, 6);
    if constexpr (kSum == 1) _tile_dpbf16ps(1, 4, 7);
    if constexpr (kSum == 2) _tile_dpbf16ps(2, 5, 6);
    if constexpr (kSum == 3) _tile_dpbf16ps(3, 5, 7);
  }
  // Signed bytes of tile 4 or 5 times those of tile 6 or 7, which are unsigned when told.
  template <int kSum, bool kUnsigned>
  void MulAddInt() {
    static_assert(kSum < 4);
    if constexpr (kSum == 0 && kUnsigned) _tile_dpbsud(0, 4, 6);
    if constexpr (kSum == 1 && kUnsigned) _tile_dpbsud(1, 4, 7);
    if constexpr (kSum == 2 && kUnsigned) _tile_dpbsud(2, 5, 6);
    if constexpr (kSum == 3 && kUnsigned) _tile_dpbsud(3, 5, 7);
    if constexpr (kSum == 0 && !kUnsigned) _tile_dpbssd(0, 4, 6);
    if constexpr (kSum == 1 && !kUnsigned) _tile_dpbssd(1, 4, 7);
    if constexpr (kSum == 2 && !kUnsigned) _tile_dpbssd(2, 5, 6);
    if constexpr (kSum == 3 && !kUnsigned) _tile_dpbssd(3, 5, 7);
  }
};

}  // namespace

void Override(KernelTable& table) {
  OverrideAmxGemm<avx512::V, ProcessorTiles>(table);
  OverrideAmxInt8Gemm<avx512vnni::Int8, ProcessorTiles>(table);
}

}  // namespace galago::kernels::amx
