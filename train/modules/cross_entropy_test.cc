#include <gtest/gtest.h>

#include <cmath>

#include "train/modules/blocks.h"
#include "train/modules/vlm.h"

namespace galago::train {
namespace {

struct Plain {
  Tensor loss, dx, dw;
};

// One matrix of logits, ATen's softmax.
Plain ByHand(const Tensor& x, const Tensor& w, const std::vector<int32_t>& targets,
             const CrossEntropyOptions& options) {
  const Tensor a = x.detach().clone().requires_grad_(true);
  const Tensor b = w.detach().clone().requires_grad_(true);
  const Tensor log_p = at::log_softmax(at::mm(a, b.t()), 1);
  const Tensor weights = at::zeros_like(log_p);
  for (size_t i = 0; i < targets.size(); ++i) {
    const int32_t y = targets[i];
    const int32_t offset = y - options.time_first;
    if (options.soft_std == 0.0 || offset < 0 || offset >= options.time_count) {
      weights.index_put_({at::tensor(static_cast<int64_t>(i)), at::tensor(int64_t{y})}, at::tensor(1.0f));
      continue;
    }
    Tensor row = weights[static_cast<int64_t>(i)].narrow(0, options.time_first, options.time_count);
    const Tensor distance = at::arange(options.time_count) - offset;
    row.copy_(at::softmax(-distance * distance / (2.0 * options.soft_std * options.soft_std), 0, at::kFloat));
  }
  const Tensor loss = -(weights * log_p).sum() / options.divisor;
  loss.backward();
  return {loss.detach(), a.grad(), b.grad()};
}

double RelativeError(const Tensor& got, const Tensor& want) {
  return (got - want).abs().max().item<double>() / std::max(1e-30, want.abs().max().item<double>());
}

class CrossEntropyTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(CrossEntropyTest, EqualsThePlainComputation) {
  constexpr int64_t kVocab = 1003;
  const int64_t n = GetParam();
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_current_seed(static_cast<uint64_t>(n));
  for (const double soft_std : {0.0, 1.0}) {
    const Tensor x = at::randn({n, 24}, generator).requires_grad_(true);
    const Tensor w = at::randn({kVocab, 24}, generator).requires_grad_(true);
    std::vector<int32_t> targets;
    for (int64_t i = 0; i < n; ++i) targets.push_back(static_cast<int32_t>((i * 97 + 900) % kVocab));
    const CrossEntropyOptions options = {
        .divisor = 3.0 + static_cast<double>(n), .soft_std = soft_std, .time_first = 850, .time_count = 100};
    const Tensor loss = LinearCrossEntropy(x, Linear({w}), targets, options);
    (loss * 2.0).backward();
    const Plain want = ByHand(x, w, targets, options);
    EXPECT_NEAR(loss.item<double>(), want.loss.item<double>(), 1e-5 * want.loss.item<double>());
    EXPECT_LT(RelativeError(x.grad(), want.dx * 2.0), 1e-5);
    EXPECT_LT(RelativeError(w.grad(), want.dw * 2.0), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, CrossEntropyTest, ::testing::Values(1, 7, 255, 256, 1000));

// training.md's weights for std 1: an interior target, and the first one.
TEST(CrossEntropyTest, SoftTargetsAreNormalisedOverAllTimes) {
  constexpr int64_t kTimes = 100;
  const Tensor w = at::eye(kTimes) * 1.0;
  const auto gradient = [&](int32_t target) {
    const Tensor x = at::zeros({1, kTimes}).requires_grad_(true);
    LinearCrossEntropy(x, Linear({w}), std::vector<int32_t>{target},
                       {.soft_std = 1.0, .time_first = 0, .time_count = static_cast<int32_t>(kTimes)})
        .backward();
    return 0.01 - x.grad()[0];  // softmax of zeros is 1 / 100, minus it the weights
  };
  const Tensor interior = gradient(50);
  const double want[] = {0.398942, 0.241971, 0.053991, 0.004432, 0.000134};
  for (int64_t d = 0; d < 5; ++d) {
    EXPECT_NEAR(interior[50 + d].item<double>(), want[d], 2e-6);
    EXPECT_NEAR(interior[50 - d].item<double>(), want[d], 2e-6);
  }
  const Tensor first = gradient(0);
  const double border[] = {0.570348, 0.345934, 0.077188, 0.006336, 0.000191};
  for (int64_t d = 0; d < 5; ++d) EXPECT_NEAR(first[d].item<double>(), border[d], 2e-6);
}

TEST(CrossEntropyTest, FrozenSidesGetNothing) {
  const Tensor x = at::randn({5, 8});
  const Tensor w = at::randn({11, 8}).requires_grad_(true);
  const std::vector<int32_t> targets = {1, 2, 3, 4, 5};
  LinearCrossEntropy(x, Linear({w}), targets, {}).backward();
  EXPECT_TRUE(w.grad().defined());
  const Tensor y = at::randn({5, 8}).requires_grad_(true);
  const Tensor frozen = w.detach();
  LinearCrossEntropy(y, Linear({frozen}), targets, {}).backward();
  EXPECT_TRUE(y.grad().defined());
  EXPECT_FALSE(frozen.grad().defined());
}

TEST(ProductOperations, AreTwoForEachMultiplyAddForwardAndBackward) {
  const Tensor x = at::ones({6, 4}).requires_grad_(true);
  const Tensor w = at::ones({5, 4}).requires_grad_(true);
  const int64_t before = ProductOperations();
  Linear({w})(x).sum().backward();
  EXPECT_EQ(ProductOperations() - before, 3 * 2 * 6 * 4 * 5);
  const Tensor batches = at::ones({2, 6, 4});
  BatchedProduct(batches, batches.transpose(1, 2));
  EXPECT_EQ(ProductOperations() - before, 3 * 2 * 6 * 4 * 5 + 2 * 2 * 6 * 4 * 6);
}

}  // namespace
}  // namespace galago::train
