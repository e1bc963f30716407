#include "galago/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string>

#include "src/base/strings.h"
#include "src/engine/model_parts.h"

namespace galago {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kData = std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/";

// Says a given sequence of tokens, whatever it is asked, and remembers what it was asked to compute.
class FakeRunner : public models::Runner {
 public:
  struct Call {
    int64_t past, rows;
    bool operator==(const Call&) const = default;
  };

  explicit FakeRunner(const spec::ModelSpec& spec) : spec_(spec) {}

  const spec::ModelSpec& spec() const override { return spec_; }

  StatusOr<models::EncodedMedia> EncodeMedia(const ops::ExecContext& ctx,
                                             const models::EncodeRequest& request) const override {
    ++encoded;
    tiles.push_back(request.layout.tiles);
    if (on_encode) on_encode();
    RETURN_IF_ERROR(ctx.CheckCancel());
    const auto length = [](const std::vector<int32_t>& ids) { return static_cast<int64_t>(ids.size()); };
    models::EncodedMedia media;
    ASSIGN_OR_RETURN(media.slot_rows, spec::SlotRows(spec_, request.layout,
                                                     {length(request.framing.start), length(request.framing.end),
                                                      length(request.framing.sep)}));
    int64_t rows = 0;
    for (const int64_t slot : media.slot_rows) rows += slot;
    media.rows = Tensor::F32({rows, spec_.language.hidden_size});
    return media;
  }

  Status EmbedTokens(const ops::ExecContext&, std::span<const int32_t>, std::span<float>) const override {
    return OkStatus();
  }

  Status Forward(const ops::ExecContext&, std::span<float>, int64_t num_rows, int64_t past, const nn::KvView&,
                 std::span<float> logits) const override {
    calls.push_back({past, num_rows});
    if (fail_at >= 0 && static_cast<int64_t>(calls.size()) > fail_at) return ResourceExhausted("the fake gave up");
    if (logits.empty()) return OkStatus();
    std::fill(logits.begin(), logits.end(), 0.0f);
    if (next < script.size()) logits[static_cast<size_t>(script[next++])] = logit;
    return OkStatus();
  }

  mutable std::vector<Call> calls;
  mutable int encoded = 0;
  mutable std::vector<int64_t> tiles;  // of each encoding
  std::function<void()> on_encode;
  mutable size_t next = 0;
  std::vector<int32_t> script;
  int64_t fail_at = -1;
  float logit = 5.0f;  // of the scripted token

 private:
  spec::ModelSpec spec_;
};

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const StatusOr<std::shared_ptr<Model>> opened = Model::Open(kData + "nvila_8b/model", {});
    ASSERT_TRUE(opened.ok()) << opened.status();
    const Model::Parts& real = (*opened)->parts();
    auto runner = std::make_shared<FakeRunner>(real.spec);
    runner_ = runner.get();
    auto parts = std::make_unique<Model::Parts>(real);
    parts->runner = std::move(runner);
    model_ = std::make_shared<Model>(std::move(parts));
    session_ = MakeSession({});
  }

  std::unique_ptr<Session> MakeSession(const SessionOptions& options) {
    StatusOr<std::unique_ptr<Session>> session = Session::Create(model_, options);
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  }

  std::vector<int32_t> Ids(const std::string& text) const {
    std::vector<int32_t> ids;
    const StatusOr<std::vector<Token>> tokens = model_->Tokenize(text, false, true);
    for (const Token& token : *tokens) ids.push_back(token.id);
    return ids;
  }

  // The fake will answer this and then the end-of-turn token.
  void Script(const std::string& answer) {
    runner_->script = Ids(answer + "<|im_end|>");
    runner_->next = 0;
    runner_->calls.clear();
  }

  static std::vector<Message> Ask(const std::string& question) { return {{Role::kUser, {Part::Text(question)}}}; }
  static std::vector<Message> AskAbout(const std::string& picture, const std::string& question) {
    return {{Role::kUser, {Part::Image(kData + "media/" + picture), Part::Text(question)}}};
  }

  StatusOr<GenerateResult> Run(const std::vector<Message>& conversation, const GenerateOptions& options = {},
                               std::string* streamed = nullptr) {
    return session_->Generate(conversation, options, [streamed](std::string_view text) {
      if (streamed != nullptr) *streamed += text;
      return Flow::kContinue;
    });
  }

  FakeRunner* runner_ = nullptr;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Session> session_;
};

