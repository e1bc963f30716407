#include "train/loop/adamw.h"

#include <cmath>

#include "src/base/check.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
// Compiled once per instruction set; the loader takes the best one.
#define GALAGO_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GALAGO_CLONES
#endif

namespace galago::train {
namespace {

struct Coefficients {
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  float keep;              // 1 - lr * weight_decay
  float step_size;         // lr / (1 - beta1^t)
  float inverse_sqrt_bc2;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float gradient_scale;
};

GALAGO_CLONES
void Update(int64_t count, float* __restrict values, const float* __restrict gradients, float* __restrict exp_avg,
            float* __restrict exp_avg_sq, const Coefficients& given) {
  const Coefficients c = given;  // so that nothing stored can change it
  for (int64_t i = 0; i < count; ++i) {
    const float g = gradients[i] * c.gradient_scale;
    const float m = c.beta1 * exp_avg[i] + c.one_minus_beta1 * g;
    const float v = c.beta2 * exp_avg_sq[i] + c.one_minus_beta2 * g * g;
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    values[i] = c.keep * values[i] - c.step_size * m / (std::sqrt(v) * c.inverse_sqrt_bc2 + c.epsilon);
  }
}

}  // namespace

void AdamWStep(std::span<float> values, std::span<const float> gradients, std::span<float> exp_avg,
               std::span<float> exp_avg_sq, const AdamWOptions& options, double lr, double weight_decay,
               float gradient_scale, int64_t step) {
  CHECK_EQ(values.size(), gradients.size());
  CHECK_EQ(values.size(), exp_avg.size());
  CHECK_EQ(values.size(), exp_avg_sq.size());
  const double t = static_cast<double>(step);
  const double bias_correction1 = 1.0 - std::pow(options.beta1, t);
  const double bias_correction2 = 1.0 - std::pow(options.beta2, t);
  const Coefficients c = {.beta1 = static_cast<float>(options.beta1),
                          .one_minus_beta1 = static_cast<float>(1.0 - options.beta1),
                          .beta2 = static_cast<float>(options.beta2),
                          .one_minus_beta2 = static_cast<float>(1.0 - options.beta2),
                          .keep = static_cast<float>(1.0 - lr * weight_decay),
                          .step_size = static_cast<float>(lr / bias_correction1),
                          .inverse_sqrt_bc2 = static_cast<float>(1.0 / std::sqrt(bias_correction2)),
                          .epsilon = static_cast<float>(options.epsilon),
                          .gradient_scale = gradient_scale};
  Update(static_cast<int64_t>(values.size()), values.data(), gradients.data(), exp_avg.data(), exp_avg_sq.data(), c);
}

}  // namespace galago::train
