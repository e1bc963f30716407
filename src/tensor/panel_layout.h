#ifndef GALAGO_TENSOR_PANEL_LAYOUT_H_
#define GALAGO_TENSOR_PANEL_LAYOUT_H_

#include <cstdint>

// How quantised matrices lie in memory for the kernels, and in .galago files. Also included by objects built for newer
// instruction sets: plain constants and nothing of the standard library beyond <cstdint>.
//
// 16 rows (outputs) of a matrix [N, K] are a panel; panels follow one another, so a range of panels is a range of
// bytes, and matrices of equal K stand one after the other as one. N is padded to whole panels with zero scales. A
// panel consists of lines of 64 bytes.
//
//   4 bits   for each group of K: a line [16 f16 scales][16 f16 zeros], then G/8 lines of codes. Line c holds columns
//            8 c .. 8 c + 7: byte 4 n + i has column 8 c + i of row n in its low nibble, 8 c + 4 + i in its high one.
//            w = scale * (code - zero).
//   6 bits   for each group of K: a line [16 f32 scales], then three lines for each 16 columns. The first two hold the
//            lower four bits of the codes as lines of 4 bits do. Byte 4 n + i of the third has the upper two bits of
//            columns i, 4 + i, 8 + i and 12 + i of row n, from the lowest up. w = scale * (code - 32).
//   8 bits   for each group of K: a line [16 f32 scales], then G/4 lines of signed codes. Line c holds columns 4 c ..
//            4 c + 3: byte 4 n + i has column 4 c + i of row n. w = scale * code.
//   kW8Row   one scale a row: K/4 such lines, K padded with zeros to a multiple of 64, then [16 f32 scales] and
//            [16 i32 sums of codes].
namespace galago {

enum class PanelType : uint8_t { kW4G32, kW4G64, kW4G128, kW6G16, kW6G32, kW6G128, kW8G16, kW8G32, kW8G128, kW8Row };
constexpr int kNumPanelTypes = 10;

// body.operator()<type>() for each type.
template <class Body>
[[gnu::always_inline]] inline void ForEachPanelType(const Body& body) {
  body.template operator()<PanelType::kW4G32>();
  body.template operator()<PanelType::kW4G64>();
  body.template operator()<PanelType::kW4G128>();
  body.template operator()<PanelType::kW6G16>();
  body.template operator()<PanelType::kW6G32>();
  body.template operator()<PanelType::kW6G128>();
  body.template operator()<PanelType::kW8G16>();
  body.template operator()<PanelType::kW8G32>();
  body.template operator()<PanelType::kW8G128>();
  body.template operator()<PanelType::kW8Row>();
}

constexpr int64_t kPanelRows = 16;
constexpr int64_t kPanelLine = 64;     // bytes
constexpr int64_t kPanelRowPad = 64;   // columns kW8Row is padded to a multiple of
constexpr int64_t kMaxRowK = 1 << 16;  // columns of kW8Row: 255 * 127 * K stays below 2^31

[[gnu::always_inline]] constexpr int PanelBits(PanelType type) {
  return type <= PanelType::kW4G128 ? 4 : type <= PanelType::kW6G128 ? 6 : 8;
}

// Columns that share a scale; 0: all.
[[gnu::always_inline]] constexpr int64_t PanelGroup(PanelType type) {
  constexpr int64_t kGroups[kNumPanelTypes] = {32, 64, 128, 16, 32, 128, 16, 32, 128, 0};
  return kGroups[static_cast<int>(type)];
}

[[gnu::always_inline]] constexpr int64_t PanelPaddedK(PanelType type, int64_t k) {
  return type == PanelType::kW8Row ? (k + kPanelRowPad - 1) / kPanelRowPad * kPanelRowPad : k;
}

// Bytes of one panel's group: its scales and its codes. Not for kW8Row.
[[gnu::always_inline]] constexpr int64_t PanelGroupBytes(PanelType type) {
  return kPanelLine + kPanelRows * PanelGroup(type) * PanelBits(type) / 8;
}

// Bytes of one panel of K columns, a multiple of 64.
[[gnu::always_inline]] constexpr int64_t PanelBytes(PanelType type, int64_t k) {
  if (type == PanelType::kW8Row) return kPanelRows * PanelPaddedK(type, k) + 2 * kPanelLine;
  return k / PanelGroup(type) * PanelGroupBytes(type);
}

}  // namespace galago

#endif  // GALAGO_TENSOR_PANEL_LAYOUT_H_
