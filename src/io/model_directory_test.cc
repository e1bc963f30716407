#include "src/io/model_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/tensor/float16.h"

namespace galago::io {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ModelDirectory : public ::testing::Test {
 protected:
  ModelDirectory() : root_(fs::path(::testing::TempDir()) / "model_directory_test") {
    fs::remove_all(root_);
    fs::create_directories(root_ / "source/llm");
    fs::create_directories(root_ / "source/vision_tower");
    Put("source/config.json", "{}");
    Put("source/llm/config.json", "{\"old\": 1}");
    Put("source/llm/model.safetensors", "old weights");
    Put("source/llm/tokenizer.json", "tokens");
    Put("source/vision_tower/model.safetensors", "tower weights");
  }
  ~ModelDirectory() override { fs::remove_all(root_); }
  void Put(std::string_view name, std::string_view text) {
    EXPECT_TRUE(WriteFileAtomically(root_ / std::string(name), text).ok());
  }
  std::string Get(std::string_view name) {
    auto text = ReadFile(root_ / std::string(name), 1 << 20);
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }
  static GroupedWeights Weights(uint8_t seed) {
    GroupedWeights weights = MakeGroupedWeights(8, 64, 32);
    for (size_t i = 0; i < weights.codes.size(); ++i) weights.codes[i] = static_cast<uint8_t>((i + seed) % 16);
    for (uint16_t& scale : weights.scales) scale = F32ToF16(0.5f);
    for (uint16_t& zero : weights.zeros) zero = F32ToF16(static_cast<float>(seed % 16));
    return weights;
  }
  fs::path root_;
};

TEST_F(ModelDirectory, ShardsAreNamedIndexedAndReadBack) {
  const fs::path out = root_ / "out";
  {
    auto writer = ModelDirectoryWriter::Create(out);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (uint8_t layer = 0; layer < 3; ++layer) {
      const auto linear = MakeAwqLinear(StrCat("layers.", int{layer}, ".q"), Weights(layer));
      ASSERT_TRUE(linear.ok()) << linear.status();
      ASSERT_TRUE(writer->AddShard("llm", linear->views()).ok());
    }
    ASSERT_TRUE(writer->PutFile("llm/config.json", "{\"new\": 1}").ok());
    ASSERT_TRUE(writer->CopyRest(root_ / "source").ok());
    EXPECT_FALSE(fs::exists(out));
    const Status finished = writer->Finish();
    ASSERT_TRUE(finished.ok()) << finished;
  }
  EXPECT_EQ(Get("out/llm/config.json"), "{\"new\": 1}");
  EXPECT_EQ(Get("out/llm/tokenizer.json"), "tokens");
  EXPECT_EQ(Get("out/vision_tower/model.safetensors"), "tower weights");
  EXPECT_FALSE(fs::exists(out / "llm/model.safetensors"));
  EXPECT_TRUE(fs::exists(out / "llm/model-00003-of-00003.safetensors"));
  const auto store = OpenTensorDirectory(out / "llm");
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->tensors().size(), 9u);
  for (uint8_t layer = 0; layer < 3; ++layer) {
    const std::string name = StrCat("layers.", int{layer}, ".q");
    const PackedWeights packed{
        *store->Find(name + ".qweight"), *store->Find(name + ".scales"), *store->Find(name + ".qzeros"), {}};
    const auto unpacked = Unpack(WeightLayout::kAwqGemm, packed, 8, 64, 32, name);
    ASSERT_TRUE(unpacked.ok()) << unpacked.status();
    EXPECT_EQ(unpacked->weights, Weights(layer));
  }
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 2);
}

TEST_F(ModelDirectory, OneShardIsTheWholeModel) {
  auto writer = ModelDirectoryWriter::Create(root_ / "out");
  ASSERT_TRUE(writer.ok()) << writer.status();
  const auto linear = MakeAwqLinear("q", Weights(1));
  ASSERT_TRUE(writer->AddShard("", linear->views()).ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(fs::exists(root_ / "out/model.safetensors"));
  EXPECT_FALSE(fs::exists(root_ / "out/model.safetensors.index.json"));
}

TEST_F(ModelDirectory, NothingRemainsOfAWriterThatGivesUp) {
  {
    auto writer = ModelDirectoryWriter::Create(root_ / "out");
    ASSERT_TRUE(writer.ok()) << writer.status();
    const auto linear = MakeAwqLinear("q", Weights(1));
    ASSERT_TRUE(writer->AddShard("llm", linear->views()).ok());
    EXPECT_THAT(MessageOf(writer->AddShard("llm", linear->views())), HasSubstr("two tensors are named q.qweight"));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 1);
}

TEST_F(ModelDirectory, AnExistingModelIsNotOverwritten) {
  EXPECT_THAT(MessageOf(ModelDirectoryWriter::Create(root_ / "source").status()), HasSubstr("not an empty directory"));
  EXPECT_THAT(MessageOf(MakeAwqLinear("q", MakeGroupedWeights(6, 64, 32)).status()), HasSubstr("q: "));
}

TEST(AwqQuantizationConfig, IsAsAutoAwqWritesIt) {
  EXPECT_EQ(AwqQuantizationConfig(128).dump(),
            R"({"bits":4,"group_size":128,"modules_to_not_convert":null,"quant_method":"awq","version":"gemm",)"
            R"("zero_point":true})");
  const std::vector<std::string> plain = {"visual"};
  EXPECT_EQ(AwqQuantizationConfig(64, plain)["modules_to_not_convert"].dump(), R"(["visual"])");
}

}  // namespace
}  // namespace galago::io
