#include "apps/cli/chat_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "apps/cli/chat_file.h"
#include "apps/cli/fake_engine.h"

namespace galago::cli {
namespace {

using ::testing::HasSubstr;
using Action = ChatState::Action;

class FakeHost : public ChatHost {
 public:
  StatusOr<PartKind> GuessMediaKind(const std::string& source) override {
    if (!files.contains(source)) return NotFound(StrCat(source, ": no such file"));
    return engine.GuessMediaKind(source);
  }
  StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) override {
    return engine.PlaceMedia(text, std::move(media));
  }
  StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation) override { return FakePlan(conversation); }
  std::optional<PartKind> MediaFile(const std::string& path) override {
    if (!files.contains(path) || path.ends_with(".txt")) return std::nullopt;
    return path.ends_with(".mp4") ? PartKind::kVideo : PartKind::kImage;
  }
  StatusOr<std::string> Read(const std::string& path) override {
    if (!files.contains(path)) return NotFound(StrCat(path, ": no such file"));
    return files[path];
  }
  Status Write(const std::string& path, const std::string& contents) override {
    if (disk_full) return ResourceExhausted(StrCat(path, ": cannot write: No space left on device"));
    files[path] = contents;
    return OkStatus();
  }
  std::string model_name() const override { return "fake"; }
  int64_t ctx_size() const override { return 4096; }

  FakeBehaviour behaviour;
  FakeEngine engine{behaviour};
  std::map<std::string, std::string> files = {
      {"/m/a.png", "\x89PNG\r\n..."}, {"/m/b c.png", ""}, {"/m/v.mp4", ""}, {"notes.txt", "hello"}};
  bool disk_full = false;
};

class ChatTest : public ::testing::Test {
 protected:
  ChatState::Step Say(const std::string& line) { return state.Handle({.text = line}); }
  void Exchange(const std::string& question, const std::string& answer) {
    ASSERT_EQ(Say(question).action, Action::kAnswer);
    GenerateResult result;
    result.text = answer;
    state.Answered(result);
  }

  FakeHost host;
  ChatState state{DefaultOptions(Command::kChat), std::nullopt, {}, host};
};

TEST_F(ChatTest, MediaGoWithTheNextMessage) {
  EXPECT_EQ(Say("/image /m/a.png").action, Action::kNone);
  EXPECT_EQ(state.pending().size(), 1u);
  Exchange("what is it?", "a cat");
  EXPECT_TRUE(state.pending().empty());
  ASSERT_EQ(state.turns().size(), 2u);
  EXPECT_EQ(state.turns()[0].parts[0].source, "/m/a.png");
  EXPECT_EQ(state.turns()[0].parts[0].media.exif, Exif::kAuto);
  EXPECT_EQ(state.turns()[1].parts[0].text, "a cat");
}

TEST_F(ChatTest, ALineThatIsAPathAttaches) {
  EXPECT_EQ(Say("/m/a.png").action, Action::kNone);
  EXPECT_EQ(Say("'/m/b c.png'").action, Action::kNone);
  EXPECT_EQ(Say(" /m/b\\ c.png ").action, Action::kNone);
  EXPECT_EQ(Say("/m/v.mp4").action, Action::kNone);
  EXPECT_EQ(Say("file:///m/a.png").action, Action::kNone);
  EXPECT_EQ(Say("/image file:///m/b%20c.png").action, Action::kNone);
  ASSERT_EQ(state.pending().size(), 6u);
  EXPECT_EQ(state.pending()[4].source, "/m/a.png");
  EXPECT_EQ(state.pending()[5].source, "/m/b c.png");
  EXPECT_EQ(state.pending()[1].source, "/m/b c.png");
  EXPECT_EQ(state.pending()[3].kind, PartKind::kVideo);
  EXPECT_EQ(Say("notes.txt").action, Action::kAnswer) << "a text file's name is a sentence";
}

TEST_F(ChatTest, VideoTakesItsOwnSampling) {
  EXPECT_TRUE(Say("/video /m/v.mp4 frames=3 start=1:30").status.ok());
  EXPECT_EQ(state.pending()[0].media.frames, 3);
  EXPECT_EQ(state.pending()[0].media.start_s, 90);
  EXPECT_EQ(state.options().media_options.frames, std::nullopt);
  EXPECT_THAT(MessageOf(Say("/video /m/v.mp4 frames=0").status), HasSubstr("frames: 0 lies outside"));
  EXPECT_FALSE(Say("/video").status.ok());
  EXPECT_FALSE(Say("/image /m/none.png").status.ok());
  EXPECT_EQ(state.pending().size(), 1u);
}

TEST_F(ChatTest, UnknownCommandsPrintHelpAndAreNotSent) {
  const ChatState::Step step = Say("/imgae x");
  EXPECT_EQ(step.action, Action::kNone);
  EXPECT_THAT(step.say, HasSubstr("/image"));
  EXPECT_THAT(MessageOf(step.status), HasSubstr("did you mean /image?"));
  EXPECT_TRUE(state.turns().empty());
}

