#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "src/base/file.h"
#include "src/io/safetensors.h"
#include "src/io/tensor_store.h"
#include "src/io/test_files.h"

namespace galago::io {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;
using testing::TorchBytes;
namespace p = testing::pickle;

// One-element float tensors, told apart by their values.
void PutSafetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, float>>& tensors) {
  std::vector<NamedTensor> named;
  for (const auto& [name, value] : tensors) {
    named.push_back({name, {DType::kF32, Shape{1}, reinterpret_cast<const std::byte*>(&value)}});
  }
  ASSERT_TRUE(WriteSafetensors(path, named).ok());
}

void PutTorch(const std::filesystem::path& path, const std::vector<std::pair<std::string, float>>& tensors) {
  std::vector<std::pair<std::string, std::string>> items;
  std::vector<std::string> storages;
  for (const auto& [name, value] : tensors) {
    items.emplace_back(name, p::Tensor({.key = StrCat(storages.size()), .count = 1, .sizes = {1}, .strides = {1}}));
    storages.push_back(testing::Raw(value));
  }
  ASSERT_TRUE(WriteFileAtomically(path, TorchBytes(p::Dict(items), storages)).ok());
}

void PutText(const std::filesystem::path& path, std::string_view text) {
  ASSERT_TRUE(WriteFileAtomically(path, text).ok());
}

float Value(const StatusOr<TensorStore>& store, std::string_view name) {
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) return -1.0f;
  const auto view = store->Find(name);
  EXPECT_TRUE(view.ok()) << view.status();
  float value = -1.0f;  // copied out: a zip member may lie anywhere
  if (view.ok()) std::memcpy(&value, view->data, sizeof(value));
  return value;
}

constexpr std::string_view kIndex = R"({"metadata": {"total_size": 8}, "weight_map": {"a": "s-1", "b": "s-2"}})";
std::string Index(std::string_view extension) {
  return ReplaceAll(ReplaceAll(std::string(kIndex), "s-1", StrCat("model-00001-of-00002", extension)), "s-2",
                    StrCat("model-00002-of-00002", extension));
}

TEST(TensorDirectory, OpensASingleSafetensorsFile) {
  const TemporaryDirectory directory;
  PutSafetensors(directory / "model.safetensors", {{"a", 1.0f}});
  EXPECT_EQ(Value(OpenTensorDirectory(directory.path()), "a"), 1.0f);
}

TEST(TensorDirectory, SafetensorsWinOverTorch) {
  const TemporaryDirectory directory;
  PutSafetensors(directory / "model.safetensors", {{"a", 1.0f}});
  PutTorch(directory / "pytorch_model.bin", {{"a", 2.0f}});
  EXPECT_EQ(Value(OpenTensorDirectory(directory.path()), "a"), 1.0f);
}

TEST(TensorDirectory, JoinsSafetensorsShards) {
  const TemporaryDirectory directory;
  PutText(directory / "model.safetensors.index.json", Index(".safetensors"));
  PutSafetensors(directory / "model-00001-of-00002.safetensors", {{"a", 1.0f}, {"b", 9.0f}, {"extra", 3.0f}});
  PutSafetensors(directory / "model-00002-of-00002.safetensors", {{"b", 2.0f}});
  const auto store = OpenTensorDirectory(directory.path());
  EXPECT_EQ(Value(store, "a"), 1.0f);
  EXPECT_EQ(Value(store, "b"), 2.0f);  // from the shard the index names
  EXPECT_EQ(Value(store, "extra"), 3.0f);
  EXPECT_EQ(store->num_bytes(), 12u);
  store->Prefetch();
}

TEST(TensorDirectory, JoinsTorchShards) {
  const TemporaryDirectory directory;
  PutText(directory / "pytorch_model.bin.index.json", Index(".bin"));
  PutTorch(directory / "model-00001-of-00002.bin", {{"a", 1.0f}});
  PutTorch(directory / "model-00002-of-00002.bin", {{"b", 2.0f}});
  const auto store = OpenTensorDirectory(directory.path());
  EXPECT_EQ(Value(store, "a"), 1.0f);
  EXPECT_EQ(Value(store, "b"), 2.0f);
}

TEST(TensorDirectory, StaleIndexIsIgnoredIfAnotherFileIsComplete) {
  const TemporaryDirectory directory;
  PutText(directory / "model.safetensors.index.json", Index(".safetensors"));
  PutSafetensors(directory / "model-00001-of-00002.safetensors", {{"a", 1.0f}});
  PutTorch(directory / "pytorch_model.bin", {{"a", 5.0f}, {"b", 6.0f}});
  EXPECT_EQ(Value(OpenTensorDirectory(directory.path()), "b"), 6.0f);
}

