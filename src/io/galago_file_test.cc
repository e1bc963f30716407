#include "src/io/galago_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "src/base/strings.h"
#include "src/io/safetensors.h"
#include "src/tensor/float16.h"
#include "src/tensor/panels.h"

namespace galago::io {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// An image at an address the mapping of a file would have.
class Image {
 public:
  explicit Image(std::string_view bytes) : tensor_(DType::kU8, {static_cast<int64_t>(bytes.size())}) {
    std::memcpy(tensor_.data(), bytes.data(), bytes.size());
  }
  std::span<const std::byte> span() const { return {tensor_.data(), tensor_.num_bytes()}; }

 private:
  Tensor tensor_;
};

class Galago : public ::testing::Test {
 protected:
  Galago()
      : path_(fs::path(::testing::TempDir()) / "some.galago"),
        panels_(DType::kW4G32, {24, 64}),
        row_(DType::kW8Row, {5, 70}) {
    GroupedWeights weights = MakeGroupedWeights(24, 64, 32);
    for (size_t i = 0; i < weights.codes.size(); ++i) weights.codes[i] = static_cast<uint8_t>(i * 7 % 16);
    for (uint16_t& scale : weights.scales) scale = F32ToF16(0.25f);
    PackPanels(DType::kW4G32, weights, {panels_.data(), panels_.num_bytes()});
    GroupedWeights8 bytes = MakeGroupedWeights8(5, 70, 70);
    for (size_t i = 0; i < bytes.codes.size(); ++i) bytes.codes[i] = static_cast<int8_t>(i);
    PackPanels(DType::kW8Row, bytes, {row_.data(), row_.num_bytes()});
    norm_.f32()[1] = 3.5f;
    contents_.facts = R"({"source":"directory"})";
    contents_.files = {{"config.json", "{}"}, {"llm/tokenizer.model", std::string("\0\1\xff", 3)}, {"empty.txt", ""}};
    contents_.tensors = {{"language/q.weight", panels_.view()},
                         {"language/norm.weight", norm_.view()},
                         {"vision/fc1.weight", row_.view()}};
    fs::remove(path_);
    EXPECT_TRUE(WriteGalago(path_, contents_).ok());
    const auto file = MappedFile::Open(path_);
    EXPECT_TRUE(file.ok());
    image_.assign(reinterpret_cast<const char*>((*file)->bytes().data()), (*file)->bytes().size());
  }
  ~Galago() override { fs::remove(path_); }

  static Status Verified(const GalagoFile& file) {
    return file.Verify([](int64_t count, const auto& body) {
      for (int64_t i = 0; i < count; ++i) body(i);
    });
  }
  // What a reader that checks everything says of an image.
  static Status Checked(std::string_view bytes) {
    const Image image(bytes);
    const auto file = GalagoFile::Parse(image.span(), "a.galago");
    return file.ok() ? Verified(*file) : file.status();
  }
  std::string Replaced(std::string_view from, std::string_view to) const {
    EXPECT_EQ(from.size(), to.size());
    std::string changed = image_;
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    return changed;
  }

  fs::path path_;
  Tensor panels_, row_;
  Tensor norm_ = Tensor::F32({3});
  GalagoContents contents_;
  std::string image_;
};

TEST_F(Galago, GivesBackWhatWasWritten) {
  const auto file = GalagoFile::Open(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(Verified(*file).ok());
  EXPECT_EQ(file->facts(), contents_.facts);
  EXPECT_EQ(file->files().size(), 3u);
  for (const auto& [name, text] : contents_.files) EXPECT_EQ(file->files().at(name), text);
  const TensorStore language = file->Part("language");
  EXPECT_EQ(language.tensors().size(), 2u);
  EXPECT_EQ(file->Part("vision").tensors().size(), 1u);
  EXPECT_TRUE(file->Part("projector").tensors().empty());
  const auto same = [](const StatusOr<TensorView>& got, const Tensor& want) {
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->dtype, want.dtype());
    EXPECT_EQ(got->shape, want.shape());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(got->data) % 64, 0u);
    EXPECT_EQ(std::memcmp(got->data, want.data(), want.num_bytes()), 0);
  };
  same(language.Find("q.weight"), panels_);
  same(language.Find("norm.weight"), norm_);
  same(file->Part("vision").Find("fc1.weight"), row_);
  EXPECT_EQ(file->tensor_bytes(), panels_.num_bytes() + row_.num_bytes() + norm_.num_bytes());
  // Common tools can list it.
  const auto plain = OpenSafetensors(path_);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_TRUE(plain->Contains("file/config.json"));
}

