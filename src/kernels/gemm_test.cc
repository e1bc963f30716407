#include <gtest/gtest.h>

#include <algorithm>

#include "src/kernels/test_util.h"

namespace galago::kernels::testing {
namespace {

struct Shape3 {
  int64_t m, n, k;
};

std::ostream& operator<<(std::ostream& out, const Shape3& s) {
  return out << "m=" << s.m << " n=" << s.n << " k=" << s.k;
}

// Ones, one less and one more than vectors and tiles, primes, lengths of real layers, sums of several K-blocks.
std::vector<Shape3> AwkwardShapes() {
  std::vector<Shape3> shapes;
  for (const int64_t k : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 588}) {
    shapes.push_back({1 + k % 7, 1 + k % 5, k});
  }
  for (const int64_t m : {1, 2, 3, 5, 6, 7, 15, 16, 17, 33}) shapes.push_back({m, 19, 40});
  for (const int64_t n : {1, 2, 3, 4, 5, 16, 17, 31, 33, 151}) shapes.push_back({7, n, 72});
  shapes.push_back({2, 3, 1152});
  shapes.push_back({41, 19, 1800});
  shapes.push_back({3, 5, 4304});
  shapes.push_back({1, 4, 8960});
  return shapes;
}

struct GemmCase {
  Shape3 shape;
  FloatType type;
  Precision precision;
};

// Packs rows and computes block [m0, m1) x [n0, n1) as ops does, into c [m1 - m0, ldc].
void RunGemm(const KernelTable& table, const GemmCase& test, const float* a, int64_t lda, const void* w, int64_t m0,
             int64_t m1, int64_t n0, int64_t n1, float* c, int64_t ldc) {
  const GemmKernel& gemm = table.Gemm(test.precision, test.type);
  const int64_t m = test.shape.m;
  GuardedBuffer<std::byte> packed(gemm.pack != nullptr ? gemm.packed_bytes(m, test.shape.k) : 0);
  if (gemm.pack != nullptr) {
    for (int64_t i = 0; i < m; i += gemm.row_tile) {
      gemm.pack({.a = a,
                 .lda = lda,
                 .m0 = i,
                 .m1 = std::min(m, i + gemm.row_tile),
                 .k = test.shape.k,
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
            .k = test.shape.k,
            .c = c,
            .ldc = ldc});
}

template <class F>
void ForCases(const F& f) {
  for (const NamedTable& isa : AllTables()) {
    for (const FloatType type : {FloatType::kF32, FloatType::kF16, FloatType::kBF16}) {
      for (const Precision precision : {Precision::kF32, Precision::kBf16}) f(isa, type, precision);
    }
  }
}

float RoundedFor(const GemmCase& test, float a) {
  const bool rounds = test.precision == Precision::kBf16 && test.type == FloatType::kBF16;
  return rounds ? Bf16ToF32(F32ToBf16(a)) : a;
}

TEST(GemmParity, MatchesReferenceAndStaysInBounds) {
  ForCases([](const NamedTable& isa, FloatType type, Precision precision) {
    for (const Shape3& shape : AwkwardShapes()) {
      const auto [m, n, k] = shape;
      const GemmCase test = {shape, type, precision};
      Random random(static_cast<uint64_t>(m * 131 + n * 17 + k));
      const int64_t lda = k + 3;
      GuardedBuffer<float> a(m * lda, 4);
      random.Fill(a.span());
      Weights w(type, random.Floats(n * k));
      GuardedBuffer<float> want(m * n), got(m * n, 4);
      RunGemm(ref::Table(), test, a.data(), lda, w.data(), 0, m, 0, n, want.data(), n);
      RunGemm(isa.table, test, a.data(), lda, w.data(), 0, m, 0, n, got.data(), n);
      EXPECT_TRUE(got.GuardsIntact()) << isa.name << " wrote outside c for " << shape;
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          // Any order of n float products errs by at most n * eps * sum |a||b|; one more rounding for the reference.
          double sum_abs = 0.0;
          for (int64_t x = 0; x < k; ++x)
            sum_abs += std::abs(double{RoundedFor(test, a[i * lda + x])} * w.At(j * k + x));
          const double tolerance = static_cast<double>(k + 1) * kEpsilon * sum_abs;
          ASSERT_TRUE(Close(got[i * n + j], want[i * n + j], tolerance))
              << isa.name << " " << shape << " type " << static_cast<int>(type) << " precision "
              << static_cast<int>(precision) << " at " << i << "," << j << ": " << got[i * n + j] << " instead of "
              << want[i * n + j];
        }
      }
    }
  });
}

// A row computed alone, in any block of rows and columns, has the bits it has in the whole.
TEST(GemmParity, OutputsDoNotDependOnTheirNeighbours) {
  ForCases([](const NamedTable& isa, FloatType type, Precision precision) {
    for (const Shape3& shape : {Shape3{23, 11, 100}, Shape3{17, 37, 4304}, Shape3{41, 21, 1793}}) {
      const auto [m, n, k] = shape;
      if (k > 1000 && (isa.name == "ref" || isa.name == "amx_emulated")) continue;  // slow, and has no K-blocks
      const GemmCase all = {shape, type, precision};
      Random random(7);
      const std::vector<float> a = random.Floats(m * k);
      Weights w(type, random.Floats(n * k));
      std::vector<float> want(static_cast<size_t>(m * n)), got(static_cast<size_t>(m * n));
      RunGemm(isa.table, all, a.data(), k, w.data(), 0, m, 0, n, want.data(), n);
      const GemmCase one = {{1, n, k}, type, precision};
      for (int64_t i = 0; i < m; ++i)
        RunGemm(isa.table, one, a.data() + i * k, k, w.data(), 0, 1, 0, n, &got[i * n], n);
      EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0) << isa.name << " row by row, " << shape;
      const int64_t tile = isa.table.Gemm(precision, type).row_tile;
      for (int64_t m0 = 0; m0 < m; m0 += tile) {
        for (int64_t n0 = 0; n0 < n; n0 += 5) {
          RunGemm(isa.table, all, a.data(), k, w.data(), m0, std::min(m, m0 + tile), n0, std::min(n, n0 + 5),
                  &got[m0 * n + n0], n);
        }
      }
      EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0) << isa.name << " by blocks, " << shape;
    }
  });
}

