#include "src/base/strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/hash.h"

namespace galago {
namespace {

using ::testing::ElementsAre;

TEST(StrCat, NumbersReadBackEqual) {
  EXPECT_EQ(StrCat("a", 'b', 3, -4, true, 0.1, 1e-5f, std::string("c")), "ab3-4true0.11e-05c");
  EXPECT_EQ(StrCat(~uint64_t{0}), "18446744073709551615");
  EXPECT_EQ(StrCat(uint8_t{7}), "7");
  EXPECT_EQ(StrCat(), "");
}

TEST(Strings, SplitKeepsEmptyParts) {
  EXPECT_THAT(Split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
}

TEST(Strings, TrimTakesAsciiSpace) {
  EXPECT_EQ(Trim(" \t\r\na b\v\f "), "a b");
  EXPECT_EQ(Trim(" \n "), "");
  EXPECT_EQ(Trim("\xc2\xa0x"), "\xc2\xa0x");
}

TEST(Strings, ReplaceAllDoesNotReplaceItsOwnWork) {
  EXPECT_EQ(ReplaceAll("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(ReplaceAll("abab", "ab", ""), "");
  EXPECT_EQ(ReplaceAll("abc", "x", "y"), "abc");
}

TEST(Strings, PrintableHidesControlAndCuts) {
  EXPECT_EQ(Printable("a\x1b[2J\n\xff"), "a\\x1b[2J\\x0a\\xff");
  EXPECT_EQ(Printable("\xc3\xa9"), "\xc3\xa9");
  EXPECT_EQ(Printable(std::string(100, 'x'), 10), "xxxxxxxxxx...");
  EXPECT_EQ(Printable(std::string(10, 'x'), 10), "xxxxxxxxxx");
}

TEST(Strings, ShapeAndBytes) {
  const int64_t dims[] = {2, -3};
  EXPECT_EQ(ShapeText(dims), "[2, -3]");
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(uint64_t{5} << 40), "5.0 TiB");
}

TEST(Hash, KnownValues) {
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  EXPECT_EQ(Fnv1a64(bytes("")), 0xcbf29ce484222325u);
  EXPECT_EQ(Fnv1a64(bytes("a")), 0xaf63dc4c8601ec8cu);  // the FNV authors' test vector
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(Sha256Hex(bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace galago
