#ifndef GALAGO_KERNELS_CPU_ELEMENTWISE_INL_H_
#define GALAGO_KERNELS_CPU_ELEMENTWISE_INL_H_

#include "src/kernels/cpu/math-inl.h"

namespace galago::kernels {

// body.Full(i) for each whole vector of [0, n), then body.Tail(i, count) for what is left.
template <class V, class Body>
inline void ForVectors(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) body.Full(i);
  if (i < n) body.Tail(i, n - i);
}

// out[i] = op(x[i]) and out[i] = op(a[i], b[i]).
template <class V, class Op>
struct UnaryLoop {
  const float* x;
  float* out;
  Op op;
  void Full(int64_t i) const { V::Store(out + i, op(V::Load(x + i))); }
  void Tail(int64_t i, int64_t n) const { V::StoreN(out + i, op(V::LoadN(x + i, n)), n); }
};
template <class V, class Op>
struct BinaryLoop {
  const float* a;
  const float* b;
  float* out;
  Op op;
  void Full(int64_t i) const { V::Store(out + i, op(V::Load(a + i), V::Load(b + i))); }
  void Tail(int64_t i, int64_t n) const { V::StoreN(out + i, op(V::LoadN(a + i, n), V::LoadN(b + i, n)), n); }
};
template <class V, class Op>
inline void Unary(const float* x, float* out, int64_t n, const Op& op) {
  ForVectors<V>(n, UnaryLoop<V, Op>{x, out, op});
}
template <class V, class Op>
inline void Binary(const float* a, const float* b, float* out, int64_t n, const Op& op) {
  ForVectors<V>(n, BinaryLoop<V, Op>{a, b, out, op});
}

template <class V>
void Activate(Activation activation, const float* x, float* out, int64_t n) noexcept {
  using F32 = typename V::F32;
  WithActivation(activation, [&]<Activation kActivation>() {
    Unary<V>(x, out, n, [](F32 value) { return Activated<V, kActivation>(value); });
  });
}

template <class V>
void ActivateMultiply(Activation activation, const float* gate, const float* up, float* out, int64_t n) noexcept {
  using F32 = typename V::F32;
  WithActivation(activation, [&]<Activation kActivation>() {
    Binary<V>(gate, up, out, n, [](F32 g, F32 u) { return V::Mul(Activated<V, kActivation>(g), u); });
  });
}

template <class V>
void Add(const float* a, const float* b, float* out, int64_t n) noexcept {
  Binary<V>(a, b, out, n, [](typename V::F32 x, typename V::F32 y) { return V::Add(x, y); });
}

template <class V>
void Multiply(const float* a, const float* b, float* out, int64_t n) noexcept {
  Binary<V>(a, b, out, n, [](typename V::F32 x, typename V::F32 y) { return V::Mul(x, y); });
}

template <class V, Activation kActivation>
struct EpilogueRow {
  const float* c;
  const float* bias;
  const float* scale;
  const float* residual;
  float* out;

  void Full(int64_t i) const { V::Store(out + i, Value(i, V::kLanes)); }
  void Tail(int64_t i, int64_t n) const { V::StoreN(out + i, Value(i, n), n); }

 private:
  static typename V::F32 At(const float* p, int64_t n) { return n == V::kLanes ? V::Load(p) : V::LoadN(p, n); }
  typename V::F32 Value(int64_t i, int64_t n) const {
    auto value = At(c + i, n);
    if (bias != nullptr) value = V::Add(value, At(bias + i, n));
    value = Activated<V, kActivation>(value);
    if (scale != nullptr) value = V::Mul(value, At(scale + i, n));
    if (residual != nullptr) value = V::Add(value, At(residual + i, n));
    return value;
  }
};

template <class V>
void Epilogue(const EpilogueArgs& args) noexcept {
  WithActivation(args.activation, [&]<Activation kActivation>() {
    for (int64_t i = 0; i < args.m; ++i) {
      const float* residual = args.residual != nullptr ? args.residual + i * args.ld_residual : nullptr;
      ForVectors<V>(args.n, EpilogueRow<V, kActivation>{args.c + i * args.ldc, args.bias, args.scale, residual,
                                                        args.out + i * args.ld_out});
    }
  });
}

template <class V, FloatType kType>
struct WidenLoop {
  const char* in;
  float* out;
  void Full(int64_t i) const { V::Store(out + i, V::template LoadAs<kType>(in + i * SizeOf(kType))); }
  void Tail(int64_t i, int64_t n) const {
    V::StoreN(out + i, V::template LoadAsN<kType>(in + i * SizeOf(kType), n), n);
  }
};
template <class V, FloatType kType>
struct NarrowLoop {
  const float* in;
  char* out;
  void Full(int64_t i) const { V::template StoreAs<kType>(out + i * SizeOf(kType), V::Load(in + i)); }
  void Tail(int64_t i, int64_t n) const {
    V::template StoreAsN<kType>(out + i * SizeOf(kType), V::LoadN(in + i, n), n);
  }
};

template <class V>
void ToF32(FloatType type, const void* in, float* out, int64_t n) noexcept {
  const auto* bytes = static_cast<const char*>(in);
  if (type == FloatType::kF32) ForVectors<V>(n, WidenLoop<V, FloatType::kF32>{bytes, out});
  if (type == FloatType::kF16) ForVectors<V>(n, WidenLoop<V, FloatType::kF16>{bytes, out});
  if (type == FloatType::kBF16) ForVectors<V>(n, WidenLoop<V, FloatType::kBF16>{bytes, out});
}

