#include "src/tensor/block_weights.h"

#include <cmath>
#include <cstring>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/tensor/block_types.h"
#include "src/tensor/float16.h"

namespace galago {
namespace {

struct ScaleAndZero {
  uint16_t scale, zero;   // f16 bits
  bool constant = false;  // all codes are to be 0
};

// scale * (code - zero) for x = step * code + offset. Where the zero is beyond f16, so is the step below what counts
// beside the offset: then all codes of the group mean the offset.
std::optional<ScaleAndZero> FromStepAndOffset(float step, float offset) {
  constexpr uint16_t kMinusOne = 0xbc00;
  const uint16_t scale = F32ToF16(step);
  const float rounded = F16ToF32(scale);
  if (!std::isfinite(rounded) || !std::isfinite(offset)) return std::nullopt;
  if (offset == 0.0f) return ScaleAndZero{scale, 0};
  const float zero = -offset / rounded;
  if (rounded != 0.0f && std::abs(zero) < 65504.0f) return ScaleAndZero{scale, F32ToF16(zero)};
  const uint16_t all = F32ToF16(offset);
  if (!std::isfinite(F16ToF32(all))) return std::nullopt;
  return ScaleAndZero{all, kMinusOne, /*constant=*/true};
}

// One block's groups, in order: its codes, scales and zeros.
struct Sink4 {
  uint8_t* codes;
  uint16_t* scales;
  uint16_t* zeros;
  bool constant = false;  // the current group

  [[nodiscard]] bool Group(float step, float offset) {
    const auto found = FromStepAndOffset(step, offset);
    if (!found) return false;
    constant = found->constant;
    *scales++ = found->scale;
    *zeros++ = found->zero;
    return true;
  }
  void Code(int64_t i, int code) { codes[i] = constant ? uint8_t{0} : static_cast<uint8_t>(code); }
};

bool Read(const BlockQ4_0& block, Sink4& out) {
  const float d = F16ToF32(block.d);
  if (!std::isfinite(d)) return false;
  *out.scales++ = block.d;
  *out.zeros++ = F32ToF16(8.0f);
  for (int i = 0; i < 16; ++i) {
    out.codes[i] = block.qs[i] & 15;
    out.codes[i + 16] = block.qs[i] >> 4;
  }
  out.codes += 32;
  return true;
}

bool Read(const BlockQ4_1& block, Sink4& out) {
  if (!out.Group(F16ToF32(block.d), F16ToF32(block.m))) return false;
  for (int i = 0; i < 16; ++i) {
    out.Code(i, block.qs[i] & 15);
    out.Code(i + 16, block.qs[i] >> 4);
  }
  out.codes += 32;
  return true;
}

bool Read(const BlockQ4_K& block, Sink4& out) {
  const float d = F16ToF32(block.d);
  const float dmin = F16ToF32(block.dmin);
  for (int g = 0; g < 8; ++g) {
    const auto [scale, min] = ScaleMinK4(block.scales, g);
    if (!out.Group(d * static_cast<float>(scale), -(dmin * static_cast<float>(min)))) return false;
    for (int i = 0; i < 32; ++i) {
      const uint8_t byte = block.qs[32 * (g / 2) + i];
      out.Code(i, g % 2 == 0 ? byte & 15 : byte >> 4);
    }
    out.codes += 32;
  }
  return true;
}

struct Sink8 {
  int8_t* codes;
  float* scales;
};

bool Read(const BlockQ8_0& block, Sink8& out) {
  const float d = F16ToF32(block.d);
  *out.scales++ = d;
  std::memcpy(out.codes, block.qs, sizeof(block.qs));
  out.codes += 32;
  return std::isfinite(d);
}

bool Read(const BlockQ6_K& block, Sink8& out) {
  const float d = F16ToF32(block.d);
  for (int g = 0; g < 16; ++g) *out.scales++ = d * static_cast<float>(block.scales[g]);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128;
    const int l = i % 128;
    const uint8_t low = block.ql[64 * half + l % 64];
    const uint8_t high = block.qh[32 * half + l % 32];
    const int code = (l < 64 ? low & 15 : low >> 4) | ((high >> (2 * (l / 32))) & 3) << 4;
    out.codes[i] = static_cast<int8_t>(code - 32);
  }
  out.codes += 256;
  return std::isfinite(d);
}

template <class Block, class Sink>
Status ReadAll(const TensorView& blocks, std::string_view what, Sink out) {
  const int64_t per_row = blocks.shape[1] / static_cast<int64_t>(InfoOf(blocks.dtype).block_elements);
  for (int64_t i = 0; i < blocks.shape[0] * per_row; ++i) {
    Block block;  // a mapped file may be unaligned
    std::memcpy(&block, blocks.data + static_cast<size_t>(i) * sizeof(Block), sizeof(Block));
    if (!Read(block, out)) {
      return DataLoss(StrCat(what, ": the scale of block ", i % per_row, " of row ", i / per_row,
                             " is not a number that f16 can hold"));
    }
  }
  return OkStatus();
}

}  // namespace

std::optional<BlockGroups> GroupsOfBlockType(DType dtype) {
  switch (dtype) {
    case DType::kQ4_0:
      return BlockGroups{4, 32, true};
    case DType::kQ4_1:
    case DType::kQ4_K:
      return BlockGroups{4, 32, false};
    case DType::kQ8_0:
      return BlockGroups{8, 32, true};
    case DType::kQ6_K:
      return BlockGroups{6, 16, true};
    default:
      return std::nullopt;
  }
}

StatusOr<GroupedWeights> GroupedFromBlocks(const TensorView& blocks, std::string_view what) {
  const auto groups = GroupsOfBlockType(blocks.dtype);
  CHECK(groups && groups->bits == 4);
  GroupedWeights out = MakeGroupedWeights(blocks.shape[0], blocks.shape[1], groups->group);
  const Sink4 sink{out.codes.data(), out.scales.data(), out.zeros.data()};
  if (blocks.dtype == DType::kQ4_0) {
    RETURN_IF_ERROR((ReadAll<BlockQ4_0>(blocks, what, sink)));
  } else if (blocks.dtype == DType::kQ4_1) {
    RETURN_IF_ERROR((ReadAll<BlockQ4_1>(blocks, what, sink)));
  } else {
    RETURN_IF_ERROR((ReadAll<BlockQ4_K>(blocks, what, sink)));
  }
  return out;
}

StatusOr<GroupedWeights8> GroupedFromBlocks8(const TensorView& blocks, std::string_view what) {
  const auto groups = GroupsOfBlockType(blocks.dtype);
  CHECK(groups && groups->bits > 4);
  GroupedWeights8 out = MakeGroupedWeights8(blocks.shape[0], blocks.shape[1], groups->group);
  const Sink8 sink{out.codes.data(), out.scales.data()};
  if (blocks.dtype == DType::kQ8_0) {
    RETURN_IF_ERROR((ReadAll<BlockQ8_0>(blocks, what, sink)));
  } else {
    RETURN_IF_ERROR((ReadAll<BlockQ6_K>(blocks, what, sink)));
  }
  return out;
}

}  // namespace galago
