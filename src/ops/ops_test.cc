#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "src/kernels/table.h"
#include "src/ops/attention.h"
#include "src/ops/elementwise.h"
#include "src/ops/embedding.h"
#include "src/ops/grid.h"
#include "src/ops/matmul.h"
#include "src/ops/norm.h"
#include "src/ops/rope.h"
#include "src/tensor/convert.h"
#include "src/tensor/panels.h"

namespace galago::ops {
namespace {

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

std::vector<float> RandomFloats(int64_t count, uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& x : out) x = normal(engine);
  return out;
}

Tensor RandomTensor(DType dtype, const Shape& shape, uint64_t seed) {
  Tensor f32 = Tensor::F32(shape);
  std::ranges::copy(RandomFloats(shape.NumElements(), seed), f32.f32().begin());
  return Converted(f32.view(), dtype);
}

// A context of its own pool and arena, for one instruction set.
struct Machine {
  Machine(kernels::Isa isa, int threads, Precision precision = Precision::kF32)
      : table(kernels::MakeKernelTable(isa)), pool(threads), ctx{&pool, &table, precision, &arena, nullptr} {}
  kernels::KernelTable table;
  ThreadPool pool;
  Arena arena;
  ExecContext ctx;
};

std::vector<kernels::Isa> Isas() { return kernels::AvailableIsas(kernels::DetectCpuFeatures()); }

TEST(ChooseKernels, TakesTheBestUnlessTold) {
  const auto best = ChooseKernels("");
  ASSERT_TRUE(best.ok());
  EXPECT_EQ(best->isa, Isas().back());
  const auto plain = ChooseKernels("ref");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->isa, kernels::Isa::kRef);
}

TEST(ChooseKernels, RefusesByName) {
  EXPECT_EQ(ChooseKernels("mmx").status().code(), StatusCode::kInvalidArgument);
#if defined(__x86_64__)
  const Status status = ChooseKernels("neon_bf16").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(status), "instruction set neon_bf16 needs neon, dotprod, bf16, which this machine lacks");
#endif
}

TEST(MatMul, AllPartsOfTheEpilogue) {
  const int64_t m = 5, n = 37, k = 50;
  Machine machine(kernels::Isa::kRef, 2);
  const auto x = RandomFloats(m * k, 1), bias = RandomFloats(n, 2), scale = RandomFloats(n, 3);
  auto out = RandomFloats(m * n, 4);
  const auto residual = out;
  const Tensor w = RandomTensor(DType::kBF16, {n, k}, 5);
  std::vector<float> wide(static_cast<size_t>(n * k));
  ToF32(DType::kBF16, w.data(), wide);
  const View out_view(out, m, n);
  MatMul(machine.ctx, {x, m, k}, w.view(), out_view,
         {.bias = bias, .activation = Activation::kRelu, .scale = scale, .residual = out_view});
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = bias[static_cast<size_t>(j)];
      for (int64_t c = 0; c < k; ++c)
        sum += double{x[static_cast<size_t>(i * k + c)]} * wide[static_cast<size_t>(j * k + c)];
      const double want = residual[static_cast<size_t>(i * n + j)] + scale[static_cast<size_t>(j)] * std::max(0.0, sum);
      EXPECT_NEAR(out[static_cast<size_t>(i * n + j)], want, 8 * kEpsilon * (std::abs(want) + std::abs(sum) + 10));
    }
  }
}

// The same bits for every number of threads and every way to cut the rows.
TEST(MatMul, BitsDoNotDependOnThreadsOrRows) {
  const int64_t m = 300, n = 70, k = 96;
  const auto x = RandomFloats(m * k, 1);
  for (const kernels::Isa isa : Isas()) {
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
      const Tensor w = RandomTensor(dtype, {n, k}, 2);
      for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
        std::vector<float> want(static_cast<size_t>(m * n)), got(want);
        Machine one(isa, 1, precision);
        MatMul(one.ctx, {x, m, k}, w.view(), {want, m, n});
        for (const int threads : {1, 2, 3}) {
          Machine machine(isa, threads, precision);
          for (const int64_t rows : {int64_t{1}, int64_t{7}, int64_t{64}, m}) {
            std::ranges::fill(got, 0.0f);
            for (int64_t i = 0; i < m; i += rows) {
              const int64_t count = std::min(rows, m - i);
              MatMul(machine.ctx, ConstView(x, m, k).Rows(i, count), w.view(), View(got, m, n).Rows(i, count));
            }
            EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0)
                << kernels::Name(isa) << " " << DTypeName(dtype) << " threads=" << threads << " rows=" << rows;
          }
        }
      }
    }
  }
}

