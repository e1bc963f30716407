#include "src/quant/layer_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "src/nn/rope.h"
#include "src/quant/test_util.h"
#include "src/tensor/float16.h"

namespace galago::quant {
namespace {

using testing::AsTensor;
using testing::Computer;
using testing::Floats;
using testing::Normal;
using testing::Nrmse;

constexpr int64_t kGroup = 32;
// The reference block's tokens are fewer than these: everything is looked at, as there.
const SearchOptions kAll = {.group = kGroup, .loss_tokens = 100000};
const SearchOptions kReference = {.group = kGroup, .arithmetic = Arithmetic::kReferenceF32, .loss_tokens = 100000};

// A block with its owner. Of a golden: tests/golden/awq_search.py; else random, with channels that stand out.
struct Block {
  nn::DecoderLayer layer;
  std::map<std::string, Tensor> tensors;
  std::vector<float> inv_freq;

  std::span<const float> Vector(const std::string& name) { return tensors.at(name).f32(); }
  nn::Linear Linear(const std::string& name) {
    const auto bias = tensors.find(name + ".bias");
    return {.weight = tensors.at(name + ".weight").view(),
            .bias = bias == tensors.end() ? std::span<const float>() : std::span<const float>(bias->second.f32())};
  }
  void Assemble(int64_t heads, int64_t kv_heads, double rope_theta) {
    const int64_t head_dim = tensors.at("self_attn.q_proj.weight").shape()[0] / heads;
    layer.input_norm = {nn::NormKind::kRmsNorm, Vector("input_layernorm.weight"), {}, 1e-6};
    layer.attention = {.q = Linear("self_attn.q_proj"),
                       .k = Linear("self_attn.k_proj"),
                       .v = Linear("self_attn.v_proj"),
                       .out = Linear("self_attn.o_proj"),
                       .heads = heads,
                       .kv_heads = kv_heads,
                       .head_dim = head_dim};
    layer.post_attention_norm = {nn::NormKind::kRmsNorm, Vector("post_attention_layernorm.weight"), {}, 1e-6};
    layer.mlp = {.gate = Linear("mlp.gate_proj"), .up = Linear("mlp.up_proj"), .down = Linear("mlp.down_proj")};
    inv_freq = nn::RopeInverseFrequencies(rope_theta, head_dim);
  }
};

Block RandomBlock(bool grouped, float outlier = 8.0f) {
  constexpr int64_t kD = 128, kF = 192, kHeads = 4;
  const int64_t kv_heads = grouped ? 2 : kHeads;
  const int64_t kv_width = kv_heads * (kD / kHeads);
  Block block;
  uint64_t seed = 1;
  const auto matrix = [&](const std::string& name, int64_t rows, int64_t cols) {
    block.tensors[name + ".weight"] =
        AsTensor({rows, cols}, Normal(rows * cols, ++seed, 1.0f / std::sqrt(static_cast<float>(cols))));
  };
  const auto norm = [&](const std::string& name) {
    std::vector<float> weight = Normal(kD, ++seed, 0.1f);
    for (size_t k = 0; k < weight.size(); ++k) weight[k] = (1.0f + weight[k]) * (k % 64 == 5 ? outlier : 1.0f);
    block.tensors[name + ".weight"] = AsTensor({kD}, weight);
  };
  norm("input_layernorm");
  norm("post_attention_layernorm");
  matrix("self_attn.q_proj", kD, kD);
  matrix("self_attn.k_proj", kv_width, kD);
  matrix("self_attn.v_proj", kv_width, kD);
  matrix("self_attn.o_proj", kD, kD);
  matrix("mlp.gate_proj", kF, kD);
  matrix("mlp.up_proj", kF, kD);
  matrix("mlp.down_proj", kD, kF);
  for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}) {
    const int64_t rows = block.tensors.at(std::string(name) + ".weight").shape()[0];
    block.tensors[std::string(name) + ".bias"] = AsTensor({rows}, Normal(rows, ++seed, 0.2f));
  }
  block.Assemble(kHeads, kv_heads, 10000.0);
  return block;
}

