#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "src/kernels/test_util.h"

namespace galago::kernels::testing {
namespace {

const std::vector<int64_t> kLengths = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 151};

// A sweep over where activations bend, and far beyond.
std::vector<float> ActivationInputs() {
  std::vector<float> x;
  for (float v = -24.0f; v <= 24.0f; v += 0.00731f) x.push_back(v);
  for (const float v :
       {0.0f, -0.0f, 1e-40f, -1e-40f, 1e-20f, 90.0f, -90.0f, 1e4f, -1e4f, 1e18f, -1e18f, 3e38f, -3e38f}) {
    x.push_back(v);
  }
  return x;
}

TEST(ActivationParity, WithinAFewUnitsInTheLastPlaceOfTheInput) {
  const std::vector<float> x = ActivationInputs();
  const auto n = static_cast<int64_t>(x.size());
  for (const NamedTable& isa : AllTables()) {
    for (int a = 0; a < kNumActivations; ++a) {
      const auto activation = static_cast<Activation>(a);
      std::vector<float> want(x.size()), got(x.size()), doubled(x.size());
      ref::Table().activate(activation, x.data(), want.data(), n);
      isa.table.activate(activation, x.data(), got.data(), n);
      const std::vector<float> twos(x.size(), 2.0f);
      isa.table.activate_multiply(activation, x.data(), twos.data(), doubled.data(), n);
      for (size_t i = 0; i < x.size(); ++i) {
        // All but hard-sigmoid are x times a factor in [0, 1] known to 3e-7 (math-inl.h).
        const double size = activation == Activation::kHardSigmoid ? 1.0 : std::abs(x[i]);
        ASSERT_TRUE(Close(got[i], want[i], 3 * kEpsilon * size)) << isa.name << " activation " << a << " of " << x[i];
        ASSERT_EQ(doubled[i], got[i] * 2.0f) << isa.name << " activation " << a << " of " << x[i];
      }
      float nan = std::numeric_limits<float>::quiet_NaN();
      isa.table.activate(activation, &nan, &nan, 1);
      EXPECT_TRUE(std::isnan(nan)) << isa.name << " activation " << a;
    }
  }
}

TEST(ElementwiseParity, ArithmeticIsExactAndInBounds) {
  for (const NamedTable& isa : AllTables()) {
    for (const int64_t n : kLengths) {
      Random random(static_cast<uint64_t>(n));
      GuardedBuffer<float> a(n, 4), b(n, 8), got(n, 12);
      random.Fill(a.span());
      random.Fill(b.span());
      isa.table.add(a.data(), b.data(), got.data(), n);
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(got[i], a[i] + b[i]) << isa.name;
      isa.table.multiply(a.data(), b.data(), got.data(), n);
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(got[i], a[i] * b[i]) << isa.name;
      isa.table.activate(Activation::kSilu, a.data(), got.data(), n);
      EXPECT_TRUE(got.GuardsIntact()) << isa.name << " n=" << n;
    }
  }
}

TEST(ElementwiseParity, ConversionsAreExact) {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> floats;
  std::mt19937 engine(1);
  for (int i = 0; i < 200000; ++i) floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(engine())));
  for (const uint32_t bits :
       {0x3f808000u, 0x3f818000u, 0x477fefffu, 0x477ff000u, 0x33000000u, 0x33000001u, 0x7f7fffffu}) {
    floats.push_back(std::bit_cast<float>(bits));  // ties and edges of the 16-bit formats
  }
  const auto same = [](float a, float b) { return SameBits(a, b) || (std::isnan(a) && std::isnan(b)); };
  for (const NamedTable& isa : AllTables()) {
    for (const FloatType type : {FloatType::kF16, FloatType::kBF16}) {
      std::vector<float> want(all.size()), got(all.size());
      ref::Table().to_f32(type, all.data(), want.data(), 65536);
      isa.table.to_f32(type, all.data(), got.data(), 65536);
      for (size_t i = 0; i < all.size(); ++i) ASSERT_TRUE(same(got[i], want[i])) << isa.name << " bits " << i;
      const auto n = static_cast<int64_t>(floats.size());
      std::vector<uint16_t> want_bits(floats.size()), got_bits(floats.size());
      ref::Table().from_f32(type, floats.data(), want_bits.data(), n);
      isa.table.from_f32(type, floats.data(), got_bits.data(), n);
      for (size_t i = 0; i < floats.size(); ++i) {
        ASSERT_TRUE(want_bits[i] == got_bits[i] || std::isnan(floats[i])) << isa.name << " of " << floats[i];
      }
      for (const int64_t length : kLengths) {
        GuardedBuffer<std::byte> out(length * 2, 2);
        GuardedBuffer<float> back(length, 4);
        isa.table.from_f32(type, floats.data(), out.data(), length);
        isa.table.to_f32(type, out.data(), back.data(), length);
        EXPECT_TRUE(out.GuardsIntact() && back.GuardsIntact()) << isa.name << " n=" << length;
      }
    }
  }
}

