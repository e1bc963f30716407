#include "src/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "src/base/strings.h"

namespace galago {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Json, ParsesAndKeepsOrder) {
  const auto json = ParseJson(R"({"z": 1, "a": [true, null, "x\u00e9"], "m": {"k": -2.5}})", "f.json");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->dump(), "{\"z\":1,\"a\":[true,null,\"x\xc3\xa9\"],\"m\":{\"k\":-2.5}}");
}

TEST(Json, ErrorsNameFileAndByte) {
  for (const std::string_view text :
       {"", "{", "[1,]", "{\"a\" 1}", "nul", "[1] x", "\"\xff\"", "\"\\ud800\"", "[1e999]"}) {
    const Status status = ParseJson(text, "bad.json").status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << text;
    EXPECT_THAT(MessageOf(status), AllOf(HasSubstr("bad.json"), HasSubstr("byte "))) << text;
  }
}

TEST(Json, DepthIsLimited) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(ParseJson(nested(64), "f").ok());
  EXPECT_THAT(MessageOf(ParseJson(nested(65), "f").status()), HasSubstr("nested more than 64 deep"));
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '['), "f").ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(ParseJson(objects, "f").ok());
}

TEST(Json, SizeIsLimited) {
  EXPECT_TRUE(ParseJson("[1]", "f", {.max_bytes = 3}).ok());
  EXPECT_THAT(MessageOf(ParseJson("[12]", "f", {.max_bytes = 3}).status()),
              AllOf(HasSubstr("4 bytes"), HasSubstr("limit is 3")));
}

TEST(Json, ManyKeysAreNotQuadratic) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += StrCat(i == 0 ? "" : ",", "\"", i, "\":", i);
  const auto json = ParseJson(text + "}", "f");  // minutes if every key were compared with all before it
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->size(), 200'000u);
}

TEST(Json, LastOfEqualKeysWins) {
  const auto json = ParseJson(R"({"a": 1, "b": 2, "a": 3})", "f");
  EXPECT_EQ(**JsonInt(*json, "a", "f", 0, 10), 3);
}

TEST(Json, IntegersAreExactAndBounded) {
  const auto json = ParseJson(
      R"({"max": 9223372036854775807, "over": 9223372036854775808, "min": -9223372036854775808, "whole": 3.0,
          "half": 3.5, "odd": 9007199254740993, "huge": 1e300, "edge": 9223372036854775808.0, "text": "1", "null": null})",
      "f.json");
  ASSERT_TRUE(json.ok()) << json.status();
  const auto get = [&](std::string_view key) { return JsonInt(*json, key, "f.json", kMin, kMax); };
  EXPECT_EQ(**get("max"), kMax);
  EXPECT_EQ(**get("min"), kMin);
  EXPECT_EQ(**get("whole"), 3);
  EXPECT_EQ(**get("odd"), 9007199254740993);
  EXPECT_FALSE(get("null")->has_value());
  EXPECT_FALSE(get("absent")->has_value());
  for (const std::string_view key : {"over", "half", "huge", "edge", "text"}) {
    EXPECT_EQ(get(key).status().code(), StatusCode::kDataLoss) << key;
    EXPECT_THAT(MessageOf(get(key).status()), AllOf(HasSubstr("f.json"), HasSubstr(std::string(key))));
  }
  EXPECT_FALSE(JsonInt(*json, "whole", "f", 4, 10).ok());
  EXPECT_FALSE(JsonInt(*json, "whole", "f", 0, 2).ok());
}

TEST(Json, TypedLookUpsRefuseOtherTypes) {
  const auto json = ParseJson(R"({"n": 1.5, "b": true, "s": "x", "l": []})", "f");
  EXPECT_EQ(**JsonNumber(*json, "n", "f"), 1.5);
  EXPECT_TRUE(**JsonBool(*json, "b", "f"));
  EXPECT_EQ(**JsonString(*json, "s", "f"), "x");
  EXPECT_FALSE(JsonNumber(*json, "b", "f").ok());
  EXPECT_FALSE(JsonBool(*json, "n", "f").ok());
  EXPECT_FALSE(JsonString(*json, "l", "f").ok());
  EXPECT_FALSE(JsonString(Json::array(), "l", "f")->has_value());
  EXPECT_EQ(JsonFind(Json(3), "x"), nullptr);
}

}  // namespace
}  // namespace galago