TEST_F(SessionTest, AnswersUntilTheStopToken) {
  Script(" The cat is red. ");
  std::string streamed;
  const auto result = Run(Ask("What is this?"), {}, &streamed);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "The cat is red.");
  EXPECT_EQ(streamed, result->text);
  EXPECT_EQ(result->finish_reason, FinishReason::kStop);
  EXPECT_EQ(result->token_ids, Ids(" The cat is red. "));
  EXPECT_EQ(result->usage.completion_tokens, static_cast<int64_t>(result->token_ids.size()));
}

TEST_F(SessionTest, StopsAtMaxTokensAndAtStopStrings) {
  Script("The cat is red.");
  auto result = Run(Ask("Hello"), {.max_tokens = 3});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->finish_reason, FinishReason::kLength);
  EXPECT_EQ(result->token_ids.size(), 3u);

  Script("The cat is red.");
  std::string streamed;
  result = Run(Ask("Hello"), {.stop = {"t is"}}, &streamed);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->finish_reason, FinishReason::kStop);
  EXPECT_EQ(result->text, "The ca");
  EXPECT_EQ(streamed, "The ca");

  Script("The cat");
  result = Run(Ask("Hello"), {.max_tokens = 0});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "");
  EXPECT_EQ(result->finish_reason, FinishReason::kLength);
}

TEST_F(SessionTest, IgnoreEosGeneratesStopTokensLikeOthers) {
  Script("A cat");
  const auto result = Run(Ask("Hello"), {.max_tokens = 10, .ignore_eos = true});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->token_ids.size(), 10u);
}

TEST_F(SessionTest, PrefillsInChunksAndDecodesOneByOne) {
  session_ = MakeSession({.prefill_chunk = 16});
  Script("A cat");
  const auto result = Run(Ask("What is this?"));
  ASSERT_TRUE(result.ok()) << result.status();
  const int64_t prompt = result->usage.prompt_tokens;
  std::vector<FakeRunner::Call> want;
  for (int64_t past = 0; past < prompt; past += 16) want.push_back({past, std::min<int64_t>(16, prompt - past)});
  for (size_t i = 0; i < result->token_ids.size(); ++i) want.push_back({prompt + static_cast<int64_t>(i), 1});
  EXPECT_EQ(runner_->calls, want);
}

TEST_F(SessionTest, ASecondTurnComputesOnlyItsOwnTokens) {
  Script("A red cat.");
  std::vector<Message> conversation = AskAbout("shapes_168x112.png", "What is this?");
  const auto first = Run(conversation);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(runner_->encoded, 1);

  conversation.push_back({Role::kAssistant, {Part::Text(first->text)}});
  conversation.push_back({Role::kUser, {Part::Text("Why?")}});
  Script("So.");
  const auto second = Run(conversation);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(runner_->encoded, 1);
  EXPECT_TRUE(second->prompt.media[0].cached);
  EXPECT_EQ(second->timings.vision_ms, 0);
  // Everything but the end of the answer's turn and the new question was in the cache.
  const int64_t known = first->usage.prompt_tokens + static_cast<int64_t>(first->token_ids.size());
  EXPECT_EQ(second->usage.cached_tokens, known);
  EXPECT_EQ(runner_->calls.front(), (FakeRunner::Call{known, second->usage.prompt_tokens - known}));
}

TEST_F(SessionTest, TheSamePromptAgainComputesOnePosition) {
  for (int i = 0; i < 2; ++i) {
    Script("A cat");
    const auto result = Run(AskAbout("shapes_168x112.png", "What is this?"));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->usage.cached_tokens, i == 0 ? 0 : result->usage.prompt_tokens - 1);
  }
  EXPECT_EQ(runner_->encoded, 1);
}