TEST_F(ChatTest, ALiteralBlockMayBeginWithASlash) {
  EXPECT_EQ(state.Handle({.text = "/quit", .literal = true}).action, Action::kAnswer);
  EXPECT_EQ(state.turns()[0].parts[0].text, "/quit");
}

TEST_F(ChatTest, UndoClearAndRegenerate) {
  Exchange("one", "1");
  Exchange("two", "2");
  Say("/undo");
  EXPECT_EQ(state.turns().size(), 2u);
  const ChatState::Step again = Say("/regen");
  EXPECT_EQ(again.action, Action::kAnswer);
  EXPECT_TRUE(state.fresh_seed());
  EXPECT_EQ(state.Conversation().back().parts[0].text, "one");
  state.NotAnswered();
  EXPECT_EQ(state.turns().size(), 2u) << "a failed /regen keeps the old answer";
  Say("/system be brief");
  Say("/m/a.png");
  Say("/clear");
  EXPECT_TRUE(state.turns().empty());
  EXPECT_TRUE(state.pending().empty());
  EXPECT_EQ(state.Conversation().size(), 1u) << "the system message stays";
  EXPECT_FALSE(Say("/regen").status.ok());
}

TEST_F(ChatTest, AFailureTakesTheMessageBackAndKeepsItsMedia) {
  Say("/m/a.png");
  EXPECT_EQ(Say("what?").action, Action::kAnswer);
  state.NotAnswered();
  EXPECT_TRUE(state.turns().empty());
  EXPECT_EQ(state.pending().size(), 1u);
  Say("/drop 1");
  EXPECT_EQ(Say("<image> what?").action, Action::kNone) << "a marker without a picture";
  EXPECT_TRUE(state.turns().empty());
}

TEST_F(ChatTest, AStoppedAnswerIsKeptAsFarAsItCame) {
  Say("q");
  GenerateResult result;
  result.finish_reason = FinishReason::kCancelled;
  result.text = "par";
  state.Answered(result);
  EXPECT_EQ(state.turns().size(), 2u);
  Say("q2");
  result.text = "";
  state.Answered(result);
  EXPECT_EQ(state.turns().size(), 2u);
}

TEST_F(ChatTest, MediaListAndDropCountEarlierOnesToo) {
  Say("/m/a.png");
  Exchange("one", "1");
  Say("/m/v.mp4");
  EXPECT_EQ(Say("/media").say, "  1. picture /m/a.png, 100 tokens\n  2. video /m/v.mp4, attached, 100 tokens\n");
  EXPECT_EQ(Say("/drop 1").say, "dropped picture /m/a.png\n");
  EXPECT_EQ(state.turns()[0].parts.size(), 1u);
  EXPECT_EQ(Say("/drop 1").say, "dropped video /m/v.mp4\n");
  EXPECT_FALSE(Say("/drop 1").status.ok());
  EXPECT_FALSE(Say("/drop").status.ok());
}

TEST_F(ChatTest, SettingsGoThroughTheFlags) {
  EXPECT_EQ(Say("/set temp 0.7").say, "temp = 0.7\n");
  EXPECT_EQ(Say("/set max_tokens=9").say, "max-tokens = 9\n");
  EXPECT_EQ(Say("/set stop END").say, "stop = 'END'\n");
  EXPECT_EQ(Say("/set stop").say, "stop = none\n");
  EXPECT_EQ(Say("/set seed 5").say, "seed = 5\n");
  EXPECT_EQ(state.options().generate.sampling.seed, 5u);
  EXPECT_THAT(MessageOf(Say("/set tmep 1").status), HasSubstr("did you mean temp?"));
  EXPECT_THAT(MessageOf(Say("/set temp x").status), HasSubstr("temp: 'x' is not a number"));
  EXPECT_FALSE(Say("/set model x").status.ok()) << "the model is loaded";
  EXPECT_THAT(Say("/show").say, HasSubstr("temp = 0.7"));
  EXPECT_EQ(Say("/show top-p").say, "  top-p = 0.9\n");
}

TEST_F(ChatTest, SaveAndLoadKeepEverything) {
  Say("/system be \"brief\"");
  Say("/video /m/v.mp4 frames=3");
  Exchange("one\x1b", "1 \u72ac");
  Say("/m/a.png");
  EXPECT_EQ(Say("/save out.json").say, "saved to out.json\n");
  const SavedChat saved = ChatFromText(host.files["out.json"], "out.json").value();
  EXPECT_EQ(saved.model, "fake");
  EXPECT_EQ(saved.turns[0].parts[0].media.frames, 3);
  EXPECT_EQ(saved.turns[1].parts[0].text, "1 \u72ac");
  Say("/clear");
  Say("/system off");
  EXPECT_EQ(Say("/load out.json").say, "loaded 1 questions and answers\n");
  EXPECT_EQ(state.Conversation().size(), 3u);
  EXPECT_EQ(state.pending().size(), 1u);
}