TEST_F(Galago, ANewerVersionAndAnotherKernelFamilyAreRefusedByName) {
  EXPECT_THAT(MessageOf(Checked(Replaced(R"("galago.version":"1")", R"("galago.version":"7")"))),
              AllOf(HasSubstr("format version 7"), HasSubstr("reads version 1")));
  EXPECT_EQ(Checked(Replaced(R"("galago.version":"1")", R"("galago.version":"7")")).code(), StatusCode::kUnimplemented);
  EXPECT_THAT(MessageOf(Checked(Replaced(R"("galago.panels":"p16")", R"("galago.panels":"q32")"))),
              AllOf(HasSubstr("kernel family q32"), HasSubstr("p16")));
  EXPECT_THAT(MessageOf(Checked(Replaced("galago.version", "galago_version"))), HasSubstr("no .galago file"));
  // A version of the future may hold anything.
  std::string future = Replaced(R"("galago.version":"1")", R"("galago.version":"2")");
  const size_t dtype = future.find(R"("dtype":"U8")");
  future.replace(dtype, 12, R"("dtype":"Q9")");
  EXPECT_THAT(MessageOf(Checked(future)), HasSubstr("format version 2"));
}

TEST_F(Galago, EveryCutIsNoticed) {
  ASSERT_TRUE(Checked(image_).ok());
  for (size_t size = 0; size < image_.size(); size += size < 4096 ? 13 : 61) {
    EXPECT_FALSE(Checked(std::string_view(image_).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(Checked(std::string_view(image_).substr(0, image_.size() - 1)).ok());
  EXPECT_FALSE(Checked(image_ + std::string(64, '\0')).ok());
}

// Every bit of what is used: in the header as well as in files and tensors.
TEST_F(Galago, EveryAlterationIsNoticedOrMeansNothing) {
  const Image whole(image_);
  const auto original = GalagoFile::Parse(whole.span(), "a.galago");
  ASSERT_TRUE(original.ok()) << original.status();
  int unnoticed = 0;
  for (size_t at = 0; at < image_.size(); at += 3) {
    std::string changed = image_;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    const Image image(changed);
    const auto file = GalagoFile::Parse(image.span(), "a.galago");
    if (!file.ok() || !Verified(*file).ok()) continue;
    // Left: padding, blanks, the word "format".
    ++unnoticed;
    EXPECT_EQ(file->facts(), original->facts());
    EXPECT_EQ(file->files(), original->files());
    for (const std::string_view part : {"language", "vision"}) {
      const TensorStore want = original->Part(part);
      const TensorStore got = file->Part(part);
      ASSERT_EQ(got.tensors().size(), want.tensors().size());
      for (const auto& [name, view] : want.tensors()) {
        const TensorView other = *got.Find(name);
        EXPECT_TRUE(other.dtype == view.dtype && other.shape == view.shape);
        EXPECT_EQ(std::memcmp(other.data, view.data, view.NumBytes()), 0);
      }
    }
  }
  EXPECT_LT(unnoticed, 200);
}

TEST_F(Galago, AlteredWeightsAreNamed) {
  std::string changed = image_;
  const std::string_view needle(reinterpret_cast<const char*>(panels_.data()), panels_.num_bytes());
  const size_t at = changed.find(needle);
  ASSERT_NE(at, std::string::npos);
  changed[at + 100] ^= 1;
  EXPECT_THAT(MessageOf(Checked(changed)), AllOf(HasSubstr("a.galago: language/q.weight"), HasSubstr("altered")));
  EXPECT_THAT(MessageOf(Checked(Replaced(std::string_view("\0\1\xff", 3), std::string_view("\0\1\xfe", 3)))),
              HasSubstr("file/llm/tokenizer.model"));
}

TEST_F(Galago, RefusesToWriteWhatItCouldNotRead) {
  GalagoContents twice = contents_;
  twice.tensors.push_back(twice.tensors.front());
  EXPECT_THAT(MessageOf(WriteGalago(path_, twice)), HasSubstr("language/q.weight"));
  GalagoContents blocks = contents_;
  blocks.tensors.emplace_back("language/b", TensorView{DType::kQ4_0, {1, 32}, panels_.data()});
  EXPECT_THAT(MessageOf(WriteGalago(path_, blocks)), HasSubstr("q4_0"));
}

}  // namespace
}  // namespace galago::io
