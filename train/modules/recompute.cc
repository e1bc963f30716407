#include "train/modules/blocks.h"
#include "train/modules/torch.h"

namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Capsule : torch::CustomClassHolder {
  explicit Capsule(LayerFunction function) : layer(std::move(function)) {}
  LayerFunction layer;
};

// `anchor` requires a gradient, so that the node exists even if nothing before the layer is trained.
struct RecomputeFunction : torch::autograd::Function<RecomputeFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& rows, const Tensor& anchor,
                        const c10::intrusive_ptr<Capsule>& capsule) {
    static_cast<void>(anchor);
    const torch::NoGradGuard no_graph;
    ctx->save_for_backward({rows});
    ctx->saved_data["layer"] = c10::IValue::make_capsule(capsule);
    return capsule->layer(rows.detach());
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto capsule = ctx->saved_data["layer"].toCapsule();
    const auto& layer = static_cast<const Capsule&>(*capsule).layer;
    const bool wanted = ctx->needs_input_grad(0);
    const Tensor rows = ctx->get_saved_variables()[0].detach().requires_grad_(wanted);
    const torch::AutoGradMode graph(true);
    const Tensor out = layer(rows);
    if (out.requires_grad()) torch::autograd::backward({out}, {grads[0]});
    return {wanted ? rows.grad() : Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

Tensor Recompute(const Tensor& rows, LayerFunction layer) {
  if (!torch::GradMode::is_enabled()) return layer(rows);
  const Tensor anchor = at::empty({0}, at::TensorOptions(at::kFloat)).requires_grad_(true);
  return RecomputeFunction::apply(rows, anchor, c10::make_intrusive<Capsule>(std::move(layer)));
}

}  // namespace galago::train
