#include "src/tensor/weight_layouts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/tensor/float16.h"

namespace galago {
namespace {

constexpr int64_t kNibbles = 8;  // of a 32-bit word

// Column 8 c + kGemmOrder[i] lies in nibble i of word c.
constexpr std::array<int64_t, kNibbles> kGemmOrder = {0, 2, 4, 6, 1, 3, 5, 7};

template <class T>
T LoadAt(const std::byte* data, int64_t index) {
  T value;
  std::memcpy(&value, data + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}
template <class T>
void StoreAt(std::byte* data, int64_t index, T value) {
  std::memcpy(data + static_cast<size_t>(index) * sizeof(T), &value, sizeof(T));
}

// ------------------------------------------------------------------------------------------------------------- codes
// Each layout as a walk over its words: visit(word, first, places) says that nibble i of the word is code first +
// places[i] of [N, K]. The walks go through both sides in blocks that stay in the first cache.

constexpr int64_t kBlock = 64;

template <class Visit>
void WalkGemm(int64_t rows, int64_t cols, const Visit& visit) {
  const int64_t words = rows / kNibbles;
  constexpr int64_t kWords = 16;  // a cache line
  std::array<int64_t, kNibbles> places;
  for (size_t i = 0; i < places.size(); ++i) places[i] = kGemmOrder[i] * cols;
  for (int64_t w0 = 0; w0 < words; w0 += kWords) {
    for (int64_t k0 = 0; k0 < cols; k0 += kBlock) {
      for (int64_t w = w0; w < std::min(words, w0 + kWords); ++w) {
        for (int64_t k = k0; k < std::min(cols, k0 + kBlock); ++k) {
          visit(k * words + w, w * kNibbles * cols + k, places);
        }
      }
    }
  }
}

constexpr std::array<int64_t, kNibbles> kInOrder = {0, 1, 2, 3, 4, 5, 6, 7};

template <class Visit>
void WalkGemv(int64_t rows, int64_t cols, const Visit& visit) {
  for (int64_t word = 0; word < rows * cols / kNibbles; ++word) visit(word, word * kNibbles, kInOrder);
}

template <class Visit>
void WalkGptq(int64_t rows, int64_t cols, const Visit& visit) {
  for (int64_t n0 = 0; n0 < rows; n0 += kBlock) {
    for (int64_t r = 0; r < cols / kNibbles; ++r) {
      for (int64_t n = n0; n < std::min(rows, n0 + kBlock); ++n) visit(r * rows + n, n * cols + r * kNibbles, kInOrder);
    }
  }
}

// Words of 16 bits. Rows 4 r .. 4 r + 3 take turns of 16 words for each 64 columns; in a turn, word l of half h holds
// columns 32 h + l, + 8, + 16, + 24.
template <class Visit>
void WalkInterleaved(int64_t rows, int64_t cols, const Visit& visit) {
  constexpr std::array<int64_t, 4> kPlaces = {0, 8, 16, 24};
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t k = 0; k < cols; k += 32) {
      const int64_t word = n / 4 * cols + k / 64 * 64 + n % 4 * 16 + k % 64 / 32 * 8;
      for (int64_t l = 0; l < 8; ++l) visit(word + l, n * cols + k + l, kPlaces);
    }
  }
}

template <class Visit>
void Walk(WeightLayout layout, int64_t rows, int64_t cols, const Visit& visit) {
  switch (layout) {
    case WeightLayout::kAwqGemm:
      return WalkGemm(rows, cols, visit);
    case WeightLayout::kAwqGemv:
      return WalkGemv(rows, cols, visit);
    case WeightLayout::kAwqInterleaved:
      return WalkInterleaved(rows, cols, visit);
    case WeightLayout::kGptq:
    case WeightLayout::kGptqV2:
      return WalkGptq(rows, cols, visit);
  }
  CHECK(false);
}

template <class Word>
void ReadCodes(WeightLayout layout, const std::byte* data, GroupedWeights& out) {
  uint8_t* const codes = out.codes.data();
  Walk(layout, out.rows, out.cols, [&](int64_t index, int64_t first, const auto& places) {
    const uint32_t word = LoadAt<Word>(data, index);
    for (size_t i = 0; i < places.size(); ++i) codes[first + places[i]] = static_cast<uint8_t>((word >> (4 * i)) & 15);
  });
}

template <class Word>
void WriteCodes(WeightLayout layout, const GroupedWeights& weights, std::byte* data) {
  const uint8_t* const codes = weights.codes.data();
  Walk(layout, weights.rows, weights.cols, [&](int64_t index, int64_t first, const auto& places) {
    uint32_t word = 0;
    for (size_t i = 0; i < places.size(); ++i) word |= uint32_t{codes[first + places[i]] & 15u} << (4 * i);
    StoreAt(data, index, static_cast<Word>(word));
  });
}

// ------------------------------------------------------------------------------------------------------------ shapes

struct Layout {
  DType code_type;
  Shape qweight, scales, zeros;
  bool float_zeros;       // stored as -scale * zero
  bool groups_are_rows;   // scales [groups, N], else [N, groups]
  int64_t stored_groups;  // rows or columns of `scales`
};

Layout LayoutOf(WeightLayout layout, int64_t n, int64_t k, int64_t group) {
  const int64_t groups = k / group;
  switch (layout) {
    case WeightLayout::kAwqGemm:
      return {DType::kI32, {k, n / 8}, {groups, n}, {groups, n / 8}, false, true, groups};
    case WeightLayout::kGptq:
    case WeightLayout::kGptqV2:
      return {DType::kI32, {k / 8, n}, {groups, n}, {groups, n / 8}, false, true, groups};
    case WeightLayout::kAwqGemv: {
      const int64_t padded = PaddedGroups(k, group);
      return {DType::kI32, {n, k / 8}, {n, padded}, {n, padded / 8}, false, false, padded};
    }
    case WeightLayout::kAwqInterleaved: {
      const int64_t padded = PaddedGroups(k, group);
      return {DType::kI16, {n / 4, k}, {padded, n}, {padded, n}, true, true, padded};
    }
  }
  CHECK(false);
}

// What N and K must divide by, and which groups there are.
Status CheckDivides(WeightLayout layout, int64_t rows, int64_t cols, int64_t group, std::string_view what) {
  if (group <= 0 || cols % group != 0) {
    return DataLoss(StrCat(what, ": ", cols, " columns are not whole groups of ", group));
  }
  const bool padded = layout == WeightLayout::kAwqGemv || layout == WeightLayout::kAwqInterleaved;
  if (padded && group != 32 && group != 64 && group < 128) {
    return Unimplemented(StrCat(what, ": groups of ", group, ", this layout has groups of 32, 64 or from 128"));
  }
  const int64_t row_unit = layout == WeightLayout::kAwqInterleaved ? 4 : layout == WeightLayout::kAwqGemv ? 1 : 8;
  const int64_t col_unit = layout == WeightLayout::kAwqInterleaved ? 64 : layout == WeightLayout::kAwqGemm ? 1 : 8;
  if (rows % row_unit != 0 || cols % col_unit != 0) {
    return DataLoss(StrCat(what, ": [", rows, ", ", cols, "] does not divide by [", row_unit, ", ", col_unit,
                           "], which the layout ", Name(layout), " needs"));
  }
  return OkStatus();
}

Status CheckShape(const TensorView& view, const Shape& shape, std::string_view field, std::string_view what) {
  if (view.data == nullptr) return NotFound(StrCat(what, ": has no ", field));
  if (view.shape == shape) return OkStatus();
  return DataLoss(StrCat(what, ": ", field, " is ", view.shape.ToString(), ", the layout needs ", shape.ToString()));
}

Status CheckType(const TensorView& view, bool fits, std::string_view field, std::string_view needed,
                 std::string_view what) {
  if (fits) return OkStatus();
  return DataLoss(StrCat(what, ": ", field, " is of type ", DTypeName(view.dtype), ", ", needed, " is needed"));
}

// PyTorch has no unsigned words; other writers may say what they mean.
bool IsWord(DType dtype, DType signed_word) {
  return dtype == signed_word || dtype == (signed_word == DType::kI16 ? DType::kU16 : DType::kU32);
}
bool IsHalf(DType dtype) { return dtype == DType::kF16 || dtype == DType::kBF16; }

float HalfAt(const TensorView& view, int64_t index) {
  const auto bits = LoadAt<uint16_t>(view.data, index);
  return view.dtype == DType::kF16 ? F16ToF32(bits) : Bf16ToF32(bits);
}

// -------------------------------------------------------------------------------------------------- scales and zeros

class GroupReader {
 public:
  GroupReader(WeightLayout layout, const Layout& shapes, const PackedWeights& packed, int64_t rows,
              std::string_view what)
      : layout_(layout), shapes_(shapes), packed_(packed), rows_(rows), what_(what) {}

