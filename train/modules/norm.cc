#include "train/modules/blocks.h"
#include "train/modules/parallel.h"

namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Inputs: rows, delta, bias, scale, gain, shift. Outputs: settled rows and, unless the norm is none, y.
struct AddNormFunction : torch::autograd::Function<AddNormFunction> {
  static variable_list forward(AutogradContext* ctx, const Tensor& rows, const MaybeTensor& maybe_delta,
                               const MaybeTensor& maybe_bias, const MaybeTensor& maybe_scale,
                               const MaybeTensor& maybe_gain, const MaybeTensor& maybe_shift, int64_t kind, double eps,
                               int64_t type_number) {
    const Tensor delta = OrUndefined(maybe_delta), bias = OrUndefined(maybe_bias), scale = OrUndefined(maybe_scale),
                 gain = OrUndefined(maybe_gain), shift = OrUndefined(maybe_shift);
    const auto type = static_cast<at::ScalarType>(type_number);
    const auto norm = static_cast<RowNorm>(kind);
    const int64_t n = rows.size(0);
    const int64_t d = rows.size(1);
    const Tensor h_out = delta.defined() ? at::empty_like(rows) : rows;
    const auto floats = at::TensorOptions(at::kFloat);
    const Tensor y = norm == RowNorm::kNone ? Tensor() : at::empty({n, d}, at::TensorOptions(type));
    const Tensor mean = norm == RowNorm::kLayerNorm ? at::empty({n}, floats) : Tensor();
    const Tensor rstd = norm == RowNorm::kNone ? Tensor() : at::empty({n}, floats);
    WithType(type, [&]<class T>(std::type_identity<T>) {
      const AddNormArgs<T> args = {.width = d,
                                   .norm = norm,
                                   .eps = static_cast<float>(eps),
                                   .h = Data<float>(rows),
                                   .delta = Data<T>(delta),
                                   .bias = Data<float>(bias),
                                   .scale = Data<float>(scale),
                                   .gain = Data<float>(gain),
                                   .shift = Data<float>(shift),
                                   .h_out = delta.defined() ? Data<float>(h_out) : nullptr,
                                   .y = Data<T>(y),
                                   .mean = Data<float>(mean),
                                   .rstd = Data<float>(rstd)};
      ForRows(n, d, [&](int64_t begin, int64_t end) { Kernels<T>().add_norm(args, begin, end); });
    });
    ctx->set_materialize_grads(false);
    // The delta itself is needed for the gradient of its scale only.
    ctx->save_for_backward({h_out, scale.defined() ? delta : Tensor(), bias, scale, gain, shift, mean, rstd});
    ctx->saved_data["kind"] = kind;
    ctx->saved_data["type"] = type_number;
    ctx->saved_data["delta"] = delta.defined();
    if (norm == RowNorm::kNone) return {h_out};
    return {h_out, y};
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const Tensor &h_out = saved[0], &delta = saved[1], &bias = saved[2], &scale = saved[3], &gain = saved[4],
                 &shift = saved[5], &mean = saved[6], &rstd = saved[7];
    const auto norm = static_cast<RowNorm>(ctx->saved_data["kind"].toInt());
    const auto type = static_cast<at::ScalarType>(ctx->saved_data["type"].toInt());
    const Tensor dh_out = grads[0].defined() ? grads[0].contiguous() : Tensor();
    const Tensor dy = grads.size() > 1 && grads[1].defined() ? grads[1].contiguous() : Tensor();
    variable_list result(9);
    if (!dh_out.defined() && !dy.defined()) return result;

    size_t edge = 0;
    const auto needed = [&](bool defined) { return defined && ctx->needs_input_grad(edge++); };
    needed(true);  // rows: their gradient is the sum on the way to all others
    const bool need_delta = needed(ctx->saved_data["delta"].toBool());
    const bool need_bias = needed(bias.defined());
    const bool need_scale = needed(scale.defined());
    const bool need_gain = needed(gain.defined()) && dy.defined();
    const bool need_shift = needed(shift.defined()) && dy.defined();

    const int64_t n = h_out.size(0);
    const int64_t d = h_out.size(1);
    const Tensor dh = at::empty_like(h_out);
    const Tensor d_delta = need_delta ? at::empty({n, d}, at::TensorOptions(type)) : Tensor();
    const ThreadSums d_gain(d, need_gain), d_shift(d, need_shift), d_bias(d, need_bias), d_scale(d, need_scale);
    WithType(type, [&]<class T>(std::type_identity<T>) {
      const AddNormBackwardArgs<T> shared = {.width = d,
                                             .norm = norm,
                                             .h_out = Data<float>(h_out),
                                             .delta = Data<T>(delta),
                                             .bias = Data<float>(bias),
                                             .scale = Data<float>(scale),
                                             .gain = Data<float>(gain),
                                             .mean = Data<float>(mean),
                                             .rstd = Data<float>(rstd),
                                             .dy = Data<T>(dy),
                                             .dh_out = Data<float>(dh_out),
                                             .dh = Data<float>(dh),
                                             .d_delta = Data<T>(d_delta)};
      ForRows(n, d, [&](int64_t begin, int64_t end) {
        AddNormBackwardArgs<T> args = shared;
        args.d_gain = d_gain.mine();
        args.d_shift = d_shift.mine();
        args.d_bias = d_bias.mine();
        args.d_scale = d_scale.mine();
        Kernels<T>().add_norm_backward(args, begin, end);
      });
    });
    result[0] = dh;
    result[1] = d_delta;
    result[2] = d_bias.Total();
    result[3] = d_scale.Total();
    result[4] = d_gain.Total();
    result[5] = d_shift.Total();
    return result;
  }
};

}  // namespace

Tensor Settle(const Stream& stream) {
  if (!stream.delta.defined()) return stream.rows;
  return AddNormFunction::apply(stream.rows, Maybe(stream.delta), Maybe(stream.bias), Maybe(stream.scale),
                                MaybeTensor(), MaybeTensor(), static_cast<int64_t>(RowNorm::kNone), 0.0,
                                static_cast<int64_t>(stream.delta.scalar_type()))[0];
}

Stream Select(const Stream& stream, const Tensor& rows) {
  return {.rows = stream.rows.index_select(0, rows),
          .delta = stream.delta.defined() ? stream.delta.index_select(0, rows) : Tensor(),
          .bias = stream.bias,
          .scale = stream.scale};
}

Normed AddNorm(const Stream& stream, const Norm& norm, torch::ScalarType type) {
  CHECK(!stream.delta.defined() || stream.delta.scalar_type() == type);
  variable_list outputs = AddNormFunction::apply(stream.rows, Maybe(stream.delta), Maybe(stream.bias),
                                                 Maybe(stream.scale), Maybe(norm.gain), Maybe(norm.shift),
                                                 static_cast<int64_t>(norm.kind), norm.eps, static_cast<int64_t>(type));
  return {.stream = {.rows = std::move(outputs[0])}, .y = std::move(outputs[1])};
}

}  // namespace galago::train
