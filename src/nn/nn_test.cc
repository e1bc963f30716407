#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "src/kernels/table.h"
#include "src/nn/decoder.h"
#include "src/nn/encoder.h"
#include "src/tensor/convert.h"

namespace galago::nn {
namespace {

// Random weights with an owner, as a model would hold them.
class WeightStore {
 public:
  explicit WeightStore(DType dtype) : dtype_(dtype) {}
  Linear MakeLinear(int64_t out, int64_t in, bool bias) {
    return {Matrix(out, in), bias ? Vector(out) : std::span<const float>()};
  }
  TensorView Matrix(int64_t rows, int64_t cols) {
    Tensor f32 = Tensor::F32({rows, cols});
    Fill(f32.f32(), 1.0f / std::sqrt(static_cast<float>(cols)), 0.0f);
    tensors_.push_back(Converted(f32.view(), dtype_));
    return tensors_.back().view();
  }
  std::span<const float> Vector(int64_t size, float offset = 0.0f) {
    tensors_.push_back(Tensor::F32({size}));
    Fill(tensors_.back().f32(), 0.1f, offset);
    return tensors_.back().f32();
  }
  Norm MakeNorm(NormKind kind, int64_t size) { return {kind, Vector(size, 1.0f), Vector(size), 1e-5}; }

 private:
  void Fill(std::span<float> out, float scale, float offset) {
    for (float& x : out) x = offset + scale * normal_(engine_);
  }
  DType dtype_;
  std::mt19937_64 engine_{11};
  std::normal_distribution<float> normal_;
  std::vector<Tensor> tensors_;  // moving a Tensor does not move its elements
};

struct Machine {
  Machine(kernels::Isa isa, int threads, ops::Precision precision = ops::Precision::kF32)
      : table(kernels::MakeKernelTable(isa)), pool(threads), ctx{&pool, &table, precision, &arena, nullptr} {}
  kernels::KernelTable table;
  ThreadPool pool;
  Arena arena;
  ExecContext ctx;
};

std::vector<float> RandomFloats(int64_t count, uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& x : out) x = normal(engine);
  return out;
}

constexpr int64_t kD = 48, kF = 80, kN = 4, kK = 2, kH = 10, kT = 70;

DecoderLayer MakeDecoderLayer(WeightStore& store) {
  DecoderLayer layer;
  layer.input_norm = store.MakeNorm(NormKind::kRmsNorm, kD);
  layer.attention = {.q = store.MakeLinear(kN * kH, kD, true),
                     .k = store.MakeLinear(kK * kH, kD, true),
                     .v = store.MakeLinear(kK * kH, kD, true),
                     .out = store.MakeLinear(kD, kN * kH, false),
                     .heads = kN,
                     .kv_heads = kK,
                     .head_dim = kH};
  layer.post_attention_norm = store.MakeNorm(NormKind::kRmsNorm, kD);
  layer.mlp = {.gate = store.MakeLinear(kF, kD, false), .up = store.MakeLinear(kF, kD, false)};
  layer.mlp.down = store.MakeLinear(kD, kF, false);
  return layer;
}

// The layer over kT rows, `chunk` at a time.
std::vector<float> Prefill(const DecoderLayer& layer, Machine& machine, DType cache, int64_t chunk) {
  std::vector<float> h = RandomFloats(kT * kD, 1);
  Tensor k(cache, {kK, kT, kH}), v(cache, {kK, kT, kH});
  const std::vector<KvPointers> pointers = {{k.data(), v.data()}};
  const KvView kv = {cache, kT, kK, kH, pointers};
  const std::vector<float> inv_freq = RopeInverseFrequencies(10000.0, kH);
  for (int64_t t = 0; t < kT; t += chunk) {
    const Arena::Scope scope(machine.arena);
    const int64_t rows = std::min(chunk, kT - t);
    const ops::RopeTable rope = ops::MakeRopeTable(machine.ctx, inv_freq, t, rows);
    layer.Apply(machine.ctx, rope, kv.Layer(0), t, View(h, kT, kD).Rows(t, rows));
  }
  return h;
}

TEST(DecoderLayer, PrefillInPiecesEqualsPrefillAtOnceBitForBit) {
  for (const kernels::Isa isa : kernels::AvailableIsas(kernels::DetectCpuFeatures())) {
    for (const DType dtype : {DType::kBF16, DType::kF32}) {
      WeightStore store(dtype);
      const DecoderLayer layer = MakeDecoderLayer(store);
      for (const ops::Precision precision : {ops::Precision::kF32, ops::Precision::kBf16}) {
        Machine one(isa, 1, precision), three(isa, 3, precision);
        const std::vector<float> want = Prefill(layer, one, DType::kBF16, kT);
        for (const int64_t chunk : {1, 7, 64, 70}) {
          const std::vector<float> got = Prefill(layer, three, DType::kBF16, chunk);
          EXPECT_EQ(std::memcmp(want.data(), got.data(), want.size() * 4), 0)
              << kernels::Name(isa) << " " << DTypeName(dtype) << " chunk " << chunk;
        }
      }
    }
  }
}

TEST(DecoderLayer, EveryIsaAgreesWithTheReference) {
  WeightStore store(DType::kBF16);
  const DecoderLayer layer = MakeDecoderLayer(store);
  Machine plain(kernels::Isa::kRef, 1);
  const std::vector<float> want = Prefill(layer, plain, DType::kF32, kT);
  for (const kernels::Isa isa : kernels::AvailableIsas(kernels::DetectCpuFeatures())) {
    Machine machine(isa, 2);
    const std::vector<float> got = Prefill(layer, machine, DType::kF32, kT);
    // Sums of at most kF terms of size one, a handful of them one after the other.
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 5 * kF * 1.2e-7) << kernels::Name(isa);
  }
}

