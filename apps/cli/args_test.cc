#include "apps/cli/args.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "apps/cli/config_file.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

using ::testing::HasSubstr;

class Args : public ::testing::Test {
 protected:
  Args() : folder_(std::filesystem::path(::testing::TempDir()) / StrCat("args_", ::getpid())) {
    std::filesystem::create_directories(folder_ / "user" / "galago");
    variables_["XDG_CONFIG_HOME"] = (folder_ / "user").string();
  }
  ~Args() override { std::filesystem::remove_all(folder_); }

  void WriteFile(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  StatusOr<Invocation> Parse(std::vector<std::string> args) {
    const Surroundings surroundings{.env = [this](const std::string& name) -> std::optional<std::string> {
                                      if (!variables_.contains(name)) return std::nullopt;
                                      return variables_[name];
                                    },
                                    .system_config = folder_ / "system.toml"};
    return ParseArgs(args, surroundings);
  }
  Options Run(std::vector<std::string> args) {
    args.insert(args.begin(), "run");
    const StatusOr<Invocation> invocation = Parse(args);
    EXPECT_TRUE(invocation.ok()) << invocation.status();
    return invocation.ok() ? invocation->options : Options();
  }
  std::string Refusal(std::vector<std::string> args) {
    const StatusOr<Invocation> invocation = Parse(args);
    EXPECT_FALSE(invocation.ok());
    return MessageOf(invocation.status());
  }

  std::filesystem::path folder_;
  std::map<std::string, std::string> variables_;
};

TEST_F(Args, MediaKeepTheirOrderAcrossFlags) {
  const Options options = Run({"--image", "a.png", "--video=b.mp4", "--media", "c", "d", "--image", "e.png"});
  EXPECT_EQ(options.media, (std::vector<MediaItem>{{PartKind::kImage, "a.png"},
                                                   {PartKind::kVideo, "b.mp4"},
                                                   {std::nullopt, "c"},
                                                   {std::nullopt, "d"},
                                                   {PartKind::kImage, "e.png"}}));
}

TEST_F(Args, SpellingsOfOtherPrograms) {
  const Options options = Run({"--model-path", "M", "--text", "hi", "-nf", "4", "-vm", "2", "--n-predict", "7", "-b",
                               "64", "--max-context-len", "128", "--vision-scaling", "crop", "-s", "-1"});
  EXPECT_EQ(options.model, "M");
  EXPECT_EQ(options.prompt->value, "hi");
  EXPECT_EQ(options.media_options.frames, 4);
  EXPECT_EQ(options.media_options.video_max_tiles, 2);
  EXPECT_EQ(options.generate.max_tokens, 7);
  EXPECT_EQ(options.session.prefill_chunk, 64);
  EXPECT_EQ(options.session.ctx_size, 128);
  EXPECT_EQ(options.media_options.aspect, Aspect::kCrop);
  EXPECT_EQ(options.generate.sampling.seed, std::nullopt);
  EXPECT_EQ(Run({"-hf", "a/b"}).model, "hf:a/b");
  EXPECT_EQ(Run({"--conv-mode", "auto"}).warnings.size(), 1u);
}

TEST_F(Args, NumbersOutsideTheirRangeAreToldIt) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"--frames", "1025", "1 to 1024"},
      {"--frames", "0", "1 to 1024"},
      {"--max-tiles", "1025", "1 to 1024"},
      {"--video-max-tiles", "0", "1 to 1024"},
      {"--fps", "0", "1e-06 to 1000"},
      {"--start", "20000000", "0 to 10000000 seconds"},
      {"--end", "9999:00:00", "0 to 10000000 seconds"},
      {"--seed", "-2", "-1 to 9223372036854775807"},
      {"--top-p", "0", "1e-06 to 1"},
      {"--max-tokens", "-2", "-1 to 9223372036854775807"},
      {"--threads", "1025", "0 to 1024"},
      {"--temp", "1e999", "0 to 100"},
  };
  for (const auto& [flag, value, range] : cases) {
    const Status status = Parse({"run", flag, value}).status();
    EXPECT_EQ(MessageOf(status), StrCat(flag, ": ", value, " lies outside ", range));
  }
}

TEST_F(Args, FormsOfFlags) {
  const Options options = Run({"-n5", "-qm", "M", "--temp=0.5", "--stop", "a", "--stop", "b", "-p", "-n", "--system="});
  EXPECT_EQ(options.generate.max_tokens, 5);
  EXPECT_EQ(options.log_level, LogLevel::kError);
  EXPECT_EQ(options.model, "M");
  EXPECT_EQ(options.generate.sampling.temperature, 0.5f);
  EXPECT_EQ(options.generate.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.prompt->value, "-n");  // a value may look like a flag
  EXPECT_EQ(options.system, "");
}

