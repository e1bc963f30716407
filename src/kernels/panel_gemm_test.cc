#include <gtest/gtest.h>

#include <algorithm>

#include "src/kernels/test_util.h"
#include "src/tensor/panels.h"

namespace galago::kernels::testing {
namespace {

struct Shape3 {
  int64_t m, n, k;
};

std::ostream& operator<<(std::ostream& out, const Shape3& s) {
  return out << "m=" << s.m << " n=" << s.n << " k=" << s.k;
}

constexpr DType kPanelTypes[] = {DType::kW4G32,  DType::kW4G64, DType::kW4G128, DType::kW6G16,  DType::kW6G32,
                                 DType::kW6G128, DType::kW8G16, DType::kW8G32,  DType::kW8G128, DType::kW8Row};

// A random quantised matrix in panels at an address that is only what the type demands, with what each weight is.
class PanelWeights {
 public:
  enum class Codes { kRandom, kExtreme };
  PanelWeights(DType dtype, int64_t n, int64_t k, Random& random, Codes codes = Codes::kRandom)
      : dtype_(dtype),
        k_(k),
        group_(dtype == DType::kW8Row ? k : PanelGroup(PanelTypeOf(dtype))),
        bytes_(static_cast<int64_t>(PanelMatrixBytes(dtype, n, k))) {
    const bool extreme = codes == Codes::kExtreme;
    if (Four()) {
      four_ = MakeGroupedWeights(n, k, group_);
      for (uint8_t& code : four_.codes) code = static_cast<uint8_t>(extreme ? 15 : random.Below(16));
      for (size_t i = 0; i < four_.scales.size(); ++i) {
        four_.scales[i] = F32ToF16(std::ldexp(1.0f + std::abs(random.Next()), -6));
        four_.zeros[i] = F32ToF16(i % 3 == 0 ? static_cast<float>(random.Below(16)) : std::abs(random.Next()) * 0.1f);
        if (i % 11 == 5) four_.scales[i] = 3;  // subnormal
      }
      PackPanels(dtype, four_, bytes_.span());
    } else {
      eight_ = MakeGroupedWeights8(n, k, group_);
      // Of 8 bits pairs of the greatest and the least; of 6, which lie there as 0 .. 63, the greatest alone.
      const bool six = PanelBits(PanelTypeOf(dtype)) == 6;
      const int half = six ? 32 : 128;
      for (int8_t& code : eight_.codes) {
        const bool greatest = six || (&code - eight_.codes.data()) % 2 == 0;
        code = static_cast<int8_t>(!extreme ? random.Below(2 * half) - half : greatest ? half - 1 : -half);
      }
      for (float& scale : eight_.scales) scale = std::ldexp(1.0f + std::abs(random.Next()), -9);
      PackPanels(dtype, eight_, bytes_.span());
    }
  }
  DType dtype() const { return dtype_; }
  bool Four() const { return PanelBits(PanelTypeOf(dtype_)) == 4; }
  int64_t group() const { return group_; }
  const void* data() { return bytes_.data(); }
  int Code(int64_t n, int64_t k) const {
    const auto i = static_cast<size_t>(n * k_ + k);
    return Four() ? four_.codes[i] : eight_.codes[i];
  }
  float Scale(int64_t n, int64_t k) const { return Four() ? F16ToF32(four_.scales[G(n, k)]) : eight_.scales[G(n, k)]; }
  float Zero(int64_t n, int64_t k) const { return Four() ? F16ToF32(four_.zeros[G(n, k)]) : 0.0f; }

