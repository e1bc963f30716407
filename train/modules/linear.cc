#include "train/modules/blocks.h"
#include "train/modules/parallel.h"

namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// y = x operand^T; gradients go to x and to the leaves the operand was stacked from.
struct ProductFunction : torch::autograd::Function<ProductFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& operand, at::TensorList leaves) {
    ctx->save_for_backward({x, operand});
    std::vector<int64_t> rows;
    for (const Tensor& leaf : leaves) rows.push_back(leaf.size(0));
    ctx->saved_data["rows"] = rows;
    return Product(x, operand.t());
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &operand = saved[1];
    const std::vector<int64_t> rows = ctx->saved_data["rows"].toIntVector();
    variable_list result(2 + rows.size());
    const Tensor dy = grads[0].contiguous();
    if (ctx->needs_input_grad(0)) result[0] = Product(dy, operand);
    bool any = false;
    for (size_t i = 0; i < rows.size(); ++i) any = any || ctx->needs_input_grad(2 + i);
    if (!any) return result;
    const Tensor d_operand = Product(dy.t(), x).to(at::kFloat);
    int64_t at = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (ctx->needs_input_grad(2 + i)) result[2 + i] = d_operand.narrow(0, at, rows[i]);
      at += rows[i];
    }
    return result;
  }
};

Tensor Rounded(const Tensor& x, torch::ScalarType type) {
  return x.scalar_type() == type ? x.detach() : x.detach().to(type);
}

}  // namespace

Linear::Linear(std::vector<Tensor> weights, std::vector<Tensor> biases)
    : weights_(std::move(weights)), biases_(std::move(biases)) {
  CHECK(biases_.empty() || biases_.size() == weights_.size());
}

const Tensor& Linear::operand(torch::ScalarType type) const {
  if (!operand_.defined() || operand_.scalar_type() != type) {
    const torch::NoGradGuard no_graph;
    std::vector<Tensor> flat;  // filters are matrices here
    for (const Tensor& weight : weights_) flat.push_back(weight.detach().flatten(1));
    operand_ = (flat.size() == 1 ? flat[0] : at::cat(flat)).to(type);
  }
  return operand_;
}

Tensor Linear::operator()(const Tensor& x) const {
  std::vector<Tensor> leaves;
  for (const Tensor& weight : weights_) leaves.push_back(weight.dim() == 2 ? weight : weight.flatten(1));
  Tensor y = ProductFunction::apply(x, operand(x.scalar_type()), at::TensorList(leaves));
  if (lora_.empty()) return y;
  std::vector<Tensor> additions;
  for (const Lora& lora : lora_) {
    const Tensor inner = ProductFunction::apply(x, Rounded(lora.down, x.scalar_type()), at::TensorList(&lora.down, 1));
    const Tensor outer = ProductFunction::apply(inner, Rounded(lora.up, x.scalar_type()), at::TensorList(&lora.up, 1));
    additions.push_back(outer * lora.scale);
  }
  return y + (additions.size() == 1 ? additions[0] : at::cat(additions, 1));
}

Tensor Linear::bias() const {
  if (biases_.empty()) return {};
  return biases_.size() == 1 ? biases_[0] : at::cat(biases_);
}

}  // namespace galago::train
