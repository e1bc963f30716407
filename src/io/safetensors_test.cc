#include "src/io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "src/base/file.h"
#include "src/io/test_files.h"
#include "src/tensor/convert.h"

namespace galago::io {
namespace {

using ::testing::AllOf;
using testing::Bytes;
using ::testing::HasSubstr;
using testing::Raw;
using testing::SafetensorsBytes;
using testing::TemporaryDirectory;

constexpr std::string_view kSmall =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
    R"("b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]},"c":{"dtype":"U8","shape":[0,3],"data_offsets":[10,10]}})";

std::string SmallFile() { return SafetensorsBytes(kSmall, StrCat(Raw(1.5f), Raw(-2.0f), Raw(uint16_t{0x3f80}))); }

TEST(Safetensors, ReadsTensorsAndMetadata) {
  const std::string file = SmallFile();
  const auto store = ParseSafetensors(Bytes(file), "small.safetensors");
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->tensors().size(), 3u);
  EXPECT_EQ(store->num_bytes(), 10u);
  EXPECT_EQ(store->metadata().at("format"), "pt");
  const TensorView a = *store->Find("a");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, (Shape{2, 1}));
  float values[2];
  ToF32(a.dtype, a.data, values);
  EXPECT_EQ(values[0], 1.5f);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(store->Find("b")->shape.rank(), 0u);
  EXPECT_EQ(store->Find("c")->NumBytes(), 0u);
}

TEST(Safetensors, MissingTensorNamesFileAndTensor) {
  const std::string file = SmallFile();
  const auto store = ParseSafetensors(Bytes(file), "small.safetensors");
  ASSERT_TRUE(store.ok());
  const Status status = store->Find("lm_head.weight").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("small.safetensors"), HasSubstr("lm_head.weight")));
}

TEST(Safetensors, EveryTruncationAndExtensionIsDamage) {
  const std::string file = SmallFile();
  for (size_t size = 0; size < file.size(); ++size) {
    const std::string cut = file.substr(0, size);
    EXPECT_EQ(ParseSafetensors(Bytes(cut), "cut").status().code(), StatusCode::kDataLoss) << size;
  }
  const std::string longer = file + "x";
  EXPECT_EQ(ParseSafetensors(Bytes(longer), "longer").status().code(), StatusCode::kDataLoss);
}

TEST(Safetensors, NoFlippedBitLeadsOutOfTheFile) {
  const std::string file = SmallFile();
  int accepted = 0;
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto store = ParseSafetensors(Bytes(flipped), "flipped");
    if (!store.ok()) continue;
    ++accepted;
    for (const auto& [name, view] : store->tensors()) {
      EXPECT_GE(view.data, Bytes(flipped).data()) << bit;
      EXPECT_LE(view.data + view.NumBytes(), Bytes(flipped).data() + flipped.size()) << bit;
    }
  }
  EXPECT_GT(accepted, 80);  // the data bits at least
}

struct Malformed {
  std::string_view name;
  std::string_view header;
  size_t data_bytes;
  StatusCode code;
  std::string_view message;
};

class MalformedSafetensors : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedSafetensors, IsRefusedWithReason) {
  const Malformed& test = GetParam();
  const std::string file = SafetensorsBytes(test.header, std::string(test.data_bytes, '\0'));
  const Status status = ParseSafetensors(Bytes(file), "bad.safetensors").status();
  EXPECT_EQ(status.code(), test.code) << status;
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("bad.safetensors"), HasSubstr(std::string(test.message))));
}

constexpr StatusCode kLoss = StatusCode::kDataLoss;
INSTANTIATE_TEST_SUITE_P(
    Catalogue, MalformedSafetensors,
    ::testing::Values(
        Malformed{"HeaderIsNoJson", "{oops", 0, kLoss, "not valid JSON"},
        Malformed{"HeaderIsList", "[]", 0, kLoss, "no JSON object"},
        Malformed{"HeaderNestedTooDeep", "{\"a\":[[[[[[1]]]]]]}", 0, kLoss, "nested more than"},
        Malformed{"EntryIsNumber", R"({"a":1})", 0, kLoss, "tensor a"},
        Malformed{"NoDType", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, kLoss, "dtype"},
        Malformed{"UnknownDType", R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1,
                  StatusCode::kUnimplemented, "F8_E4M3"},
        Malformed{"NoShape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, kLoss, "shape"},
        Malformed{"NoOffsets", R"({"a":{"dtype":"F32","shape":[1]}})", 4, kLoss, "data_offsets"},
        Malformed{"ThreeOffsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4, kLoss, "3 numbers"},
        Malformed{"OffsetsSwapped", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, kLoss, "4 to 0"},
        Malformed{"OffsetBeyondFile", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, kLoss, "0 to 8"},
        Malformed{"OffsetNearTwoTo64",
                  R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615]}})", 4,
                  kLoss, "18446744073709551612"},
        Malformed{"OffsetAboveTwoTo64", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}})",
                  4, kLoss, "whole number"},
        Malformed{"NegativeDimension", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, kLoss, "-1"},
        Malformed{"FractionalDimension", R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, kLoss,
                  "1.5"},
        Malformed{"DimensionIsText", R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4, kLoss, "shape"},
        Malformed{"ProductWraps", R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                  kLoss, "more elements"},
        Malformed{"ProductWrapsBehindZero",
                  R"({"a":{"dtype":"U8","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}})", 0,
                  kLoss, "more elements"},
        Malformed{"BytesWrap", R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0, kLoss,
                  "more elements"},
        Malformed{"SixDimensions", R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1],"data_offsets":[0,1]}})", 1,
                  StatusCode::kUnimplemented, "6 dimensions"},
        Malformed{"SizeDisagrees", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, kLoss,
                  "needs 8 bytes, the header gives it 4"},
        Malformed{
            "Overlap",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
            6, kLoss, "tensor b begins at byte 2"},
        Malformed{
            "SameBytesTwice",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
            4, kLoss, "begins at byte 0"},
        Malformed{
            "Gap",
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
            6, kLoss, "tensor b begins at byte 4"},
        Malformed{"RestAfterTensors", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 5, kLoss, "5 bytes"},
        Malformed{
            "NameTwice",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
            2, kLoss, "appears twice"},
        Malformed{"MetadataIsList", R"({"__metadata__":[]})", 0, kLoss, "__metadata__"},
        Malformed{"MetadataHoldsNumber", R"({"__metadata__":{"a":1}})", 0, kLoss, "__metadata__"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Safetensors, HeaderAboveLimitIsRefusedWithNumbers) {
  const std::string file = Raw(uint64_t{100'000'001}) + "{}";
  EXPECT_THAT(MessageOf(ParseSafetensors(Bytes(file), "f").status()),
              AllOf(HasSubstr("100000001"), HasSubstr("100000000")));
  const std::string huge = Raw(~uint64_t{0}) + "{}";
  EXPECT_EQ(ParseSafetensors(Bytes(huge), "f").status().code(), StatusCode::kDataLoss);
}

