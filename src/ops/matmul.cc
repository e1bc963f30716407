#include "src/ops/matmul.h"

#include <algorithm>
#include <cstddef>

#include "src/ops/float_type.h"
#include "src/ops/parallel.h"
#include "src/tensor/panels.h"

namespace galago::ops {
namespace {

// One task computes a block of at most kRows x kCols outputs. Of a K-block, its weights (gemm-inl.h: 128 rows) or its
// activations (gemm_chains-inl.h: 240 rows) stay in a 1 MiB second-level cache while the others pass by.
constexpr int64_t kRows = 240;  // divisible by every kernel's row_tile that matters (4, 6, 12, 16)
constexpr int64_t kCols = 128;
// Outputs a task has at least where few rows are computed: 32 weight rows keep a memory stream busy. Blocks start at
// multiples of it, so at whole panels.
constexpr int64_t kMinCols = 32;
// One row reuses nothing: the longer the stretch of weights a task reads, the better.
constexpr int64_t kOneRowCols = 4096;
static_assert(kMinCols % kPanelRows == 0);

const kernels::GemmKernel& KernelFor(const ExecContext& ctx, const TensorView& weight) {
  if (!IsPanelType(weight.dtype)) return ctx.kernels->Gemm(ctx.precision, FloatTypeOf(weight.dtype));
  const PanelType type = PanelTypeOf(weight.dtype);
  if (type == PanelType::kW8Row) {
    CHECK_LE(weight.shape[1], kMaxRowK);
  } else {
    CHECK_EQ(weight.shape[1] % PanelGroup(type), 0);
  }
  return ctx.kernels->Gemm(ctx.precision, type);
}

struct Blocks {
  int64_t rows, cols;    // of one block
  int64_t down, across;  // how many
};

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

Blocks SplitOutputs(int64_t m, int64_t n, int64_t row_tile, int64_t threads) {
  Blocks b;
  b.down = DivideUp(m, DivideUp(kRows, row_tile) * row_tile);
  b.rows = DivideUp(DivideUp(m, b.down), row_tile) * row_tile;
  // Three blocks a thread even out threads that start late.
  const int64_t wanted = DivideUp(3 * threads, b.down);
  const int64_t most = m == 1 ? kOneRowCols : kCols;
  b.cols = threads == 1 ? most : std::clamp(DivideUp(DivideUp(n, wanted), kMinCols) * kMinCols, kMinCols, most);
  b.across = DivideUp(n, b.cols);
  return b;
}

// Activations in the form the kernel reads, in arena memory.
const void* Pack(const ExecContext& ctx, const kernels::GemmKernel& gemm, ConstView x) {
  if (gemm.pack == nullptr) return x.data;
  const auto packed = ctx.arena->Take<std::byte>(gemm.packed_bytes(x.rows, x.cols));
  const auto pack = [&](int64_t begin, int64_t end) {
    gemm.pack({.a = x.data, .lda = x.stride, .m0 = begin, .m1 = end, .k = x.cols, .packed = packed.data()});
  };
  const int64_t tiles = DivideUp(x.rows, gemm.row_tile);
  ParallelRanges(ctx, tiles, RowGrain(x.cols * gemm.row_tile), [&](int64_t begin, int64_t end) {
    pack(begin * gemm.row_tile, std::min(x.rows, end * gemm.row_tile));
  });
  return packed.data();
}

}  // namespace

void MatMul(const ExecContext& ctx, ConstView x, const TensorView& weight, View out, const MatMulOptions& options) {
  CHECK_EQ(weight.shape.rank(), size_t{2});
  const int64_t n = weight.shape[0];
  CHECK_EQ(x.cols, weight.shape[1]);
  CHECK_EQ(out.cols, n);
  CHECK_EQ(out.rows, x.rows);
  CHECK(options.bias.empty() || static_cast<int64_t>(options.bias.size()) == n);
  CHECK(options.scale.empty() || static_cast<int64_t>(options.scale.size()) == n);
  CHECK(!options.residual || (options.residual.rows == out.rows && options.residual.cols == n));
  if (x.rows == 0 || n == 0) return;

  const Arena::Scope scope(*ctx.arena);
  const kernels::KernelTable& table = *ctx.kernels;
  const kernels::GemmKernel& gemm = KernelFor(ctx, weight);
  const void* a = Pack(ctx, gemm, x);
  const Blocks blocks = SplitOutputs(x.rows, n, gemm.row_tile, ctx.pool->num_threads());

  // Blocks go down the rows first, so that threads share the weights they read.
  ParallelForWithScratch(ctx, blocks.down * blocks.across, blocks.rows * blocks.cols, [&](int64_t task, float* c) {
    const int64_t m0 = task % blocks.down * blocks.rows;
    const int64_t n0 = task / blocks.down * blocks.cols;
    const int64_t m1 = std::min(x.rows, m0 + blocks.rows);
    const int64_t n1 = std::min(n, n0 + blocks.cols);
    gemm.run({.a = a,
              .lda = x.stride,
              .w = weight.data,
              .m0 = m0,
              .m1 = m1,
              .n0 = n0,
              .n1 = n1,
              .k = x.cols,
              .c = c,
              .ldc = blocks.cols});
    table.epilogue({.c = c,
                    .ldc = blocks.cols,
                    .m = m1 - m0,
                    .n = n1 - n0,
                    .bias = options.bias.empty() ? nullptr : options.bias.data() + n0,
                    .activation = options.activation,
                    .scale = options.scale.empty() ? nullptr : options.scale.data() + n0,
                    .residual = options.residual ? options.residual.row(m0) + n0 : nullptr,
                    .ld_residual = options.residual.stride,
                    .out = out.row(m0) + n0,
                    .ld_out = out.stride});
  });
}

}  // namespace galago::ops