Sequences RandomSequences(std::span<const int64_t> lengths, int64_t width, uint64_t seed) {
  Sequences sequences;
  for (const int64_t length : lengths) {
    sequences.push_back(AsTensor({length, width}, Normal(length * width, ++seed)));
  }
  return sequences;
}

std::vector<float> Joined(const Sequences& sequences) {
  std::vector<float> all;
  for (const Tensor& sequence : sequences) all.insert(all.end(), sequence.f32().begin(), sequence.f32().end());
  return all;
}

constexpr int64_t kLengths[] = {70, 33, 120};

std::vector<float> OutputOf(const Block& block, const nn::DecoderLayer& layer) {
  Computer computer;
  Sequences sequences = RandomSequences(kLengths, 128, 50);
  EXPECT_TRUE(RunLayer(computer.Context(), layer, block.inv_freq, sequences).ok());
  return Joined(sequences);
}

// The layer with its matrices as 4-bit weights stand for them.
FloatLayer Rounded(const FloatLayer& layer) {
  ThreadPool pool(1);
  FloatLayer rounded = FloatLayer::CopyOf(layer.View()).value();
  for (const Matrix matrix : kMatrices) {
    Tensor& weight = rounded.weight(matrix);
    const GroupedWeights codes =
        Round4(pool, weight.f32(), weight.shape()[0], weight.shape()[1], kGroup, Arithmetic::kF16Scales, Name(matrix))
            .value();
    Dequantize(codes, weight.f32());
  }
  return rounded;
}

// ------------------------------------------------------------------------------------------------------- folding

TEST(Folding, LeavesTheOutputsAsTheyWere) {
  for (const bool grouped : {false, true}) {
    const Block block = RandomBlock(grouped);
    const std::vector<float> want = OutputOf(block, block.layer);
    for (const ScalePoint point : kScalePoints) {
      FloatLayer layer = FloatLayer::CopyOf(block.layer).value();
      EXPECT_EQ(layer.CanScale(point), !(grouped && point == ScalePoint::kOut));
      if (!layer.CanScale(point)) continue;
      std::vector<float> scales = Normal(layer.weight(MatricesAt(point)[0]).shape()[1], 9);
      for (float& s : scales) s = std::exp(s);
      const std::vector<float> q_bias(layer.bias(Matrix::kQ).begin(), layer.bias(Matrix::kQ).end());
      layer.Scale(point, scales);
      EXPECT_LT(Nrmse(OutputOf(block, layer.View()), want), 1e-5) << Name(point);
      EXPECT_TRUE(std::ranges::equal(layer.bias(Matrix::kQ), q_bias)) << "biases of q belong to no input";
    }
  }
}

TEST(Folding, EqualsTheEnginesOwnLayer) {
  const Block block = RandomBlock(true);
  Computer computer;
  Sequences sequences = RandomSequences(kLengths, 128, 50);
  const std::vector<float> got = OutputOf(block, block.layer);
  std::vector<float> want;
  for (Tensor& sequence : sequences) {
    const int64_t rows = sequence.shape()[0];
    Tensor k = Tensor::F32({rows, 2, 32}), v = Tensor::F32({rows, 2, 32});
    const Arena::Scope scope(computer.arena);
    const ops::ExecContext ctx = computer.Context();
    const ops::RopeTable rope = ops::MakeRopeTable(ctx, block.inv_freq, 0, rows);
    block.layer.Apply(ctx, rope, {DType::kF32, k.data(), v.data(), rows, 2, 32}, 0,
                      ops::View(sequence.f32(), rows, 128));
    want.insert(want.end(), sequence.f32().begin(), sequence.f32().end());
  }
  EXPECT_EQ(got, want);
}

// -------------------------------------------------------------------------------------------------------- search