TEST(TensorDirectory, LoneShardIsNotTakenForTheWhole) {
  const TemporaryDirectory directory;
  PutText(directory / "model.safetensors.index.json", Index(".safetensors"));
  PutSafetensors(directory / "model-00001-of-00002.safetensors", {{"a", 1.0f}});
  const Status status = OpenTensorDirectory(directory.path()).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("1 of 2 shards are missing"), HasSubstr("model-00002-of-00002")));
}

TEST(TensorDirectory, IndexedTensorAbsentFromItsShardNamesBoth) {
  const TemporaryDirectory directory;
  PutText(directory / "model.safetensors.index.json", Index(".safetensors"));
  PutSafetensors(directory / "model-00001-of-00002.safetensors", {{"a", 1.0f}});
  PutSafetensors(directory / "model-00002-of-00002.safetensors", {{"c", 2.0f}});
  const Status status = OpenTensorDirectory(directory.path()).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("tensor b"), HasSubstr("model-00002-of-00002.safetensors")));
}

TEST(TensorDirectory, TensorInTwoShardsAndNotInTheIndexIsDamage) {
  const TemporaryDirectory directory;
  PutText(directory / "model.safetensors.index.json", Index(".safetensors"));
  PutSafetensors(directory / "model-00001-of-00002.safetensors", {{"a", 1.0f}, {"c", 1.0f}});
  PutSafetensors(directory / "model-00002-of-00002.safetensors", {{"b", 2.0f}, {"c", 2.0f}});
  EXPECT_THAT(MessageOf(OpenTensorDirectory(directory.path()).status()), HasSubstr("tensor c appears twice"));
}

TEST(TensorDirectory, OtherNamesAreFoundWhenAlone) {
  for (const char* name : {"quantised.safetensors"}) {
    const TemporaryDirectory directory;
    PutSafetensors(directory / name, {{"a", 1.0f}});
    EXPECT_EQ(Value(OpenTensorDirectory(directory.path()), "a"), 1.0f) << name;
  }
  for (const char* name : {"mm_projector.bin", "awq.pt", "x.pth"}) {
    const TemporaryDirectory directory;
    PutTorch(directory / name, {{"a", 1.0f}});
    PutText(directory / "training_args.bin", "not weights");
    PutText(directory / "optimizer.pt", "not weights");
    EXPECT_EQ(Value(OpenTensorDirectory(directory.path()), "a"), 1.0f) << name;
  }
}

TEST(TensorDirectory, SeveralFilesWithoutIndexAreNotGuessedAt) {
  const TemporaryDirectory directory;
  PutSafetensors(directory / "x.safetensors", {{"a", 1.0f}});
  PutSafetensors(directory / "y.safetensors", {{"a", 1.0f}});
  const Status status = OpenTensorDirectory(directory.path()).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("2 weight files"), HasSubstr("x.safetensors")));
}

TEST(TensorDirectory, NothingThereIsNotFound) {
  const TemporaryDirectory directory;
  EXPECT_EQ(OpenTensorDirectory(directory.path()).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(OpenTensorDirectory(directory / "absent").status().code(), StatusCode::kNotFound);
}

TEST(TensorDirectory, LfsPointersAreNamed) {
  constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  for (const char* name : {"model.safetensors", "pytorch_model.bin", "model.safetensors.index.json"}) {
    const TemporaryDirectory directory;
    PutText(directory / name, kPointer);
    EXPECT_THAT(MessageOf(OpenTensorDirectory(directory.path()).status()),
                AllOf(HasSubstr(name), HasSubstr("is a Git LFS pointer")));
  }
}

TEST(TensorDirectory, ShardNamesThatLeadElsewhereAreRefused) {
  for (const std::string_view shard :
       {R"("../x.safetensors")", R"("/etc/passwd")", R"("")", R"("..")", R"(7)", R"("a\u0000b")"}) {
    const TemporaryDirectory directory;
    PutText(directory / "model.safetensors.index.json", StrCat(R"({"weight_map": {"a": )", shard, "}}"));
    const Status status = OpenTensorDirectory(directory.path()).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << shard;
    EXPECT_THAT(MessageOf(status), HasSubstr("no file name")) << shard;
  }
}

TEST(TensorDirectory, MalformedIndexIsDamage) {
  for (const std::string_view index : {"", "[]", "{}", R"({"weight_map": []})", R"({"weight_map": {"a")"}) {
    const TemporaryDirectory directory;
    PutText(directory / "model.safetensors.index.json", index);
    EXPECT_EQ(OpenTensorDirectory(directory.path()).status().code(), StatusCode::kDataLoss) << index;
  }
}

TEST(TensorStore, CopiesShareTheMemory) {
  TensorStore copy;
  {
    TensorStore store("made");
    Tensor tensor = Tensor::F32({2});
    tensor.f32()[1] = 4.0f;
    ASSERT_TRUE(store.AddOwned("a", std::move(tensor)).ok());
    copy = store;
  }
  EXPECT_EQ(copy.Find("a")->As<float>()[1], 4.0f);
}

}  // namespace
}  // namespace galago::io