template <class V>
void FromF32(FloatType type, const float* in, void* out, int64_t n) noexcept {
  auto* bytes = static_cast<char*>(out);
  if (type == FloatType::kF32) ForVectors<V>(n, NarrowLoop<V, FloatType::kF32>{in, bytes});
  if (type == FloatType::kF16) ForVectors<V>(n, NarrowLoop<V, FloatType::kF16>{in, bytes});
  if (type == FloatType::kBF16) ForVectors<V>(n, NarrowLoop<V, FloatType::kBF16>{in, bytes});
}

// Sums of f(x[i]) over a row, in kLanes running sums.
template <class V, class F>
inline float SumOver(const float* x, int64_t n, const F& f) {
  auto sum = V::Zero();
  int64_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) sum = V::Add(sum, f(V::Load(x + i)));
  float tail = 0.0f;
  if (i < n) {
    float last[V::kLanes];
    V::Store(last, f(V::LoadN(x + i, n - i)));
    for (int64_t j = 0; j < n - i; ++j) tail += last[j];  // f of the zeros beyond need not be zero
  }
  return V::Sum(sum) + tail;
}

template <class V>
inline float SquareRoot(float x) {
  float lanes[V::kLanes];
  V::Store(lanes, V::Sqrt(V::Set1(x)));
  return lanes[0];
}

template <class V>
struct NormRow {
  const float* x;
  const float* weight;
  const float* bias;
  float* out;
  typename V::F32 mean, scale;

  void Full(int64_t i) const { V::Store(out + i, Value(i, V::kLanes)); }
  void Tail(int64_t i, int64_t n) const { V::StoreN(out + i, Value(i, n), n); }

 private:
  static typename V::F32 At(const float* p, int64_t n) { return n == V::kLanes ? V::Load(p) : V::LoadN(p, n); }
  typename V::F32 Value(int64_t i, int64_t n) const {
    const auto value = V::Mul(V::Mul(V::Sub(At(x + i, n), mean), scale), At(weight + i, n));
    return bias != nullptr ? V::Add(value, At(bias + i, n)) : value;
  }
};

template <class V>
void LayerNorm(const NormArgs& args) noexcept {
  const auto count = static_cast<float>(args.cols);
  for (int64_t i = 0; i < args.rows; ++i) {
    const float* x = args.x + i * args.ldx;
    const auto mean = V::Set1(SumOver<V>(x, args.cols, [](typename V::F32 v) { return v; }) / count);
    const float squares = SumOver<V>(x, args.cols, [&](typename V::F32 v) {
      const auto centred = V::Sub(v, mean);
      return V::Mul(centred, centred);
    });
    const float scale = 1.0f / SquareRoot<V>(squares / count + args.eps);
    ForVectors<V>(args.cols, NormRow<V>{x, args.weight, args.bias, args.out + i * args.ld_out, mean, V::Set1(scale)});
  }
}

template <class V>
void RmsNorm(const NormArgs& args) noexcept {
  for (int64_t i = 0; i < args.rows; ++i) {
    const float* x = args.x + i * args.ldx;
    const float squares = SumOver<V>(x, args.cols, [](typename V::F32 v) { return V::Mul(v, v); });
    const float scale = 1.0f / SquareRoot<V>(squares / static_cast<float>(args.cols) + args.eps);
    ForVectors<V>(args.cols,
                  NormRow<V>{x, args.weight, nullptr, args.out + i * args.ld_out, V::Zero(), V::Set1(scale)});
  }
}

// Half-split pairs of one head; channels beyond the last whole vector one at a time, with the same roundings.
template <class V>
inline void RotateHalves(float* x, const float* cos, const float* sin, int64_t half) {
  int64_t i = 0;
  for (; i + V::kLanes <= half; i += V::kLanes) {
    const auto a = V::Load(x + i), b = V::Load(x + half + i);
    const auto c = V::Load(cos + i), s = V::Load(sin + i);
    V::Store(x + i, V::Sub(V::Mul(a, c), V::Mul(b, s)));
    V::Store(x + half + i, V::Add(V::Mul(b, c), V::Mul(a, s)));
  }
  for (; i < half; ++i) {
    const float a = x[i], b = x[half + i];
    x[i] = a * cos[i] - b * sin[i];
    x[half + i] = b * cos[i] + a * sin[i];
  }
}

template <class V>
void Rope(const RopeArgs& args) noexcept {
  const int64_t half = args.head_dim / 2;
  for (int64_t t = 0; t < args.rows; ++t) {
    const float* cos = args.cos + t * half;
    const float* sin = args.sin + t * half;
    for (int64_t head = 0; head < args.heads; ++head) {
      float* x = args.x + t * args.ldx + head * args.head_dim;
      if (args.pairs == RopePairs::kHalfSplit) {
        RotateHalves<V>(x, cos, sin, half);
        continue;
      }
      for (int64_t i = 0; i < half; ++i) {
        const float a = x[2 * i], b = x[2 * i + 1];
        x[2 * i] = a * cos[i] - b * sin[i];
        x[2 * i + 1] = b * cos[i] + a * sin[i];
      }
    }
  }
}

template <class V>
void OverrideElementwise(KernelTable& table) {
  table.activate = Activate<V>;
  table.activate_multiply = ActivateMultiply<V>;
  table.add = Add<V>;
  table.multiply = Multiply<V>;
  table.epilogue = Epilogue<V>;
  table.to_f32 = ToF32<V>;
  table.from_f32 = FromF32<V>;
  table.layer_norm = LayerNorm<V>;
  table.rms_norm = RmsNorm<V>;
  table.rope = Rope<V>;
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_ELEMENTWISE_INL_H_
