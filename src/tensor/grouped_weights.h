#ifndef GALAGO_TENSOR_GROUPED_WEIGHTS_H_
#define GALAGO_TENSOR_GROUPED_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

// Matrices quantised by groups of inputs, in the plain form every file layout is a codec of and every kernel layout is
// packed from. Rows are outputs, columns inputs; `group` consecutive columns of a row share a scale.
namespace galago {

// w[n][k] = scale[n][g] * (code[n][k] - zero[n][g]), g = k / group. Codes have 4 bits. The zero is a number, not a
// code: an integer in AWQ (0..15) and GPTQ (1..16), 8 in Q4_0, dmin * min / (d * scale) in Q4_K.
struct GroupedWeights {
  int64_t rows = 0, cols = 0;           // N, K
  int64_t group = 0;                    // G; divides K
  std::vector<uint8_t> codes;           // [N, K], one a byte, 0..15
  std::vector<uint16_t> scales, zeros;  // f16 bits [N, K / G]

  friend bool operator==(const GroupedWeights&, const GroupedWeights&) = default;
};

// w[n][k] = scale[n][g] * code[n][k]: signed 8-bit codes.
struct GroupedWeights8 {
  int64_t rows = 0, cols = 0;  // N, K
  int64_t group = 0;           // G; divides K
  std::vector<int8_t> codes;   // [N, K]
  std::vector<float> scales;   // [N, K / G]

  friend bool operator==(const GroupedWeights8&, const GroupedWeights8&) = default;
};

// All zero, of the right sizes. `group` divides `cols`.
GroupedWeights MakeGroupedWeights(int64_t rows, int64_t cols, int64_t group);
GroupedWeights8 MakeGroupedWeights8(int64_t rows, int64_t cols, int64_t group);

// The same matrix in smaller groups, which repeat the scales and zeros; `group` divides weights.group.
GroupedWeights Regrouped(GroupedWeights weights, int64_t group);

// The weights as floats, out [N, K]: the difference and the product are rounded to float32 in this order.
void Dequantize(const GroupedWeights& weights, std::span<float> out);
void Dequantize(const GroupedWeights8& weights, std::span<float> out);

}  // namespace galago

#endif  // GALAGO_TENSOR_GROUPED_WEIGHTS_H_
