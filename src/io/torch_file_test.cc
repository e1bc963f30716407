#include "src/io/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/file.h"
#include "src/io/test_files.h"
#include "src/io/unpickle.h"
#include "src/io/zip.h"
#include "src/tensor/convert.h"

namespace galago::io {
namespace {

using ::testing::AllOf;
using testing::Bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RawAll;
using testing::TorchBytes;
using testing::ZipBytes;
namespace p = testing::pickle;

std::vector<float> Floats(const TensorView& view) {
  std::vector<float> values(static_cast<size_t>(view.shape.NumElements()));
  ToF32(view.dtype, view.data, values);
  return values;
}

std::string Golden(std::string_view name) { return StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data/torch/", name); }

const std::string kSixFloats = RawAll<float>({0, 1, 2, 3, 4, 5});

// ----------------------------------------------------------------------- files of the real torch.save (torch_files.py)

class RealTorchFile : public ::testing::TestWithParam<const char*> {};

TEST_P(RealTorchFile, GivesEveryTensor) {
  const auto store = OpenTorch(Golden(GetParam()));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->tensors().size(), 17u);
  const auto expect = [&](std::string_view name, DType dtype, const Shape& shape, const std::vector<float>& values) {
    const auto view = store->Find(name);
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->dtype, dtype) << name;
    EXPECT_EQ(view->shape, shape) << name;
    EXPECT_EQ(Floats(*view), values) << name;
  };
  expect("f32", DType::kF32, {2, 3}, {0, 1, 2, 3, 4, 5});
  expect("bf16", DType::kBF16, {2, 3}, {0, 1, 2, 3, 4, 5});
  expect("f16", DType::kF16, {5}, {0, 1, 2, 3, 4});
  expect("f64", DType::kF64, {2}, {0, 1});
  expect("i64", DType::kI64, {3}, {0, 1, 2});
  expect("i32", DType::kI32, {3}, {0, 1, 2});
  expect("i16", DType::kI16, {3}, {0, 1, 2});
  expect("i8", DType::kI8, {3}, {0, 1, 2});
  expect("u8", DType::kU8, {3}, {0, 1, 2});
  expect("bool", DType::kBool, {3}, {0, 1, 1});
  expect("scalar", DType::kF32, {}, {7});
  expect("empty", DType::kF32, {0, 4}, {});
  expect("transposed", DType::kF32, {6, 4},
         {0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23});
  expect("rows", DType::kF32, {2, 6}, {6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17});
  expect("columns", DType::kF32, {4, 2}, {2, 3, 8, 9, 14, 15, 20, 21});
  expect("parameter", DType::kF32, {2, 2}, {0, 1, 2, 3});
  expect("expanded", DType::kF32, {4}, {3, 3, 3, 3});
}

INSTANTIATE_TEST_SUITE_P(Files, RealTorchFile, ::testing::Values("flat.pt", "wrapped.pt"));

TEST(TorchFile, ReadsAModulesStateDict) {
  const auto store = OpenTorch(Golden("module_state_dict.pt"));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(store->tensors().size(), 4u);
  EXPECT_THAT(Floats(*store->Find("0.weight")), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(TorchFile, ReadsProtocolFour) {
  const auto store = OpenTorch(Golden("protocol_4.pt"));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_THAT(Floats(*store->Find("w")), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(TorchFile, OldFormatIsNamed) {
  const Status status = OpenTorch(Golden("before_1_6.pt")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("before_1_6.pt"), HasSubstr("before PyTorch 1.6")));
  const std::string pickle("\x80\x02}q\x00.", 6);
  EXPECT_THAT(MessageOf(ParseTorch(std::as_bytes(std::span(pickle)), "x.bin").status()),
              HasSubstr("x.bin: is a bare pickle, not a file of torch.save"));
}

TEST(TorchFile, WholeModuleIsRefusedByItsClass) {
  const Status status = OpenTorch(Golden("whole_module.pt")).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(MessageOf(status), HasSubstr("refers to torch.nn.modules.container.Sequential; only tensors are read"));
}

TEST(TorchFile, NoTruncationOrFlippedBitOfARealFileCrashes) {
  const std::string file = *ReadFile(Golden("protocol_4.pt"), 1 << 20);
  for (size_t size = 0; size < file.size(); ++size) {
    const std::string cut = file.substr(0, size);
    EXPECT_FALSE(ParseTorch(Bytes(cut), "cut").ok()) << size;
  }
  float sum = 0.0f;
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    std::string flipped = file;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto store = ParseTorch(Bytes(flipped), "flipped");
    if (!store.ok()) continue;
    for (const auto& [name, view] : store->tensors()) {
      for (const float value : Floats(view)) sum += value != 0.0f ? 1.0f : 0.0f;  // every element is readable
    }
  }
  EXPECT_GT(sum, 0.0f);
}

// ------------------------------------------------------------------------------------------------------- made by hand

TEST(TorchFile, ContiguousTensorsAreViews) {
  const std::string file = TorchBytes(
      p::Dict({{"a", p::Tensor({.count = 6, .sizes = {2, 2}, .strides = {2, 1}, .offset = 2})}}), {kSixFloats});
  const auto store = ParseTorch(Bytes(file), "f.pt");
  ASSERT_TRUE(store.ok()) << store.status();
  const TensorView a = *store->Find("a");
  EXPECT_THAT(Floats(a), ElementsAre(2, 3, 4, 5));
  EXPECT_GE(a.data, Bytes(file).data());
  EXPECT_LT(a.data, Bytes(file).data() + file.size());
}

TEST(TorchFile, ReadsZip64AndTrailingComment) {
  const std::string value = p::Dict({{"a", p::Tensor({.count = 6, .sizes = {6}, .strides = {1}})}});
  const std::string file = TorchBytes(value, {kSixFloats}, {.zip64 = true, .comment = "made by a test"});
  const auto store = ParseTorch(Bytes(file), "f.pt");
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_THAT(Floats(*store->Find("a")), ElementsAre(0, 1, 2, 3, 4, 5));
}

struct BadTensor {
  std::string name;
  p::TensorFields fields;
  StatusCode code;
  std::string message;
};
void PrintTo(const BadTensor& test, std::ostream* out) { *out << test.name; }

class MalformedTorchTensor : public ::testing::TestWithParam<BadTensor> {};

TEST_P(MalformedTorchTensor, IsRefusedWithReason) {
  const std::string file = TorchBytes(p::Dict({{"a", p::Tensor(GetParam().fields)}}), {kSixFloats});
  const Status status = ParseTorch(Bytes(file), "bad.pt").status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("bad.pt"), HasSubstr(GetParam().message)));
}

constexpr int64_t kHuge = int64_t{1} << 62;
INSTANTIATE_TEST_SUITE_P(
    Catalogue, MalformedTorchTensor,
    ::testing::Values(
        BadTensor{"StorageMissing",
                  {.key = "7", .count = 6, .sizes = {6}, .strides = {1}},
                  StatusCode::kDataLoss,
                  "storage 7, which the archive lacks"},
        BadTensor{"StorageTooSmall",
                  {.count = 7, .sizes = {6}, .strides = {1}},
                  StatusCode::kDataLoss,
                  "claims 7 elements of f32, it has 24 bytes"},
        BadTensor{"StorageKeyLeadsElsewhere",
                  {.key = "../data.pkl", .count = 1, .sizes = {1}, .strides = {1}},
                  StatusCode::kDataLoss,
                  "which the archive lacks"},
        BadTensor{"BeyondStorage", {.count = 6, .sizes = {4}, .strides = {2}}, StatusCode::kDataLoss, "reaches beyond"},
        BadTensor{"OffsetBeyondStorage",
                  {.count = 6, .sizes = {1}, .strides = {1}, .offset = 6},
                  StatusCode::kDataLoss,
                  "at element 6 reaches beyond"},
        BadTensor{"OffsetHuge",
                  {.count = 6, .sizes = {1}, .strides = {1}, .offset = kHuge},
                  StatusCode::kDataLoss,
                  "reaches beyond"},
        BadTensor{"StrideWraps",
                  {.count = 6, .sizes = {5, 2}, .strides = {kHuge, 1}},
                  StatusCode::kDataLoss,
                  "reaches beyond"},
        BadTensor{"ProductWraps",
                  {.count = 6, .sizes = {kHuge, 16}, .strides = {0, 0}},
                  StatusCode::kDataLoss,
                  "more elements"},
        BadTensor{"ExpandedBeyondReason",
                  {.count = 6, .sizes = {1000, 1000, 1000}, .strides = {0, 0, 0}},
                  StatusCode::kOutOfRange,
                  "4000000000 bytes"},
        BadTensor{"NegativeSize", {.count = 6, .sizes = {-1}, .strides = {1}}, StatusCode::kDataLoss, "-1"},
        BadTensor{"NegativeStride", {.count = 6, .sizes = {1}, .strides = {-1}}, StatusCode::kDataLoss, "-1"},
        BadTensor{
            "NegativeOffset", {.count = 6, .sizes = {1}, .strides = {1}, .offset = -1}, StatusCode::kDataLoss, "-1"},
        BadTensor{"NegativeStorage", {.count = -6, .sizes = {1}, .strides = {1}}, StatusCode::kDataLoss, "-6"},
        BadTensor{"StrideMissing",
                  {.count = 6, .sizes = {2, 3}, .strides = {3}},
                  StatusCode::kDataLoss,
                  "2 sizes and 1 strides"},
        BadTensor{"SixDimensions",
                  {.count = 6, .sizes = {1, 1, 1, 1, 1, 1}, .strides = {1, 1, 1, 1, 1, 1}},
                  StatusCode::kUnimplemented,
                  "6 dimensions"},
        BadTensor{"ComplexStorage",
                  {.storage = "ComplexFloatStorage", .count = 6, .sizes = {1}, .strides = {1}},
                  StatusCode::kUnimplemented,
                  "torch.ComplexFloatStorage"}),
    [](const auto& info) { return info.param.name; });

// Each of ten tensors may be copied, all together may not: one budget for the file.
TEST(TorchFile, CopiesShareOneBudget) {
  std::vector<std::pair<std::string, std::string>> items;
  const std::string tensor = p::Tensor({.count = 6, .sizes = {20, 20}, .strides = {0, 0}});
  for (int i = 0; i < 10; ++i) items.emplace_back(StrCat("t", i), tensor);
  const std::string file = TorchBytes(p::Dict(items), {kSixFloats});
  ASSERT_GT(file.size(), 1600u);   // one copy fits
  ASSERT_LT(file.size(), 16000u);  // ten do not
  EXPECT_EQ(ParseTorch(Bytes(file), "f.pt").status().code(), StatusCode::kOutOfRange);
}

// ------------------------------------------------------------------------------------------------------------- pickles

struct BadPickle {
  std::string name;
  std::string pickle;
  StatusCode code;
  std::string message;
};
void PrintTo(const BadPickle& test, std::ostream* out) { *out << test.name; }

class MalformedPickle : public ::testing::TestWithParam<BadPickle> {};

TEST_P(MalformedPickle, IsRefusedWithReason) {
  const Status status = Unpickle(Bytes(GetParam().pickle), "bad.pt").status();
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("bad.pt"), HasSubstr(GetParam().message)));
}

