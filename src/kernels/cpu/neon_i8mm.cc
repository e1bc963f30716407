#include "src/kernels/cpu/int8_neon_dot.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/cpu/panel_gemm-inl.h"

namespace galago::kernels::neon_i8mm {
namespace {

// SMMLA: two rows times two outputs, eight columns each. Single rows go by SDOT.
struct Int8 : neon_dot::Int8 {
  static Ints MulAddPairs(Ints sums, Bytes rows, Bytes outputs) { return vmmlaq_s32(sums, rows, outputs); }
  // Four columns of each of two rows that stand one behind the other, and the next four.
  static Bytes TwoRows(const void* first, const void* rest) {
    int32x2_t a, b;
    __builtin_memcpy(&a, first, sizeof(a));
    __builtin_memcpy(&b, rest, sizeof(b));
    return vreinterpretq_s8_s32(vcombine_s32(vzip1_s32(a, b), vzip2_s32(a, b)));
  }
  // Eight columns of outputs 0 and 1, of outputs 2 and 3.
  static Bytes FirstOutputs(Bytes first, Bytes rest) {
    return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_s8(first), vreinterpretq_s32_s8(rest)));
  }
  static Bytes LastOutputs(Bytes first, Bytes rest) {
    return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_s8(first), vreinterpretq_s32_s8(rest)));
  }
  // Four outputs of one row and of the next, as outputs 0 and 1 of both and outputs 2 and 3 of both; and back.
  static void SwapHalves(Ints& a, Ints& b) {
    const int64x2_t x = vreinterpretq_s64_s32(a), y = vreinterpretq_s64_s32(b);
    a = vreinterpretq_s32_s64(vzip1q_s64(x, y));
    b = vreinterpretq_s32_s64(vzip2q_s64(x, y));
  }
};

}  // namespace

void Override(KernelTable& table) { OverrideInt8Gemm<Int8>(table); }

}  // namespace galago::kernels::neon_i8mm