  // Scale and zero of group g of row n as f16 bits.
  Status Read(int64_t n, int64_t g, uint16_t& scale_bits, uint16_t& zero_bits) const {
    const float scale = HalfAt(packed_.scales, Index(n, g));
    if (!std::isfinite(scale) || scale < 0.0f) {
      return DataLoss(
          StrCat(what_, ": the scale of row ", n, ", group ", g, " is ", scale, ", a finite number from 0 is needed"));
    }
    scale_bits = packed_.scales.dtype == DType::kF16 ? LoadAt<uint16_t>(packed_.scales.data, Index(n, g))
                                                     : F32ToF16(scale);  // fewer bits; only the range is smaller
    if ((scale_bits & 0x7fffu) >= 0x7c00u) {
      return DataLoss(StrCat(what_, ": the scale of row ", n, ", group ", g, " is ", scale, ", beyond f16's 65504"));
    }
    if (!shapes_.float_zeros) {
      zero_bits = F32ToF16(static_cast<float>(IntegerZero(n, g)));
      return OkStatus();
    }
    const float scaled = HalfAt(packed_.zeros, Index(n, g));
    const float zero = scale == 0.0f ? -scaled : -scaled / scale;
    const float whole = std::nearbyint(zero);
    // The rounding of the stored product moves it by at most 0.0073 in f16, 0.03 in bf16.
    constexpr float kSlack = 0.05f;
    if (!(std::abs(zero - whole) <= kSlack) || whole < 0.0f || whole > 15.0f || (scale == 0.0f && scaled != 0.0f)) {
      return DataLoss(StrCat(what_, ": scale ", scale, " and scaled zero ", scaled, " of row ", n, ", group ", g,
                             " give the zero ", zero, ", not an integer from 0 to 15"));
    }
    zero_bits = F32ToF16(std::abs(whole));
    return OkStatus();
  }

