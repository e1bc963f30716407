#include <gtest/gtest.h>

#include <algorithm>

#include "src/kernels/test_util.h"

namespace galago::kernels::testing {
namespace {

struct AttentionCase {
  int64_t rows, keys, head_dim;
  bool causal;               // row r sees keys - rows + r + 1 keys
  float query_scale = 1.0f;  // small: all keys count about alike
};

class AttentionData {
 public:
  AttentionData(const AttentionCase& test, FloatType type, Precision precision)
      : test_(test),
        precision_(precision),
        ld_(test.head_dim + 3),
        q_(test.rows * test.head_dim, 4),
        keys_(Values(test.keys * ld_, 1)),
        values_(Values(test.keys * ld_, 2)),
        k_(type, keys_),
        v_(type, values_),
        type_(type) {
    Random(3).Fill(q_.span());
    for (float& x : q_.span()) x *= test.query_scale;
  }
  int64_t Limit(int64_t r) const { return test_.causal ? test_.keys - test_.rows + r + 1 : test_.keys; }

  // Rows [begin, end) to out [end - begin, head_dim].
  void Run(const KernelTable& table, int64_t begin, int64_t end, float* out) {
    std::vector<const float*> q;
    std::vector<float*> outs;
    std::vector<int64_t> limit;
    for (int64_t r = begin; r < end; ++r) {
      q.push_back(q_.data() + r * test_.head_dim);
      outs.push_back(out + (r - begin) * test_.head_dim);
      limit.push_back(Limit(r));
    }
    GuardedBuffer<float> scratch(AttentionScratchFloats(test_.head_dim));
    table.Attention(precision_, {.q = q.data(),
                                 .out = outs.data(),
                                 .limit = limit.data(),
                                 .rows = end - begin,
                                 .head_dim = test_.head_dim,
                                 .scale = scale(),
                                 .kv_type = type_,
                                 .k = k_.data(),
                                 .v = v_.data(),
                                 .ld_k = ld_,
                                 .ld_v = ld_,
                                 .scratch = scratch.data()});
    EXPECT_TRUE(scratch.GuardsIntact());
  }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(test_.head_dim)); }

  // A score errs by ds = head_dim * eps * sum |q||k| * scale; a probability by 2 ds of itself and the roundings of the
  // sums over the keys. In bf16 one that lies between two numbers may become either: 2^-7 of itself.
  double Tolerance(int64_t r) {
    double worst = 0.0, largest = 0.0;
    for (int64_t s = 0; s < Limit(r); ++s) {
      double sum = 0.0;
      for (int64_t d = 0; d < test_.head_dim; ++d) {
        sum += std::abs(double{q_[r * test_.head_dim + d]} * k_.At(s * ld_ + d));
        largest = std::max(largest, std::abs(double{v_.At(s * ld_ + d)}));
      }
      worst = std::max(worst, sum * scale());
    }
    const double score_error = static_cast<double>(test_.head_dim + 2) * kEpsilon * worst;
    const double rounding = precision_ == Precision::kF32 ? 0.0 : 1.0 / 128;
    return (2 * score_error + static_cast<double>(2 * test_.keys + 16) * kEpsilon + rounding) * largest;
  }

 private:
  static std::vector<float> Values(int64_t count, uint64_t seed) { return Random(seed).Floats(count); }
  AttentionCase test_;
  Precision precision_;
  int64_t ld_;
  GuardedBuffer<float> q_;
  std::vector<float> keys_, values_;
  Weights k_, v_;
  FloatType type_;
};

std::vector<AttentionCase> Cases() {
  std::vector<AttentionCase> cases;
  for (const int64_t head_dim : {1, 10, 15, 16, 17, 64, 72, 80, 128}) {
    cases.push_back({5, 9, head_dim, true});
    cases.push_back({7, 130, head_dim, false});
  }
  for (const int64_t keys : {1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 300}) {
    cases.push_back({1, keys, 24, false});
    cases.push_back({1, keys, 64, false});  // whole vectors and few rows: values are read where they lie
    cases.push_back({std::min<int64_t>(keys, 3), keys, 48, true});
    cases.push_back({std::min<int64_t>(keys, 96), keys, 24, true});
    cases.push_back({std::min<int64_t>(keys, 96), keys, 72, true, 1.0f / 256});
  }
  return cases;
}

struct Mode {
  FloatType type;
  Precision precision;
};
constexpr Mode kModes[] = {{FloatType::kF32, Precision::kF32},
                           {FloatType::kBF16, Precision::kF32},
                           {FloatType::kF32, Precision::kBf16},
                           {FloatType::kBF16, Precision::kBf16}};