TEST(ChatFile, EveryFieldOfAPartSurvives) {
  Part part = Part::Video("v.mp4", {.exif = Exif::kAuto,
                                    .alpha = Alpha::kBlack,
                                    .aspect = Aspect::kPad,
                                    .max_tiles = 2,
                                    .video_max_tiles = 3,
                                    .frames = 4,
                                    .fps = 0.5,
                                    .start_s = 1,
                                    .end_s = 2.5});
  part.at_marker = true;
  const SavedChat read = ChatFromText(ChatToText({.model = "m", .pending = {part}}), "f").value();
  EXPECT_EQ(read.model, "m");
  EXPECT_EQ(read.system, std::nullopt);
  ASSERT_EQ(read.pending.size(), 1u);
  EXPECT_EQ(read.pending[0].kind, PartKind::kVideo);
  EXPECT_EQ(read.pending[0].source, "v.mp4");
  EXPECT_EQ(read.pending[0].media, part.media);
  EXPECT_TRUE(read.pending[0].at_marker);
}

TEST_F(ChatTest, EmbeddedMediaNeedNoFiles) {
  Say("/m/a.png");
  Say("/save out.json --embed");
  EXPECT_THAT(host.files["out.json"], HasSubstr("\"data:image/png;base64,iVBORw0KLi4u\""));
  host.files.erase("/m/a.png");
  Say("/clear");
  EXPECT_TRUE(Say("/load out.json").status.ok());
  EXPECT_EQ(state.pending().size(), 1u);
}

TEST_F(ChatTest, AFullDiskKeepsTheConversation) {
  Exchange("one", "1");
  host.disk_full = true;
  EXPECT_EQ(MessageOf(Say("/save out.json").status), "not saved: out.json: cannot write: No space left on device");
  EXPECT_EQ(state.turns().size(), 2u);
}

TEST_F(ChatTest, BadFilesKeepTheConversation) {
  Exchange("one", "1");
  const std::map<std::string, std::string> bad = {
      {"", "bad.json"},
      {"[]", "is not a JSON object"},
      {R"({"schema":"galago.chat/2"})", "schema is 'galago.chat/2'"},
      {R"({"schema":"galago.chat/1"})", "no array of messages"},
      {R"({"schema":"galago.chat/1","messages":[{"role":"user","content":[]}]})", "has no answer"},
      {R"({"schema":"galago.chat/1","messages":[{"role":"assistant"}]})", "take turns"},
      {R"({"schema":"galago.chat/1","messages":[7]})", "take turns"},
      {R"({"schema":"galago.chat/1","messages":[],"pending":[{"type":"sound"}]})", "type 'sound'"},
      {R"({"schema":"galago.chat/1","messages":[],"pending":[{"type":"image"}]})", "no source"},
      {R"({"schema":"galago.chat/1","messages":[],"pending":[{"type":"image","source":"x","frames":0}]})", "frames"},
      {R"({"schema":"galago.chat/1","messages":[],"pending":[{"type":"image","source":"gone.png"}]})", "gone.png"},
  };
  for (const auto& [text, reason] : bad) {
    host.files["bad.json"] = text;
    EXPECT_THAT(MessageOf(Say("/load bad.json").status), HasSubstr(reason)) << text;
    EXPECT_EQ(state.turns().size(), 2u);
  }
}

TEST_F(ChatTest, TokensAndStats) {
  EXPECT_EQ(Say("/tokens").say, "0 of 4096 tokens\n");
  EXPECT_EQ(Say("/stats").say, "no answer yet\n");
  Say("/m/a.png");
  EXPECT_EQ(Say("/tokens").say, "100 of 4096 tokens\n");
  Exchange("one", "1");
  EXPECT_THAT(Say("/stats").say, HasSubstr("computed"));
  EXPECT_EQ(Say("/exit").action, Action::kQuit);
}

TEST(LineJoiner, ContinuesAndBlocks) {
  LineJoiner joiner;
  EXPECT_FALSE(joiner.Add("one\\"));
  EXPECT_TRUE(joiner.open());
  EXPECT_EQ(joiner.Add("two")->text, "one\ntwo");
  EXPECT_FALSE(joiner.open());
  EXPECT_FALSE(joiner.Add("\"\"\""));
  EXPECT_FALSE(joiner.Add("/clear \\"));
  EXPECT_FALSE(joiner.Add(""));
  EXPECT_FALSE(joiner.Add("b"));
  const auto block = joiner.Add("\"\"\"");
  EXPECT_EQ(block->text, "/clear \\\n\nb");
  EXPECT_TRUE(block->literal);
  EXPECT_FALSE(joiner.Add("\"\"\""));
  EXPECT_FALSE(joiner.Add("rest"));
  EXPECT_EQ(joiner.Finish()->text, "rest");
  EXPECT_FALSE(joiner.Finish());
}

}  // namespace
}  // namespace galago::cli