constexpr StatusCode kLoss = StatusCode::kDataLoss;
constexpr StatusCode kRefused = StatusCode::kUnimplemented;
const std::string_view kCall = "only tensors are read, nothing is executed";

std::vector<BadPickle> BadPickles() {
  using namespace std::string_literals;
  return {
      {"CallsSystem", p::Program(p::Global("posix", "system") + p::Text("true") + "\x85R"), kRefused,
       StrCat("refers to posix.system; ", kCall)},
      {"CallsSystemByStack", "\x80\x04\x8c\x02os\x8c\x06system\x93."s, kRefused,
       StrCat("refers to os.system; ", kCall)},
      {"CallsEval", p::Program(p::Global("builtins", "eval")), kRefused, "refers to builtins.eval"},
      {"CallsTorchLoad", p::Program(p::Global("torch", "load")), kRefused, "refers to torch.load"},
      {"OtherRebuild", p::Program(p::Global("torch._utils", "_rebuild_qtensor")), kRefused, "_rebuild_qtensor"},
      {"GlobalWithControlBytes", p::Program(p::Global("a\x1b[2J", "b")), kRefused, "\\x1b[2J"},
      {"GlobalCutShort",
       "\x80\x02"
       "cposix"s,
       kLoss, "needs 1 bytes"},
      {"StackGlobalOfNumbers", "\x80\x04K\x01K\x02\x93."s, kLoss, "a global without a name"},
      {"NewObject", "\x80\x02)\x81."s, kRefused, "opcode 0x81"},
      {"Instance", "\x80\x02(iposix\nsystem\n."s, kRefused, "opcode 0x69"},
      {"Protocol0", "(lp0\n."s, kRefused, "opcode 0x6c"},
      {"Protocol1", "\x80\x01}."s, kRefused, "protocol 1"},
      {"Protocol6", "\x80\x06}."s, kRefused, "protocol 6"},
      {"Empty", "", kLoss, "opcode needs 1 bytes"},
      {"NoStop", "\x80\x02}"s, kLoss, "opcode needs 1 bytes"},
      {"StopOnEmptyStack", "\x80\x02."s, kLoss, "empty stack"},
      {"PopOnEmptyStack",
       "\x80\x02"
       "0."s,
       kLoss, "empty stack"},
      {"MarkMissing", "\x80\x02t."s, kLoss, "was not begun"},
      {"PopsThroughMark", "\x80\x02K\x01(\x85."s, kLoss, "empty stack"},
      {"MemoMissing", "\x80\x02h\x05."s, kLoss, "recalls value 5"},
      {"MemoOfNothing", "\x80\x02q\x05."s, kLoss, "empty stack"},
      {"TextTooLong",
       "\x80\x02X\xff\xff\xff\xff"
       "abc."s,
       kLoss, "text needs 4294967295 bytes"},
      {"TextLengthWraps",
       "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
       "abc."s,
       kLoss, "18446744073709551615"},
      {"NumberTooLong",
       "\x80\x02\x8a\x09"
       "123456789."s,
       kLoss, "a number of 9 bytes"},
      {"AppendToDict",
       "\x80\x02}K\x01"
       "a."s,
       kLoss, "adds items to a dict"},
      {"SetItemOfList", "\x80\x02]K\x01K\x02s."s, kLoss, "adds items to a list"},
      {"KeyWithoutValue", "\x80\x02}(K\x01u."s, kLoss, "a key without a value"},
      {"CallsText", "\x80\x02" + p::Text("a") + ")R.", kLoss, "calls a text"},
      {"CallsWithList", p::Program(p::Global("collections", "OrderedDict") + "]R"), kLoss, "with a list"},
      {"OrderedDictOfItems", p::Program(p::Global("collections", "OrderedDict") + "]\x85R"), kLoss, "with arguments"},
      {"TensorOnText",
       p::Program(p::Global("torch._utils", "_rebuild_tensor_v2") + p::Tuple({p::Text("x"), "N", "N", "N", "N", "N"}) +
                  "R"),
       kLoss, "a tensor on a text"},
      {"TensorOfTwoArguments", p::Program(p::Global("torch._utils", "_rebuild_tensor_v2") + "NN\x86R"), kLoss,
       "with 2 arguments"},
      {"ParameterOfNone", p::Program(p::Global("torch._utils", "_rebuild_parameter") + "N\x85R"), kLoss,
       "a parameter without a tensor"},
      {"PersistentIdOfNumber", "\x80\x02K\x01Q."s, kLoss, "no storage"},
      {"PersistentIdOfModule", p::Program(p::Tuple({p::Text("module"), "N", "N", "N", "N"}) + "Q"), kLoss,
       "no storage"},
      {"AttributesOfList", "\x80\x02]}b."s, kLoss, "attributes of a list"},
      {"RootIsList", "\x80\x02]."s, kRefused, "holds a list"},
      {"RootIsItself",
       "\x80\x02]q\x00h\x00"
       "a."s,
       kRefused, "holds a list"},
  };
}
INSTANTIATE_TEST_SUITE_P(Catalogue, MalformedPickle, ::testing::ValuesIn(BadPickles()),
                         [](const auto& info) { return info.param.name; });

