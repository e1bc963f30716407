#include "train/loop/muon.h"

#include <algorithm>
#include <cmath>

#include "src/base/check.h"
#include "train/modules/torch.h"

namespace galago::train {
namespace {

constexpr int kIterations = 5;
// The polynomial a s + b s^3 + c s^5 that takes singular values from (0, 1] near 1 the fastest: those above 0.0015 come
// to lie between 0.7 and 1.2.
constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
constexpr double kNormFloor = 1e-7;  // keeps the division finite

torch::Tensor Orthogonalised(torch::Tensor x) {
  const bool tall = x.size(0) > x.size(1);
  if (tall) x = x.t();
  x = x / (x.norm() + kNormFloor);
  for (int i = 0; i < kIterations; ++i) {
    const torch::Tensor gram = at::mm(x, x.t());
    x = at::addmm(x, at::addmm(gram, gram, gram, kB, kC), x, kA);
  }
  return tall ? x.t() : x;
}

}  // namespace

void MuonStep(std::span<float> values, std::span<const float> gradients, std::span<float> averages, int64_t rows,
              int64_t columns, const MuonOptions& options, double lr, double weight_decay, float gradient_scale) {
  const auto count = static_cast<size_t>(rows * columns);
  CHECK_EQ(values.size(), count);
  CHECK_EQ(gradients.size(), count);
  CHECK_EQ(averages.size(), count);
  const torch::NoGradGuard no_grad;
  const bool moves = std::ranges::any_of(gradients, [](float g) { return g != 0.0f; });
  const auto keep = static_cast<float>(options.momentum), add = 1.0f - keep;
  const torch::Tensor ahead = at::empty({rows, columns}, at::TensorOptions(at::kFloat));
  float* next = ahead.data_ptr<float>();
  for (size_t i = 0; i < count; ++i) {
    const float g = gradients[i] * gradient_scale;
    averages[i] = keep * averages[i] + add * g;
    next[i] = keep * averages[i] + add * g;
  }
  if (!moves) return;
  const torch::Tensor direction = Orthogonalised(ahead);
  const double size = 0.2 * std::sqrt(static_cast<double>(std::max(rows, columns)));
  torch::from_blob(values.data(), {rows, columns}, at::kFloat).mul_(1.0 - lr * weight_decay).sub_(direction, lr * size);
}

}  // namespace galago::train
