#include <arm_neon.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

// Two rows times two columns, four products each.
struct MatMul {
  using Register = float32x4_t;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) {
    return vbfmmlaq_f32(sum, vreinterpretq_bf16_f32(a), vreinterpretq_bf16_f32(b));
  }
};

}  // namespace

const ArithmeticLoop kNeonBf16 = {24 * 16 * 2, Accumulate<MatMul, 24>};

}  // namespace galago::kernels::limits