TEST(AttentionParity, MatchesReferenceAndStaysInBounds) {
  for (const NamedTable& isa : AllTables()) {
    for (const auto [type, precision] : kModes) {
      for (const AttentionCase& test : Cases()) {
        AttentionData data(test, type, precision);
        GuardedBuffer<float> want(test.rows * test.head_dim), got(test.rows * test.head_dim, 4);
        data.Run(ref::Table(), 0, test.rows, want.data());
        data.Run(isa.table, 0, test.rows, got.data());
        EXPECT_TRUE(got.GuardsIntact()) << isa.name;
        for (int64_t r = 0; r < test.rows; ++r) {
          const double tolerance = data.Tolerance(r);
          for (int64_t d = 0; d < test.head_dim; ++d) {
            const int64_t i = r * test.head_dim + d;
            ASSERT_TRUE(Close(got[i], want[i], tolerance))
                << isa.name << (precision == Precision::kF32 ? " f32" : " bf16") << " rows=" << test.rows
                << " keys=" << test.keys << " head_dim=" << test.head_dim << " at " << r << "," << d << ": " << got[i]
                << " instead of " << want[i];
          }
        }
      }
    }
  }
}

TEST(AttentionParity, RowsDoNotDependOnTheirNeighbours) {
  for (const NamedTable& isa : AllTables()) {
    for (const auto [type, precision] : kModes) {
      for (const int64_t head_dim : {40, 48}) {
        const AttentionCase test = {90, 200, head_dim, true};
        AttentionData data(test, type, precision);
        const auto size = static_cast<size_t>(test.rows * test.head_dim);
        std::vector<float> want(size), got(size);
        data.Run(isa.table, 0, test.rows, want.data());
        for (const int64_t chunk : {1, 2, 3, 7, 64}) {
          for (int64_t r = 0; r < test.rows; r += chunk) {
            data.Run(isa.table, r, std::min(test.rows, r + chunk), &got[static_cast<size_t>(r * test.head_dim)]);
          }
          EXPECT_EQ(std::memcmp(want.data(), got.data(), size * 4), 0)
              << isa.name << " head_dim " << head_dim << " in chunks of " << chunk;
        }
      }
    }
  }
}

// One row of one number, head_dim 1: few enough sums to say what the rounding to bf16 makes of them.
float AttendOne(const KernelTable& table, float q, const std::vector<float>& k, const std::vector<float>& v) {
  const float* row = &q;
  float result = 0.0f;
  float* out = &result;
  const auto limit = static_cast<int64_t>(k.size());
  GuardedBuffer<float> scratch(AttentionScratchFloats(1));
  table.Attention(Precision::kBf16, {.q = &row,
                                     .out = &out,
                                     .limit = &limit,
                                     .rows = 1,
                                     .head_dim = 1,
                                     .scale = 1.0f,
                                     .kv_type = FloatType::kF32,
                                     .k = k.data(),
                                     .v = v.data(),
                                     .ld_k = 1,
                                     .ld_v = 1,
                                     .scratch = scratch.data()});
  return result;
}

float InBf16(float x) { return Bf16ToF32(F32ToBf16(x)); }

TEST(AttentionParity, RoundsQueriesKeysWeightsAndValuesToBf16) {
  constexpr float kBetween = 1.0f + 1.0f / 512 + 1.0f / 4096;  // no bf16, nor half way between two
  std::vector<NamedTable> tables = AllTables();
  tables.push_back({"ref", ref::Table()});
  for (const NamedTable& isa : tables) {
    EXPECT_EQ(AttendOne(isa.table, 1.0f, {1.0f}, {kBetween}), InBf16(kBetween)) << isa.name;
    // Scores 0 and s: the second key's share is e^s, rounded, of 1 + e^s.
    const auto share = [](double s) {
      const double e = std::exp(s);
      return InBf16(static_cast<float>(e)) / (1.0 + e);
    };
    EXPECT_NEAR(AttendOne(isa.table, -1.0f, {0.0f, 1.0f}, {0.0f, 1.0f}), share(-1.0), 1e-6) << isa.name;
    const double rounded = share(-InBf16(kBetween));
    EXPECT_NEAR(AttendOne(isa.table, -kBetween, {0.0f, 1.0f}, {0.0f, 1.0f}), rounded, 1e-6) << isa.name;
    EXPECT_NEAR(AttendOne(isa.table, -1.0f, {0.0f, kBetween}, {0.0f, 1.0f}), rounded, 1e-6) << isa.name;
  }
}

}  // namespace
}  // namespace galago::kernels::testing