 private:
  size_t G(int64_t n, int64_t k) const { return static_cast<size_t>(n * (k_ / group_) + k / group_); }
  DType dtype_;
  int64_t k_, group_;
  GroupedWeights four_;
  GroupedWeights8 eight_;
  GuardedBuffer<std::byte> bytes_;
};

// Packs rows and computes block [m0, m1) x [n0, n1) as ops does, into c [m1 - m0, ldc].
void RunGemm(const GemmKernel& gemm, const Shape3& shape, const float* a, int64_t lda, const void* w, int64_t m0,
             int64_t m1, int64_t n0, int64_t n1, float* c, int64_t ldc) {
  GuardedBuffer<std::byte> packed(gemm.pack != nullptr ? gemm.packed_bytes(shape.m, shape.k) : 0);
  if (gemm.pack != nullptr) {
    for (int64_t i = 0; i < shape.m; i += gemm.row_tile) {
      gemm.pack({.a = a,
                 .lda = lda,
                 .m0 = i,
                 .m1 = std::min(shape.m, i + gemm.row_tile),
                 .k = shape.k,
                 .packed = packed.data()});
    }
    EXPECT_TRUE(packed.GuardsIntact()) << "packed outside its memory";
  }
  gemm.run({.a = gemm.pack != nullptr ? static_cast<const void*>(packed.data()) : a,
            .lda = lda,
            .w = w,
            .m0 = m0,
            .m1 = m1,
            .n0 = n0,
            .n1 = n1,
            .k = shape.k,
            .c = c,
            .ldc = ldc});
}

std::vector<float> Product(const KernelTable& table, DType dtype, Precision precision, const Shape3& shape,
                           const float* a, int64_t lda, const void* w) {
  GuardedBuffer<float> c(shape.m * shape.n, 4);
  RunGemm(table.Gemm(precision, PanelTypeOf(dtype)), shape, a, lda, w, 0, shape.m, 0, shape.n, c.data(), shape.n);
  EXPECT_TRUE(c.GuardsIntact()) << Name(table.isa) << " wrote outside c for " << shape;
  return {c.span().begin(), c.span().end()};
}

// Tiles of rows, one less and one more; outputs that fill no panel; lengths of real layers.
std::vector<Shape3> Shapes(DType dtype) {
  std::vector<Shape3> shapes = {{1, 1, 128},  {2, 8, 256},   {3, 24, 384}, {4, 136, 128},
                                {5, 16, 128}, {1, 40, 2560}, {3, 17, 8960}};
  for (const int64_t m : {6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 24, 25, 31, 32, 33, 63, 64, 65, 129}) {
    shapes.push_back({m, 33, 256});
  }
  if (dtype == DType::kW8Row) {
    for (const int64_t k : {1, 3, 4, 63, 64, 65, 588, 1152}) shapes.push_back({1 + k % 5, 19, k});
    shapes.push_back({5, 40, 4304});
  } else if (PanelGroup(PanelTypeOf(dtype)) < 64) {
    shapes.push_back({3, 20, 96});
  }
  return shapes;
}

template <class F>
void ForCases(const F& f) {
  for (const NamedTable& isa : AllTables()) {
    for (const DType dtype : kPanelTypes) {
      for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8}) f(isa, dtype, precision);
    }
  }
}

TEST(PanelGemmParity, FloatsMatchReferenceAndStayInBounds) {
  for (const DType dtype : kPanelTypes) {
    for (const Shape3& shape : Shapes(dtype)) {
      const auto [m, n, k] = shape;
      Random random(static_cast<uint64_t>(m * 131 + n * 17 + k));
      const int64_t lda = k + 3;
      GuardedBuffer<float> a(m * lda, 4);
      random.Fill(a.span());
      PanelWeights w(dtype, n, k, random);
      for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
        const std::vector<float> want = Product(ref::Table(), dtype, precision, shape, a.data(), lda, w.data());
        // Any order of n float products errs by at most n * eps * sum |a||b|, where a weight may be taken apart into
        // its code, less 8, and its zero, less 8.
        std::vector<double> sum_abs(want.size());
        for (int64_t i = 0; i < m; ++i) {
          for (int64_t j = 0; j < n; ++j) {
            for (int64_t x = 0; x < k; ++x) {
              const double parts =
                  w.Four() ? std::abs(w.Code(j, x) - 8) + std::abs(w.Zero(j, x) - 8.0) : std::abs(w.Code(j, x));
              sum_abs[static_cast<size_t>(i * n + j)] += std::abs(double{a[i * lda + x]}) * w.Scale(j, x) * parts;
            }
          }
        }
        for (const NamedTable& isa : AllTables()) {
          const std::vector<float> got = Product(isa.table, dtype, precision, shape, a.data(), lda, w.data());
          for (size_t i = 0; i < got.size(); ++i) {
            const double tolerance = std::min(static_cast<double>(k + 4) * kEpsilon, 2e-5) * sum_abs[i];
            ASSERT_TRUE(Close(got[i], want[i], tolerance))
                << isa.name << " " << DTypeName(dtype) << " " << shape << " precision " << static_cast<int>(precision)
                << " at " << i << ": " << got[i] << " instead of " << want[i];
          }
        }
      }
    }
  }
}

// Sums of codes are exact and the float operations after them prescribed, so the bits are.
TEST(PanelGemmParity, Int8HasTheBitsOfTheReference) {
  for (const DType dtype : kPanelTypes) {
    for (const Shape3& shape : Shapes(dtype)) {
      for (const auto codes : {PanelWeights::Codes::kRandom, PanelWeights::Codes::kExtreme}) {
        const auto [m, n, k] = shape;
        const bool extreme = codes == PanelWeights::Codes::kExtreme;
        if (extreme && m > 17) continue;
        Random random(static_cast<uint64_t>(m * 131 + n * 17 + k));
        const int64_t lda = k + 3;
        GuardedBuffer<float> a(m * lda, 4);
        random.Fill(a.span());
        // Codes of +-127 throughout: no sum may saturate.
        for (int64_t i = 0; extreme && i < m * lda; ++i) a[i] = i / 2 % 2 == 0 || m % 2 == 0 ? 3.0f : -3.0f;
        PanelWeights w(dtype, n, k, random, codes);
        const std::vector<float> want = Product(ref::Table(), dtype, Precision::kInt8, shape, a.data(), lda, w.data());
        for (const NamedTable& isa : AllTables()) {
          const std::vector<float> got = Product(isa.table, dtype, Precision::kInt8, shape, a.data(), lda, w.data());
          for (size_t i = 0; i < got.size(); ++i) {
            ASSERT_TRUE(SameBits(got[i], want[i])) << isa.name << " " << DTypeName(dtype) << " " << shape << " at " << i
                                                   << ": " << got[i] << " instead of " << want[i];
          }
        }
      }
    }
  }
}

