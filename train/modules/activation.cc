#include "train/modules/blocks.h"
#include "train/modules/parallel.h"

namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct BiasActivationFunction : torch::autograd::Function<BiasActivationFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const MaybeTensor& maybe_bias, int64_t activation) {
    const Tensor bias = OrUndefined(maybe_bias);
    const Tensor y = at::empty_like(x);
    WithType(x.scalar_type(), [&]<class T>(std::type_identity<T>) {
      const ActivationArgs<T> args = {.width = x.size(1),
                                      .activation = static_cast<RowActivation>(activation),
                                      .x = Data<T>(x),
                                      .bias = Data<float>(bias),
                                      .y = Data<T>(y)};
      ForRows(x.size(0), x.size(1), [&](int64_t begin, int64_t end) { Kernels<T>().activation(args, begin, end); });
    });
    ctx->save_for_backward({x, bias});
    ctx->saved_data["activation"] = activation;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &bias = saved[1];
    const Tensor dy = grads[0].contiguous();
    const Tensor dx = at::empty_like(x);
    const ThreadSums d_bias(x.size(1), bias.defined() && ctx->needs_input_grad(1));
    WithType(x.scalar_type(), [&]<class T>(std::type_identity<T>) {
      const ActivationArgs<T> shared = {.width = x.size(1),
                                        .activation = static_cast<RowActivation>(ctx->saved_data["activation"].toInt()),
                                        .x = Data<T>(x),
                                        .bias = Data<float>(bias),
                                        .dy = Data<T>(dy),
                                        .dx = Data<T>(dx)};
      ForRows(x.size(0), x.size(1), [&](int64_t begin, int64_t end) {
        ActivationArgs<T> args = shared;
        args.d_bias = d_bias.mine();
        Kernels<T>().activation_backward(args, begin, end);
      });
    });
    return {dx, d_bias.Total(), Tensor()};
  }
};

struct SwiGluFunction : torch::autograd::Function<SwiGluFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& gate_up) {
    const int64_t n = gate_up.size(0);
    const int64_t f = gate_up.size(1) / 2;
    const Tensor y = at::empty({n, f}, gate_up.options());
    WithType(gate_up.scalar_type(), [&]<class T>(std::type_identity<T>) {
      const SwiGluArgs<T> args = {.width = f, .gate_up = Data<T>(gate_up), .y = Data<T>(y)};
      ForRows(n, f, [&](int64_t begin, int64_t end) { Kernels<T>().swiglu(args, begin, end); });
    });
    ctx->save_for_backward({gate_up});
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor gate_up = ctx->get_saved_variables()[0];
    const Tensor dy = grads[0].contiguous();
    const Tensor d_gate_up = at::empty_like(gate_up);
    const int64_t f = gate_up.size(1) / 2;
    WithType(gate_up.scalar_type(), [&]<class T>(std::type_identity<T>) {
      const SwiGluArgs<T> args = {
          .width = f, .gate_up = Data<T>(gate_up), .dy = Data<T>(dy), .d_gate_up = Data<T>(d_gate_up)};
      ForRows(gate_up.size(0), f, [&](int64_t begin, int64_t end) { Kernels<T>().swiglu_backward(args, begin, end); });
    });
    return {d_gate_up};
  }
};

}  // namespace

Tensor BiasActivation(const Tensor& x, const Tensor& bias, RowActivation activation) {
  return BiasActivationFunction::apply(x, Maybe(bias), static_cast<int64_t>(activation));
}

Tensor SwiGlu(const Tensor& gate_up) { return SwiGluFunction::apply(gate_up); }

}  // namespace galago::train
