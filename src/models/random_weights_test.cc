#include "src/models/random_weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "src/tensor/convert.h"

namespace galago::models {
namespace {

using Part = RandomWeights::Part;

std::vector<float> FloatsOf(const Tensor& tensor) {
  const Tensor floats = Converted(tensor.view(), DType::kF32);
  return {floats.f32().begin(), floats.f32().end()};
}

double Variance(std::span<const float> values) {
  double sum = 0, squares = 0;
  for (const float value : values) {
    EXPECT_TRUE(std::isfinite(value));
    sum += value;
    squares += double{value} * value;
  }
  const auto n = static_cast<double>(values.size());
  return squares / n - sum * sum / (n * n);
}

TEST(RandomWeights, MatricesHaveVarianceOneOverInputsInEveryType) {
  for (const DType type :
       {DType::kF32, DType::kF16, DType::kBF16, DType::kW4G32, DType::kW4G64, DType::kW4G128, DType::kW6G16,
        DType::kW6G32, DType::kW6G128, DType::kW8G16, DType::kW8G32, DType::kW8G128}) {
    const RandomWeights weights({.decoder = type}, Part::kLanguage);
    // 200 rows: whole panels and a part of one.
    const Tensor matrix = weights.Matrix("model.layers.0.mlp.up_proj.weight", {200, 256});
    EXPECT_EQ(matrix.dtype(), type);
    EXPECT_NEAR(Variance(FloatsOf(matrix)) * 256, 1.0, 0.05) << DTypeName(type);
  }
  const RandomWeights tower({.tower = DType::kW8Row}, Part::kVision);
  const Tensor matrix = tower.Matrix("vision_model.encoder.layers.3.mlp.fc2.weight", {72, 300});
  EXPECT_EQ(matrix.dtype(), DType::kW8Row);
  EXPECT_NEAR(Variance(FloatsOf(matrix)) * 300, 1.0, 0.05);
}

TEST(RandomWeights, EachMatrixGetsTheTypeOfItsPlace) {
  const RandomFormat format = {.decoder = DType::kW4G128, .head = DType::kW8G128, .tower = DType::kW8Row};
  const RandomWeights decoder(format, Part::kLanguage), tower(format, Part::kVision),
      projector(format, Part::kProjector);
  EXPECT_EQ(decoder.Matrix("model.layers.0.self_attn.q_proj.weight", {32, 256}).dtype(), DType::kW4G128);
  EXPECT_EQ(decoder.Matrix("model.embed_tokens.weight", {32, 256}).dtype(), DType::kW8G128);
  EXPECT_EQ(decoder.Matrix("lm_head.weight", {32, 256}).dtype(), DType::kW8G128);
  EXPECT_EQ(decoder.Matrix("model.layers.0.mlp.down_proj.weight", {32, 200}).dtype(), DType::kBF16)
      << "200 columns are no groups of 128";
  EXPECT_EQ(tower.Matrix("vision_model.encoder.layers.0.mlp.fc1.weight", {32, 200}).dtype(), DType::kW8Row);
  EXPECT_EQ(tower.Matrix("vision_model.embeddings.patch_embedding.weight", {32, 3, 14, 14}).dtype(), DType::kBF16);
  EXPECT_EQ(projector.Matrix("layers.2.weight", {32, 256}).dtype(), DType::kBF16);
}

TEST(RandomWeights, SeedAndNameDecide) {
  const Shape shape = {16, 64};
  const auto bits = [&](uint64_t seed, std::string_view name) {
    return FloatsOf(RandomWeights({.seed = seed}, Part::kLanguage).Matrix(name, shape));
  };
  EXPECT_EQ(bits(1, "a"), bits(1, "a"));
  EXPECT_NE(bits(1, "a"), bits(2, "a"));
  EXPECT_NE(bits(1, "a"), bits(1, "b"));
}

TEST(RandomWeights, NormsAreNearOneAndBiasesNearZero) {
  const RandomWeights weights({}, Part::kLanguage);
  for (const float value : FloatsOf(weights.Floats("model.norm.weight", {300}))) EXPECT_NEAR(value, 1.0f, 0.05f);
  for (const float value : FloatsOf(weights.Floats("q_proj.bias", {300}))) EXPECT_NEAR(value, 0.0f, 0.05f);
}

}  // namespace
}  // namespace galago::models