// Against activations that were not quantised: 1 % of a Gaussian product's size.
TEST(PanelGemmParity, Int8IsCloseToExact) {
  for (const DType dtype : kPanelTypes) {
    const Shape3 shape = {4, 64, 2560};
    std::mt19937_64 engine(1);
    std::normal_distribution<float> normal;
    std::vector<float> a(static_cast<size_t>(shape.m * shape.k));
    for (float& x : a) x = normal(engine);
    Random random(2);
    PanelWeights w(dtype, shape.n, shape.k, random);
    const std::vector<float> want = Product(ref::Table(), dtype, Precision::kF32, shape, a.data(), shape.k, w.data());
    const std::vector<float> got = Product(ref::Table(), dtype, Precision::kInt8, shape, a.data(), shape.k, w.data());
    double error = 0.0, size = 0.0;
    for (size_t i = 0; i < want.size(); ++i) {
      error += (double{got[i]} - want[i]) * (double{got[i]} - want[i]);
      size += double{want[i]} * want[i];
    }
    EXPECT_LT(std::sqrt(error / size), 0.01) << DTypeName(dtype);
    EXPECT_GT(error, 0.0) << DTypeName(dtype);
  }
}

// A row computed alone, in any block of rows and panels, has the bits it has in the whole.
TEST(PanelGemmParity, OutputsDoNotDependOnTheirNeighbours) {
  ForCases([](const NamedTable& isa, DType dtype, Precision precision) {
    const Shape3 shape = {29, 83, dtype == DType::kW8Row ? 1100 : 1152};
    const auto [m, n, k] = shape;
    Random random(7);
    const std::vector<float> a = random.Floats(m * k);
    PanelWeights w(dtype, n, k, random);
    const GemmKernel& gemm = isa.table.Gemm(precision, PanelTypeOf(dtype));
    const std::vector<float> want = Product(isa.table, dtype, precision, shape, a.data(), k, w.data());
    std::vector<float> got(want.size());
    for (int64_t i = 0; i < m; ++i) {
      RunGemm(gemm, {1, n, k}, a.data() + i * k, k, w.data(), 0, 1, 0, n, &got[static_cast<size_t>(i * n)], n);
    }
    EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0)
        << isa.name << " row by row, " << DTypeName(dtype) << " precision " << static_cast<int>(precision);
    std::ranges::fill(got, 0.0f);
    for (int64_t m0 = 0; m0 < m; m0 += gemm.row_tile) {
      for (int64_t n0 = 0; n0 < n; n0 += 48) {
        RunGemm(gemm, shape, a.data(), k, w.data(), m0, std::min(m, m0 + gemm.row_tile), n0, std::min(n, n0 + 48),
                &got[static_cast<size_t>(m0 * n + n0)], n);
      }
    }
    EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0)
        << isa.name << " by blocks, " << DTypeName(dtype) << " precision " << static_cast<int>(precision);
  });
}

TEST(PanelGemmParity, ZerosTinyRowsAndNans) {
  ForCases([](const NamedTable& isa, DType dtype, Precision precision) {
    const Shape3 shape = {14, 20, 256};
    Random random(3);
    std::vector<float> a = random.Floats(shape.m * shape.k);
    const auto row = [&](int64_t i) { return std::span<float>(a).subspan(static_cast<size_t>(i * shape.k), 256); };
    std::ranges::fill(row(0), 0.0f);
    std::ranges::fill(row(1), 1e-40f);
    row(2)[200] = std::numeric_limits<float>::quiet_NaN();
    row(3)[7] = std::numeric_limits<float>::infinity();
    row(13)[255] = -std::numeric_limits<float>::infinity();
    PanelWeights w(dtype, shape.n, shape.k, random);
    const std::vector<float> got = Product(isa.table, dtype, precision, shape, a.data(), shape.k, w.data());
    for (int64_t i = 0; i < shape.m; ++i) {
      const bool finite = i != 2 && i != 3 && i != 13;
      for (int64_t j = 0; j < shape.n; ++j) {
        const float value = got[static_cast<size_t>(i * shape.n + j)];
        EXPECT_EQ(std::isfinite(value), finite) << isa.name << " " << DTypeName(dtype) << " " << i << "," << j;
        if (i >= 2) continue;
        EXPECT_NEAR(value, 0.0f, 1e-30f) << isa.name << " " << DTypeName(dtype) << " " << i << "," << j;
      }
    }
  });
}

}  // namespace
}  // namespace galago::kernels::testing
