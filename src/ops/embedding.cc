#include "src/ops/embedding.h"

#include "src/ops/float_type.h"
#include "src/ops/parallel.h"
#include "src/tensor/panels.h"

namespace galago::ops {

void Gather(const ExecContext& ctx, const TensorView& table, std::span<const int32_t> ids, View out) {
  CHECK_EQ(table.shape.rank(), size_t{2});
  CHECK_EQ(out.rows, static_cast<int64_t>(ids.size()));
  CHECK_EQ(out.cols, table.shape[1]);
  for (const int32_t id : ids) CHECK(id >= 0 && id < table.shape[0]);
  if (IsPanelType(table.dtype)) {
    return ParallelRanges(ctx, out.rows, RowGrain(out.cols), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        DequantizePanelRow(table.dtype, table.data, ids[static_cast<size_t>(i)],
                           {out.row(i), static_cast<size_t>(out.cols)});
      }
    });
  }
  const kernels::FloatType type = FloatTypeOf(table.dtype);
  const int64_t row_bytes = out.cols * kernels::SizeOf(type);
  ParallelRanges(ctx, out.rows, RowGrain(out.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      ctx.kernels->to_f32(type, table.data + ids[static_cast<size_t>(i)] * row_bytes, out.row(i), out.cols);
    }
  });
}

}  // namespace galago::ops
