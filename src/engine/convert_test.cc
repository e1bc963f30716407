// A model as one .galago file answers as the checkpoint it was made of.
#include "galago/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "galago/session.h"
#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/engine/model_parts.h"

namespace galago {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kData = std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/";

struct Case {
  const char* model;
  const char* mmproj = "";
  const char* picture = "";
};

std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  std::string name = StrCat(info.param.model, info.param.mmproj[0] ? "_mmproj" : "");
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

class Convert : public ::testing::TestWithParam<Case> {
 protected:
  Convert() : folder_(fs::path(::testing::TempDir()) / "convert_test") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Convert() override { fs::remove_all(folder_); }

  static std::vector<int32_t> Answer(const std::shared_ptr<Model>& model, const std::string& picture) {
    auto session = Session::Create(model, {.threads = 2, .ctx_size = std::min<int64_t>(1024, model->max_context())});
    EXPECT_TRUE(session.ok()) << session.status();
    if (!session.ok()) return {};
    std::vector<Part> media;
    if (!picture.empty()) media.push_back({.kind = PartKind::kImage, .source = picture});
    auto placed = PlaceMedia("What is it?", media);
    EXPECT_TRUE(placed.ok()) << placed.status();
    const auto result = (*session)->Generate({placed->message}, {.max_tokens = 16, .ignore_eos = true},
                                             [](std::string_view) { return Flow::kContinue; });
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? result->token_ids : std::vector<int32_t>();
  }

  fs::path folder_;
};

TEST_P(Convert, AnswersLikeTheCheckpoint) {
  const Case& c = GetParam();
  const ModelOptions options{.mmproj = c.mmproj[0] ? kData + c.mmproj : std::string()};
  const std::string picture = c.picture[0] ? kData + c.picture : std::string();
  auto source = Model::Open(kData + c.model, options);
  ASSERT_TRUE(source.ok()) << source.status();
  const auto source_report = (*source)->LoadWeights();
  ASSERT_TRUE(source_report.ok()) << source_report.status();
  if ((*source)->parts().spec.layout == spec::Layout::kGguf) {
    EXPECT_EQ((*source)->PlanMemory(64).weights, source_report->mapped_bytes + source_report->converted_bytes);
  }
  const std::vector<int32_t> want = Answer(*source, picture);

  const std::string file = (folder_ / "model.galago").string();
  const auto converted = ConvertModel(kData + c.model, options, file);
  ASSERT_TRUE(converted.ok()) << converted.status();
  EXPECT_EQ(converted->bytes, fs::file_size(file));
  auto model = Model::Open(file, {});
  ASSERT_TRUE(model.ok()) << model.status();
  const auto report = (*model)->LoadWeights();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->converted_bytes, 0u);
  EXPECT_EQ(report->mapped_bytes, source_report->mapped_bytes + source_report->converted_bytes);
  EXPECT_EQ((*model)->PlanMemory(64).weights, report->mapped_bytes);
  EXPECT_EQ(Answer(*model, picture), want);

  // The same model but for where it lies.
  spec::ModelSpec from = (*source)->parts().spec;
  spec::ModelSpec to = (*model)->parts().spec;
  EXPECT_EQ(to.layout, spec::Layout::kGalago);
  to.layout = from.layout;
  to.path = from.path;
  to.mmproj = from.mmproj;
  to.tokenizer.directory = from.tokenizer.directory;
  to.weight_bytes = from.weight_bytes;
  to.notes = from.notes;
  EXPECT_TRUE(to == from);

  // A second time, onto itself, and with a note of who made it.
  EXPECT_THAT(MessageOf(ConvertModel(file, {}, file).status()), HasSubstr("is a .galago file already"));
  EXPECT_TRUE(ConvertModel(kData + c.model, options, file).ok());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

INSTANTIATE_TEST_SUITE_P(Models, Convert,
                         ::testing::Values(Case{"nvila_lite_2b/model", "", "media_b/a.png"}, Case{"vila15_3b/model"},
                                           Case{"nvila_lite_hf/model"}, Case{"mobilevlm_v2/model", "", "media_b/a.png"},
                                           Case{"gguf/qwen2/qwen2-mixed.gguf"}, Case{"gguf/llama/llama-mixed.gguf"},
                                           Case{"gguf/mobilevlm_v2/llm-f16.gguf", "gguf/mobilevlm_v2/mmproj-f16.gguf",
                                                "media_b/a.png"}),
                         NameOf);

TEST(ConvertRefuses, NamesThatAreNoGalagoAndModelsThatAreNone) {
  const std::string folder = ::testing::TempDir();
  EXPECT_EQ(ConvertModel(kData + "vila15_3b/model", {}, folder + "/a.gguf").status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ConvertModel(kData + "no such model", {}, folder + "/a.galago").status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(fs::exists(folder + "/a.galago"));
  // A place that cannot be written to leaves nothing and says where.
  const auto nowhere = ConvertModel(kData + "gguf/qwen2/qwen2-f16.gguf", {}, folder + "/no/such/folder/a.galago");
  EXPECT_THAT(MessageOf(nowhere.status()), HasSubstr("no/such/folder/a.galago"));
  const std::atomic<bool> cancel = true;
  EXPECT_EQ(ConvertModel(kData + "gguf/qwen2/qwen2-f16.gguf", {}, folder + "/a.galago", &cancel).status().code(),
            StatusCode::kCancelled);
  EXPECT_FALSE(fs::exists(folder + "/a.galago"));
}

TEST(ConvertRefuses, DamagedFiles) {
  const std::string file = ::testing::TempDir() + "/damaged.galago";
  ASSERT_TRUE(ConvertModel(kData + "gguf/qwen2/qwen2-mixed.gguf", {}, file).ok());
  auto bytes = ReadFile(file, size_t{1} << 26);
  ASSERT_TRUE(bytes.ok());
  // One bit in the last matrix: seen when the weights are loaded.
  std::string altered = *bytes;
  altered[altered.size() - 200] ^= 4;
  ASSERT_TRUE(WriteFileAtomically(file, altered).ok());
  auto model = Model::Open(file, {});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(MessageOf((*model)->LoadWeights().status()), HasSubstr("altered"));
  // Half a file.
  ASSERT_TRUE(WriteFileAtomically(file, std::string_view(*bytes).substr(0, bytes->size() / 2)).ok());
  EXPECT_EQ(Model::Open(file, {}).status().code(), StatusCode::kDataLoss);
  fs::remove(file);
}

}  // namespace
}  // namespace galago