TEST(Safetensors, LfsPointerIsNamedAsSuch) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n";
  const Status status = ParseSafetensors(Bytes(pointer), "model.safetensors").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(MessageOf(status), HasSubstr("is a Git LFS pointer, the weights were not downloaded"));
}

TEST(Safetensors, OpeningAMissingOrEmptyFileFails) {
  const TemporaryDirectory directory;
  EXPECT_EQ(OpenSafetensors(directory / "none").status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(directory / "empty", "").ok());
  EXPECT_EQ(OpenSafetensors(directory / "empty").status().code(), StatusCode::kDataLoss);
}

// ---------------------------------------------------------------------------------------------------------------
// writing

std::vector<Tensor> OneOfEachPlainType() {
  std::vector<Tensor> tensors;
  for (int type = 0; type <= static_cast<int>(DType::kBool); ++type) {
    Tensor tensor(static_cast<DType>(type), Shape{3, 5});
    for (size_t i = 0; i < tensor.num_bytes(); ++i) tensor.data()[i] = static_cast<std::byte>(i * 7 + type);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

TEST(WriteSafetensors, WhatIsWrittenIsRead) {
  const TemporaryDirectory directory;
  const std::vector<Tensor> tensors = OneOfEachPlainType();
  std::vector<NamedTensor> named;
  for (const Tensor& tensor : tensors) named.push_back({std::string(DTypeName(tensor.dtype())), tensor.view()});
  named.push_back({"empty", {DType::kF32, Shape{0, 4}, tensors[0].data()}});
  named.push_back({"näme \"quoted\"", {DType::kU8, Shape{}, tensors[0].data()}});
  ASSERT_TRUE(WriteSafetensors(directory / "all.safetensors", named, {{"format", "pt"}, {"z", "\n"}}).ok());
  const auto store = OpenSafetensors(directory / "all.safetensors");
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->tensors().size(), named.size());
  EXPECT_EQ(store->metadata().at("z"), "\n");
  for (const NamedTensor& tensor : named) {
    const auto view = store->Find(tensor.name);
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->dtype, tensor.view.dtype) << tensor.name;
    EXPECT_EQ(view->shape, tensor.view.shape) << tensor.name;
    EXPECT_EQ(std::memcmp(view->data, tensor.view.data, view->NumBytes()), 0) << tensor.name;
    // The format's promise to readers that map: each tensor is aligned to its element.
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view->data) % InfoOf(view->dtype).block_bytes, 0u) << tensor.name;
  }
}

TEST(WriteSafetensors, BytesDependOnContentsAlone) {
  const TemporaryDirectory directory;
  const std::vector<Tensor> tensors = OneOfEachPlainType();
  std::vector<NamedTensor> named;
  for (const Tensor& tensor : tensors) named.push_back({std::string(DTypeName(tensor.dtype())), tensor.view()});
  ASSERT_TRUE(WriteSafetensors(directory / "a", named).ok());
  std::reverse(named.begin(), named.end());
  ASSERT_TRUE(WriteSafetensors(directory / "b", named).ok());
  EXPECT_EQ(*ReadFile(directory / "a", 1 << 20), *ReadFile(directory / "b", 1 << 20));
}

TEST(WriteSafetensors, RefusesWhatTheFormatCannotHold) {
  const TemporaryDirectory directory;
  const Tensor block(DType::kQ4_0, Shape{32});
  const Tensor plain(DType::kU8, Shape{1});
  const auto write = [&](const std::vector<NamedTensor>& tensors) {
    return WriteSafetensors(directory / "x", tensors).code();
  };
  EXPECT_EQ(write({{"a", block.view()}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(write({{"a", plain.view()}, {"a", plain.view()}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(write({{"__metadata__", plain.view()}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(write({{"\xff", plain.view()}}), StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(directory / "x"));
}

TEST(WriteSafetensors, FailureLeavesTheOldFile) {
  const TemporaryDirectory directory;
  const Tensor plain(DType::kU8, Shape{1});
  const std::vector<NamedTensor> named = {{"a", plain.view()}};
  EXPECT_FALSE(WriteSafetensors(directory / "no" / "such", named).ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace galago::io