struct Golden {
  Golden(const std::string& name, int64_t heads, int64_t kv_heads, double rope_theta)
      : store(io::OpenSafetensors(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/awq/" + name).value()) {
    for (const auto& [key, view] : store.tensors()) {
      if (!key.ends_with(".weight") && !key.ends_with(".bias")) continue;
      block.tensors[key] = AsTensor(view.shape, Floats(store, key));
    }
    block.Assemble(heads, kv_heads, rope_theta);
    const std::vector<float> x = Floats(store, "x");
    const Shape shape = store.Find("x").value().shape;
    const int64_t tokens = shape[1], width = shape[2];
    for (int64_t b = 0; b < shape[0]; ++b) {
      sequences.push_back(AsTensor({tokens, width}, std::span(x).subspan(static_cast<size_t>(b * tokens * width),
                                                                         static_cast<size_t>(tokens * width))));
    }
  }
  io::TensorStore store;
  Block block;
  Sequences sequences;
};

void ExpectTheScalesAndLimitsOf(Golden golden, std::span<const ScalePoint> points) {
  Computer computer;
  FloatLayer layer = FloatLayer::CopyOf(golden.block.layer).value();
  const LayerSearch search =
      SearchLayer(computer.Context(), layer, golden.block.inv_freq, kReference, golden.sequences).value();
  EXPECT_LT(Nrmse(Joined(golden.sequences), Floats(golden.store, "y")), 1e-5);
  for (size_t i = 0; i < points.size(); ++i) {
    const ScaleChoice& choice = search.scales[static_cast<size_t>(points[i])];
    const std::vector<float> want = Floats(golden.store, "scale." + std::to_string(i));
    ASSERT_EQ(choice.scales.size(), want.size());
    EXPECT_LT(Nrmse(choice.scales, want), 1e-4) << Name(points[i]) << " candidate " << choice.candidate;
    EXPECT_GT(choice.candidate, 0) << Name(points[i]) << ": the golden should not be plain rounding";
  }
  // Equal but for a few of a thousand, which are ties.
  int64_t limits = 0, different = 0;
  for (const Matrix matrix : kMatrices) {
    const std::vector<float>& got = search.limits[static_cast<size_t>(matrix)];
    if (matrix == Matrix::kQ || matrix == Matrix::kK) {
      EXPECT_TRUE(got.empty());
      continue;
    }
    const bool attention = matrix == Matrix::kV || matrix == Matrix::kOut;
    const std::vector<float> want =
        Floats(golden.store, std::string("clip.") + (attention ? "self_attn." : "mlp.") + std::string(Name(matrix)));
    ASSERT_EQ(got.size(), want.size());
    for (size_t g = 0; g < want.size(); ++g) {
      ++limits;
      different += std::abs(got[g] - want[g]) > 1e-3f * want[g] ? 1 : 0;
    }
  }
  EXPECT_LE(different, limits / 100) << "of " << limits;
}

TEST(LayerSearch, FindsTheScalesAndLimitsOfTheReference) {
  constexpr ScalePoint kAllPoints[] = {ScalePoint::kAttention, ScalePoint::kOut, ScalePoint::kMlp, ScalePoint::kDown};
  ExpectTheScalesAndLimitsOf(Golden("llama.safetensors", 4, 4, 10000.0), kAllPoints);
}

TEST(LayerSearch, LeavesTheOutputMatrixOfGroupedQueriesUnscaledAsTheReferenceDoes) {
  constexpr ScalePoint kGrouped[] = {ScalePoint::kAttention, ScalePoint::kMlp, ScalePoint::kDown};
  ExpectTheScalesAndLimitsOf(Golden("qwen2.safetensors", 4, 2, 1000000.0), kGrouped);
}

TEST(LayerSearch, IsNeverWorseThanRoundingAndTwiceAsGoodWhereChannelsStandOut) {
  const Block block = RandomBlock(false, 30.0f);
  Computer computer;
  const FloatLayer layer = FloatLayer::CopyOf(block.layer).value();
  Sequences sequences = RandomSequences(kLengths, 128, 50);
  const LayerSearch search = SearchLayer(computer.Context(), layer, block.inv_freq, kAll, sequences).value();
  for (const ScalePoint point : kScalePoints) {
    const ScaleChoice& choice = search.scales[static_cast<size_t>(point)];
    EXPECT_LE(choice.loss, choice.rounding_loss) << Name(point);
  }
  EXPECT_LT(search.scales[0].loss, 0.5 * search.scales[0].rounding_loss);
  EXPECT_LT(search.scales[2].loss, 0.5 * search.scales[2].rounding_loss);
  FloatLayer scaled = FloatLayer::CopyOf(layer.View()).value();
  Apply(search, kGroup, scaled);
  const std::vector<float> want = OutputOf(block, block.layer);
  const double plain = Nrmse(OutputOf(block, Rounded(layer).View()), want);
  const double searched = Nrmse(OutputOf(block, Rounded(scaled).View()), want);
  EXPECT_LT(searched, 0.7 * plain) << searched << " against " << plain;
}

TEST(LayerSearch, LimitsNeverCostMoreThanNone) {
  Computer computer;
  constexpr int64_t kRows = 150, kCols = 64, kTokens = 40;
  const Tensor weight = AsTensor({kRows, kCols}, Normal(kRows * kCols, 2));
  const std::vector<float> x = Normal(kTokens * kCols, 3);
  const std::vector<float> limits = SearchLimits(computer.Context(), weight, ops::ConstView(x, kTokens, kCols), kAll);
  ASSERT_EQ(limits.size(), size_t{kRows * 2});
  int64_t clipped = 0;
  const auto error = [&](std::span<const float> w, float limit, int64_t g) {
    std::vector<float> clamped(w.begin(), w.end()), rounded(kGroup);
    for (float& v : clamped) v = std::clamp(v, -limit, limit);
    FakeQuantizeGroup(clamped, Arithmetic::kF16Scales, rounded);
    double sum = 0;
    for (int64_t t = 0; t < kTokens; ++t) {
      double difference = 0;
      for (int64_t k = 0; k < kGroup; ++k) {
        const auto i = static_cast<size_t>(k);
        difference += double{x[static_cast<size_t>(t * kCols + g * kGroup + k)]} * (double{rounded[i]} - double{w[i]});
      }
      sum += difference * difference;
    }
    return sum;
  };
  for (int64_t i = 0; i < kRows * 2; ++i) {
    const std::span<const float> w = weight.f32().subspan(static_cast<size_t>(i * kGroup), kGroup);
    float largest = 0;
    for (const float v : w) largest = std::max(largest, std::abs(v));
    const float limit = limits[static_cast<size_t>(i)];
    clipped += limit < largest ? 1 : 0;
    EXPECT_LE(error(w, limit, i % 2), error(w, largest, i % 2) * 1.0001) << i;
  }
  EXPECT_GT(clipped, kRows) << "of " << 2 * kRows;
}

TEST(LayerSearch, ThreadsChangeNothing) {
  const Block block = RandomBlock(true);
  const FloatLayer layer = FloatLayer::CopyOf(block.layer).value();
  SearchOptions sampled = kAll;
  sampled.loss_tokens = 60;
  sampled.clip_tokens = 50;
  Computer one(1), five(5);
  Sequences a = RandomSequences(kLengths, 128, 50), b = RandomSequences(kLengths, 128, 50);
  const LayerSearch want = SearchLayer(one.Context(), layer, block.inv_freq, sampled, a).value();
  const LayerSearch got = SearchLayer(five.Context(), layer, block.inv_freq, sampled, b).value();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(got.scales[i].scales, want.scales[i].scales);
    EXPECT_EQ(got.scales[i].loss, want.scales[i].loss);
  }
  EXPECT_EQ(got.limits, want.limits);
  EXPECT_EQ(Joined(a), Joined(b));
}

TEST(LayerSearch, ActivationsThatAreNotFiniteAreAnError) {
  const Block block = RandomBlock(true);
  const FloatLayer layer = FloatLayer::CopyOf(block.layer).value();
  Computer computer;
  Sequences sequences = RandomSequences(kLengths, 128, 50);
  sequences[1].f32()[7] = INFINITY;
  EXPECT_THAT(MessageOf(SearchLayer(computer.Context(), layer, block.inv_freq, kAll, sequences).status()),
              ::testing::HasSubstr("the input of q_proj is nan at channel"));
}

}  // namespace
}  // namespace galago::quant
