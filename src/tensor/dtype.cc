#include "src/tensor/dtype.h"

#include <array>

#include "src/base/check.h"

namespace galago {
namespace {

// In the order of the enum.
constexpr std::array<DTypeInfo, 33> kInfo = {{
    {"f32", 1, 4},          {"f16", 1, 2},          {"bf16", 1, 2},        {"f64", 1, 8},          {"i8", 1, 1},
    {"u8", 1, 1},           {"i16", 1, 2},          {"u16", 1, 2},         {"i32", 1, 4},          {"u32", 1, 4},
    {"i64", 1, 8},          {"u64", 1, 8},          {"bool", 1, 1},        {"q4_0", 32, 18},       {"q4_1", 32, 20},
    {"q5_0", 32, 22},       {"q5_1", 32, 24},       {"q8_0", 32, 34},      {"q2_k", 256, 84},      {"q3_k", 256, 110},
    {"q4_k", 256, 144},     {"q5_k", 256, 176},     {"q6_k", 256, 210},    {"w4g32", 512, 320},    {"w4g64", 1024, 576},
    {"w4g128", 2048, 1088}, {"w6g16", 256, 256},    {"w6g32", 512, 448},   {"w6g128", 2048, 1600}, {"w8g16", 256, 320},
    {"w8g32", 512, 576},    {"w8g128", 2048, 2112}, {"w8row", 1024, 1024},
}};
static_assert(static_cast<size_t>(DType::kW8Row) + 1 == kInfo.size());

}  // namespace

const DTypeInfo& InfoOf(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  CHECK_LT(index, kInfo.size());
  return kInfo[index];
}

}  // namespace galago
