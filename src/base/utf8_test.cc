#include "src/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace galago {
namespace {

constexpr const char* kReplacement = "\xef\xbf\xbd";

TEST(Utf8, EveryCodePointSurvives) {
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    std::string text;
    Utf8Append(text, c);
    if (c >= 0xd800 && c <= 0xdfff) {
      ASSERT_EQ(Utf8Length(text), 0u) << std::hex << static_cast<uint32_t>(c);
      continue;
    }
    ASSERT_EQ(Utf8Length(text), text.size()) << std::hex << static_cast<uint32_t>(c);
    ASSERT_EQ(Utf8Decode(text), c);
  }
}

TEST(Utf8, MalformedHasNoLength) {
  for (const std::string_view text :
       {"", "\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xc3x"}) {
    EXPECT_EQ(Utf8Length(text), 0u) << text.size();
  }
}

TEST(Utf8, CompletePrefixHoldsBackOnlyWhatCanStillBeCompleted) {
  EXPECT_EQ(Utf8CompletePrefix("abc"), 3u);
  EXPECT_EQ(Utf8CompletePrefix("a\xe2\x82"), 1u);
  EXPECT_EQ(Utf8CompletePrefix("a\xe2\x82\xac"), 4u);
  EXPECT_EQ(Utf8CompletePrefix("a\xf0\x9f\x98"), 1u);
  EXPECT_EQ(Utf8CompletePrefix("a\xff"), 2u);     // never completable
  EXPECT_EQ(Utf8CompletePrefix("\xe0\x80"), 2u);  // overlong: never completable
  EXPECT_EQ(Utf8CompletePrefix("\xc3\xc3"), 1u);  // the second may be
  EXPECT_EQ(Utf8CompletePrefix(""), 0u);
}

TEST(Utf8, SanitizeReplacesMaximalSubparts) {
  const std::string r = kReplacement;
  EXPECT_EQ(Utf8Sanitize("a\xc3\xa9"), "a\xc3\xa9");
  // Unicode standard, table 3-11: what b'...'.decode(errors="replace") gives in Python.
  EXPECT_EQ(Utf8Sanitize("\xf0\x80\x80"
                         "A"),
            r + r + r + "A");
  EXPECT_EQ(Utf8Sanitize("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf"
                         "A"),
            r + r + r + r + "A");
  EXPECT_EQ(Utf8Sanitize("\xe2\x82"), r);
}

}  // namespace
}  // namespace galago
