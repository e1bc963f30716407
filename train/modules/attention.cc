#include <algorithm>
#include <cmath>
#include <numeric>

#include "train/modules/blocks.h"
#include "train/modules/parallel.h"

namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A group's share of padding: its shortest segment has at least this part of the longest one's rows.
constexpr double kShortest = 0.75;
// Products of rows that are not a multiple of this run slower than the padding costs.
constexpr int64_t kRowMultiple = 16;

enum class Which { kQuery, kKey, kValue };

// Rows [N, width] of q, k and v and their padded heads, one group at a time.
class Heads {
 public:
  Heads(const AttentionPlan& plan, const AttentionPlan::Group& group) : plan_(plan), group_(group) {}

  int64_t segments() const { return static_cast<int64_t>(group_.lengths.size()); }
  int64_t heads(Which which) const { return which == Which::kQuery ? plan_.heads : plan_.kv_heads; }
  int64_t per_key() const { return plan_.heads / plan_.kv_heads; }

  // First column of q, k or v in a row of qkv.
  int64_t Column(Which which) const {
    const int64_t q = plan_.heads * plan_.head_dim;
    return which == Which::kQuery ? 0 : which == Which::kKey ? q : q + plan_.kv_heads * plan_.head_dim;
  }

  // [S * K, G * L, H] for queries (G to each key head), [S * K, L, H] for keys and values.
  Tensor Empty(Which which, const at::TensorOptions& options) const {
    const int64_t rows = which == Which::kQuery ? per_key() * group_.padded : group_.padded;
    return at::empty({segments() * plan_.kv_heads, rows, plan_.head_dim}, options);
  }

  // `rotary` as in HeadsArgs; rows of qkv, or of outputs alone if `column` is 0 and `rows` is that narrow.
  void To(const Tensor& rows, int64_t column, Which which, int rotary, const Tensor& bias, const Tensor& heads) const {
    WithType(rows.scalar_type(), [&]<class T>(std::type_identity<T>) {
      HeadsArgs<T> args = Args<T>(rows, column, which, rotary, heads);
      if (bias.defined()) args.bias = Data<float>(bias) + column;
      ForRows(segments(), group_.padded * heads.size(2),
              [&](int64_t begin, int64_t end) { Kernels<T>().to_heads(args, begin, end); });
    });
  }

  void From(const Tensor& heads, Which which, int rotary, const Tensor& rows, int64_t column,
            const ThreadSums& d_bias) const {
    WithType(rows.scalar_type(), [&]<class T>(std::type_identity<T>) {
      const HeadsArgs<T> shared = Args<T>(rows, column, which, rotary, heads);
      ForRows(segments(), group_.padded * heads.size(2), [&](int64_t begin, int64_t end) {
        HeadsArgs<T> args = shared;
        if (d_bias.mine() != nullptr) args.d_bias = d_bias.mine() + column;
        Kernels<T>().from_heads(args, begin, end);
      });
    });
  }