TEST(MatMul, StridedViewsAndUnalignedWeights) {
  const int64_t m = 9, n = 33, k = 40;
  for (const kernels::Isa isa : Isas()) {
    Machine machine(isa, 2);
    const auto x = RandomFloats(m * (k + 5), 1);
    const Tensor w = RandomTensor(DType::kBF16, {n * k + 1}, 2);
    TensorView shifted = {DType::kBF16, {n, k}, w.data() + 2};
    std::vector<float> wide(m * (n + 3), 7.0f), tight(static_cast<size_t>(m * n)), packed(static_cast<size_t>(m * k));
    MatMul(machine.ctx, {x.data(), m, k, k + 5}, shifted, {wide.data(), m, n, n + 3});
    Copy(machine.ctx, {x.data(), m, k, k + 5}, {packed, m, k});
    MatMul(machine.ctx, {packed, m, k}, shifted, {tight, m, n});
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n + 3; ++j) {
        const float want = j < n ? tight[static_cast<size_t>(i * n + j)] : 7.0f;
        ASSERT_EQ(wide[static_cast<size_t>(i * (n + 3) + j)], want) << kernels::Name(isa);
      }
    }
  }
}

// A random matrix of 4 or 8 bits.
Tensor RandomPanels(DType dtype, int64_t rows, int64_t cols, uint64_t seed) {
  std::mt19937_64 engine(seed);
  Tensor panels(dtype, {rows, cols});
  const std::span<std::byte> out(panels.data(), panels.num_bytes());
  if (dtype == DType::kW4G128) {
    GroupedWeights weights = MakeGroupedWeights(rows, cols, 128);
    for (uint8_t& code : weights.codes) code = static_cast<uint8_t>(engine() % 16);
    std::ranges::fill(weights.scales, uint16_t{0x2000});  // 2^-7
    std::ranges::fill(weights.zeros, uint16_t{0x4700});   // 7
    PackPanels(dtype, weights, out);
  } else {
    GroupedWeights8 weights = MakeGroupedWeights8(rows, cols, cols);
    for (int8_t& code : weights.codes) code = static_cast<int8_t>(engine() % 256);
    std::ranges::fill(weights.scales, 0.01f);
    PackPanels(dtype, weights, out);
  }
  return panels;
}

TEST(MatMul, QuantisedWeights) {
  constexpr int64_t kM = 15, kN = 1100, kK = 384;
  const std::vector<float> x = RandomFloats(kM * kK, 1);
  for (const DType dtype : {DType::kW4G128, DType::kW8Row}) {
    const Tensor panels = RandomPanels(dtype, kN, kK, 2);
    const Tensor floats = Converted(panels.view(), DType::kF32);
    std::vector<float> want(kM * kN);
    Machine plain(kernels::Isa::kRef, 1);
    MatMul(plain.ctx, {x, kM, kK}, floats.view(), {want, kM, kN});
    for (const kernels::Isa isa : Isas()) {
      for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) {
        std::vector<float> one(kM * kN), three(kM * kN);
        Machine single(isa, 1, precision), pool(isa, 3, precision);
        MatMul(single.ctx, {x, kM, kK}, panels.view(), {one, kM, kN});
        MatMul(pool.ctx, {x, kM, kK}, panels.view(), {three, kM, kN});
        EXPECT_EQ(std::memcmp(one.data(), three.data(), one.size() * 4), 0) << kernels::Name(isa);
        double error = 0.0, size = 0.0;
        for (size_t i = 0; i < want.size(); ++i) {
          error += std::pow(double{one[i]} - want[i], 2);
          size += std::pow(want[i], 2);
        }
        const double bound = precision == Precision::kF32 ? 1e-6 : precision == Precision::kBf16 ? 4e-3 : 1e-2;
        EXPECT_LT(std::sqrt(error / size), bound) << kernels::Name(isa) << " " << DTypeName(dtype);
      }
    }
  }
}

