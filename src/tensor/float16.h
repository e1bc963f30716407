#ifndef GALAGO_TENSOR_FLOAT16_H_
#define GALAGO_TENSOR_FLOAT16_H_

#include <bit>
#include <cstdint>

// Scalar conversions of the 16-bit float formats, bit-exact, round to nearest even. Values travel as their bits.
namespace galago {

inline float Bf16ToF32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

inline uint16_t F32ToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t nan = (bits >> 16) | 0x40;  // stays a (quiet) NaN
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

// Without branches, so that loops over it become vector code.
inline float F16ToF32(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7fffu) << 13;  // exponent and mantissa at float's places
  const uint32_t normal = magnitude + (112u << 23);                        // bias 127 instead of 15
  const uint32_t special = magnitude | 0x7f800000u;                        // infinity, NaN
  const auto subnormal = std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(bits & 0x3ffu)) * 0x1p-24f);
  const uint32_t finite = magnitude < (1u << 23) ? subnormal : normal;
  return std::bit_cast<float>(sign | (magnitude >= (31u << 23) ? special : finite));
}

inline uint16_t F32ToF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;   // NaN
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds to 65536 or above: infinity
  if (magnitude < 0x38800000u) {                        // below 2^-14: subnormal
    // Adding 0.5 lets the float adder round at the subnormal's last place (2^-24).
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1);
  return sign | static_cast<uint16_t>((rounded - (112u << 23)) >> 13);
}

}  // namespace galago

#endif  // GALAGO_TENSOR_FLOAT16_H_
