#ifndef GALAGO_TENSOR_BLOCK_TYPES_H_
#define GALAGO_TENSOR_BLOCK_TYPES_H_

#include <cstdint>

// The packed blocks of GGUF's quantised types, as they lie in the file (layouts from ggml-org/ggml: src/ggml-common.h).
// Sixteen-bit floats are their bits. Blocks in a mapped file may be unaligned: copy one out before reading its fields.
namespace galago {

// 32 elements. x = d * (q - 8), q in 4 bits: the low nibbles are elements 0..15, the high ones 16..31. 4.5 bits a
// weight.
struct BlockQ4_0 {
  uint16_t d;  // f16
  uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

// 32 elements. x = d * q + m, nibbles as in Q4_0. 5 bits a weight.
struct BlockQ4_1 {
  uint16_t d, m;  // f16
  uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_1) == 20);

// 32 elements. x = d * (q - 16), q in 5 bits: nibbles as in Q4_0, fifth bit of element i is bit i of qh. 5.5 bits a
// weight.
struct BlockQ5_0 {
  uint16_t d;  // f16
  uint8_t qh[4];
  uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

// 32 elements. x = d * q + m, q as in Q5_0. 6 bits a weight.
struct BlockQ5_1 {
  uint16_t d, m;  // f16
  uint8_t qh[4];
  uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

// 32 elements. x = d * q. 8.5 bits a weight.
struct BlockQ8_0 {
  uint16_t d;  // f16
  int8_t qs[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

// The K types: 256 elements in groups of 16 or 32, whose scales (and minima) are integers times one f16 of the block.

// Groups of 16. x = d * scale * q - dmin * min, all of 2, 4 and 4 bits. 2.625 bits a weight.
struct BlockQ2_K {
  uint8_t scales[16];  // low nibble: scale, high nibble: min
  uint8_t qs[64];      // byte 32 * h + l, bit pair p: element 128 * h + 32 * p + l
  uint16_t d, dmin;    // f16
};
static_assert(sizeof(BlockQ2_K) == 84);

// Groups of 16. x = d * (scale - 32) * (q - 4), scale of 6 bits, q of 3. 3.4375 bits a weight.
struct BlockQ3_K {
  uint8_t hmask[32];   // third bit of q: byte l, bit 4 * h + p
  uint8_t qs[64];      // low two bits, as in Q2_K
  uint8_t scales[12];  // 16 low nibbles in bytes 0..7, 16 high bit pairs in bytes 8..11
  uint16_t d;          // f16
};
static_assert(sizeof(BlockQ3_K) == 110);

// Groups of 32. x = d * scale * q - dmin * min, scale and min of 6 bits, q of 4. 4.5 bits a weight.
struct BlockQ4_K {
  uint16_t d, dmin;    // f16
  uint8_t scales[12];  // 8 scales and 8 minima: see ScaleMinK4
  uint8_t qs[128];     // byte 32 * g + l: element 64 * g + l low, 64 * g + 32 + l high
};
static_assert(sizeof(BlockQ4_K) == 144);

// As Q4_K with q of 5 bits. 5.5 bits a weight.
struct BlockQ5_K {
  uint16_t d, dmin;  // f16
  uint8_t scales[12];
  uint8_t qh[32];  // fifth bit of q: byte l, bit of the group
  uint8_t qs[128];
};
static_assert(sizeof(BlockQ5_K) == 176);

// Groups of 16. x = d * scale * (q - 32), scale an int8, q of 6 bits. 6.5625 bits a weight.
struct BlockQ6_K {
  uint8_t ql[128];  // low nibbles: byte 64 * h + l is element 128 * h + l (low), 128 * h + 64 + l (high), l < 64
  uint8_t qh[64];   // high bit pairs: byte 32 * h + l, pair p: element 128 * h + 32 * p + l
  int8_t scales[16];
  uint16_t d;  // f16
};
static_assert(sizeof(BlockQ6_K) == 210);

struct ScaleMin {
  uint8_t scale, min;
};

// Scale and minimum of group g (0..7) of Q4_K and Q5_K: groups 0..3 have theirs in the low six bits of bytes g and 4 +
// g; groups 4..7 have nibbles in byte 4 + g and their top two bits on top of the former.
inline ScaleMin ScaleMinK4(const uint8_t (&scales)[12], int g) {
  if (g < 4) return {static_cast<uint8_t>(scales[g] & 63), static_cast<uint8_t>(scales[g + 4] & 63)};
  return {static_cast<uint8_t>((scales[g + 4] & 15) | ((scales[g - 4] >> 6) << 4)),
          static_cast<uint8_t>((scales[g + 4] >> 4) | ((scales[g] >> 6) << 4))};
}

// Scale of group g (0..15) of Q3_K, 0..63; 32 is to be subtracted.
inline int ScaleQ3K(const uint8_t (&scales)[12], int g) {
  const int low = g < 8 ? scales[g] & 15 : scales[g - 8] >> 4;
  const int high = (scales[8 + g % 4] >> (2 * (g / 4))) & 3;
  return low | (high << 4);
}

}  // namespace galago

#endif  // GALAGO_TENSOR_BLOCK_TYPES_H_