TEST(Gather, RowsOfQuantisedTables) {
  const Tensor table = RandomPanels(DType::kW4G128, 40, 256, 5);
  const Tensor floats = Converted(table.view(), DType::kF32);
  const std::vector<int32_t> ids = {39, 0, 17};
  std::vector<float> want(3 * 256), got(3 * 256);
  Machine machine(kernels::Isa::kRef, 2);
  Gather(machine.ctx, floats.view(), ids, {want, 3, 256});
  Gather(machine.ctx, table.view(), ids, {got, 3, 256});
  EXPECT_EQ(want, got);
}

TEST(Norm, RowsOfAStridedView) {
  Machine machine(kernels::Isa::kRef, 3);
  const auto x = RandomFloats(4 * 10, 1), weight = RandomFloats(6, 2), bias = RandomFloats(6, 3);
  std::vector<float> out(24);
  LayerNorm(machine.ctx, {x.data(), 4, 6, 10}, weight, bias, 1e-6, {out, 4, 6});
  for (int64_t i = 0; i < 4; ++i) {
    double mean = 0, var = 0;
    for (int64_t j = 0; j < 6; ++j) mean += x[static_cast<size_t>(i * 10 + j)] / 6.0;
    for (int64_t j = 0; j < 6; ++j) var += std::pow(x[static_cast<size_t>(i * 10 + j)] - mean, 2) / 6.0;
    for (int64_t j = 0; j < 6; ++j) {
      const double want =
          (x[static_cast<size_t>(i * 10 + j)] - mean) / std::sqrt(var + 1e-6) * weight[static_cast<size_t>(j)] +
          bias[static_cast<size_t>(j)];
      EXPECT_NEAR(out[static_cast<size_t>(i * 6 + j)], want, 4 * kEpsilon * (std::abs(want) + 4));
    }
  }
}

TEST(Gather, WidensTheRowsAskedFor) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    Machine machine(Isas().back(), 2);
    const Tensor table = RandomTensor(dtype, {5, 7}, 1);
    std::vector<float> all(35), out(21);
    ToF32(dtype, table.data(), all);
    const std::vector<int32_t> ids = {4, 0, 4};
    Gather(machine.ctx, table.view(), ids, {out, 3, 7});
    for (size_t i = 0; i < 21; ++i) EXPECT_EQ(out[i], all[static_cast<size_t>(ids[i / 7]) * 7 + i % 7]);
  }
}

TEST(Rope, TableAndRotation) {
  Machine machine(Isas().back(), 2);
  const Arena::Scope scope(machine.arena);
  const std::vector<float> inv_freq = {1.0f, 0.1f, 0.01f};
  const RopeTable table = MakeRopeTable(machine.ctx, inv_freq, 41, 2);
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t i = 0; i < 3; ++i) {
      const float angle = static_cast<float>(41 + t) * inv_freq[static_cast<size_t>(i)];
      EXPECT_EQ(table.cos.row(t)[i], std::cos(angle));
      EXPECT_EQ(table.sin.row(t)[i], std::sin(angle));
    }
  }
  // The interleaved form is the half-split form with channels permuted.
  const auto x = RandomFloats(2 * 12, 1);
  std::vector<float> split(x), mixed(24);
  const auto mixed_index = [](int64_t i) { return i / 6 * 6 + (i % 6 % 3) * 2 + i % 6 / 3; };
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t i = 0; i < 12; ++i)
      mixed[static_cast<size_t>(t * 12 + mixed_index(i))] = x[static_cast<size_t>(t * 12 + i)];
  }
  ApplyRope(machine.ctx, table, RopePairs::kHalfSplit, 2, {split, 2, 12});
  ApplyRope(machine.ctx, table, RopePairs::kInterleaved, 2, {mixed, 2, 12});
  for (int64_t t = 0; t < 2; ++t) {
    for (int64_t i = 0; i < 12; ++i) {
      EXPECT_EQ(mixed[static_cast<size_t>(t * 12 + mixed_index(i))], split[static_cast<size_t>(t * 12 + i)]);
    }
    const float* cos = table.cos.row(t);
    const float* sin = table.sin.row(t);
    const float* in = x.data() + t * 12;
    EXPECT_EQ(split[static_cast<size_t>(t * 12)], in[0] * cos[0] - in[3] * sin[0]);
    EXPECT_EQ(split[static_cast<size_t>(t * 12 + 3)], in[3] * cos[0] + in[0] * sin[0]);
  }
}