  // Whether the room behind the last group is left empty.
  bool PaddingIsZero(int64_t groups) const {
    for (int64_t n = 0; n < rows_; ++n) {
      for (int64_t g = groups; g < shapes_.stored_groups; ++g) {
        if (HalfAt(packed_.scales, Index(n, g)) != 0.0f) return false;
      }
    }
    return true;
  }

 private:
  int64_t Index(int64_t n, int64_t g) const {
    return shapes_.groups_are_rows ? g * rows_ + n : n * shapes_.stored_groups + g;
  }
  int64_t IntegerZero(int64_t n, int64_t g) const {
    const auto nibble = [&](int64_t word, int64_t place) {
      return static_cast<int64_t>(LoadAt<uint32_t>(packed_.zeros.data, word) >> (4 * place) & 15);
    };
    switch (layout_) {
      case WeightLayout::kAwqGemm: {
        const auto place = std::ranges::find(kGemmOrder, n % 8) - kGemmOrder.begin();
        return nibble(g * (rows_ / 8) + n / 8, place);
      }
      case WeightLayout::kAwqGemv:
        return nibble(n * (shapes_.stored_groups / 8) + g / 8, g % 8);
      case WeightLayout::kGptq:
        return nibble(g * (rows_ / 8) + n / 8, n % 8) + 1;
      case WeightLayout::kGptqV2:
        return nibble(g * (rows_ / 8) + n / 8, n % 8);
      case WeightLayout::kAwqInterleaved:
        break;
    }
    CHECK(false);
  }

