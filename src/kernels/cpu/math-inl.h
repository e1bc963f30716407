#ifndef GALAGO_KERNELS_CPU_MATH_INL_H_
#define GALAGO_KERNELS_CPU_MATH_INL_H_

#include "src/kernels/kernel_table.h"

// Elementary functions over a vector type V. No call leaves the object, so results are the same on every machine of one
// instruction set.
namespace galago::kernels {

// e^x within 2 units in the last place for x >= -87.3; 0 below (instead of a subnormal), infinity above 88.72.
template <class V>
inline typename V::F32 Exp(typename V::F32 x) {
  using F32 = typename V::F32;
  const F32 lowest = V::Set1(-87.33f);  // just above log(2^-126)
  const F32 clamped = V::Min(V::Set1(89.0f), V::Max(lowest, x));
  // x = n log(2) + r, |r| <= log(2) / 2; log(2) in two pieces, the first exact in 10 bits.
  const F32 n = V::Round(V::Mul(clamped, V::Set1(1.44269504f)));
  F32 r = V::NegMulAdd(n, V::Set1(0.693359375f), clamped);
  r = V::NegMulAdd(n, V::Set1(-2.12194440e-4f), r);
  // Taylor series to r^7 / 7!; the rest is below 6e-9 of the result.
  F32 p = V::Set1(1.0f / 5040);
  p = V::MulAdd(p, r, V::Set1(1.0f / 720));
  p = V::MulAdd(p, r, V::Set1(1.0f / 120));
  p = V::MulAdd(p, r, V::Set1(1.0f / 24));
  p = V::MulAdd(p, r, V::Set1(1.0f / 6));
  p = V::MulAdd(p, r, V::Set1(0.5f));
  p = V::MulAdd(p, r, V::Set1(1.0f));
  p = V::MulAdd(p, r, V::Set1(1.0f));
  return V::IfLess(x, lowest, V::Zero(), V::ScaleByPow2(p, n));
}

// x / (1 + e^-y): x times the logistic function of y.
template <class V>
inline typename V::F32 MulSigmoid(typename V::F32 x, typename V::F32 y) {
  const auto one = V::Set1(1.0f);
  return V::Div(x, V::Add(one, Exp<V>(V::Sub(V::Zero(), y))));
}

// The normal distribution function (1 + erf(x / sqrt(2))) / 2, within 2e-7. With z = |x| / sqrt(2) and t = 1 / (1 + 0.4
// z), erfc(z) = e^(-z^2) P(t); P interpolates erfc(z) e^(z^2) at the Chebyshev nodes of z in [0, 10] to 9e-9 of its
// value.
template <class V>
inline typename V::F32 NormalCdf(typename V::F32 x) {
  using F32 = typename V::F32;
  const F32 one = V::Set1(1.0f);
  const F32 z = V::Mul(V::Abs(x), V::Set1(0.707106781f));
  const F32 t = V::Div(one, V::MulAdd(z, V::Set1(0.4f), one));
  F32 p = V::Set1(-4.199786127e-02f);
  p = V::MulAdd(p, t, V::Set1(2.697051546e-01f));
  p = V::MulAdd(p, t, V::Set1(-6.803849764e-01f));
  p = V::MulAdd(p, t, V::Set1(8.123136266e-01f));
  p = V::MulAdd(p, t, V::Set1(-5.303877281e-01f));
  p = V::MulAdd(p, t, V::Set1(4.238186374e-01f));
  p = V::MulAdd(p, t, V::Set1(6.682731532e-02f));
  p = V::MulAdd(p, t, V::Set1(2.321547786e-01f));
  p = V::MulAdd(p, t, V::Set1(2.219602494e-01f));
  p = V::MulAdd(p, t, V::Set1(2.260035624e-01f));
  p = V::MulAdd(p, t, V::Set1(-1.275889235e-05f));
  const F32 exponent = V::Mul(V::Mul(x, x), V::Set1(-0.5f));
  const F32 upper_tail = V::Mul(V::Set1(0.5f), V::Mul(Exp<V>(exponent), p));
  return V::IfLess(x, V::Zero(), upper_tail, V::Sub(one, upper_tail));
}

// clamp(x + 3, 0, 6) / 6.
template <class V>
inline typename V::F32 HardSigmoid(typename V::F32 x) {
  const auto shifted = V::Max(V::Zero(), V::Add(x, V::Set1(3.0f)));
  return V::Div(V::Min(V::Set1(6.0f), shifted), V::Set1(6.0f));
}

template <class V, Activation kActivation>
inline typename V::F32 Activated(typename V::F32 x) {
  if constexpr (kActivation == Activation::kNone) return x;
  if constexpr (kActivation == Activation::kGeluTanh) {
    // (1 + tanh(u)) / 2 is the logistic function of 2 u.
    const auto cubic = V::MulAdd(V::Mul(x, x), V::Set1(0.044715f), V::Set1(1.0f));
    return MulSigmoid<V>(x, V::Mul(V::Mul(x, cubic), V::Set1(1.595769122f)));  // 2 sqrt(2 / pi)
  }
  if constexpr (kActivation == Activation::kGeluErf) return V::Mul(x, NormalCdf<V>(x));
  if constexpr (kActivation == Activation::kQuickGelu) return MulSigmoid<V>(x, V::Mul(x, V::Set1(1.702f)));
  if constexpr (kActivation == Activation::kSilu) return MulSigmoid<V>(x, x);
  if constexpr (kActivation == Activation::kRelu) return V::Max(V::Zero(), x);
  if constexpr (kActivation == Activation::kHardSwish) return V::Mul(x, HardSigmoid<V>(x));
  if constexpr (kActivation == Activation::kHardSigmoid) return HardSigmoid<V>(x);
}

// Calls f.template operator()<activation>(): the choice is made once, outside the loops.
template <class F>
inline void WithActivation(Activation activation, const F& f) {
  switch (activation) {
    case Activation::kNone:
      return f.template operator()<Activation::kNone>();
    case Activation::kGeluTanh:
      return f.template operator()<Activation::kGeluTanh>();
    case Activation::kGeluErf:
      return f.template operator()<Activation::kGeluErf>();
    case Activation::kQuickGelu:
      return f.template operator()<Activation::kQuickGelu>();
    case Activation::kSilu:
      return f.template operator()<Activation::kSilu>();
    case Activation::kRelu:
      return f.template operator()<Activation::kRelu>();
    case Activation::kHardSwish:
      return f.template operator()<Activation::kHardSwish>();
    case Activation::kHardSigmoid:
      return f.template operator()<Activation::kHardSigmoid>();
  }
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_MATH_INL_H_
