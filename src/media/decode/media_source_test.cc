#include "src/media/decode/media_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace galago::media {
namespace {

using testing::HasSubstr;
using testing::Not;

StatusCode CodeOf(const std::string& source, size_t max_bytes = 100) {
  return LoadMediaBytes(source, {.max_bytes = max_bytes}).status().code();
}

TEST(MediaSource, DataUrisInAllTheSpellingsPeopleUse) {
  for (const char* uri :
       {"data:image/png;base64,aGVsbG8/fn4=", "data:;base64,aGVsbG8/fn4=", "DATA:image/png;base64,aGVsbG8_fn4",
        "data:base64,aGVs\r\nbG8/\tfn4=", "data:image/png;charset=x;base64, aGVsbG8/ fn4 = "}) {
    const StatusOr<MediaBytes> got = LoadMediaBytes(uri);
    ASSERT_TRUE(got.ok()) << uri << got.status();
    EXPECT_EQ(got->bytes, "hello?~~");
  }
  EXPECT_EQ(LoadMediaBytes("data:;base64,")->bytes, "");
  EXPECT_EQ(LoadMediaBytes("data:;base64,YQ==")->bytes, "a");
  EXPECT_EQ(LoadMediaBytes("data:;base64,YWI")->bytes, "ab");
}

TEST(MediaSource, RefusesDamagedAndOversizedUris) {
  EXPECT_EQ(CodeOf("data:image/png;base64"), StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("data:image/png,plain"), StatusCode::kUnimplemented);
  EXPECT_EQ(CodeOf("data:;base64,a"), StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("data:;base64,YQ==YQ=="), StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("data:;base64,YQ="), StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("data:;base64,YWI==="), StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("data:;base64,Y*Q="), StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("data:;base64,YWJjZA==", 4), StatusCode::kOk);
  EXPECT_EQ(CodeOf("data:;base64,YWJjZA==", 3), StatusCode::kOutOfRange);
}

TEST(MediaSource, MessagesShowLittleOfAUri) {
  const std::string uri = "data:image/png;base64," + std::string(5000, 'A') + "*";
  const Status status = LoadMediaBytes(uri).status();
  EXPECT_THAT(MessageOf(status), Not(HasSubstr(uri.substr(0, 65))));
  EXPECT_LE(SourceName(uri).size(), 64u);
}

TEST(MediaSource, LocalFiles) {
  const std::string media = std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/media";
  const StatusOr<MediaBytes> got = LoadMediaBytes(media + "/one_1x1.png");
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->name, media + "/one_1x1.png");
  EXPECT_EQ(got->bytes.substr(1, 3), "PNG");
  EXPECT_EQ(CodeOf(media), StatusCode::kUnimplemented);
  EXPECT_EQ(CodeOf("/dev/zero"), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(media + "/none.png"), StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(media + "/one_1x1.png", 10), StatusCode::kOutOfRange);
  EXPECT_EQ(CodeOf("https://example.org/a.png"), StatusCode::kUnimplemented);
  EXPECT_EQ(CodeOf(""), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace galago::media