  WeightLayout layout_;
  const Layout& shapes_;
  const PackedWeights& packed_;
  int64_t rows_;
  std::string_view what_;
};

// Columns in the order of their groups, equal groups in the order of the file; empty if they lie so already. Every
// group must have `group` columns: only then is the sorted matrix one of equal groups.
StatusOr<std::vector<int32_t>> ColumnOrder(const TensorView& g_idx, int64_t cols, int64_t group,
                                           std::string_view what) {
  if (g_idx.data == nullptr) return std::vector<int32_t>();
  RETURN_IF_ERROR(CheckType(g_idx, g_idx.dtype == DType::kI32, "g_idx", "i32", what));
  RETURN_IF_ERROR(CheckShape(g_idx, {cols}, "g_idx", what));
  const int64_t groups = cols / group;
  std::vector<int64_t> used(static_cast<size_t>(groups));
  bool in_order = true;
  for (int64_t k = 0; k < cols; ++k) {
    const auto g = LoadAt<int32_t>(g_idx.data, k);
    if (g < 0 || g >= groups) {
      return DataLoss(StrCat(what, ": g_idx puts column ", k, " in group ", g, " of ", groups));
    }
    ++used[static_cast<size_t>(g)];
    in_order = in_order && g == k / group;
  }
  for (int64_t g = 0; g < groups; ++g) {
    if (used[static_cast<size_t>(g)] != group) {
      return DataLoss(
          StrCat(what, ": g_idx gives group ", g, " ", used[static_cast<size_t>(g)], " columns, not ", group));
    }
  }
  if (in_order) return std::vector<int32_t>();
  std::vector<int32_t> order(static_cast<size_t>(cols));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int32_t k) { return LoadAt<int32_t>(g_idx.data, k); });
  return order;
}

void PermuteColumns(const std::vector<int32_t>& order, GroupedWeights& weights) {
  std::vector<uint8_t> row(static_cast<size_t>(weights.cols));
  for (int64_t n = 0; n < weights.rows; ++n) {
    uint8_t* const codes = weights.codes.data() + n * weights.cols;
    for (size_t j = 0; j < order.size(); ++j) row[j] = codes[order[j]];
    std::ranges::copy(row, codes);
  }
}

}  // namespace

std::string_view Name(WeightLayout layout) {
  switch (layout) {
    case WeightLayout::kAwqGemm:
      return "AWQ gemm";
    case WeightLayout::kAwqGemv:
      return "AWQ gemv";
    case WeightLayout::kAwqInterleaved:
      return "AWQ v2";
    case WeightLayout::kGptq:
      return "GPTQ";
    case WeightLayout::kGptqV2:
      return "GPTQ v2";
  }
  CHECK(false);
}

int64_t PaddedGroups(int64_t cols, int64_t group) {
  const int64_t base = (cols / group + 7) / 8;
  const int64_t unit = group >= 128 ? 1 : group == 64 ? 2 : 4;
  return 8 * ((base + unit - 1) / unit * unit);
}

StatusOr<int64_t> GroupFromPadding(int64_t cols, int64_t padded_groups, std::string_view what) {
  for (const int64_t group : {128, 64, 32}) {
    if (cols % group == 0 && PaddedGroups(cols, group) == padded_groups) return group;
  }
  return DataLoss(
      StrCat(what, ": room for ", padded_groups, " groups suits no group of 128, 64 or 32 of ", cols, " columns"));
}

StatusOr<UnpackedWeights> Unpack(WeightLayout layout, const PackedWeights& packed, int64_t rows, int64_t cols,
                                 int64_t group, std::string_view what) {
  RETURN_IF_ERROR(CheckDivides(layout, rows, cols, group, what));
  const Layout shapes = LayoutOf(layout, rows, cols, group);
  const std::string_view words = shapes.code_type == DType::kI16 ? "i16" : "i32";
  RETURN_IF_ERROR(CheckShape(packed.qweight, shapes.qweight, "qweight", what));
  RETURN_IF_ERROR(CheckType(packed.qweight, IsWord(packed.qweight.dtype, shapes.code_type), "qweight", words, what));
  RETURN_IF_ERROR(CheckShape(packed.scales, shapes.scales, "scales", what));
  RETURN_IF_ERROR(CheckType(packed.scales, IsHalf(packed.scales.dtype), "scales", "f16 or bf16", what));
  RETURN_IF_ERROR(CheckShape(packed.zeros, shapes.zeros, shapes.float_zeros ? "scaled zeros" : "qzeros", what));
  if (shapes.float_zeros) {
    RETURN_IF_ERROR(CheckType(packed.zeros, IsHalf(packed.zeros.dtype), "scaled zeros", "f16 or bf16", what));
  } else {
    RETURN_IF_ERROR(CheckType(packed.zeros, IsWord(packed.zeros.dtype, DType::kI32), "qzeros", "i32", what));
  }
  UnpackedWeights out;
  ASSIGN_OR_RETURN(out.order, ColumnOrder(packed.g_idx, cols, group, what));
  out.weights = MakeGroupedWeights(rows, cols, group);
  if (shapes.code_type == DType::kI16) {
    ReadCodes<uint16_t>(layout, packed.qweight.data, out.weights);
  } else {
    ReadCodes<uint32_t>(layout, packed.qweight.data, out.weights);
  }
  const GroupReader reader(layout, shapes, packed, rows, what);
  const int64_t groups = cols / group;
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t g = 0; g < groups; ++g) {
      const auto at = static_cast<size_t>(n * groups + g);
      RETURN_IF_ERROR(reader.Read(n, g, out.weights.scales[at], out.weights.zeros[at]));
    }
  }
  out.nonzero_padding = !reader.PaddingIsZero(groups);
  if (!out.order.empty()) PermuteColumns(out.order, out.weights);
  return out;
}