TEST_F(Args, EveryFlagWorksAndHasOneNameInACommand) {
  std::set<std::pair<Command, std::string>> seen;
  for (const Flag& flag : MakeFlags()) {
    std::vector<std::string> spellings = flag.names;
    spellings.insert(spellings.end(), flag.aliases.begin(), flag.aliases.end());
    for (const std::string& spelling : spellings) {
      for (const Command command : flag.commands) {
        EXPECT_TRUE(seen.emplace(command, spelling).second) << spelling << " is used twice";
      }
    }
    EXPECT_TRUE(flag.long_name().starts_with("--")) << flag.long_name();
    EXPECT_EQ(flag.list.empty(), !flag.clear) << flag.long_name();
    EXPECT_FALSE(flag.help.empty());
    EXPECT_THAT(HelpText(flag.commands.front(), Help::kFull), HasSubstr(flag.long_name()));
  }
}

TEST_F(Args, Defaults) {
  const Options run = Run({});
  EXPECT_EQ(run.generate.sampling.temperature, 0.0f);
  EXPECT_EQ(run.media_options.exif, Exif::kAuto);
  EXPECT_EQ(run.media_options.alpha, Alpha::kWhite);
  const Options chat = Parse({"chat"})->options;
  EXPECT_EQ(chat.generate.sampling.temperature, 0.2f);
  EXPECT_EQ(chat.generate.sampling.top_p, 0.9f);
  const Options parity = Run({"--parity"});
  EXPECT_EQ(parity.media_options, (MediaOptions{}));
  EXPECT_EQ(Run({"--parity", "--exif", "auto"}).media_options.exif, Exif::kAuto);
}

TEST_F(Args, LayersOfAnInteger) {
  EXPECT_EQ(Run({}).session.ctx_size, 0);
  WriteFile("system.toml", "ctx-size = 1\n");
  EXPECT_EQ(Run({}).session.ctx_size, 1);
  WriteFile("user/galago/config.toml", "ctx_size = 2  # underscores too\n");
  EXPECT_EQ(Run({}).session.ctx_size, 2);
  WriteFile("named.toml", "ctx-size = 3\n[run]\nctx-size = 4\n[chat]\nctx-size = 5\n");
  const std::string named = (folder_ / "named.toml").string();
  EXPECT_EQ(Run({"--config", named}).session.ctx_size, 4);
  variables_["GALAGO_CONFIG"] = named;
  EXPECT_EQ(Run({}).session.ctx_size, 4);
  variables_["GALAGO_CTX_SIZE"] = "6";
  EXPECT_EQ(Run({}).session.ctx_size, 6);
  EXPECT_EQ(Run({"-c", "7"}).session.ctx_size, 7);
}

