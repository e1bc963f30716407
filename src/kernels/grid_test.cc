#include <gtest/gtest.h>

#include <algorithm>

#include "src/kernels/test_util.h"

namespace galago::kernels::testing {
namespace {

TEST(GridParity, DepthwiseConvolution) {
  for (const NamedTable& isa : AllTables()) {
    for (const int64_t channels : {1, 7, 16, 17, 48}) {
      for (const int64_t stride : {1, 2}) {
        const int64_t h = 5, w = 6, out_h = (h - 1) / stride + 1, out_w = (w - 1) / stride + 1;
        Random random(static_cast<uint64_t>(channels));
        GuardedBuffer<float> x(h * w * channels, 4), got(out_w * channels, 8), want(out_w * channels);
        random.Fill(x.span());
        const std::vector<float> weight = random.Floats(9 * channels), bias = random.Floats(channels);
        for (int64_t y = 0; y < out_h; ++y) {
          DepthwiseArgs args = {x.data(), h, w, channels, stride, weight.data(), bias.data(), y, out_w, want.data()};
          ref::Table().depthwise_conv3x3(args);
          args.out = got.data();
          isa.table.depthwise_conv3x3(args);
          EXPECT_TRUE(got.GuardsIntact()) << isa.name;
          for (int64_t i = 0; i < out_w * channels; ++i) {
            double sum_abs = std::abs(bias[static_cast<size_t>(i % channels)]);
            for (int64_t tap = 0; tap < 9; ++tap) {
              const int64_t in_y = y * stride + tap / 3 - 1, in_x = i / channels * stride + tap % 3 - 1;
              if (in_y < 0 || in_y >= h || in_x < 0 || in_x >= w) continue;
              sum_abs += std::abs(double{x[(in_y * w + in_x) * channels + i % channels]} *
                                  weight[static_cast<size_t>(tap * channels + i % channels)]);
            }
            ASSERT_TRUE(Close(got[i], want[i], 10 * kEpsilon * sum_abs)) << isa.name << " channels " << channels;
          }
        }
      }
    }
  }
}

TEST(GridParity, AreaPoolAndMeansAreExact) {
  for (const NamedTable& isa : AllTables()) {
    for (const int64_t channels : {1, 7, 16, 17}) {
      Random random(static_cast<uint64_t>(channels));
      const int64_t h = 4, w = 5, ldx = channels + 1;
      GuardedBuffer<float> x(h * w * ldx, 4);
      random.Fill(x.span());
      for (const int64_t out_h : {1, 2, 3, 4, 6}) {
        for (const int64_t out_w : {1, 3, 5, 7}) {
          GuardedBuffer<float> want(out_w * channels), got(out_w * channels, 4);
          for (int64_t y = 0; y < out_h; ++y) {
            AreaPoolArgs args = {x.data(), ldx, h, w, channels, out_h, out_w, y, want.data(), channels};
            ref::Table().area_pool(args);
            args.out = got.data();
            isa.table.area_pool(args);
            EXPECT_TRUE(got.GuardsIntact()) << isa.name;
            for (int64_t i = 0; i < out_w * channels; ++i) ASSERT_EQ(got[i], want[i]) << isa.name;
          }
        }
      }
      const int64_t inner = 2 * ldx, group = h * w / 2 / 5;
      GuardedBuffer<float> want(5 * inner), got(5 * inner, 4);
      MeanArgs args = {x.data(), 5, group, inner, want.data()};
      ref::Table().mean_groups(args);
      args.out = got.data();
      isa.table.mean_groups(args);
      EXPECT_TRUE(got.GuardsIntact()) << isa.name;
      for (int64_t i = 0; i < 5 * inner; ++i) ASSERT_EQ(got[i], want[i]) << isa.name;
    }
  }
}

// Halving is a filter of (-3, 19, 19, -3) / 32 along each side, borders repeated; the same size changes nothing.
TEST(Bicubic, HalvingAndIdentity) {
  Random random(5);
  const std::vector<float> x = random.Floats(8 * 8);
  std::vector<float> same(64), half(16);
  for (const NamedTable& isa : AllTables()) {
    isa.table.resize_bicubic({x.data(), 8, 8, 8, 8, same.data()});
    EXPECT_EQ(same, x);
    isa.table.resize_bicubic({x.data(), 8, 8, 4, 4, half.data()});
    const double taps[4] = {-3.0 / 32, 19.0 / 32, 19.0 / 32, -3.0 / 32};
    for (int64_t i = 0; i < 4; ++i) {
      for (int64_t j = 0; j < 4; ++j) {
        double sum = 0, sum_abs = 0;
        for (int64_t r = 0; r < 4; ++r) {
          for (int64_t c = 0; c < 4; ++c) {
            const int64_t y = std::clamp<int64_t>(2 * i - 1 + r, 0, 7), z = std::clamp<int64_t>(2 * j - 1 + c, 0, 7);
            const double term = taps[r] * taps[c] * x[static_cast<size_t>(y * 8 + z)];
            sum += term;
            sum_abs += std::abs(term);
          }
        }
        EXPECT_NEAR(half[static_cast<size_t>(i * 4 + j)], sum, 16 * kEpsilon * sum_abs);
      }
    }
  }
}

TEST(Isa, NamesRoundTripAndMissingFeaturesAreNamed) {
  for (const Isa isa : {Isa::kRef, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16, Isa::kAmx, Isa::kNeon,
                        Isa::kNeonDot, Isa::kNeonBf16, Isa::kNeonI8mm}) {
    EXPECT_EQ(IsaFromName(Name(isa)), isa);
  }
  EXPECT_EQ(IsaFromName("sse"), std::nullopt);
  EXPECT_EQ(AvailableIsas({}), std::vector<Isa>{Isa::kRef});
  EXPECT_EQ(MissingFor({.avx2 = true}, Isa::kAvx512), "avx512 f, bw, vl, dq");
  EXPECT_EQ(MissingFor({.avx2 = true, .avx512 = true, .avx512_vnni = true, .avx512_bf16 = true}, Isa::kAvx512Bf16), "");
  EXPECT_EQ(MissingFor({.neon = true, .neon_dotprod = true}, Isa::kNeonBf16), "bf16");
  EXPECT_EQ(AvailableIsas({.neon = true, .neon_bf16 = true, .neon_dotprod = true}),
            (std::vector<Isa>{Isa::kRef, Isa::kNeon, Isa::kNeonDot, Isa::kNeonBf16}));
  EXPECT_EQ(MissingFor({.neon = true, .neon_bf16 = true, .neon_dotprod = true}, Isa::kNeonI8mm), "i8mm");
  EXPECT_EQ(AvailableIsas({.neon = true, .neon_bf16 = true, .neon_dotprod = true, .neon_i8mm = true}),
            (std::vector<Isa>{Isa::kRef, Isa::kNeon, Isa::kNeonDot, Isa::kNeonBf16, Isa::kNeonI8mm}));
}

}  // namespace
}  // namespace galago::kernels::testing