TEST_F(SessionTest, APictureSeenBeforeIsNotEncodedAgainEvenWhenThePromptChanges) {
  Script("A");
  ASSERT_TRUE(Run(AskAbout("shapes_168x112.png", "What is this?")).ok());
  std::vector<Message> other = AskAbout("shapes_168x112.png", "Now?");
  other.insert(other.begin(), {Role::kSystem, {Part::Text("Be brief.")}});
  Script("B");
  const auto result = Run(other);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(runner_->encoded, 1);
  EXPECT_TRUE(result->prompt.media[0].cached);
  Script("C");
  ASSERT_TRUE(Run(AskAbout("gradient_57x41.png", "What is this?")).ok());
  EXPECT_EQ(runner_->encoded, 2);
}

TEST_F(SessionTest, TheMediaCacheForgetsTheOldest) {
  // One picture of this model is 49 or 37 rows of 64 floats: room for one, not for two.
  session_ = MakeSession({.media_cache_bytes = 49 * 64 * 4 + 1});
  for (const char* picture : {"shapes_168x112.png", "gradient_57x41.png", "shapes_168x112.png"}) {
    Script("A");
    ASSERT_TRUE(Run(AskAbout(picture, "What is this?")).ok());
  }
  EXPECT_EQ(runner_->encoded, 3);
}