  template <class T>
  SoftmaxArgs<T> SoftmaxOf() const {
    return {.rows = per_key() * group_.padded,
            .columns = group_.padded,
            .causal = plan_.causal,
            .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(plan_.head_dim))),
            .lengths = group_.full ? nullptr : group_.lengths.data(),
            .batches_per_length = plan_.kv_heads};
  }

  void Softmax(const Tensor& scores) const {
    WithType(scores.scalar_type(), [&]<class T>(std::type_identity<T>) {
      SoftmaxArgs<T> args = SoftmaxOf<T>();
      args.scores = Data<T>(scores);
      ForRows(scores.size(0), scores.size(1) * scores.size(2),
              [&](int64_t begin, int64_t end) { Kernels<T>().softmax(args, begin, end); });
    });
  }

  void SoftmaxBackward(const Tensor& probs, const Tensor& d_scores) const {
    WithType(probs.scalar_type(), [&]<class T>(std::type_identity<T>) {
      SoftmaxArgs<T> args = SoftmaxOf<T>();
      args.probs = Data<T>(probs);
      args.d_scores = Data<T>(d_scores);
      ForRows(probs.size(0), probs.size(1) * probs.size(2),
              [&](int64_t begin, int64_t end) { Kernels<T>().softmax_backward(args, begin, end); });
    });
  }

 private:
  template <class T>
  HeadsArgs<T> Args(const Tensor& rows, int64_t column, Which which, int rotary, const Tensor& heads_tensor) const {
    HeadsArgs<T> args = {.heads = heads(which),
                         .head_dim = plan_.head_dim,
                         .padded = group_.padded,
                         .row_stride = rows.size(1),
                         .first_rows = group_.first_rows.data(),
                         .lengths = group_.lengths.data(),
                         .rows = Data<T>(rows) + column,
                         .padded_heads = Data<T>(heads_tensor)};
    if (plan_.cosines.defined() && rotary != 0) {
      args.rotary = rotary;
      args.positions = plan_.positions.data();
      args.cosines = Data<float>(plan_.cosines);
      args.sines = Data<float>(plan_.sines);
    }
    return args;
  }

  const AttentionPlan& plan_;
  const AttentionPlan::Group& group_;
};

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& qkv, const MaybeTensor& maybe_bias,
                        const AttentionPlanPtr& plan) {
    const Tensor bias = OrUndefined(maybe_bias);
    const Tensor out = at::empty({plan->rows, plan->heads * plan->head_dim}, qkv.options());
    variable_list saved;
    for (const AttentionPlan::Group& group : plan->groups) {
      const Heads heads(*plan, group);
      const Tensor q = heads.Empty(Which::kQuery, qkv.options());
      const Tensor k = heads.Empty(Which::kKey, qkv.options());
      const Tensor v = heads.Empty(Which::kValue, qkv.options());
      heads.To(qkv, heads.Column(Which::kQuery), Which::kQuery, 1, bias, q);
      heads.To(qkv, heads.Column(Which::kKey), Which::kKey, 1, bias, k);
      heads.To(qkv, heads.Column(Which::kValue), Which::kValue, 0, bias, v);
      const Tensor probs = BatchedProduct(q, k.transpose(1, 2));
      heads.Softmax(probs);
      heads.From(BatchedProduct(probs, v), Which::kQuery, 0, out, 0, ThreadSums(0, false));
      saved.insert(saved.end(), {q, k, v, probs});
    }
    ctx->save_for_backward(saved);
    ctx->saved_data["plan"] = c10::IValue::make_capsule(plan);
    ctx->saved_data["bias"] = bias.defined();
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const auto& plan = static_cast<const AttentionPlan&>(*capsule);
    const Tensor d_out = grads[0].contiguous();
    const int64_t width = (plan.heads + 2 * plan.kv_heads) * plan.head_dim;
    const Tensor d_qkv = at::empty({plan.rows, width}, d_out.options());
    const ThreadSums d_bias(width, ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(1));
    for (size_t i = 0; i < plan.groups.size(); ++i) {
      const Heads heads(plan, plan.groups[i]);
      const Tensor &q = saved[4 * i], &k = saved[4 * i + 1], &v = saved[4 * i + 2], &probs = saved[4 * i + 3];
      const Tensor d_heads = at::empty_like(q);
      heads.To(d_out, 0, Which::kQuery, 0, Tensor(), d_heads);
      const Tensor d_v = BatchedProduct(probs.transpose(1, 2), d_heads);
      const Tensor d_scores = BatchedProduct(d_heads, v.transpose(1, 2));
      heads.SoftmaxBackward(probs, d_scores);
      heads.From(BatchedProduct(d_scores, k), Which::kQuery, -1, d_qkv, heads.Column(Which::kQuery), d_bias);
      heads.From(BatchedProduct(d_scores.transpose(1, 2), q), Which::kKey, -1, d_qkv, heads.Column(Which::kKey),
                 d_bias);
      heads.From(d_v, Which::kValue, 0, d_qkv, heads.Column(Which::kValue), d_bias);
    }
    return {d_qkv, d_bias.Total(), Tensor()};
  }
};

}  // namespace

std::vector<AttentionPlan::Group> GroupSegments(std::span<const int32_t> cu_seqlens) {
  CHECK(!cu_seqlens.empty());
  const size_t segments = cu_seqlens.size() - 1;
  const auto length = [&](size_t i) { return cu_seqlens[i + 1] - cu_seqlens[i]; };
  std::vector<size_t> order(segments);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return length(a) > length(b); });
  std::vector<AttentionPlan::Group> groups;
  for (const size_t i : order) {
    if (length(i) == 0) continue;
    if (groups.empty() || length(i) < kShortest * groups.back().lengths.front()) groups.emplace_back();
    groups.back().first_rows.push_back(cu_seqlens[i]);
    groups.back().lengths.push_back(length(i));
  }
  for (AttentionPlan::Group& group : groups) {
    const int64_t longest = group.lengths.front();
    group.padded = (longest + kRowMultiple - 1) / kRowMultiple * kRowMultiple;
    group.full = group.lengths.back() == group.padded;
  }
  return groups;
}

Tensor Attention(const Tensor& qkv, const Tensor& bias, const AttentionPlanPtr& plan) {
  return AttentionFunction::apply(qkv, Maybe(bias), plan);
}

}  // namespace galago::train
