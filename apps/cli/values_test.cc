#include "apps/cli/values.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>

#include "apps/cli/terminal.h"

namespace galago::cli {
namespace {

TEST(Values, NumbersSayWhatTheyExpect) {
  EXPECT_EQ(ParseInt("-1", -1, 10).value(), -1);
  EXPECT_EQ(MessageOf(ParseInt("12x", 0, 10).status()), "'12x' is not a whole number");
  EXPECT_EQ(MessageOf(ParseInt("11", 0, 10).status()), "11 lies outside 0 to 10");
  EXPECT_EQ(MessageOf(ParseInt("99999999999999999999", 0, 10).status()), "99999999999999999999 lies outside 0 to 10");
  EXPECT_EQ(ParseNumber("0.5", 0, 1).value(), 0.5);
  EXPECT_FALSE(ParseNumber("nan", 0, 1).ok());
  EXPECT_FALSE(ParseNumber("", 0, 1).ok());
  EXPECT_FALSE(ParseNumber("1.5", 0, 1).ok());
}

TEST(Values, Durations) {
  EXPECT_EQ(ParseDuration("90").value(), 90);
  EXPECT_EQ(ParseDuration("250ms").value(), 0.25);
  EXPECT_EQ(ParseDuration("2m").value(), 120);
  EXPECT_EQ(ParseDuration("1h").value(), 3600);
  EXPECT_FALSE(ParseDuration("1 day").ok());
  EXPECT_FALSE(ParseDuration("-1s").ok());
  EXPECT_FALSE(ParseDuration("").ok());
}

TEST(Values, Sizes) {
  EXPECT_EQ(ParseSize("4096").value(), 4096u);
  EXPECT_EQ(ParseSize("512M").value(), uint64_t{512} << 20);
  EXPECT_EQ(ParseSize("1.5GiB").value(), uint64_t{1536} << 20);
  EXPECT_EQ(ParseSize("2kb").value(), 2048u);
  EXPECT_FALSE(ParseSize("5X").ok());
  EXPECT_FALSE(ParseSize("1e30").ok());
}

TEST(Values, Timestamps) {
  EXPECT_EQ(ParseTimestamp("12.5").value(), 12.5);
  EXPECT_EQ(ParseTimestamp("1:30").value(), 90);
  EXPECT_EQ(ParseTimestamp("1:02:03.5").value(), 3723.5);
  EXPECT_FALSE(ParseTimestamp("1:75").ok());
  EXPECT_FALSE(ParseTimestamp("1.5:00").ok());
  EXPECT_FALSE(ParseTimestamp("1:2:3:4").ok());
}

TEST(Values, WordsAsAShellSplitsThem) {
  EXPECT_EQ(SplitWords(R"(a 'b c' "d \"e" f\ g '')").value(),
            (std::vector<std::string>{"a", "b c", "d \"e", "f g", ""}));
  EXPECT_TRUE(SplitWords("  ").value().empty());
  EXPECT_FALSE(SplitWords("'open").ok());
}

TEST(Values, NearestNeedsToBeNear) {
  const std::array<std::string, 3> words = {"run", "chat", "tokenize"};
  EXPECT_EQ(Nearest("tokenise", words), "tokenize");
  EXPECT_EQ(Nearest("caht", words), "chat");
  EXPECT_EQ(Nearest("quantize", words), "");
  EXPECT_EQ(Nearest("x", words), "");
}

TEST(Values, MediaSources) {
  EXPECT_EQ(MediaSource("a%20b.png").value(), "a%20b.png");
  EXPECT_EQ(MediaSource("file:///a%20b%2f.png").value(), "/a b/.png");
  EXPECT_EQ(MediaSource("data:image/png;base64,AA").value(), "data:image/png;base64,AA");
  EXPECT_EQ(MediaSource("https://x/y.png").status().code(), StatusCode::kUnimplemented);
  EXPECT_FALSE(MediaSource("file:///a%2").ok());
  EXPECT_FALSE(MediaSource("file:///a%zz").ok());
  EXPECT_FALSE(MediaSource("file:///a%00").ok());
}

TEST(Terminal, ForeignTextCannotCommandIt) {
  EXPECT_EQ(NeutraliseControls("a\x1b[31mb\n\tc\r"), "a\ufffd[31mb\n\tc\ufffd");
  EXPECT_EQ(NeutraliseControls("\u009b31m \u202e x"), "\ufffd31m \ufffd x");
  EXPECT_EQ(NeutraliseControls("\xff h\u00e9"), "\ufffd h\u00e9");
}

TEST(Terminal, ColourRules) {
  std::map<std::string, std::string> variables = {{"TERM", "xterm"}};
  const GetEnv env = [&](const std::string& name) -> std::optional<std::string> {
    return variables.contains(name) ? std::optional(variables[name]) : std::nullopt;
  };
  EXPECT_TRUE(UseColor(ColorMode::kAuto, true, env));
  EXPECT_FALSE(UseColor(ColorMode::kAuto, false, env));
  EXPECT_FALSE(UseColor(ColorMode::kNever, true, env));
  variables["NO_COLOR"] = "";
  EXPECT_TRUE(UseColor(ColorMode::kAuto, true, env));
  variables["NO_COLOR"] = "1";
  EXPECT_FALSE(UseColor(ColorMode::kAuto, true, env));
  EXPECT_TRUE(UseColor(ColorMode::kAlways, false, env));
  variables.erase("NO_COLOR");
  variables["TERM"] = "dumb";
  EXPECT_FALSE(UseColor(ColorMode::kAuto, true, env));
  variables["CLICOLOR_FORCE"] = "1";
  EXPECT_TRUE(UseColor(ColorMode::kAuto, false, env));
}

}  // namespace
}  // namespace galago::cli