TEST_F(SessionTest, CancelEndsTheAnswerAndKeepsTheSession) {
  Script("The cat is red and the house is blue.");
  std::atomic<bool> cancel = false;
  GenerateOptions options;
  options.cancel = &cancel;
  int pieces = 0;
  const auto result = session_->Generate(Ask("Hello"), options, [&](std::string_view) {
    if (++pieces == 2) cancel = true;
    return Flow::kContinue;
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->finish_reason, FinishReason::kCancelled);
  EXPECT_LT(result->token_ids.size(), 6u);

  EXPECT_EQ(Run(Ask("Other words here"), options).status().code(), StatusCode::kCancelled);
  cancel = false;
  Script("Yes.");
  EXPECT_EQ(Run(Ask("Hello"), options)->text, "Yes.");
}

TEST_F(SessionTest, OnTextCanStopTheAnswer) {
  Script("The cat is red.");
  const auto result = session_->Generate(Ask("Hello"), {}, [](std::string_view) { return Flow::kStop; });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(result->token_ids.size(), 1u);
}

TEST_F(SessionTest, APromptLongerThanTheContextNamesBothNumbers) {
  session_ = MakeSession({.ctx_size = 20});
  const auto result = Run(AskAbout("shapes_168x112.png", "What is this?"));
  ASSERT_EQ(result.status().code(), StatusCode::kOutOfRange);
  EXPECT_THAT(MessageOf(result.status()), HasSubstr("78 tokens (49 of pictures, 0 of video), the context holds 20"));
  EXPECT_EQ(runner_->encoded, 0);
}

TEST_F(SessionTest, TheAnswerEndsWhereTheContextEnds) {
  Script("The cat is red and the house is blue.");
  const int64_t prompt = session_->Plan(Ask("Hello"), {})->usage.prompt_tokens;
  session_ = MakeSession({.ctx_size = prompt + 4});
  const auto result = Run(Ask("Hello"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->token_ids.size(), 4u);
  EXPECT_EQ(result->finish_reason, FinishReason::kLength);
}

TEST_F(SessionTest, AFailureInTheMiddleLeavesTheSessionUsable) {
  Script("A cat");
  runner_->fail_at = 2;
  EXPECT_EQ(Run(Ask("What is this?")).status().code(), StatusCode::kResourceExhausted);
  runner_->fail_at = -1;
  Script("A cat");
  const auto result = Run(Ask("What is this?"));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "A cat");
}

TEST_F(SessionTest, CancellingWhileAPictureIsSeenLeavesTheSessionUsable) {
  std::atomic<bool> cancel = false;
  runner_->on_encode = [&] { cancel = true; };
  Script("A cat");
  const auto conversation = AskAbout("shapes_168x112.png", "What is this?");
  EXPECT_EQ(Run(conversation, {.cancel = &cancel}).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(runner_->calls.empty()) << "nothing of the prompt is computed";
  runner_->on_encode = {};
  cancel = false;
  const auto result = Run(conversation, {.cancel = &cancel});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "A cat");
  EXPECT_FALSE(result->prompt.media[0].cached) << "half-seen pictures are not kept";
}

TEST_F(SessionTest, EveryShownPictureIsKnownByANumberOfItsOwnAgainAndAgain) {
  // More pictures than the cache of cells holds at a time: the first is computed anew when it comes back.
  const std::vector<std::string> pictures = {"shapes_168x112.png", "noise_64x48.png", "grey_90x120.png"};
  for (int round = 0; round < 2; ++round) {
    for (const std::string& picture : pictures) {
      Script("Yes.");
      const auto result = Run(AskAbout(picture, "What is this?"));
      ASSERT_TRUE(result.ok()) << result.status();
      int64_t computed = 0;
      for (const FakeRunner::Call& call : runner_->calls) computed += call.rows;
      EXPECT_GE(computed, result->usage.image_tokens) << picture << " is not taken for another one";
    }
  }
}

TEST_F(SessionTest, AVideoIsEncodedInSlices) {
  MediaOptions options;
  options.frames = 20;
  Script("Yes.");
  const auto result = Run({{Role::kUser, {Part::Video(kData + "media/clip.mp4", options), Part::Text("What?")}}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(runner_->tiles, ElementsAre(8, 8, 4));
}

TEST_F(SessionTest, TheOnlyFrameOfTheOnlyVideoIsAPicture) {
  MediaOptions options;
  options.frames = 1;
  const Part video = Part::Video(kData + "media/clip.mp4", options);
  const auto alone = session_->Plan({{Role::kUser, {video, Part::Text("What?")}}}, {});
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_THAT(alone->rendered, HasSubstr("<image>"));
  EXPECT_TRUE(alone->media[0].grid.has_value()) << "cut into tiles like a picture";
  Script("Yes.");
  ASSERT_TRUE(Run({{Role::kUser, {video, Part::Text("What?")}}}).ok());
  EXPECT_THAT(runner_->tiles, ElementsAre(alone->media[0].tiles));
  // Beside others it is one of several pictures.
  const auto two = session_->Plan({{Role::kUser, {video, video, Part::Text("What?")}}}, {});
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_THAT(two->rendered, HasSubstr("<image><image>"));
  EXPECT_EQ(two->media[0].tiles, 1);
}

TEST_F(SessionTest, NumbersOfMediaOptionsStateTheirRanges) {
  const auto refusal = [&](const std::function<void(MediaOptions&)>& set) {
    MediaOptions options;
    set(options);
    return MessageOf(session_->Plan({{Role::kUser, {Part::Video(kData + "media/clip.mp4", options)}}}, {}).status());
  };
  EXPECT_EQ(refusal([](MediaOptions& o) { o.frames = 1025; }), "frames is 1025, expected 1 to 1024");
  EXPECT_EQ(refusal([](MediaOptions& o) { o.video_max_tiles = 0; }), "video-max-tiles is 0, expected 1 to 1024");
  EXPECT_EQ(refusal([](MediaOptions& o) { o.fps = 0; }), "fps is 0, expected more than 0 and at most 1000");
  EXPECT_EQ(refusal([](MediaOptions& o) { o.start_s = -1; }), "start is -1 s, expected 0 to 10000000");
  EXPECT_EQ(refusal([](MediaOptions& o) { o.end_s = 2e7; }), "end is 2e+07 s, expected 0 to 10000000");
}

TEST_F(SessionTest, AVideoWhoseChosenFramesDoNotAllDecodeIsRefused) {
  // A clip with flipped bits: its container promises frames that its bytes do not hold.
  const std::string clip = std::string(GALAGO_SOURCE_DIR) + "/fuzz/corpus/video/lost_frames.mp4";
  const auto result = Run({{Role::kUser, {Part::Video(clip), Part::Text("What happens?")}}});
  ASSERT_EQ(result.status().code(), StatusCode::kDataLoss) << result.status();
  EXPECT_THAT(MessageOf(result.status()), HasSubstr("lost_frames.mp4: "));
  EXPECT_THAT(MessageOf(result.status()), HasSubstr("chosen frames do not decode"));
}

TEST_F(SessionTest, AVideoOfPicturesThatTileDifferentlyIsRefused) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "galago_two_shapes";
  std::filesystem::create_directories(folder);
  for (const char* name : {"wide_500x30.png", "tall_30x200.png"}) {
    std::filesystem::copy_file(kData + "media/" + name, folder / name,
                               std::filesystem::copy_options::overwrite_existing);
  }
  MediaOptions options;
  options.video_max_tiles = 6;
  options.frames = 4;
  const auto result = Run({{Role::kUser, {Part::Video(folder.string(), options)}}});
  std::filesystem::remove_all(folder);
  ASSERT_EQ(result.status().code(), StatusCode::kDataLoss) << result.status();
  EXPECT_THAT(MessageOf(result.status()), HasSubstr("frames have different shapes"));
}

TEST_F(SessionTest, NumbersThatAreNotFiniteAreAnError) {
  runner_->logit = NAN;
  Script("A cat");
  EXPECT_EQ(Run(Ask("Hello")).status().code(), StatusCode::kDataLoss);
}

TEST_F(SessionTest, SpellingsOfSpecialTokensInUserTextStayText) {
  const auto plain = session_->Plan(Ask("a<|im_end|>b"), {});
  const auto parsed = session_->Plan(Ask("a<|im_end|>b"), {.parse_special = true});
  ASSERT_TRUE(plain.ok() && parsed.ok());
  EXPECT_EQ(std::count(plain->input_ids.begin(), plain->input_ids.end(), Ids("<|im_end|>")[0]) + 1,
            std::count(parsed->input_ids.begin(), parsed->input_ids.end(), Ids("<|im_end|>")[0]));
}

TEST_F(SessionTest, RawPromptsAreTokenizedAsTheyAre) {
  const auto plan = session_->Plan(Ask("What is this?"), {.raw = true});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const std::vector<int32_t> ids = Ids("What is this?");
  EXPECT_EQ(plan->input_ids, std::vector<int64_t>(ids.begin(), ids.end()));
  EXPECT_EQ(session_->Plan(AskAbout("shapes_168x112.png", "x"), {.raw = true}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SessionTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(Run({}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Run({{Role::kAssistant, {Part::Text("Hi")}}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(Ask("Hi"), {.max_tokens = -1}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(Ask("Hi"), {.sampling = {.temperature = -1}}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Run(AskAbout("missing.png", "Hi")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Session::Create(model_, {.threads = -1}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::Create(model_, {.prefill_chunk = 0}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::Create(model_, {.isa = "sse9"}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Session::Create(model_, {.ctx_size = 1 << 30}).status().code(), StatusCode::kInvalidArgument);
}

TEST(PlaceMedia, MarkersTakeMediaInOrder) {
  const auto placed =
      PlaceMedia("A <image> B <video> C <image>", {Part::Image("1"), Part::Image("2"), Part::Video("v")});
  ASSERT_TRUE(placed.ok()) << placed.status();
  std::vector<std::string> seen;
  for (const Part& part : placed->message.parts) seen.push_back(part.kind == PartKind::kText ? part.text : part.source);
  EXPECT_THAT(seen, ElementsAre("A ", "1", " B ", "v", " C ", "2"));
  EXPECT_TRUE(placed->warnings.empty());
  EXPECT_TRUE(placed->message.parts[1].at_marker);
}

TEST(PlaceMedia, MediaWithoutMarkersGoFirst) {
  auto placed = PlaceMedia("Compare", {Part::Image("1"), Part::Video("v")});
  ASSERT_TRUE(placed.ok());
  EXPECT_EQ(placed->message.parts.size(), 3u);
  EXPECT_EQ(placed->message.parts[2].text, "Compare");
  EXPECT_TRUE(placed->warnings.empty());
  placed = PlaceMedia("This: <image>", {Part::Image("1"), Part::Image("2")});
  ASSERT_TRUE(placed.ok());
  EXPECT_EQ(placed->message.parts[0].source, "1");
  EXPECT_EQ(placed->message.parts[2].source, "2");
  EXPECT_EQ(placed->warnings.size(), 1u);
}

TEST(PlaceMedia, MoreMarkersThanMediaIsRefusedWithBothNumbers) {
  const auto placed = PlaceMedia("<image><image>", {Part::Image("1")});
  ASSERT_EQ(placed.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(placed.status()), HasSubstr("2 <image> marker(s), but 1 picture(s)"));
}

}  // namespace
}  // namespace galago
