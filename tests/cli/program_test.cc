#include "tests/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "src/base/json.h"

// What only a process can show: signals, terminals, streams. The model is a fake (fake_program.cc).
namespace galago::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Not;

class Program : public ::testing::Test {
 protected:
  Outcome Ask(Call call) {
    const std::vector<std::string> begin = {"run", "-m", home_.path().string(), "-p", "hi"};
    call.args.insert(call.args.begin(), begin.begin(), begin.end());
    return RunProgram(GALAGO_PROGRAM, call, home_);
  }
  TerminalSession Chat(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"chat", "-m", home_.path().string()};
    args.insert(args.end(), more.begin(), more.end());
    return TerminalSession(GALAGO_PROGRAM, args, {{"TERM", "xterm"}}, home_);
  }
  Folder home_;
};

TEST_F(Program, InterruptKeepsWhatWasSaidAndExits130) {
  const Outcome outcome = Ask({.env = {{"FAKE_SLOW", "1"}}, .signals = {SIGINT}, .signal_after = "word "});
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_TRUE(outcome.out.ends_with("word \n")) << outcome.out;
  EXPECT_THAT(outcome.out.size(), Lt(2000u));
}

TEST_F(Program, TerminateExits143) {
  const Outcome outcome = Ask({.env = {{"FAKE_SLOW", "1"}}, .signals = {SIGTERM}, .signal_after = "word "});
  EXPECT_EQ(outcome.exit_code, 143);
}

