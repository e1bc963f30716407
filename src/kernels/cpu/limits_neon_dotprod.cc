#include <arm_neon.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Dot {
  using Register = int32x4_t;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b));
  }
};

}  // namespace

const ArithmeticLoop kNeonDotprod = {24 * 16 * 2, Accumulate<Dot, 24>};

}  // namespace galago::kernels::limits
