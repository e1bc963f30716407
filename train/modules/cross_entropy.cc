#include <algorithm>
#include <bit>

#include "train/modules/blocks.h"
#include "train/modules/parallel.h"

// linkedin/Liger-Kernel: src/liger_kernel/ops/fused_linear_cross_entropy.py is the idea: gradients are made while the
// logits of a chunk are at hand, and the backward pass only scales them.
namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows at a time, so that a chunk of logits is about as large as x.
int64_t ChunkRows(int64_t rows, int64_t vocab, int64_t width) {
  const int64_t parts = (vocab + width - 1) / width;
  const auto chunk = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>((rows + parts - 1) / parts)));
  return std::clamp<int64_t>(chunk, 1, std::max<int64_t>(1, rows));
}

struct Terms {
  Tensor losses;                 // [n] f32
  Tensor dx;                     // like x, if wanted
  std::vector<Tensor> d_weight;  // [V, D] f32, if wanted
};

Terms Compute(const Tensor& x, const Tensor& operand, std::span<const int32_t> targets,
              const CrossEntropyOptions& options, bool want_dx, bool want_dw) {
  const int64_t n = x.size(0);
  const int64_t vocab = operand.size(0);
  CHECK_EQ(static_cast<int64_t>(targets.size()), n);
  for (const int32_t target : targets) CHECK(target >= 0 && target < vocab);
  if (options.soft_std > 0.0) CHECK(options.time_first >= 0 && options.time_first + options.time_count <= vocab);
  Terms terms = {.losses = at::empty({n}, at::TensorOptions(at::kFloat))};
  if (want_dx) terms.dx = at::empty_like(x);
  Tensor d_weight = want_dw ? at::zeros({vocab, x.size(1)}, at::TensorOptions(at::kFloat)) : Tensor();
  const int64_t chunk = n > 0 ? ChunkRows(n, vocab, x.size(1)) : 1;
  const Tensor weight = Widened(operand);
  for (int64_t first = 0; first < n; first += chunk) {
    const int64_t rows = std::min(chunk, n - first);
    const Tensor x_chunk = x.narrow(0, first, rows);
    const Tensor logits = Product(x_chunk, weight.t());
    WithType(x.scalar_type(), [&]<class T>(std::type_identity<T>) {
      const CrossEntropyArgs<T> args = {.vocab = vocab,
                                        .logits = Data<T>(logits),
                                        .targets = targets.data() + first,
                                        .losses = Data<float>(terms.losses) + first,
                                        .factor = static_cast<float>(1.0 / options.divisor),
                                        .gradients = want_dx || want_dw,
                                        .time_first = options.time_first,
                                        .time_count = options.time_count,
                                        .soft_std = static_cast<float>(options.soft_std)};
      ForRows(rows, vocab, [&](int64_t begin, int64_t end) { Kernels<T>().cross_entropy(args, begin, end); });
    });
    if (want_dx) terms.dx.narrow(0, first, rows).copy_(Product(logits, weight));
    if (want_dw) d_weight.add_(Product(logits.t(), x_chunk));
  }
  if (want_dw) terms.d_weight.push_back(d_weight);
  return terms;
}

struct CrossEntropyFunction : torch::autograd::Function<CrossEntropyFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, const Tensor& operand,
                        const std::vector<int32_t>& targets, const CrossEntropyOptions& options, bool gradients) {
    Terms terms =
        Compute(x, operand, targets, options, gradients && x.requires_grad(), gradients && weight.requires_grad());
    ctx->save_for_backward({terms.dx, terms.d_weight.empty() ? Tensor() : terms.d_weight[0]});
    const Tensor sum = terms.losses.sum(at::kDouble) / options.divisor;
    return sum.to(at::kFloat);
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const float scale = grads[0].item<float>();
    const auto scaled = [scale](const Tensor& gradient) {
      return gradient.defined() && scale != 1.0f ? gradient * scale : gradient;
    };
    return {scaled(saved[0]), scaled(saved[1]), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor LinearCrossEntropy(const Tensor& x, const Linear& head, std::span<const int32_t> targets,
                          const CrossEntropyOptions& options) {
  CHECK_EQ(head.weights().size(), size_t{1});
  return CrossEntropyFunction::apply(x, head.weights()[0], head.operand(x.scalar_type()),
                                     std::vector<int32_t>(targets.begin(), targets.end()), options,
                                     torch::GradMode::is_enabled());
}

Tensor CrossEntropies(const Tensor& x, const Linear& head, std::span<const int32_t> targets,
                      const CrossEntropyOptions& options) {
  const torch::NoGradGuard no_graph;
  return Compute(x.detach(), head.operand(x.scalar_type()), targets, options, false, false).losses;
}

}  // namespace galago::train