StatusOr<PackedTensors> Pack(WeightLayout layout, const GroupedWeights& weights) {
  const int64_t rows = weights.rows;
  const int64_t groups = weights.cols / weights.group;
  const std::string what = StrCat("a matrix of [", rows, ", ", weights.cols, "]");
  if (const Status divides = CheckDivides(layout, rows, weights.cols, weights.group, what); !divides.ok()) {
    return InvalidArgument(MessageOf(divides));
  }
  const Layout shapes = LayoutOf(layout, rows, weights.cols, weights.group);
  PackedTensors out{.qweight = Tensor(shapes.code_type, shapes.qweight),
                    .scales = Tensor(DType::kF16, shapes.scales),
                    .zeros = Tensor(shapes.float_zeros ? DType::kF16 : DType::kI32, shapes.zeros)};
  if (shapes.code_type == DType::kI16) {
    WriteCodes<uint16_t>(layout, weights, out.qweight.data());
  } else {
    WriteCodes<uint32_t>(layout, weights, out.qweight.data());
  }
  const float least = layout == WeightLayout::kGptq ? 1.0f : 0.0f;
  for (int64_t n = 0; n < rows; ++n) {
    for (int64_t g = 0; g < groups; ++g) {
      const auto at = static_cast<size_t>(n * groups + g);
      const uint16_t scale_bits = weights.scales[at];
      const float zero = F16ToF32(weights.zeros[at]);
      if (!(zero >= least && zero <= least + 15.0f) || zero != std::floor(zero)) {
        return InvalidArgument(StrCat(what, ": the zero of row ", n, ", group ", g, " is ", zero, ", the layout ",
                                      Name(layout), " holds integers from ", least, " to ", least + 15.0f));
      }
      const int64_t index = shapes.groups_are_rows ? g * rows + n : n * shapes.stored_groups + g;
      StoreAt(out.scales.data(), index, scale_bits);
      if (shapes.float_zeros) {
        const uint16_t scaled = F32ToF16(-(F16ToF32(scale_bits) * zero));
        if ((scaled & 0x7fffu) >= 0x7c00u) {
          return InvalidArgument(StrCat(what, ": scale ", F16ToF32(scale_bits), " times zero ", zero, " of row ", n,
                                        ", group ", g, " is beyond f16's 65504"));
        }
        StoreAt(out.zeros.data(), index, scaled);
        continue;
      }
      const auto nibble = static_cast<uint32_t>(zero - least);
      int64_t word = g * (rows / 8) + n / 8;
      int64_t place = n % 8;
      if (layout == WeightLayout::kAwqGemv) {
        word = n * (shapes.stored_groups / 8) + g / 8;
        place = g % 8;
      } else if (layout == WeightLayout::kAwqGemm) {
        place = std::ranges::find(kGemmOrder, n % 8) - kGemmOrder.begin();
      }
      StoreAt(out.zeros.data(), word, LoadAt<uint32_t>(out.zeros.data(), word) | nibble << (4 * place));
    }
  }
  return out;
}

}  // namespace galago
