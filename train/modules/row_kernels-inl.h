// No include guard: each row_kernels_ISA.cc includes this once and says what the table is called.
#include <cstdint>
#include <cstring>

#include "train/modules/row_kernels.h"

#ifndef GALAGO_ROW_TABLE
#error "define GALAGO_ROW_TABLE"
#endif

namespace galago::train {
namespace {

inline float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
inline uint32_t ToBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

inline float Load(float value) { return value; }
inline float Load(uint16_t bits) { return FromBits(static_cast<uint32_t>(bits) << 16); }
inline void Store(float& to, float value) { to = value; }
// Round to nearest even; NaNs of arithmetic have no low bits that the addition could carry out of.
inline void Store(uint16_t& to, float value) {
  const uint32_t bits = ToBits(value);
  to = static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// e^x to about 1e-7, without branches: 2^n by its bits, the rest by Taylor to degree 7 on +-ln(2)/2.
inline float Exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float scaled = x * 1.44269504088896341f;
  const float half = FromBits((ToBits(scaled) & 0x80000000u) | 0x3f000000u);  // of the sign of `scaled`
  const auto n = static_cast<int32_t>(scaled + half);
  const auto whole = static_cast<float>(n);
  const float r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * FromBits(static_cast<uint32_t>(n + 127) << 23);
}

inline float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

struct Value {
  float y;      // f(x)
  float slope;  // f'(x)
};

template <RowActivation kActivation>
inline Value Activate(float x) {
  if constexpr (kActivation == RowActivation::kGeluErf) {
    // Phi by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7; its exponential is the density's.
    const float a = x < 0.0f ? -x : x;
    const float t = 1.0f / (1.0f + 0.3275911f * 0.70710678118654752f * a);
    const float e = Exp(-0.5f * x * x);
    const float tail =
        0.5f * e * t *
        (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    const float phi = x < 0.0f ? tail : 1.0f - tail;
    return {x * phi, phi + x * 0.39894228040143268f * e};
  } else {
    // x * sigmoid(z(x)) for all others: gelu's tanh form is that with z = 2 sqrt(2 / pi) (x + 0.044715 x^3).
    float z = x;
    float dz = 1.0f;
    if constexpr (kActivation == RowActivation::kGeluTanh) {
      z = 1.5957691216057308f * (x + 0.044715f * x * x * x);
      dz = 1.5957691216057308f * (1.0f + 3.0f * 0.044715f * x * x);
    } else if constexpr (kActivation == RowActivation::kQuickGelu) {
      z = 1.702f * x;
      dz = 1.702f;
    }
    const float s = Sigmoid(z);
    return {x * s, s + x * s * (1.0f - s) * dz};
  }
}

template <class T>
void AddNorm(const AddNormArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t d = args.width;
  const float inverse = 1.0f / static_cast<float>(d);
  for (int64_t row = begin; row < end; ++row) {
    const float* x = args.h + row * d;
    if (args.delta != nullptr) {
      float* out = args.h_out + row * d;
      const T* delta = args.delta + row * d;
      if (args.bias == nullptr && args.scale == nullptr) {
        for (int64_t i = 0; i < d; ++i) out[i] = x[i] + Load(delta[i]);
      } else if (args.scale == nullptr) {
        for (int64_t i = 0; i < d; ++i) out[i] = x[i] + (Load(delta[i]) + args.bias[i]);
      } else if (args.bias == nullptr) {
        for (int64_t i = 0; i < d; ++i) out[i] = x[i] + Load(delta[i]) * args.scale[i];
      } else {
        for (int64_t i = 0; i < d; ++i) out[i] = x[i] + (Load(delta[i]) + args.bias[i]) * args.scale[i];
      }
      x = out;
    }
    if (args.norm == RowNorm::kNone) continue;
    float mean = 0.0f;
    if (args.norm == RowNorm::kLayerNorm) {
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < d; ++i) sum += x[i];
      mean = sum * inverse;
      args.mean[row] = mean;
    }
    float squares = 0.0f;
#pragma omp simd reduction(+ : squares)
    for (int64_t i = 0; i < d; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1.0f / __builtin_sqrtf(squares * inverse + args.eps);
    args.rstd[row] = rstd;
    T* y = args.y + row * d;
    if (args.shift != nullptr) {
      for (int64_t i = 0; i < d; ++i) Store(y[i], (x[i] - mean) * rstd * args.gain[i] + args.shift[i]);
    } else {
      for (int64_t i = 0; i < d; ++i) Store(y[i], (x[i] - mean) * rstd * args.gain[i]);
    }
  }
}

template <class T>
void AddNormBackward(const AddNormBackwardArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t d = args.width;
  const float inverse = 1.0f / static_cast<float>(d);
  for (int64_t row = begin; row < end; ++row) {
    float* dh = args.dh + row * d;
    const float* dh_out = args.dh_out != nullptr ? args.dh_out + row * d : nullptr;
    if (args.norm == RowNorm::kNone || args.dy == nullptr) {
      for (int64_t i = 0; i < d; ++i) dh[i] = dh_out != nullptr ? dh_out[i] : 0.0f;
    } else {
      const float* x = args.h_out + row * d;
      const T* dy = args.dy + row * d;
      const float mean = args.norm == RowNorm::kLayerNorm ? args.mean[row] : 0.0f;
      const float rstd = args.rstd[row];
      float sum_g = 0.0f;
      float sum_gx = 0.0f;
#pragma omp simd reduction(+ : sum_g, sum_gx)
      for (int64_t i = 0; i < d; ++i) {
        const float g = Load(dy[i]) * args.gain[i];
        sum_g += g;
        sum_gx += g * ((x[i] - mean) * rstd);
      }
      const float mean_g = args.norm == RowNorm::kLayerNorm ? sum_g * inverse : 0.0f;
      const float mean_gx = sum_gx * inverse;
      if (dh_out != nullptr) {
        for (int64_t i = 0; i < d; ++i) {
          dh[i] = dh_out[i] + rstd * (Load(dy[i]) * args.gain[i] - mean_g - (x[i] - mean) * rstd * mean_gx);
        }
      } else {
        for (int64_t i = 0; i < d; ++i) {
          dh[i] = rstd * (Load(dy[i]) * args.gain[i] - mean_g - (x[i] - mean) * rstd * mean_gx);
        }
      }
      if (args.d_gain != nullptr) {
        for (int64_t i = 0; i < d; ++i) args.d_gain[i] += Load(dy[i]) * ((x[i] - mean) * rstd);
      }
      if (args.d_shift != nullptr) {
        for (int64_t i = 0; i < d; ++i) args.d_shift[i] += Load(dy[i]);
      }
    }
    if (args.d_delta != nullptr) {
      T* d_delta = args.d_delta + row * d;
      if (args.scale != nullptr) {
        for (int64_t i = 0; i < d; ++i) Store(d_delta[i], dh[i] * args.scale[i]);
      } else {
        for (int64_t i = 0; i < d; ++i) Store(d_delta[i], dh[i]);
      }
    }
    if (args.d_bias != nullptr) {
      if (args.scale != nullptr) {
        for (int64_t i = 0; i < d; ++i) args.d_bias[i] += dh[i] * args.scale[i];
      } else {
        for (int64_t i = 0; i < d; ++i) args.d_bias[i] += dh[i];
      }
    }
    if (args.d_scale != nullptr) {
      const T* delta = args.delta + row * d;
      for (int64_t i = 0; i < d; ++i) {
        args.d_scale[i] += dh[i] * (Load(delta[i]) + (args.bias != nullptr ? args.bias[i] : 0.0f));
      }
    }
  }
}

template <class T, RowActivation kActivation>
void ActivationRows(const ActivationArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t f = args.width;
  for (int64_t row = begin; row < end; ++row) {
    const T* __restrict x = args.x + row * f;
    const float* __restrict bias = args.bias;
    T* __restrict y = args.y + row * f;
    if (bias != nullptr) {
      for (int64_t i = 0; i < f; ++i) Store(y[i], Activate<kActivation>(Load(x[i]) + bias[i]).y);
    } else {
      for (int64_t i = 0; i < f; ++i) Store(y[i], Activate<kActivation>(Load(x[i])).y);
    }
  }
}

template <class T, RowActivation kActivation>
void ActivationBackwardRows(const ActivationArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t f = args.width;
  for (int64_t row = begin; row < end; ++row) {
    const T* __restrict x = args.x + row * f;
    const T* __restrict dy = args.dy + row * f;
    const float* __restrict bias = args.bias;
    T* __restrict dx = args.dx + row * f;
    float* __restrict d_bias = args.d_bias;
    if (bias != nullptr && d_bias != nullptr) {
      for (int64_t i = 0; i < f; ++i) {
        const float g = Load(dy[i]) * Activate<kActivation>(Load(x[i]) + bias[i]).slope;
        Store(dx[i], g);
        d_bias[i] += g;
      }
    } else {
      for (int64_t i = 0; i < f; ++i) {
        const float at = Load(x[i]) + (bias != nullptr ? bias[i] : 0.0f);
        Store(dx[i], Load(dy[i]) * Activate<kActivation>(at).slope);
      }
    }
  }
}

// body.operator()<kActivation>() for the activation the arguments name.
template <class T, class Body>
void ForActivation(const ActivationArgs<T>& args, const Body& body) {
  switch (args.activation) {
    case RowActivation::kGeluTanh:
      return body.template operator()<RowActivation::kGeluTanh>();
    case RowActivation::kGeluErf:
      return body.template operator()<RowActivation::kGeluErf>();
    case RowActivation::kQuickGelu:
      return body.template operator()<RowActivation::kQuickGelu>();
    case RowActivation::kSilu:
      return body.template operator()<RowActivation::kSilu>();
  }
}

template <class T>
void ActivationForward(const ActivationArgs<T>& args, int64_t begin, int64_t end) {
  ForActivation(args, [&]<RowActivation kActivation>() { ActivationRows<T, kActivation>(args, begin, end); });
}

template <class T>
void ActivationBackward(const ActivationArgs<T>& args, int64_t begin, int64_t end) {
  ForActivation(args, [&]<RowActivation kActivation>() { ActivationBackwardRows<T, kActivation>(args, begin, end); });
}

template <class T>
void SwiGlu(const SwiGluArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t f = args.width;
  for (int64_t row = begin; row < end; ++row) {
    const T* __restrict gate = args.gate_up + row * 2 * f;
    const T* __restrict up = gate + f;
    T* __restrict y = args.y + row * f;
    for (int64_t i = 0; i < f; ++i) Store(y[i], Activate<RowActivation::kSilu>(Load(gate[i])).y * Load(up[i]));
  }
}

template <class T>
void SwiGluBackward(const SwiGluArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t f = args.width;
  for (int64_t row = begin; row < end; ++row) {
    const T* __restrict gate = args.gate_up + row * 2 * f;
    const T* __restrict up = gate + f;
    const T* __restrict dy = args.dy + row * f;
    T* __restrict d_gate = args.d_gate_up + row * 2 * f;
    T* __restrict d_up = d_gate + f;
    for (int64_t i = 0; i < f; ++i) {
      const Value value = Activate<RowActivation::kSilu>(Load(gate[i]));
      const float g = Load(dy[i]);
      Store(d_gate[i], g * Load(up[i]) * value.slope);
      Store(d_up[i], g * value.y);
    }
  }
}

// Columns that a row of the batch sees; 0 for padding.
template <class T>
int64_t Visible(const SoftmaxArgs<T>& args, int64_t batch, int64_t row) {
  const int64_t length = args.lengths != nullptr ? args.lengths[batch / args.batches_per_length] : args.columns;
  const int64_t position = row % args.columns;
  if (position >= length) return 0;
  return args.causal ? position + 1 : length;
}

template <class T>
void Softmax(const SoftmaxArgs<T>& args, int64_t begin, int64_t end) {
  for (int64_t batch = begin; batch < end; ++batch) {
    for (int64_t row = 0; row < args.rows; ++row) {
      T* __restrict s = args.scores + (batch * args.rows + row) * args.columns;
      const int64_t n = Visible(args, batch, row);
      float top = -3.0e38f;
#pragma omp simd reduction(max : top)
      for (int64_t i = 0; i < n; ++i) {
        const float x = Load(s[i]);
        top = x > top ? x : top;
      }
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < n; ++i) sum += Exp((Load(s[i]) - top) * args.scale);
      const float inverse = 1.0f / sum;
      for (int64_t i = 0; i < n; ++i) Store(s[i], Exp((Load(s[i]) - top) * args.scale) * inverse);
      for (int64_t i = n; i < args.columns; ++i) Store(s[i], 0.0f);
    }
  }
}

template <class T>
void SoftmaxBackward(const SoftmaxArgs<T>& args, int64_t begin, int64_t end) {
  for (int64_t batch = begin; batch < end; ++batch) {
    for (int64_t row = 0; row < args.rows; ++row) {
      const int64_t at = (batch * args.rows + row) * args.columns;
      const T* __restrict p = args.probs + at;
      T* __restrict g = args.d_scores + at;
      const int64_t n = Visible(args, batch, row);
      float dot = 0.0f;
#pragma omp simd reduction(+ : dot)
      for (int64_t i = 0; i < n; ++i) dot += Load(p[i]) * Load(g[i]);
      for (int64_t i = 0; i < n; ++i) Store(g[i], Load(p[i]) * (Load(g[i]) - dot) * args.scale);
      for (int64_t i = n; i < args.columns; ++i) Store(g[i], 0.0f);
    }
  }
}

template <class T>
void ToHeads(const HeadsArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t h = args.head_dim;
  const int64_t half = h / 2;
  for (int64_t segment = begin; segment < end; ++segment) {
    const int64_t first = args.first_rows[segment];
    const int64_t length = args.lengths[segment];
    for (int64_t row = 0; row < length; ++row) {
      const float* c = nullptr;
      const float* s = nullptr;
      if (args.rotary != 0) {
        c = args.cosines + args.positions[first + row] * half;
        s = args.sines + args.positions[first + row] * half;
      }
      for (int64_t head = 0; head < args.heads; ++head) {
        const T* __restrict from = args.rows + (first + row) * args.row_stride + head * h;
        T* __restrict to = args.padded_heads + ((segment * args.heads + head) * args.padded + row) * h;
        const float* bias = args.bias != nullptr ? args.bias + head * h : nullptr;
        if (args.rotary != 0) {
          const float sign = args.rotary > 0 ? 1.0f : -1.0f;
          for (int64_t i = 0; i < half; ++i) {
            const float a = Load(from[i]) + (bias != nullptr ? bias[i] : 0.0f);
            const float b = Load(from[i + half]) + (bias != nullptr ? bias[i + half] : 0.0f);
            Store(to[i], a * c[i] - sign * b * s[i]);
            Store(to[i + half], b * c[i] + sign * a * s[i]);
          }
        } else if (bias != nullptr) {
          for (int64_t i = 0; i < h; ++i) Store(to[i], Load(from[i]) + bias[i]);
        } else {
          std::memcpy(to, from, static_cast<size_t>(h) * sizeof(T));
        }
      }
    }
    for (int64_t head = 0; head < args.heads; ++head) {  // padding reads as zeros
      T* to = args.padded_heads + ((segment * args.heads + head) * args.padded + length) * h;
      std::memset(to, 0, static_cast<size_t>((args.padded - length) * h) * sizeof(T));
    }
  }
}

template <class T>
void FromHeads(const HeadsArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t h = args.head_dim;
  const int64_t half = h / 2;
  for (int64_t segment = begin; segment < end; ++segment) {
    const int64_t first = args.first_rows[segment];
    for (int64_t row = 0; row < args.lengths[segment]; ++row) {
      const float* c = nullptr;
      const float* s = nullptr;
      if (args.rotary != 0) {
        c = args.cosines + args.positions[first + row] * half;
        s = args.sines + args.positions[first + row] * half;
      }
      for (int64_t head = 0; head < args.heads; ++head) {
        T* __restrict to = args.rows + (first + row) * args.row_stride + head * h;
        const T* __restrict from = args.padded_heads + ((segment * args.heads + head) * args.padded + row) * h;
        if (args.rotary != 0) {
          const float sign = args.rotary > 0 ? 1.0f : -1.0f;
          for (int64_t i = 0; i < half; ++i) {
            const float a = Load(from[i]);
            const float b = Load(from[i + half]);
            Store(to[i], a * c[i] - sign * b * s[i]);
            Store(to[i + half], b * c[i] + sign * a * s[i]);
          }
        } else {
          std::memcpy(to, from, static_cast<size_t>(h) * sizeof(T));
        }
        if (args.d_bias != nullptr) {
          float* d_bias = args.d_bias + head * h;
          for (int64_t i = 0; i < h; ++i) d_bias[i] += Load(to[i]);
        }
      }
    }
  }
}

template <class T>
void CrossEntropy(const CrossEntropyArgs<T>& args, int64_t begin, int64_t end) {
  const int64_t v = args.vocab;
  for (int64_t row = begin; row < end; ++row) {
    T* __restrict x = args.logits + row * v;
    const int32_t target = args.targets[row];
    float top = -3.0e38f;
#pragma omp simd reduction(max : top)
    for (int64_t i = 0; i < v; ++i) {
      const float value = Load(x[i]);
      top = value > top ? value : top;
    }
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < v; ++i) sum += Exp(Load(x[i]) - top);
    const float lse = top + __builtin_logf(sum);
    const int32_t offset = target - args.time_first;
    const bool soft = args.soft_std > 0.0f && offset >= 0 && offset < args.time_count;
    if (!soft) {
      args.losses[row] = lse - Load(x[target]);
      if (!args.gradients) continue;
      const float scale = args.factor / sum;
      const float correct = Load(x[target]);
      for (int64_t i = 0; i < v; ++i) Store(x[i], Exp(Load(x[i]) - top) * scale);
      Store(x[target], (Exp(correct - top) / sum - 1.0f) * args.factor);
      continue;
    }
    const float spread = -0.5f / (args.soft_std * args.soft_std);
    float total = 0.0f;
    for (int32_t s = 0; s < args.time_count; ++s) {
      total += Exp(static_cast<float>((offset - s) * (offset - s)) * spread);
    }
    T* times = x + args.time_first;
    float expected = 0.0f;
    for (int32_t s = 0; s < args.time_count; ++s) {
      expected += Exp(static_cast<float>((offset - s) * (offset - s)) * spread) / total * Load(times[s]);
    }
    args.losses[row] = lse - expected;
    if (!args.gradients) continue;
    const float scale = args.factor / sum;
    for (int64_t i = 0; i < args.time_first; ++i) Store(x[i], Exp(Load(x[i]) - top) * scale);
    for (int32_t s = 0; s < args.time_count; ++s) {
      const float weight = Exp(static_cast<float>((offset - s) * (offset - s)) * spread) / total;
      Store(times[s], (Exp(Load(times[s]) - top) / sum - weight) * args.factor);
    }
    for (int64_t i = args.time_first + args.time_count; i < v; ++i) Store(x[i], Exp(Load(x[i]) - top) * scale);
  }
}

template <class T>
void SumRows(const T* x, int64_t width, float* sums, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; ++row) {
    const T* __restrict from = x + row * width;
    float* __restrict to = sums;
    for (int64_t i = 0; i < width; ++i) to[i] += Load(from[i]);
  }
}

template <class T>
void FromF32(const float* x, T* y, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) Store(y[i], x[i]);
}

template <class T>
constexpr RowKernels<T> Kernels() {
  return {AddNorm<T>, AddNormBackward<T>, ActivationForward<T>, ActivationBackward<T>,
          SwiGlu<T>,  SwiGluBackward<T>,  Softmax<T>,           SoftmaxBackward<T>,
          ToHeads<T>, FromHeads<T>,       CrossEntropy<T>,      SumRows<T>,
          FromF32<T>};
}

}  // namespace

extern const RowKernelTable GALAGO_ROW_TABLE = {Kernels<float>(), Kernels<uint16_t>()};

}  // namespace galago::train
