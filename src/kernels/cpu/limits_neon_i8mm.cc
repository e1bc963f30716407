#include <arm_neon.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

// Two rows times two columns, eight products each.
struct MatMul {
  using Register = int32x4_t;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) {
    return vmmlaq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
};

}  // namespace

const ArithmeticLoop kNeonI8mm = {24 * 32 * 2, Accumulate<MatMul, 24>};

}  // namespace galago::kernels::limits
