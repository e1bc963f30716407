#include <arm_neon.h>

#include "src/kernels/cpu/limit_loops-inl.h"

namespace galago::kernels::limits {
namespace {

struct Fma {
  using Register = float32x4_t;
  static Register Load(const Register* p) { return *p; }
  static void Store(Register* p, Register r) { *p = r; }
  static Register Step(Register sum, Register a, Register b) { return vfmaq_f32(sum, a, b); }
};

struct Read {
  using Register = uint64x2_t;
  static Register Load(const Register* p) { return *p; }
  static Register Or(Register a, Register b) { return vorrq_u64(a, b); }
  static uint64_t Fold(Register r) { return vgetq_lane_u64(r, 0) | vgetq_lane_u64(r, 1); }
};

}  // namespace

const ArithmeticLoop kNeonFma = {24 * 4 * 2, Accumulate<Fma, 24>};
uint64_t ReadNeon(const void* data, int64_t num_bytes) noexcept { return ReadAll<Read>(data, num_bytes); }

}  // namespace galago::kernels::limits