TEST_F(Args, LayersOfASwitchAndOfALengthyList) {
  WriteFile("system.toml", "stats = true\nstop = [\"a\", 'b',\n  \"c\\n\"]\n");
  EXPECT_TRUE(Run({}).stats);
  EXPECT_EQ(Run({}).generate.stop, (std::vector<std::string>{"a", "b", "c\n"}));
  variables_["GALAGO_STATS"] = "off";
  variables_["GALAGO_STOP"] = "x,y";
  EXPECT_FALSE(Run({}).stats);
  EXPECT_EQ(Run({}).generate.stop, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(Run({"--stats"}).stats);
  EXPECT_EQ(Run({"--stop", "z"}).generate.stop, (std::vector<std::string>{"z"}));
}

TEST_F(Args, APromptOfAStrongerLayerReplacesAFile) {
  variables_["GALAGO_FILE"] = "question.txt";
  EXPECT_TRUE(Run({}).prompt->is_file);
  EXPECT_FALSE(Run({"-p", "hi"}).prompt->is_file);
  EXPECT_THAT(Refusal({"run", "-p", "a", "-f", "b"}), HasSubstr("exclude each other"));
}

TEST_F(Args, IsaHasTheEnvironmentNameOfItsFlag) {
  variables_["GALAGO_ISA"] = "ref";
  EXPECT_EQ(Run({}).session.isa, "ref");
  EXPECT_EQ(Run({"--isa", "avx2"}).session.isa, "avx2");
}

TEST_F(Args, RefusalsNameTheThingAndTheNearest) {
  EXPECT_THAT(Refusal({"rnu"}), HasSubstr("unknown command 'rnu', did you mean run?"));
  EXPECT_THAT(Refusal({"run", "--tmep", "1"}), HasSubstr("unknown flag --tmep, did you mean --temp?"));
  EXPECT_THAT(Refusal({"run", "-z"}), HasSubstr("unknown flag -z"));
  EXPECT_THAT(Refusal({"run", "--temp"}), HasSubstr("--temp needs a value"));
  EXPECT_THAT(Refusal({"run", "--temp", "hot"}), HasSubstr("--temp: 'hot' is not a number"));
  EXPECT_THAT(Refusal({"run", "what", "is"}), HasSubstr("unexpected argument 'what'"));
  EXPECT_THAT(Refusal({"run", "--exif", "up"}), HasSubstr("none of auto, ignore"));
  EXPECT_THAT(Refusal({"run", "--logit-bias", "x"}), HasSubstr("ID=BIAS"));
  EXPECT_THAT(Refusal({"version", "--image", "x"}), HasSubstr("unknown flag --image"));
  EXPECT_THAT(Refusal({"--verbose"}), HasSubstr("flags follow a command"));
  EXPECT_THAT(Refusal({"inspect", "a", "b"}), HasSubstr("unexpected argument 'b'"));
}

TEST_F(Args, ConfigurationErrorsNameFileLineAndKey) {
  WriteFile("system.toml", "\nctx-sise = 1\n");
  EXPECT_THAT(Refusal({"run"}), HasSubstr("system.toml:2: unknown key 'ctx-sise', did you mean ctx-size?"));
  WriteFile("system.toml", "[rum]\n");
  EXPECT_TRUE(Parse({"run"}).ok()) << "an empty section sets nothing";
  WriteFile("system.toml", "[rum]\nctx-size = 1\n");
  EXPECT_THAT(Refusal({"run"}), HasSubstr("unknown section [rum], did you mean run?"));
  WriteFile("system.toml", "[chat]\ndry-run = true\n");
  EXPECT_THAT(Refusal({"run"}), HasSubstr("unknown key 'dry-run'"));
  WriteFile("system.toml", "temp = \"warm\"\n");
  EXPECT_THAT(Refusal({"run"}), HasSubstr("system.toml:1: temp: 'warm' is not a number"));
  EXPECT_TRUE(Parse({"version"}).ok()) << "a key of another command is not looked at";
  WriteFile("system.toml", "temp = [0.1, 0.2]\n");
  EXPECT_THAT(Refusal({"run"}), HasSubstr("takes one value, 2 are given"));
  WriteFile("system.toml", "");
  EXPECT_THAT(Refusal({"run", "--config", "/nonexistent.toml"}), HasSubstr("/nonexistent.toml"));
  variables_["GALAGO_TEMP"] = "warm";
  EXPECT_THAT(Refusal({"run"}), HasSubstr("GALAGO_TEMP: 'warm' is not a number"));
}

TEST(ConfigFile, RefusesWhatItDoesNotUnderstand) {
  const auto refusal = [](std::string_view text) {
    const auto entries = ParseConfig(text, "f");
    return entries.ok() ? std::string("accepted") : MessageOf(entries.status());
  };
  EXPECT_EQ(refusal("a"), "f:1: a setting is written key = value");
  EXPECT_EQ(refusal("a = b"), "f:1: a value is a number, true, false, or a text in quotes");
  EXPECT_EQ(refusal("\n\na = \"b"), "f:3: a \" is not closed");
  EXPECT_EQ(refusal("a = [1 2]"), "f:1: the values of an array are separated by commas and end with ]");
  EXPECT_EQ(refusal("a = [1,"), "f:1: a value is a number, true, false, or a text in quotes");
  EXPECT_EQ(refusal("[x"), "f:1: a section is written [name]");
  EXPECT_EQ(refusal("a = 1 b = 2"), "f:1: one setting a line");
  EXPECT_EQ(refusal("a = 1\na = 2"), "f:2: 'a' was already set in line 1");
  EXPECT_EQ(refusal("a = \"\\x\""),
            "f:1: only \\n, \\t, \\\\ and \\\" are known after a backslash; '...' takes text as it is");
}

TEST_F(Args, HelpForms) {
  EXPECT_EQ(Parse({})->help, Help::kOverview);
  EXPECT_EQ(Parse({"help"})->help, Help::kOverview);
  EXPECT_EQ(Parse({"help", "chat"})->command, Command::kChat);
  EXPECT_EQ(Parse({"help", "chat"})->help, Help::kFull);
  EXPECT_EQ(Parse({"run", "--help"})->help, Help::kFull);
  EXPECT_EQ(Parse({"run", "-h"})->help, Help::kShort);
  EXPECT_EQ(Parse({"--version"})->command, Command::kVersion);
  EXPECT_THAT(HelpText(Command::kRun, Help::kFull), Not(HasSubstr("--n-predict")));
  EXPECT_THAT(HelpText(Command::kRun, Help::kCompat), HasSubstr("--n-predict"));
  EXPECT_THAT(HelpText(Command::kRun, Help::kShort), Not(HasSubstr("--min-p")));
}

}  // namespace
}  // namespace galago::cli