// Appends T positions in chunks and attends after each, as prefill does.
std::vector<float> CausalInChunks(kernels::Isa isa, int threads, DType dtype, int64_t chunk) {
  constexpr int64_t kT = 150, kHeads = 6, kKv = 2, kDim = 20;
  Machine machine(isa, threads);
  const auto q = RandomFloats(kT * kHeads * kDim, 1), k = RandomFloats(kT * kKv * kDim, 2),
             v = RandomFloats(kT * kKv * kDim, 3);
  Tensor keys(dtype, {kKv, kT, kDim}), values(dtype, {kKv, kT, kDim});
  const KvLayer kv = {dtype, keys.data(), values.data(), kT, kKv, kDim};
  std::vector<float> out(q.size());
  for (int64_t t = 0; t < kT; t += chunk) {
    const int64_t count = std::min(chunk, kT - t);
    AppendKv(machine.ctx, ConstView(k, kT, kKv * kDim).Rows(t, count), ConstView(v, kT, kKv * kDim).Rows(t, count), t,
             kv);
    CausalAttention(machine.ctx, ConstView(q, kT, kHeads * kDim).Rows(t, count), kv, t, kHeads, 0.2,
                    View(out, kT, kHeads * kDim).Rows(t, count));
  }
  return out;
}

TEST(CausalAttention, ChunksAndThreadsGiveTheSameBits) {
  for (const kernels::Isa isa : Isas()) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      const auto want = CausalInChunks(isa, 1, dtype, 150);
      for (const int64_t chunk : {1, 7, 64, 150}) {
        const auto got = CausalInChunks(isa, chunk == 1 ? 2 : 3, dtype, chunk);
        EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0) << kernels::Name(isa) << " chunk " << chunk;
      }
    }
  }
}

TEST(CausalAttention, QueryHeadsShareTheirGroupsKeys) {
  constexpr int64_t kT = 3, kHeads = 4, kKv = 2, kDim = 2;
  Machine machine(Isas().back(), 2);
  const auto q = RandomFloats(kT * kHeads * kDim, 1), k = RandomFloats(kT * kKv * kDim, 2),
             v = RandomFloats(kT * kKv * kDim, 3);
  Tensor keys(DType::kF32, {kKv, 5, kDim}), values(DType::kF32, {kKv, 5, kDim});
  const KvLayer kv = {DType::kF32, keys.data(), values.data(), 5, kKv, kDim};
  std::vector<float> out(q.size());
  AppendKv(machine.ctx, {k, kT, kKv * kDim}, {v, kT, kKv * kDim}, 0, kv);
  CausalAttention(machine.ctx, {q, kT, kHeads * kDim}, kv, 0, kHeads, 0.5, {out, kT, kHeads * kDim});
  for (int64_t t = 0; t < kT; ++t) {
    for (int64_t n = 0; n < kHeads; ++n) {
      const int64_t group = n / 2;
      double total = 0, sums[kDim] = {};
      for (int64_t s = 0; s <= t; ++s) {
        double score = 0;
        for (int64_t d = 0; d < kDim; ++d) {
          score += 0.5 * q[static_cast<size_t>((t * kHeads + n) * kDim + d)] *
                   k[static_cast<size_t>((s * kKv + group) * kDim + d)];
        }
        total += std::exp(score);
        for (int64_t d = 0; d < kDim; ++d)
          sums[d] += std::exp(score) * v[static_cast<size_t>((s * kKv + group) * kDim + d)];
      }
      for (int64_t d = 0; d < kDim; ++d) {
        EXPECT_NEAR(out[static_cast<size_t>((t * kHeads + n) * kDim + d)], sums[d] / total, 64 * kEpsilon);
      }
    }
  }
}