TEST(Unpickle, DictThatHoldsItselfIsJustNoTensor) {
  // {"state_dict": itself, "a": itself}
  const std::string pickle = p::Program("}q\x01" + p::Text("state_dict") + "h\x01s" + p::Text("a") + "h\x01s");
  const auto dict = Unpickle(Bytes(pickle), "cycle");
  ASSERT_TRUE(dict.ok()) << dict.status();
  ASSERT_EQ(dict->entries.size(), 2u);
  EXPECT_FALSE(dict->entries[0].tensor);
}

TEST(Unpickle, LimitsHold) {
  const PickleLimits limits = {.max_bytes = 1000, .max_nodes = 100, .max_stack = 50};
  const auto code = [&](const std::string& pickle) {
    const Status status = Unpickle(Bytes(pickle), "limits", limits).status();
    return StrCat(static_cast<int>(status.code()), " ", MessageOf(status));
  };
  std::string values, dropped, marks, memo, doubled = "]q\x01(NNNNNNNNNNNNNNNNNNNNe";
  for (int i = 0; i < 51; ++i) values += "N";
  for (int i = 0; i < 101; ++i) dropped += "N0";
  for (int i = 0; i < 51; ++i) marks += "(";
  for (int i = 0; i < 101; ++i) memo += StrCat("r", testing::Raw(1000 + i));
  for (int i = 0; i < 5; ++i)
    doubled += "(" + [] {
      std::string s;
      for (int k = 0; k < 20; ++k) s += "h\x01";
      return s;
    }() + "e";
  EXPECT_THAT(code(p::Program(values)), HasSubstr("more than 50 values on the stack"));
  EXPECT_THAT(code(p::Program(dropped)), HasSubstr("more than 100 values"));
  EXPECT_THAT(code(p::Program(marks)), HasSubstr("nested more than 50 deep"));
  EXPECT_THAT(code(p::Program("N" + memo)), HasSubstr("more than 100 remembered values"));
  EXPECT_THAT(code(p::Program(doubled)), HasSubstr("more than 100 items"));
  EXPECT_THAT(code(std::string(1001, 'N')), HasSubstr("1001 bytes, the limit is 1000"));
}

