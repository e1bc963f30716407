#ifndef GALAGO_TENSOR_DTYPE_H_
#define GALAGO_TENSOR_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace galago {

// Element types of tensors in files and in memory. The block types are GGUF's: a fixed number of consecutive elements
// of a row share one packed block. The panel types are ours: matrices [N, K] quantised to 4, 6 or 8 bits in the order
// the kernels read them (panel_layout.h), named by their bits and their group.
enum class DType : uint8_t {
  kF32,
  kF16,
  kBF16,
  kF64,
  kI8,
  kU8,
  kI16,
  kU16,
  kI32,
  kU32,
  kI64,
  kU64,
  kBool,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kW4G32,  // in the order of PanelType
  kW4G64,
  kW4G128,
  kW6G16,
  kW6G32,
  kW6G128,
  kW8G16,
  kW8G32,
  kW8G128,
  kW8Row,
};

struct DTypeInfo {
  std::string_view name;  // "f32", "bf16", "q4_k", ...
  size_t block_elements;  // 1 for plain types, 32 or 256 for block types, those of 16 rows of a group for panel types
  size_t block_bytes;     // bytes of block_elements elements; the last two lines of a kW8Row panel are not counted
};

const DTypeInfo& InfoOf(DType dtype);
inline std::string_view DTypeName(DType dtype) { return InfoOf(dtype).name; }
constexpr bool IsBlockType(DType dtype) { return dtype >= DType::kQ4_0 && dtype <= DType::kQ6_K; }
constexpr bool IsPanelType(DType dtype) { return dtype >= DType::kW4G32 && dtype <= DType::kW8Row; }
inline bool IsFloat(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

}  // namespace galago

#endif  // GALAGO_TENSOR_DTYPE_H_
