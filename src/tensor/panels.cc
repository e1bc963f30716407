#include "src/tensor/panels.h"

#include <algorithm>
#include <cstring>

#include "src/base/check.h"
#include "src/tensor/float16.h"

namespace galago {
namespace {

template <class T>
T Read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}
template <class T>
void Write(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(value));
}

// Where things lie in a matrix of panels. Groups of kW8Row are counted as one.
class Places {
 public:
  Places(DType dtype, int64_t cols)
      : type_(PanelTypeOf(dtype)),
        row_(type_ == PanelType::kW8Row),
        group_(row_ ? cols : PanelGroup(type_)),
        cols_(cols) {
    CHECK_GT(cols, 0);
    CHECK_EQ(cols % group_, 0);
    CHECK(!row_ || cols <= kMaxRowK);
  }
  int bits() const { return PanelBits(type_); }
  int64_t group() const { return group_; }
  int64_t groups() const { return cols_ / group_; }
  int64_t panel(int64_t n) const { return n / kPanelRows * PanelBytes(type_, cols_); }
  // Line of scales of group g: this row's is at Scale + its size.
  int64_t Scales(int64_t n, int64_t g) const {
    if (row_) return panel(n) + kPanelRows * PanelPaddedK(type_, cols_);
    return panel(n) + g * PanelGroupBytes(type_);
  }
  int64_t Codes(int64_t n, int64_t g) const { return row_ ? panel(n) : Scales(n, g) + kPanelLine; }
  // Four bytes of row n in line c of group g's codes.
  int64_t Word(int64_t n, int64_t g, int64_t c) const { return Codes(n, g) + c * kPanelLine + n % kPanelRows * 4; }

 private:
  PanelType type_;
  bool row_;
  int64_t group_;
  int64_t cols_;
};

void CheckSizes(DType dtype, int64_t rows, int64_t cols, int64_t group, size_t bytes) {
  CHECK_EQ(group, Places(dtype, cols).group());
  CHECK_EQ(bytes, PanelMatrixBytes(dtype, rows, cols));
}

// The four codes of a row's word.
int8_t Code8(uint32_t word, int64_t i) { return static_cast<int8_t>(word >> (8 * i)); }
// Eight.
uint8_t Code4(uint32_t word, int64_t i) { return static_cast<uint8_t>((word >> (8 * (i % 4) + i / 4 * 4)) & 15); }
// The upper two bits of sixteen.
uint8_t Top2(uint32_t word, int64_t i) { return static_cast<uint8_t>((word >> (8 * (i % 4) + i / 4 * 2)) & 3); }

// Column k of group g of row n, of 6 or 8 bits.
constexpr int64_t kTopLine = 2, kSixLines = 3, kSixColumns = 16;
int8_t SignedCode(const Places& places, const std::byte* panels, int64_t n, int64_t g, int64_t k) {
  if (places.bits() == 8) return Code8(Read<uint32_t>(panels + places.Word(n, g, k / 4)), k % 4);
  const int64_t first = k / kSixColumns * kSixLines, i = k % kSixColumns;
  const auto low = Read<uint32_t>(panels + places.Word(n, g, first + i / 8));
  const auto top = Read<uint32_t>(panels + places.Word(n, g, first + kTopLine));
  return static_cast<int8_t>((Code4(low, i % 8) | Top2(top, i) << 4) - 32);
}

// Group g of row n.
void PackSix(const int8_t* codes, const Places& places, int64_t n, int64_t g, std::byte* out) {
  for (int64_t line = 0; line < places.group() / kSixColumns * kSixLines; line += kSixLines, codes += kSixColumns) {
    uint32_t words[kSixLines] = {};
    for (int64_t i = 0; i < kSixColumns; ++i) {
      const auto code = static_cast<uint32_t>(codes[i] + 32);
      CHECK_LT(code, 64u);
      words[i / 8] |= (code & 15) << (8 * (i % 4) + i % 8 / 4 * 4);
      words[kTopLine] |= code >> 4 << (8 * (i % 4) + i / 4 * 2);
    }
    for (int64_t i = 0; i < kSixLines; ++i) Write(out + places.Word(n, g, line + i), words[i]);
  }
}
void PackEight(const int8_t* codes, const Places& places, int64_t n, int64_t g, std::byte* out) {
  for (int64_t k = 0; k < places.group(); k += 4) {
    uint32_t word = 0;
    std::memcpy(&word, codes + k, static_cast<size_t>(std::min<int64_t>(4, places.group() - k)));
    Write(out + places.Word(n, g, k / 4), word);
  }
}

}  // namespace

PanelType PanelTypeOf(DType dtype) {
  CHECK(IsPanelType(dtype));
  return static_cast<PanelType>(static_cast<int>(dtype) - static_cast<int>(DType::kW4G32));
}

std::optional<DType> PanelDType(int bits, int64_t group) {
  for (auto dtype = DType::kW4G32; dtype < DType::kW8Row; dtype = static_cast<DType>(static_cast<int>(dtype) + 1)) {
    const PanelType type = PanelTypeOf(dtype);
    if (PanelBits(type) == bits && PanelGroup(type) == group) return dtype;
  }
  return std::nullopt;
}