TEST(EncoderLayer, FusedProjectionEqualsSeparateOnes) {
  WeightStore store(DType::kF32);
  const int64_t heads = 3, batch = 2, patches = 17;
  EncoderLayer layer;
  layer.norm1 = store.MakeNorm(NormKind::kLayerNorm, kD);
  layer.norm2 = store.MakeNorm(NormKind::kLayerNorm, kD);
  layer.attention.qkv = store.MakeLinear(3 * kD, kD, true);
  layer.attention.fused = true;
  layer.attention.normalise_qk = true;
  layer.attention.q_norm = store.MakeNorm(NormKind::kRmsNorm, kD);
  layer.attention.k_norm = store.MakeNorm(NormKind::kRmsNorm, kD);
  layer.attention.out = store.MakeLinear(kD, kD, true);
  layer.attention.heads = heads;
  layer.mlp = {store.MakeLinear(kF, kD, true), Activation::kGeluErf, store.MakeLinear(kD, kF, true)};
  layer.layer_scale1 = store.Vector(kD);
  layer.layer_scale2 = store.Vector(kD);
  EncoderLayer separate = layer;
  const auto third = [&](int64_t i) -> Linear {
    const TensorView& all = layer.attention.qkv.weight;
    return {{all.dtype, {kD, kD}, all.data + i * kD * kD * 4},
            layer.attention.qkv.bias.subspan(static_cast<size_t>(i * kD), kD)};
  };
  separate.attention.fused = false;
  separate.attention.q = third(0);
  separate.attention.k = third(1);
  separate.attention.v = third(2);
  Machine machine(kernels::AvailableIsas(kernels::DetectCpuFeatures()).back(), 2);
  std::vector<float> a = RandomFloats(batch * patches * kD, 1), b(a), one(a.begin(), a.begin() + patches * kD);
  layer.Apply(machine.ctx, batch, View(a, batch * patches, kD));
  separate.Apply(machine.ctx, batch, View(b, batch * patches, kD));
  EXPECT_EQ(a, b);
  // A picture's rows do not see its batch mates.
  layer.Apply(machine.ctx, 1, View(one, patches, kD));
  EXPECT_TRUE(std::equal(one.begin(), one.end(), a.begin()));
}

TEST(PatchEmbed, EqualsTheConvolution) {
  WeightStore store(DType::kF32);
  const PatchEmbed embed = {store.MakeLinear(5, 3 * 2 * 2, true), 3, 2};
  Machine machine(kernels::AvailableIsas(kernels::DetectCpuFeatures()).back(), 2);
  const std::vector<float> pixels = RandomFloats(3 * 5 * 5, 1);
  std::vector<float> out(4 * 5);
  embed.Apply(machine.ctx, pixels, 1, 5, 5, View(out, 4, 5));
  const auto* w = embed.proj.weight.As<float>();
  for (int64_t p = 0; p < 4; ++p) {
    for (int64_t d = 0; d < 5; ++d) {
      double sum = embed.proj.bias[static_cast<size_t>(d)];
      for (int64_t i = 0; i < 12; ++i) {
        const int64_t c = i / 4, y = p / 2 * 2 + i / 2 % 2, x = p % 2 * 2 + i % 2;
        sum += double{w[d * 12 + i]} * pixels[static_cast<size_t>((c * 5 + y) * 5 + x)];
      }
      EXPECT_NEAR(out[static_cast<size_t>(p * 5 + d)], sum, 1e-5);
    }
  }
}

TEST(Rope, InverseFrequenciesAndScaling) {
  std::vector<float> f = RopeInverseFrequencies(10000.0, 8);
  ASSERT_EQ(f.size(), 4u);
  EXPECT_EQ(f[0], 1.0f);
  EXPECT_FLOAT_EQ(f[2], 0.01f);
  std::vector<float> linear = f;
  ScaleRopeLinear(4.0, linear);
  EXPECT_EQ(linear[0], 0.25f);
  // Wavelengths 6.28, 62.8, 628 and 6283 against bounds of 16 and 256: kept, blended, slowed, slowed.
  std::vector<float> llama3 = f;
  ScaleRopeLlama3(
      {.factor = 8.0, .low_freq_factor = 1.0, .high_freq_factor = 16.0, .original_max_position_embeddings = 256},
      llama3);
  EXPECT_EQ(llama3[0], f[0]);
  EXPECT_EQ(llama3[2], f[2] / 8.0f);
  EXPECT_EQ(llama3[3], f[3] / 8.0f);
  const double smooth = (256.0 / (2 * 3.14159265358979 / f[1]) - 1.0) / 15.0;
  EXPECT_NEAR(llama3[1], (1 - smooth) * f[1] / 8 + smooth * f[1], 1e-7);
}

}  // namespace
}  // namespace galago::nn