TEST(GemmParity, InfinitiesNansAndSubnormals) {
  ForCases([](const NamedTable& isa, FloatType type, Precision precision) {
    const Shape3 shape = {5, 6, 70};
    const GemmCase test = {shape, type, precision};
    Random random(3);
    std::vector<float> a = random.Floats(5 * 70);
    a[1 * 70 + 69] = std::numeric_limits<float>::infinity();
    a[2 * 70 + 31] = -std::numeric_limits<float>::infinity();
    a[3 * 70 + 2] = std::numeric_limits<float>::quiet_NaN();
    for (int64_t x = 0; x < 70; ++x) a[static_cast<size_t>(4 * 70 + x)] = 1e-40f;
    Weights w(type, random.Floats(6 * 70));
    std::vector<float> want(30), got(30);
    RunGemm(ref::Table(), test, a.data(), 70, w.data(), 0, 5, 0, 6, want.data(), 6);
    RunGemm(isa.table, test, a.data(), 70, w.data(), 0, 5, 0, 6, got.data(), 6);
    for (int64_t j = 0; j < 6; ++j) {
      for (int64_t i = 1; i < 4; ++i) {
        EXPECT_TRUE(Close(got[i * 6 + j], want[i * 6 + j], 0.0)) << isa.name << " " << i << "," << j;
      }
      // Processors may take each of the 70 subnormal products as zero.
      EXPECT_TRUE(Close(got[24 + j], want[24 + j], 70 * std::numeric_limits<float>::min())) << isa.name;
    }
  });
}

}  // namespace
}  // namespace galago::kernels::testing