// Every row of a sequence sees the whole sequence: the last row of causal attention over the same keys.
TEST(EncoderAttention, IsCausalAttentionsLastRowForEveryRow) {
  constexpr int64_t kBatch = 2, kT = 101, kHeads = 3, kDim = 10, kWidth = kHeads * kDim;
  for (const kernels::Isa isa : Isas()) {
    Machine machine(isa, 2);
    auto qkv = RandomFloats(kBatch * kT * 3 * kWidth, 1);
    const ConstView all(qkv, kBatch * kT, 3 * kWidth);
    std::vector<float> out(static_cast<size_t>(kBatch * kT * kWidth)), want(static_cast<size_t>(kWidth));
    EncoderAttention(machine.ctx, all.Cols(0, kWidth), all.Cols(kWidth, kWidth), all.Cols(2 * kWidth, kWidth), kBatch,
                     kHeads, 0.3, {out, kBatch * kT, kWidth});
    Tensor keys(DType::kF32, {kHeads, kT, kDim}), values(DType::kF32, {kHeads, kT, kDim});
    const KvLayer kv = {DType::kF32, keys.data(), values.data(), kT, kHeads, kDim};
    for (int64_t b = 0; b < kBatch; ++b) {
      AppendKv(machine.ctx, all.Rows(b * kT, kT).Cols(kWidth, kWidth), all.Rows(b * kT, kT).Cols(2 * kWidth, kWidth), 0,
               kv);
      for (const int64_t t : {0, 57, 100}) {
        CausalAttention(machine.ctx, all.Rows(b * kT + t, 1).Cols(0, kWidth), kv, kT - 1, kHeads, 0.3,
                        {want, 1, kWidth});
        EXPECT_EQ(std::memcmp(want.data(), &out[static_cast<size_t>((b * kT + t) * kWidth)], kWidth * 4), 0)
            << kernels::Name(isa);
      }
    }
  }
}

TEST(SpaceToDepth, BothOrdersAndPadding) {
  Machine machine(Isas().back(), 2);
  std::vector<float> x(9 * 2);  // 3 x 3 cells of 2 channels
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
  std::vector<float> rows(4 * 8), columns(4 * 8);
  SpaceToDepth(machine.ctx, {x, 9, 2}, 3, 3, 2, CellOrder::kRowMajor, {rows, 4, 8});
  SpaceToDepth(machine.ctx, {x, 9, 2}, 3, 3, 2, CellOrder::kColumnMajor, {columns, 4, 8});
  const std::vector<float> want = {1,  2,  3,  4,  7, 8, 9, 10, 5,  6,  0, 0, 11, 12, 0, 0,
                                   13, 14, 15, 16, 0, 0, 0, 0,  17, 18, 0, 0, 0,  0,  0, 0};
  EXPECT_EQ(rows, want);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(columns[i], want[i]);
    EXPECT_EQ(columns[8 + i], want[16 + i]);
    EXPECT_EQ(columns[16 + i], want[8 + i]);
    EXPECT_EQ(columns[24 + i], want[24 + i]);
  }
}

TEST(AreaPool, EnlargesWithOverlappingWindows) {
  Machine machine(Isas().back(), 2);
  const std::vector<float> x = {1, 2, 4, 8};  // 2 x 2
  std::vector<float> out(9);
  AreaPool(machine.ctx, {x, 4, 1}, 2, 2, 3, 3, {out, 9, 1});
  EXPECT_EQ(out, (std::vector<float>{1, 1.5f, 2, 2.5f, 3.75f, 5, 4, 6, 8}));
}

TEST(MeanPool, TimeThenRowsThenColumns) {
  Machine machine(Isas().back(), 2);
  const auto x = RandomFloats(2 * 2 * 4 * 3, 1);  // 2 frames of 2 x 4 cells of 3 channels
  std::vector<float> out(2 * 3);
  MeanPool(machine.ctx, {x, 16, 3}, 2, 2, 4, {.time = 2, .rows = 2, .cols = 2}, {out, 2, 3});
  const auto at = [&](int64_t t, int64_t y, int64_t z, int64_t c) {
    return x[static_cast<size_t>(((t * 2 + y) * 4 + z) * 3 + c)];
  };
  for (int64_t j = 0; j < 2; ++j) {
    for (int64_t c = 0; c < 3; ++c) {
      float columns[2];
      for (int64_t z = 0; z < 2; ++z) {
        float rows[2];
        for (int64_t y = 0; y < 2; ++y) rows[y] = (at(0, y, 2 * j + z, c) + at(1, y, 2 * j + z, c)) / 2;
        columns[z] = (rows[0] + rows[1]) / 2;
      }
      EXPECT_EQ(out[static_cast<size_t>(j * 3 + c)], (columns[0] + columns[1]) / 2);
    }
  }
}