TEST_F(Program, ASignalWhileNothingIsComputedEndsAtOnce) {
  TerminalSession session(GALAGO_PROGRAM, {"run", "-m", home_.path().string(), "-f", "-"}, {}, home_);
  // Nothing is printed while it waits for its input; ^C comes through the terminal once the program runs.
  ::usleep(300'000);
  session.Type("\x03");
  EXPECT_EQ(session.Wait(), 130);
}

TEST_F(Program, TimeLimitExits9) {
  const Outcome outcome = Ask({.args = {"--timeout", "100ms", "--json"}, .env = {{"FAKE_SLOW", "1"}}});
  EXPECT_EQ(outcome.exit_code, 9);
  EXPECT_EQ(Json::parse(outcome.out)["finish_reason"], "cancelled");
  EXPECT_THAT(outcome.err, HasSubstr("time limit of 0.1 s"));
}

TEST_F(Program, AClosedReaderEndsItQuietly) {
  const Outcome outcome = Ask({.args = {"-q"}, .env = {{"FAKE_SLOW", "1"}}, .close_stdout_early = true});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Program, AFullDiskExits5) {
  const Outcome outcome = Ask({.stdout_file = "/dev/full"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("No space left on device"));
}

TEST_F(Program, SavingOnAFullDiskKeepsTheConversation) {
  const std::string file = home_ / "chat.json";
  const Outcome outcome = RunProgram(GALAGO_PROGRAM,
                                     {.args = {"chat", "-m", home_.path().string(), "-q"},
                                      .input = "hi\n/save " + file + "\n/tokens\n",
                                      .file_size_limit = 10},
                                     home_);
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("not saved"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("\n0 of")));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(Program, PlainTextWithoutATerminal) {
  using Environment = std::map<std::string, std::string>;
  for (const Environment& env : {Environment{}, Environment{{"NO_COLOR", "1"}}, Environment{{"TERM", "dumb"}}}) {
    const Outcome bad = RunProgram(GALAGO_PROGRAM, {.args = {"run", "--bogus"}, .env = env}, home_);
    EXPECT_EQ(bad.exit_code, 2);
    EXPECT_THAT(bad.err, Not(HasSubstr("\x1b")));
    EXPECT_THAT(Ask({.env = env}).err, Not(HasSubstr("\x1b")));
  }
  const Outcome forced =
      RunProgram(GALAGO_PROGRAM, {.args = {"run", "--bogus"}, .env = {{"CLICOLOR_FORCE", "1"}}}, home_);
  EXPECT_THAT(forced.err, HasSubstr("\x1b[1;31merror: "));
}

TEST_F(Program, ColourOnATerminalFollowsTheRules) {
  const auto error_of = [&](const std::map<std::string, std::string>& env) {
    TerminalSession session(GALAGO_PROGRAM, {"run", "--bogus"}, env, home_);
    EXPECT_EQ(session.Wait(), 2);
    return session.screen();
  };
  EXPECT_THAT(error_of({{"TERM", "xterm"}}), HasSubstr("\x1b[1;31merror: "));
  EXPECT_THAT(error_of({{"TERM", "xterm"}, {"NO_COLOR", "1"}}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(error_of({{"TERM", "dumb"}}), Not(HasSubstr("\x1b")));
}

TEST_F(Program, ChatOnATerminal) {
  TerminalSession session = Chat();
  ASSERT_TRUE(session.Expect("> ")) << session.screen();
  EXPECT_TRUE(session.IsRaw());
  session.Type("helo\x1b[Dl\r");
  ASSERT_TRUE(session.Expect("hello")) << session.screen();
  ASSERT_TRUE(session.Expect("word word")) << session.screen();
  ASSERT_TRUE(session.Expect("> ")) << session.screen();
  session.Type("/tok\t\r");
  ASSERT_TRUE(session.Expect("of 4096 tokens")) << session.screen();
  // Between prompts the terminal is in line mode, where Ctrl-D would be swallowed.
  ASSERT_TRUE(session.Expect("> ")) << session.screen();
  session.Type("\x04");
  EXPECT_EQ(session.Wait(), 0);
  const std::string history = home_ / ".local/state/galago/chat_history";
  struct stat info = {};
  ASSERT_EQ(::stat(history.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::stringstream text;
  text << std::ifstream(history).rdbuf();
  EXPECT_EQ(text.str(), "hello\n/tokens \n");
}

TEST_F(Program, NoHistoryWritesNone) {
  TerminalSession session = Chat({"--no-history"});
  ASSERT_TRUE(session.Expect("> "));
  session.Type("hello\r");
  ASSERT_TRUE(session.Expect("word"));
  ASSERT_TRUE(session.Expect("> "));
  session.Type("/quit\r");
  EXPECT_EQ(session.Wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(home_ / ".local"));
}

TEST_F(Program, ControlCStopsTheAnswerThenTwiceEnds) {
  TerminalSession session(GALAGO_PROGRAM, {"chat", "-m", home_.path().string(), "--no-history"},
                          {{"TERM", "xterm"}, {"FAKE_SLOW", "1"}}, home_);
  ASSERT_TRUE(session.Expect("> "));
  session.Type("hello\r");
  ASSERT_TRUE(session.Expect("word word"));
  session.Type("\x03");
  ASSERT_TRUE(session.Expect("> ")) << "the prompt comes back";
  session.Type("\x03");
  ASSERT_TRUE(session.Expect("Ctrl-C again"));
  ASSERT_TRUE(session.Expect("> "));
  session.Type("\x03");
  EXPECT_EQ(session.Wait(), 130);
}

TEST_F(Program, ASignalAtThePromptPutsTheTerminalBack) {
  TerminalSession session = Chat();
  ASSERT_TRUE(session.Expect("> "));
  ASSERT_TRUE(session.IsRaw());
  session.Signal(SIGTERM);
  ASSERT_TRUE(session.Expect("\x1b[?2004l"));
  EXPECT_EQ(session.Wait(), 143);
  EXPECT_FALSE(session.IsRaw());
}

TEST_F(Program, OverviewHelpAndVersion) {
  EXPECT_EQ(RunProgram(GALAGO_PROGRAM, {}, home_).exit_code, 0);
  EXPECT_THAT(RunProgram(GALAGO_PROGRAM, {.args = {"help", "run"}}, home_).out, HasSubstr("--max-tiles"));
  EXPECT_THAT(RunProgram(GALAGO_PROGRAM, {.args = {"--version"}}, home_).out, HasSubstr("galago 0.1.0"));
}

}  // namespace
}  // namespace galago::testing
