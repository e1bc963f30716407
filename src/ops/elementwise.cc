#include "src/ops/elementwise.h"

#include <algorithm>

#include "src/ops/parallel.h"

namespace galago::ops {
namespace {

void CheckSameShape(ConstView a, ConstView b) {
  CHECK_EQ(a.rows, b.rows);
  CHECK_EQ(a.cols, b.cols);
}

// body(row) for every row, rows spread over the threads.
template <class Body>
void ForRows(const ExecContext& ctx, ConstView x, const Body& body) {
  ParallelRanges(ctx, x.rows, RowGrain(x.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

}  // namespace

void Activate(const ExecContext& ctx, Activation activation, ConstView x, View out) {
  CheckSameShape(x, out);
  ForRows(ctx, x, [&](int64_t i) { ctx.kernels->activate(activation, x.row(i), out.row(i), x.cols); });
}

void ActivateMultiply(const ExecContext& ctx, Activation activation, ConstView gate, ConstView up, View out) {
  CheckSameShape(gate, up);
  CheckSameShape(gate, out);
  ForRows(ctx, gate, [&](int64_t i) {
    ctx.kernels->activate_multiply(activation, gate.row(i), up.row(i), out.row(i), gate.cols);
  });
}

void Add(const ExecContext& ctx, ConstView a, ConstView b, View out) {
  CheckSameShape(a, b);
  CheckSameShape(a, out);
  ForRows(ctx, a, [&](int64_t i) { ctx.kernels->add(a.row(i), b.row(i), out.row(i), a.cols); });
}

void ScaleColumns(const ExecContext& ctx, ConstView x, std::span<const float> scale, View out) {
  CHECK_EQ(static_cast<int64_t>(scale.size()), x.cols);
  CheckSameShape(x, out);
  ForRows(ctx, x, [&](int64_t i) { ctx.kernels->multiply(x.row(i), scale.data(), out.row(i), x.cols); });
}

void GatherColumns(const ExecContext& ctx, ConstView x, std::span<const int32_t> order, View out) {
  CHECK_EQ(static_cast<int64_t>(order.size()), x.cols);
  CheckSameShape(x, out);
  ForRows(ctx, x, [&](int64_t i) {
    const float* from = x.row(i);
    float* to = out.row(i);
    for (const int32_t j : order) *to++ = from[j];
  });
}

void Copy(const ExecContext& ctx, ConstView x, View out) {
  CheckSameShape(x, out);
  ForRows(ctx, x, [&](int64_t i) { std::copy_n(x.row(i), x.cols, out.row(i)); });
}

}  // namespace galago::ops