TEST(Unpickle, DeepNestingNeedsNoStack) {
  std::string pickle;
  for (int i = 0; i < 500'000; ++i) pickle += ']';
  for (int i = 1; i < 500'000; ++i) pickle += 'a';
  EXPECT_EQ(Unpickle(Bytes(p::Program(pickle)), "deep").status().code(),
            StatusCode::kUnimplemented);  // a list, no dict
}

// -----------------------------------------------------------------------------------------------------------------
// zips

Status ZipStatus(const std::string& bytes) { return ReadStoredZip(Bytes(bytes), "bad.zip").status(); }

TEST(Zip, CompressedMemberIsRefused) {
  const Status status = ZipStatus(ZipBytes({{.name = "a/data.pkl", .contents = "x", .method = 8}}));
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(MessageOf(status), HasSubstr("a/data.pkl is compressed (method 8)"));
}

TEST(Zip, EncryptedMemberIsRefused) {
  EXPECT_THAT(MessageOf(ZipStatus(ZipBytes({{.name = "a", .contents = "x", .flags = 1}}))), HasSubstr("encrypted"));
}

TEST(Zip, TwoMembersOfOneNameAreRefused) {
  EXPECT_THAT(MessageOf(ZipStatus(ZipBytes({{"a", "x"}, {"a", "y"}}))), HasSubstr("two members are named a"));
}

TEST(Zip, NameInLocalHeaderMustAgree) {
  EXPECT_THAT(MessageOf(ZipStatus(ZipBytes({{.name = "a", .contents = "x", .local_name = "b"}}))),
              HasSubstr("member a is called b"));
}

TEST(Zip, OffsetsMustPointAtMembers) {
  EXPECT_THAT(MessageOf(ZipStatus(ZipBytes({{"a", "xyz"}}, {.offset_delta = 1}))), HasSubstr("no local header"));
  EXPECT_THAT(MessageOf(ZipStatus(ZipBytes({{"a", "xyz"}}, {.offset_delta = 1u << 30}))), HasSubstr("lies at byte"));
}

TEST(Zip, CountsMustAgreeWithDirectory) {
  EXPECT_EQ(ZipStatus(ZipBytes({{"a", "x"}}, {.entries_delta = 1})).code(), StatusCode::kDataLoss);
  EXPECT_EQ(ZipStatus(ZipBytes({{"a", "x"}}, {.zip64 = true, .entries_delta = 60000})).code(), StatusCode::kDataLoss);
}

// Two directory entries for the same bytes: the trick behind zip bombs.
TEST(Zip, OverlappingMembersAreRefused) {
  std::string inner = ZipBytes({{"b", "payload"}});
  inner.resize(inner.find("PK\x01\x02"));  // b's local header and contents alone
  const std::string outer = ZipBytes({{"a", inner}, {"b", "payload"}});
  std::string bytes = outer;
  // Point b's directory entry at the copy inside a: 30 bytes of header and one of name behind a's start.
  const size_t entry = bytes.rfind("PK\x01\x02");
  bytes.replace(entry + 42, 4, testing::Raw(uint32_t{31}));
  EXPECT_THAT(MessageOf(ZipStatus(bytes)), HasSubstr("members a and b overlap"));
}

TEST(Zip, EveryTruncationIsDamage) {
  for (const bool zip64 : {false, true}) {
    const std::string file = ZipBytes({{"a", "x"}, {"b", "yz"}}, {.zip64 = zip64});
    ASSERT_TRUE(ZipStatus(file).ok());
    for (size_t size = 0; size < file.size(); ++size) {
      EXPECT_EQ(ZipStatus(file.substr(0, size)).code(), StatusCode::kDataLoss) << size;
    }
  }
}

TEST(TorchFile, ArchiveMustHoldOneRootInLittleEndian) {
  const auto message = [](const std::vector<testing::ZipMember>& members) {
    const std::string file = ZipBytes(members);
    return MessageOf(ParseTorch(Bytes(file), "f.pt").status());
  };
  EXPECT_THAT(message({{"archive/other", "x"}}), HasSubstr("without data.pkl"));
  EXPECT_THAT(message({{"a/data.pkl", "x"}, {"b/data.pkl", "x"}}), HasSubstr("two roots"));
  EXPECT_THAT(message({{"a/data.pkl", p::Program("}")}, {"a/byteorder", "big"}}), HasSubstr("byte order is big"));
  EXPECT_THAT(message({{"a/data.pkl", p::Program("}")}}), HasSubstr("none of them a tensor"));
}

TEST(TorchFile, OneNameTwiceIsRefused) {
  const std::string tensor = p::Tensor({.count = 6, .sizes = {6}, .strides = {1}});
  const std::string file = TorchBytes(p::Dict({{"a", tensor}, {"a", tensor}}), {kSixFloats});
  EXPECT_THAT(MessageOf(ParseTorch(Bytes(file), "f.pt").status()), HasSubstr("tensor a appears twice"));
}

}  // namespace
}  // namespace galago::io