TEST(ExtractPatches, DropsWhatIsLeftOver) {
  Machine machine(Isas().back(), 2);
  std::vector<float> pixels(2 * 2 * 5 * 5);  // 2 pictures, 2 channels, 5 x 5
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i);
  std::vector<float> out(2 * 4 * 8);
  ExtractPatches(machine.ctx, pixels, 2, 2, 5, 5, 2, {out, 8, 8});
  for (int64_t row = 0; row < 8; ++row) {
    for (int64_t i = 0; i < 8; ++i) {
      const int64_t image = row / 4, y = row / 2 % 2 * 2 + i / 2 % 2, x = row % 2 * 2 + i % 2, c = i / 4;
      EXPECT_EQ(out[static_cast<size_t>(row * 8 + i)], static_cast<float>(((image * 2 + c) * 5 + y) * 5 + x));
    }
  }
}

TEST(Tiles, StitchAndSplitAreInverse) {
  Machine machine(Isas().back(), 2);
  const int64_t rows = 2, cols = 3, h = 2, w = 2, c = 5, n = rows * cols * h * w;
  const auto x = RandomFloats(n * c, 1);
  std::vector<float> stitched(x.size()), back(x.size());
  StitchTiles(machine.ctx, {x, n, c}, rows, cols, h, w, {stitched, n, c});
  SplitTiles(machine.ctx, {stitched, n, c}, rows, cols, h, w, {back, n, c});
  EXPECT_EQ(back, x);
  // Tile (1, 2), cell (1, 0) lies at row 3, column 4 of 4 x 6.
  EXPECT_EQ(stitched[(3 * 6 + 4) * c + 1], x[((1 * 3 + 2) * 4 + 2) * c + 1]);
}

TEST(DepthwiseConv, TapsOfAMiddleAndACornerCell) {
  Machine machine(Isas().back(), 2);
  const auto x = RandomFloats(9 * 2, 1), bias = RandomFloats(2, 2);
  const Tensor weight = RandomTensor(DType::kF32, {2, 1, 3, 3}, 3);
  const auto taps = weight.f32();
  std::vector<float> out(18), strided(8);
  DepthwiseConv3x3(machine.ctx, {x, 9, 2}, 3, 3, 1, weight.view(), bias, {out, 9, 2});
  DepthwiseConv3x3(machine.ctx, {x, 9, 2}, 3, 3, 2, weight.view(), bias, {strided, 4, 2});
  for (size_t c = 0; c < 2; ++c) {
    double middle = bias[c], corner = bias[c];
    for (size_t tap = 0; tap < 9; ++tap) middle += double{x[tap * 2 + c]} * taps[c * 9 + tap];
    for (const auto& [tap, cell] : {std::pair<size_t, size_t>{4, 0}, {5, 1}, {7, 3}, {8, 4}}) {
      corner += double{x[cell * 2 + c]} * taps[c * 9 + tap];
    }
    EXPECT_NEAR(out[8 + c], middle, 64 * kEpsilon);
    EXPECT_NEAR(out[c], corner, 64 * kEpsilon);
    EXPECT_EQ(strided[c], out[c]);
    EXPECT_EQ(strided[6 + c], out[16 + c]);
  }
}

TEST(Elementwise, ScaleColumnsAndSwiGlu) {
  Machine machine(Isas().back(), 3);
  const auto x = RandomFloats(6, 1), y = RandomFloats(6, 2), scale = RandomFloats(3, 3);
  std::vector<float> out(6);
  ScaleColumns(machine.ctx, {x, 2, 3}, scale, {out, 2, 3});
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(out[i], x[i] * scale[i % 3]);
  ActivateMultiply(machine.ctx, Activation::kSilu, {x, 2, 3}, {y, 2, 3}, {out, 2, 3});
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(out[i], x[i] / (1.0 + std::exp(-double{x[i]})) * y[i], 4 * kEpsilon * std::abs(x[i] * y[i]));
  }
  Activate(machine.ctx, Activation::kHardSwish, {x, 2, 3}, {out, 2, 3});
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(out[i], x[i] * std::clamp(x[i] + 3.0, 0.0, 6.0) / 6.0, 4 * kEpsilon * std::abs(x[i]));
  }
  Add(machine.ctx, {x, 2, 3}, {y, 2, 3}, {out, 2, 3});
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(out[i], x[i] + y[i]);
}

}  // namespace
}  // namespace galago::ops
