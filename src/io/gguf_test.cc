#include "src/io/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "src/base/file.h"
#include "src/io/safetensors.h"
#include "src/io/test_files.h"
#include "src/tensor/convert.h"

namespace galago::io {
namespace {

using ::testing::AllOf;
using testing::Bytes;
using ::testing::ElementsAre;
using testing::GgufBuilder;
using testing::GgufString;
using ::testing::HasSubstr;
using testing::Raw;
using testing::RawAll;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

// Value types 0..12: u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64.
std::string SampleFile() {
  return GgufBuilder()
      .Key("general.architecture", 8, GgufString("llama"))
      .Key("u8", 0, Raw(uint8_t{200}))
      .Key("i8", 1, Raw(int8_t{-3}))
      .Key("u16", 2, Raw(uint16_t{65535}))
      .Key("i16", 3, Raw(int16_t{-300}))
      .Key("u32", 4, Raw(uint32_t{4294967295}))
      .Key("i32", 5, Raw(int32_t{-70000}))
      .Key("f32", 6, Raw(0.5f))
      .Key("bool", 7, Raw(uint8_t{1}))
      .Key("u64", 10, Raw(~uint64_t{0}))
      .Key("i64", 11, Raw(kMin))
      .Key("f64", 12, Raw(0.1))
      .Key("words", 9,
           StrCat(Raw(uint32_t{8}), Raw(uint64_t{3}), GgufString("<s>"), GgufString(""), GgufString("\xff")))
      .Array<float>("scores", 6, {0.0f, -1.5f})
      .Array<double>("doubles", 12, {0.25})
      .Array<int32_t>("types", 5, {1, 2, 3, 4, 5, 6, -7})
      .Array<uint64_t>("large", 10, {~uint64_t{0}})
      .Array<uint8_t>("none", 0, {})
      .Add("matrix", {3, 2}, 0, RawAll<float>({0, 1, 2, 3, 4, 5}))
      .Add("half", {2}, 1, RawAll<uint16_t>({0x3c00, 0xc000}))
      .Add("q8", {32, 2}, 8, std::string(68, '\0'))
      .Bytes();
}

TEST(Gguf, ShapesAreRowMajor) {
  const std::string bytes = SampleFile();
  const auto file = GgufFile::Parse(Bytes(bytes), "sample.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->version(), 3u);
  EXPECT_EQ(file->tensors().tensors().size(), 3u);
  const TensorView matrix = *file->Find("matrix");
  EXPECT_EQ(matrix.shape, (Shape{2, 3}));  // ne is [3, 2]
  EXPECT_EQ((matrix.data - Bytes(bytes).data()) % 32, 0);
  float values[6];
  ToF32(matrix.dtype, matrix.data, values);
  EXPECT_THAT(values, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(file->Find("q8")->dtype, DType::kQ8_0);
  EXPECT_EQ(file->Find("q8")->shape, (Shape{2, 32}));
  EXPECT_EQ(file->Find("absent").status().code(), StatusCode::kNotFound);
}

TEST(Gguf, ValuesComeTyped) {
  const std::string bytes = SampleFile();
  const auto file = GgufFile::Parse(Bytes(bytes), "sample.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(**file->GetString("general.architecture"), "llama");
  EXPECT_EQ(**file->GetU32("u8"), 200u);
  EXPECT_EQ(**file->GetInt("i8", kMin, kMax), -3);
  EXPECT_EQ(**file->GetU32("u16"), 65535u);
  EXPECT_EQ(**file->GetInt("i16", kMin, kMax), -300);
  EXPECT_EQ(**file->GetU32("u32"), 4294967295u);
  EXPECT_EQ(**file->GetInt("i32", kMin, kMax), -70000);
  EXPECT_EQ(**file->GetInt("i64", kMin, kMax), kMin);
  EXPECT_EQ(**file->GetFloat("f32"), 0.5);
  EXPECT_EQ(**file->GetFloat("f64"), 0.1);
  EXPECT_TRUE(**file->GetBool("bool"));
  EXPECT_THAT(**file->GetStringArray("words"), ElementsAre("<s>", "", "\xff"));
  EXPECT_THAT(**file->GetFloatArray("scores"), ElementsAre(0.0f, -1.5f));
  EXPECT_THAT(**file->GetFloatArray("doubles"), ElementsAre(0.25f));
  EXPECT_THAT(**file->GetIntArray("types"), ElementsAre(1, 2, 3, 4, 5, 6, -7));
  EXPECT_TRUE((*file->GetIntArray("none"))->empty());
}

TEST(Gguf, AbsentKeysAreNoError) {
  const std::string bytes = GgufBuilder().Bytes();
  const auto file = GgufFile::Parse(Bytes(bytes), "empty.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_FALSE(file->HasKey("x"));
  EXPECT_FALSE(file->GetU32("x")->has_value());
  EXPECT_FALSE(file->GetFloat("x")->has_value());
  EXPECT_FALSE(file->GetBool("x")->has_value());
  EXPECT_FALSE(file->GetString("x")->has_value());
  EXPECT_FALSE(file->GetStringArray("x")->has_value());
  EXPECT_FALSE(file->GetFloatArray("x")->has_value());
  EXPECT_FALSE(file->GetIntArray("x")->has_value());
}

TEST(Gguf, WrongKindsAndRangesNameFileAndKey) {
  const std::string bytes = SampleFile();
  const auto file = GgufFile::Parse(Bytes(bytes), "sample.gguf");
  ASSERT_TRUE(file.ok());
  const auto expect = [](const Status& status, std::string_view key, std::string_view reason) {
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(MessageOf(status),
                AllOf(HasSubstr("sample.gguf"), HasSubstr(std::string(key)), HasSubstr(std::string(reason))));
  };
  expect(file->GetU32("i8").status(), "i8", "-3, expected 0 to 4294967295");
  expect(file->GetInt("u8", 0, 100).status(), "u8", "200, expected 0 to 100");
  expect(file->GetInt("u64", kMin, kMax).status(), "u64", "18446744073709551615");
  expect(file->GetU32("f32").status(), "f32", "an integer is needed");
  expect(file->GetU32("bool").status(), "bool", "an integer is needed");
  expect(file->GetU32("types").status(), "types", "i32[]");
  expect(file->GetFloat("u32").status(), "u32", "a float is needed");
  expect(file->GetFloat("scores").status(), "scores", "f32[]");
  expect(file->GetBool("u8").status(), "u8", "a bool is needed");
  expect(file->GetString("u8").status(), "u8", "a string is needed");
  expect(file->GetString("words").status(), "words", "string[]");
  expect(file->GetStringArray("general.architecture").status(), "general.architecture", "a list of strings");
  expect(file->GetFloatArray("types").status(), "types", "a list of floats");
  expect(file->GetIntArray("scores").status(), "scores", "a list of integers");
  expect(file->GetIntArray("large").status(), "large", "element 0 is 18446744073709551615");
}

TEST(Gguf, DescribesKeysInFileOrder) {
  const std::string bytes = SampleFile();
  const auto entries = GgufFile::Parse(Bytes(bytes), "sample.gguf")->Describe();
  ASSERT_EQ(entries.size(), 18u);
  EXPECT_EQ(entries[0].key, "general.architecture");
  EXPECT_EQ(entries[0].value, "llama");
  EXPECT_EQ(entries[7].value, "0.5");
  EXPECT_EQ(entries[9].value, "18446744073709551615");
  EXPECT_EQ(entries[12].type, "string[3]");
  EXPECT_EQ(entries[12].value, "[<s>, , \\xff]");
  EXPECT_EQ(entries[15].type, "i32[7]");
  EXPECT_EQ(entries[15].value, "[1, 2, 3, 4, 5, 6, ...]");
  EXPECT_EQ(entries[17].value, "[]");
}

TEST(Gguf, UnknownTypeIsRefusedOnlyWhenAskedFor) {
  const std::string bytes =
      GgufBuilder().Add("fine", {1}, 0, Raw(1.0f)).Add("iq", {256}, 16, "").Add("new", {256}, 77, "").Bytes();
  const auto file = GgufFile::Parse(Bytes(bytes), "new.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->Find("fine").ok());
  EXPECT_TRUE(file->Contains("iq"));
  EXPECT_EQ(file->Find("iq").status().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(MessageOf(file->Find("iq").status()),
              AllOf(HasSubstr("new.gguf"), HasSubstr("tensor iq"), HasSubstr("IQ2_XXS")));
  EXPECT_THAT(MessageOf(file->Find("new").status()), HasSubstr("ggml type 77"));
}

TEST(Gguf, AlignmentKeyIsHonoured) {
  GgufBuilder builder;
  builder.alignment = 128;
  builder.Key("general.alignment", 4, Raw(uint32_t{128}));
  builder.Add("a", {1}, 0, Raw(1.0f)).Add("b", {1}, 0, Raw(2.0f));
  const std::string bytes = builder.Bytes();
  const auto file = GgufFile::Parse(Bytes(bytes), "f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((file->Find("b")->data - Bytes(bytes).data()) % 128, 0);
  EXPECT_EQ(*file->Find("b")->As<float>(), 2.0f);
}

TEST(Gguf, VersionTwoIsReadOthersAreRefused) {
  const auto status = [](uint32_t version) {
    GgufBuilder builder;
    builder.version = version;
    const std::string bytes = builder.Bytes();
    return GgufFile::Parse(Bytes(bytes), "f.gguf").status();
  };
  EXPECT_TRUE(status(2).ok());
  EXPECT_THAT(MessageOf(status(1)), HasSubstr("GGUF version 1, 2 and 3 are supported"));
  EXPECT_THAT(MessageOf(status(4)), HasSubstr("version 4"));
  EXPECT_THAT(MessageOf(status(0x03000000)), HasSubstr("big-endian"));
  EXPECT_EQ(status(0).code(), StatusCode::kUnimplemented);
}

struct Malformed {
  std::string name;
  std::string bytes;
  std::string message;
};
void PrintTo(const Malformed& test, std::ostream* out) { *out << test.name; }

std::string Header(uint64_t tensors, uint64_t pairs) {
  return StrCat("GGUF", Raw(uint32_t{3}), Raw(tensors), Raw(pairs));
}
std::string WithAlignment(uint32_t type, std::string value) {
  return GgufBuilder().Key("general.alignment", type, std::move(value)).Bytes();
}
std::string WithTensor(const std::vector<uint64_t>& ne, uint32_t type, uint64_t offset, size_t data_bytes = 64) {
  GgufBuilder builder;
  builder.tensors.push_back({"t", ne, type, offset});
  builder.data.assign(data_bytes, '\0');
  return builder.Bytes();
}

std::vector<Malformed> MalformedFiles() {
  const std::string pad(64, '\0');
  return {
      {"OtherMagic", "GGML" + pad, "is not a GGUF file"},
      {"HugeTensorCount", Header(~uint64_t{0}, 0) + pad, "18446744073709551615 tensors"},
      {"TensorCountAboveBytes", Header(4, 0) + pad, "claims 4 tensors, 64 bytes remain"},
      {"HugePairCount", Header(0, uint64_t{1} << 63) + pad, "9223372036854775808 keys"},
      {"HugeKey", Header(0, 1) + Raw(~uint64_t{0}) + pad, "key needs 18446744073709551615 bytes"},
      {"EmptyKey", Header(0, 1) + Raw(uint64_t{0}) + pad, "a key of 0 bytes"},
      {"LongKey", GgufBuilder().Key(std::string(65536, 'k'), 0, Raw(uint8_t{0})).Bytes(), "a key of 65536 bytes"},
      {"UnknownValueType", GgufBuilder().Key("k", 13, pad).Bytes(), "type 13"},
      {"UnknownElementType", GgufBuilder().Array<uint8_t>("k", 200, {1}).Bytes(), "type 200"},
      {"ArrayOfArrays", GgufBuilder().Key("k", 9, StrCat(Raw(uint32_t{9}), Raw(uint64_t{1}), pad)).Bytes(),
       "array of arrays"},
      {"HugeArray", GgufBuilder().Key("k", 9, StrCat(Raw(uint32_t{10}), Raw(uint64_t{1} << 61))).Bytes(),
       "2305843009213693952 values of type u64"},
      {"HugeStringArray", GgufBuilder().Key("k", 9, StrCat(Raw(uint32_t{8}), Raw(uint64_t{1} << 40))).Bytes(),
       "1099511627776 values of type string"},
      {"HugeString", GgufBuilder().Key("k", 8, Raw(uint64_t{1} << 60)).Bytes(), "string needs 1152921504606846976"},
      {"KeyTwice", GgufBuilder().Key("k", 0, "a").Key("k", 0, "b").Bytes(), "key k appears twice"},
      {"AlignmentZero", WithAlignment(4, Raw(uint32_t{0})), "general.alignment is 0"},
      {"AlignmentNoPowerOfTwo", WithAlignment(4, Raw(uint32_t{24})), "general.alignment is 24"},
      {"AlignmentIsText", WithAlignment(8, GgufString("32")), "general.alignment is string"},
      {"FiveDimensions", WithTensor({1, 1, 1, 1, 1}, 0, 0), "5 dimensions"},
      {"ProductWraps", WithTensor({uint64_t{1} << 32, uint64_t{1} << 32}, 0, 0), "more elements"},
      {"ProductWrapsBehindZero", WithTensor({0, uint64_t{1} << 63, 4}, 0, 0), "more elements"},
      {"DimensionNegative", WithTensor({~uint64_t{0}}, 24, 0), "more elements"},
      {"RowOfHalfABlock", WithTensor({48}, 2, 0), "multiple of 32"},
      {"ScalarOfBlocks", WithTensor({}, 2, 0), "multiple of 32"},
      {"OffsetUnaligned", WithTensor({1}, 0, 4), "offset 4, a multiple of 32"},
      {"OffsetBeyondFile", WithTensor({1}, 0, 128), "offset 128 of the data, which has 64"},
      {"OffsetHuge", WithTensor({1}, 0, ~uint64_t{31}), "of the data, which has 64"},
      {"DataBeyondFile", WithTensor({17}, 0, 0), "needs 68 bytes"},
      {"TensorTwice", GgufBuilder().Add("a", {1}, 0, Raw(1.f)).Add("a", {1}, 0, Raw(1.f)).Bytes(), "a appears twice"},
      {"RefusedTensorTwice", GgufBuilder().Add("a", {1}, 99, "").Add("a", {1}, 0, Raw(1.f)).Bytes(), "a appears twice"},
      {"Overlap",
       [] {
         GgufBuilder builder;
         builder.Add("a", {16}, 0, std::string(64, 'x'));
         builder.tensors.push_back({"b", {1}, 0, 32});
         return builder.Bytes();
       }(),
       "tensors a and b overlap"},
  };
}

class MalformedGguf : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedGguf, IsDamageWithReason) {
  const Status status = GgufFile::Parse(Bytes(GetParam().bytes), "bad.gguf").status();
  EXPECT_TRUE(status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kUnimplemented) << status;
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("bad.gguf"), HasSubstr(GetParam().message)));
}
INSTANTIATE_TEST_SUITE_P(Catalogue, MalformedGguf, ::testing::ValuesIn(MalformedFiles()),
                         [](const auto& info) { return info.param.name; });

TEST(Gguf, EveryTruncationIsDamage) {
  const std::string bytes = SampleFile();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_EQ(GgufFile::Parse(Bytes(cut), "cut").status().code(), StatusCode::kDataLoss) << size;
  }
}

TEST(Gguf, NoFlippedBitLeadsOutOfTheFile) {
  const std::string bytes = SampleFile();
  int accepted = 0;
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto file = GgufFile::Parse(Bytes(flipped), "flipped");
    if (!file.ok()) continue;
    ++accepted;
    EXPECT_EQ(file->Describe().size(), 18u);
    for (const auto& [name, view] : file->tensors().tensors()) {
      EXPECT_LE(view.data + view.NumBytes(), Bytes(flipped).data() + flipped.size()) << bit;
    }
  }
  EXPECT_GT(accepted, 1000);  // data and most of the values
}

TEST(Gguf, LfsPointerIsNamedAsSuch) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\n";
  EXPECT_THAT(MessageOf(GgufFile::Parse(Bytes(pointer), "m.gguf").status()), HasSubstr("is a Git LFS pointer"));
}

TEST(Gguf, OpenKeepsTheFileMapped) {
  const testing::TemporaryDirectory directory;
  ASSERT_TRUE(WriteFileAtomically(directory / "m.gguf", SampleFile()).ok());
  TensorStore tensors;
  {
    const auto file = GgufFile::Open(directory / "m.gguf");
    ASSERT_TRUE(file.ok()) << file.status();
    tensors = file->tensors();
  }
  EXPECT_EQ(tensors.Find("matrix")->As<float>()[5], 5.0f);
}

// Bytes and values recorded with the gguf package (tests/golden/data/gguf); equal to the last bit.
class GgufBlocks : public ::testing::TestWithParam<std::pair<const char*, DType>> {};

TEST_P(GgufBlocks, ExpandToGoldenValues) {
  const auto& [name, dtype] = GetParam();
  const auto store = OpenSafetensors(StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data/gguf/blocks.safetensors"));
  ASSERT_TRUE(store.ok()) << store.status();
  const auto bytes = store->Find(StrCat(name, ".bytes"));
  const auto want = store->Find(StrCat(name, ".f32"));
  ASSERT_TRUE(bytes.ok() && want.ok());
  std::vector<float> got(static_cast<size_t>(want->shape.NumElements()));
  ASSERT_EQ(bytes->NumBytes(), (TensorView{dtype, want->shape, nullptr}.NumBytes()));
  ToF32(dtype, bytes->data, got);
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(std::memcmp(&got[i], want->data + i * sizeof(float), sizeof(float)), 0) << "element " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, GgufBlocks,
                         ::testing::Values(std::pair{"F32", DType::kF32}, std::pair{"F16", DType::kF16},
                                           std::pair{"BF16", DType::kBF16}, std::pair{"Q4_0", DType::kQ4_0},
                                           std::pair{"Q4_1", DType::kQ4_1}, std::pair{"Q5_0", DType::kQ5_0},
                                           std::pair{"Q5_1", DType::kQ5_1}, std::pair{"Q8_0", DType::kQ8_0},
                                           std::pair{"Q2_K", DType::kQ2_K}, std::pair{"Q3_K", DType::kQ3_K},
                                           std::pair{"Q4_K", DType::kQ4_K}, std::pair{"Q5_K", DType::kQ5_K},
                                           std::pair{"Q6_K", DType::kQ6_K}),
                         [](const auto& info) { return std::string(info.param.first); });

}  // namespace
}  // namespace galago::io
