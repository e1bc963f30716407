#ifndef GALAGO_KERNELS_CPU_LIMIT_LOOPS_INL_H_
#define GALAGO_KERNELS_CPU_LIMIT_LOOPS_INL_H_

#include "src/kernels/cpu/limit_loops.h"

// The two loops, for any instruction set. Each object has its own copy (unnamed namespace), built with its own flags.
namespace galago::kernels::limits {
namespace {

// Op: a register type Register, static Load(p), Store(p, r), and Step(sum, a, b). kSums sums and the two operands must
// fit the registers.
template <class Op, int kSums>
void Accumulate(int64_t rounds, const void* data, void* sums) noexcept {
  using Register = typename Op::Register;
  const auto* from = static_cast<const Register*>(data);
  const Register a = Op::Load(from), b = Op::Load(from + 1);
  Register sum[kSums];
  for (int i = 0; i < kSums; ++i) sum[i] = Op::Load(from + 2);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 32
    for (int i = 0; i < kSums; ++i) sum[i] = Op::Step(sum[i], a, b);
  }
  static_assert(kSums * sizeof(Register) <= kLimitBytes);
  for (int i = 0; i < kSums; ++i) Op::Store(static_cast<Register*>(sums) + i, sum[i]);
}

// Op: Register of 8-byte integers, Load, Or and Fold into one number.
template <class Op>
uint64_t ReadAll(const void* data, int64_t num_bytes) noexcept {
  using Register = typename Op::Register;
  constexpr int kSums = 8;
  constexpr int64_t kStep = kSums * static_cast<int64_t>(sizeof(Register));
  static_assert(kReadBlock % kStep == 0);
  const auto* at = static_cast<const Register*>(data);
  Register sum[kSums];
  for (int i = 0; i < kSums; ++i) sum[i] = Op::Load(at + i);
  for (int64_t done = 0; done < num_bytes; done += kStep, at += kSums) {
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) sum[i] = Op::Or(sum[i], Op::Load(at + i));
  }
  for (int i = 1; i < kSums; ++i) sum[0] = Op::Or(sum[0], sum[i]);
  return Op::Fold(sum[0]);
}

}  // namespace
}  // namespace galago::kernels::limits

#endif  // GALAGO_KERNELS_CPU_LIMIT_LOOPS_INL_H_