TEST(EpilogueParity, EveryCombinationOfParts) {
  const int64_t m = 3;
  for (const NamedTable& isa : AllTables()) {
    for (const int64_t n : kLengths) {
      for (int parts = 0; parts < 8; ++parts) {
        Random random(static_cast<uint64_t>(n));
        const std::vector<float> c = random.Floats(m * (n + 2)), bias = random.Floats(n), scale = random.Floats(n);
        std::vector<float> want = random.Floats(m * n);
        GuardedBuffer<float> got(m * n, 4);
        std::copy(want.begin(), want.end(), got.data());
        EpilogueArgs args = {.c = c.data(), .ldc = n + 2, .m = m, .n = n, .bias = nullptr};
        args.activation = Activation::kGeluErf;
        args.scale = (parts & 2) != 0 ? scale.data() : nullptr;
        args.bias = (parts & 1) != 0 ? bias.data() : nullptr;
        args.ld_residual = args.ld_out = n;
        args.residual = (parts & 4) != 0 ? want.data() : nullptr;
        const std::vector<float> before = want;
        args.out = want.data();
        ref::Table().epilogue(args);
        args.residual = (parts & 4) != 0 ? got.data() : nullptr;
        args.out = got.data();
        isa.table.epilogue(args);
        EXPECT_TRUE(got.GuardsIntact()) << isa.name << " n=" << n;
        for (int64_t i = 0; i < m * n; ++i) {
          const int64_t j = i % n;
          const double x =
              std::abs(c[static_cast<size_t>(i / n * (n + 2) + j)]) + std::abs(bias[static_cast<size_t>(j)]);
          const double size =
              x * (std::abs(scale[static_cast<size_t>(j)]) + 1) + std::abs(before[static_cast<size_t>(i)]);
          ASSERT_TRUE(Close(got[i], want[static_cast<size_t>(i)], 6 * kEpsilon * size))
              << isa.name << " parts " << parts;
        }
      }
    }
  }
}

TEST(NormParity, WithinTheRoundingOfTheSums) {
  for (const NamedTable& isa : AllTables()) {
    for (const int64_t cols : {1, 3, 7, 8, 15, 16, 17, 33, 72, 1152}) {
      const int64_t rows = 3, ldx = cols + 1;
      Random random(static_cast<uint64_t>(cols));
      GuardedBuffer<float> x(rows * ldx, 4), want(rows * cols), got(rows * cols, 8);
      random.Fill(x.span());
      for (float& value : x.span()) value += 3.0f;
      const std::vector<float> weight = random.Floats(cols), bias = random.Floats(cols);
      for (const bool rms : {false, true}) {
        for (const bool with_bias : {false, true}) {
          NormArgs args = {.x = x.data(), .ldx = ldx, .rows = rows, .cols = cols, .weight = weight.data()};
          args.bias = with_bias ? bias.data() : nullptr;
          args.eps = 1e-5f;
          args.ld_out = cols;
          args.out = want.data();
          (rms ? ref::Table().rms_norm : ref::Table().layer_norm)(args);
          args.out = got.data();
          (rms ? isa.table.rms_norm : isa.table.layer_norm)(args);
          EXPECT_TRUE(got.GuardsIntact()) << isa.name << " cols=" << cols;
          for (int64_t i = 0; i < rows; ++i) {
            double mean = 0, mean_abs = 0, square = 0;
            for (int64_t j = 0; j < cols; ++j) mean += x[i * ldx + j], mean_abs += std::abs(x[i * ldx + j]);
            mean = rms ? 0.0 : mean / static_cast<double>(cols);
            mean_abs /= static_cast<double>(cols);
            for (int64_t j = 0; j < cols; ++j) square += (x[i * ldx + j] - mean) * (x[i * ldx + j] - mean);
            const double scale = 1.0 / std::sqrt(square / static_cast<double>(cols) + 1e-5);
            // The mean errs by cols * eps * mean|x|, in units of the deviation that is `shift`; the deviation by
            // cols * eps of itself and as much again for each shift.
            const double length = static_cast<double>(cols + 4) * kEpsilon;
            const double shift = rms ? 0.0 : length * mean_abs * scale;
            for (int64_t j = 0; j < cols; ++j) {
              const double y = std::abs((x[i * ldx + j] - mean) * scale);
              const double tolerance = std::abs(weight[static_cast<size_t>(j)]) * (shift + y * (length + 2 * shift)) +
                                       2 * kEpsilon * std::abs(want[i * cols + j]);
              ASSERT_TRUE(Close(got[i * cols + j], want[i * cols + j], tolerance))
                  << isa.name << " cols=" << cols << " rms=" << rms << ": " << got[i * cols + j] << " instead of "
                  << want[i * cols + j];
            }
          }
        }
      }
    }
  }
}

TEST(RopeParity, IsExact) {
  for (const NamedTable& isa : AllTables()) {
    for (const int64_t head_dim : {2, 6, 10, 32, 72, 80, 128}) {
      for (const RopePairs pairs : {RopePairs::kHalfSplit, RopePairs::kInterleaved}) {
        const int64_t rows = 3, heads = 2, ldx = heads * head_dim + 1;
        Random random(static_cast<uint64_t>(head_dim));
        GuardedBuffer<float> got(rows * ldx, 4);
        random.Fill(got.span());
        std::vector<float> want(got.span().begin(), got.span().end());
        const std::vector<float> cos = random.Floats(rows * head_dim / 2), sin = random.Floats(rows * head_dim / 2);
        RopeArgs args = {want.data(), ldx, rows, heads, head_dim, cos.data(), sin.data(), pairs};
        ref::Table().rope(args);
        args.x = got.data();
        isa.table.rope(args);
        EXPECT_TRUE(got.GuardsIntact()) << isa.name;
        for (int64_t i = 0; i < rows * ldx; ++i) ASSERT_EQ(got[i], want[static_cast<size_t>(i)]) << isa.name;
      }
    }
  }
}

}  // namespace
}  // namespace galago::kernels::testing