size_t PanelMatrixBytes(DType dtype, int64_t rows, int64_t cols) {
  const int64_t panels = (rows + kPanelRows - 1) / kPanelRows;
  return static_cast<size_t>(panels) * static_cast<size_t>(PanelBytes(PanelTypeOf(dtype), cols));
}

void PackPanels(DType dtype, const GroupedWeights& weights, std::span<std::byte> out) {
  CHECK_EQ(PanelBits(PanelTypeOf(dtype)), 4);
  CheckSizes(dtype, weights.rows, weights.cols, weights.group, out.size());
  const Places places(dtype, weights.cols);
  std::fill(out.begin(), out.end(), std::byte{0});
  for (int64_t n = 0; n < weights.rows; ++n) {
    for (int64_t g = 0; g < places.groups(); ++g) {
      const auto scale = static_cast<size_t>(n * places.groups() + g);
      std::byte* line = out.data() + places.Scales(n, g) + n % kPanelRows * 2;
      Write(line, weights.scales[scale]);
      Write(line + kPanelRows * 2, weights.zeros[scale]);
      const uint8_t* codes = weights.codes.data() + n * weights.cols + g * weights.group;
      for (int64_t c = 0; c < weights.group / 8; ++c) {
        uint32_t low, high;
        std::memcpy(&low, codes + c * 8, sizeof(low));
        std::memcpy(&high, codes + c * 8 + 4, sizeof(high));
        Write(out.data() + places.Word(n, g, c), low | high << 4);
      }
    }
  }
}

void PackPanels(DType dtype, const GroupedWeights8& weights, std::span<std::byte> out) {
  CheckSizes(dtype, weights.rows, weights.cols, weights.group, out.size());
  const Places places(dtype, weights.cols);
  CHECK_GE(places.bits(), 6);
  std::fill(out.begin(), out.end(), std::byte{0});
  for (int64_t n = 0; n < weights.rows; ++n) {
    for (int64_t g = 0; g < places.groups(); ++g) {
      std::byte* line = out.data() + places.Scales(n, g) + n % kPanelRows * 4;
      Write(line, weights.scales[static_cast<size_t>(n * places.groups() + g)]);
      const int8_t* codes = weights.codes.data() + n * weights.cols + g * weights.group;
      (places.bits() == 6 ? PackSix : PackEight)(codes, places, n, g, out.data());
      if (dtype == DType::kW8Row) {
        int32_t sum = 0;
        for (int64_t k = 0; k < weights.group; ++k) sum += codes[k];
        Write(line + kPanelLine, sum);
      }
    }
  }
}

GroupedWeights UnpackPanels4(DType dtype, int64_t rows, int64_t cols, const std::byte* panels) {
  const Places places(dtype, cols);
  CHECK_EQ(PanelBits(PanelTypeOf(dtype)), 4);
  GroupedWeights weights = MakeGroupedWeights(rows, cols, places.group());
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t g = 0; g < places.groups(); ++g) {
      const auto scale = static_cast<size_t>(n * places.groups() + g);
      const std::byte* line = panels + places.Scales(n, g) + n % kPanelRows * 2;
      weights.scales[scale] = Read<uint16_t>(line);
      weights.zeros[scale] = Read<uint16_t>(line + kPanelRows * 2);
      uint8_t* codes = weights.codes.data() + n * cols + g * places.group();
      for (int64_t k = 0; k < places.group(); ++k) {
        codes[k] = Code4(Read<uint32_t>(panels + places.Word(n, g, k / 8)), k % 8);
      }
    }
  }
  return weights;
}

GroupedWeights8 UnpackSignedPanels(DType dtype, int64_t rows, int64_t cols, const std::byte* panels) {
  const Places places(dtype, cols);
  CHECK_GE(places.bits(), 6);
  GroupedWeights8 weights = MakeGroupedWeights8(rows, cols, places.group());
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t g = 0; g < places.groups(); ++g) {
      weights.scales[static_cast<size_t>(n * places.groups() + g)] =
          Read<float>(panels + places.Scales(n, g) + n % kPanelRows * 4);
      int8_t* codes = weights.codes.data() + n * cols + g * places.group();
      for (int64_t k = 0; k < places.group(); ++k) {
        codes[k] = SignedCode(places, panels, n, g, k);
      }
    }
  }
  return weights;
}

void DequantizePanelRow(DType dtype, const std::byte* panels, int64_t row, std::span<float> out) {
  const Places places(dtype, static_cast<int64_t>(out.size()));
  const bool four = places.bits() == 4;
  for (int64_t g = 0; g < places.groups(); ++g) {
    const std::byte* line = panels + places.Scales(row, g) + row % kPanelRows * (four ? 2 : 4);
    const float scale = four ? F16ToF32(Read<uint16_t>(line)) : Read<float>(line);
    const float zero = four ? F16ToF32(Read<uint16_t>(line + kPanelRows * 2)) : 0.0f;
    float* x = out.data() + g * places.group();
    for (int64_t k = 0; k < places.group(); ++k) {
      const float code = four ? Code4(Read<uint32_t>(panels + places.Word(row, g, k / 8)), k % 8)
                              : SignedCode(places, panels, row, g, k);
      x[k] = scale * (code - zero);
    }
  }
}

}  // namespace galago
