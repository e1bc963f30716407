#include <immintrin.h>

#include "src/kernels/cpu/limit_loops.h"

namespace galago::kernels::limits {
namespace {

// Palette 1: eight tiles of 16 rows of 64 bytes. Tiles 0 to 3 are sums, 4 and 5 hold a, 6 and 7 hold b.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

void Begin(const void* data) {
  const TileConfig config;
  _tile_loadconfig(&config);
  asm volatile("" ::: "memory");  // the loads do not tell the compiler that they read memory
  _tile_loadd(4, data, 64);
  _tile_loadd(5, data, 64);
  _tile_loadd(6, data, 64);
  _tile_loadd(7, data, 64);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

void End(void* sums) {
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums, 64);
  _tile_stored(2, sums, 64);
  _tile_stored(3, sums, 64);
  _tile_release();
}

void RunBf16(int64_t rounds, const void* data, void* sums) noexcept {
  Begin(data);
  for (int64_t round = 0; round < rounds; ++round) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  End(sums);
}

void RunInt8(int64_t rounds, const void* data, void* sums) noexcept {
  Begin(data);
  for (int64_t round = 0; round < rounds; ++round) {
    _tile_dpbssd(0, 4, 6);
    _tile_dpbssd(1, 4, 7);
    _tile_dpbssd(2, 5, 6);
    _tile_dpbssd(3, 5, 7);
  }
  End(sums);
}

}  // namespace

const ArithmeticLoop kAmxBf16 = {4 * 16 * 16 * 32 * 2, RunBf16};
const ArithmeticLoop kAmxInt8 = {4 * 16 * 16 * 64 * 2, RunInt8};

}  // namespace galago::kernels::limits
