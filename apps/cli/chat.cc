#include <chrono>

#include "apps/cli/chat_file.h"
#include "apps/cli/chat_state.h"
#include "apps/cli/commands.h"
#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;

class RealHost : public ChatHost {
 public:
  RealHost(World& world, Loaded& loaded, const Options& options) : world_(world), loaded_(loaded), options_(options) {}

  StatusOr<PartKind> GuessMediaKind(const std::string& source) override { return world_.engine.GuessMediaKind(source); }
  StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) override {
    return world_.engine.PlaceMedia(text, std::move(media));
  }
  StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation) override {
    return loaded_.session->Plan(conversation, GenerateOptionsFor(options_, ctx_size(), world_.stop));
  }
  std::optional<PartKind> MediaFile(const std::string& path) override {
    const StatusOr<std::string> head = ReadFileHead(path, 64);
    if (!head.ok()) return std::nullopt;
    if (MediaType(*head).starts_with("image/")) return PartKind::kImage;
    // Anything else counts only if it is a video: a text file's name is a sentence like any other.
    const StatusOr<PartKind> kind = world_.engine.GuessMediaKind(path);
    return kind.ok() && *kind == PartKind::kVideo ? std::optional(PartKind::kVideo) : std::nullopt;
  }
  StatusOr<std::string> Read(const std::string& path) override { return ReadFile(path, kMaxFileBytes); }
  Status Write(const std::string& path, const std::string& contents) override {
    return WriteFileAtomically(path, contents);
  }
  std::string model_name() const override { return loaded_.model->name(); }
  int64_t ctx_size() const override { return loaded_.session->ctx_size(); }

 private:
  World& world_;
  Loaded& loaded_;
  const Options& options_;
};

class Chat {
 public:
  Chat(World& world, Loaded& loaded, ChatState& state, LineReader& reader, bool interactive)
      : world_(world), loaded_(loaded), state_(state), reader_(reader), interactive_(interactive) {}

  // Until the person or the input ends. From a pipe, the first failure decides the exit code.
  Exit Talk() {
    LineJoiner joiner;
    std::chrono::steady_clock::time_point interrupted{};
    for (;;) {
      std::string line;
      const Input input = reader_.Read(joiner.open() ? ". " : "> ", line);
      if (input == Input::kEnd) {
        if (const auto entry = joiner.Finish()) Obey(*entry);
        return exit_;
      }
      if (input == Input::kInterrupt) {
        const auto now = std::chrono::steady_clock::now();
        if (!joiner.open() && now - interrupted < std::chrono::seconds(2)) return Exit::kInterrupted;
        interrupted = now;
        if (!joiner.open()) world_.log.Print("(Ctrl-C again or /quit ends)\n");
        joiner.Drop();
        continue;
      }
      interrupted = {};
      if (const auto entry = joiner.Add(line); entry && !Obey(*entry)) return exit_;
    }
  }

 private:
  // False when the conversation is over.
  bool Obey(const LineJoiner::Entry& entry) {
    const ChatState::Step step = state_.Handle(entry);
    if (!step.status.ok()) Complain(step.status);
    if (!step.say.empty()) world_.log.Print(NeutraliseControls(step.say));
    if (step.action == ChatState::Action::kAnswer) return Answer();
    return step.action != ChatState::Action::kQuit;
  }

  void Complain(const Status& status) {
    world_.log.Error(MessageOf(status));
    if (!interactive_ && exit_ == Exit::kSuccess) exit_ = ExitCodeFor(Stage::kInput, status);
  }

  bool Answer() {
    GenerateOptions options = GenerateOptionsFor(state_.options(), loaded_.session->ctx_size(), world_.stop);
    if (state_.fresh_seed()) options.sampling.seed.reset();
    world_.stop.Reset();
    bool over = false;
    const auto on_text = [&](std::string_view text) {
      const Status status = world_.out.Write(world_.out_is_terminal ? NeutraliseControls(text) : std::string(text));
      if (status.ok()) return Flow::kContinue;
      over = true;
      if (status.code() != StatusCode::kFailedPrecondition) Complain(status);
      return Flow::kStop;
    };
    StatusOr<GenerateResult> result = [&] {
      const Deadline deadline(world_.stop, state_.options().timeout_s);
      const Busy busy(world_.busy);
      return loaded_.session->Generate(state_.Conversation(), options, on_text);
    }();
    const StopCause cause = world_.stop.cause();
    if (!over && result.ok()) over = Deliver(world_, "\n") != Exit::kSuccess;
    if (result.ok()) {
      state_.Answered(*result);
      for (const std::string& warning : result->prompt.warnings) world_.log.Warning(warning);
      if (state_.options().stats) world_.log.Print(StatsText(*result, 0));
    } else {
      state_.NotAnswered();
      if (result.status().code() != StatusCode::kCancelled) Complain(result.status());
    }
    if (cause == StopCause::kDeadline) {
      Complain(DeadlineExceeded(StrCat("the time limit of ", state_.options().timeout_s, " s is reached")));
    }
    // A script that is interrupted ends; a person who presses Ctrl-C only wanted the answer to stop.
    if (cause == StopCause::kTerminate || (cause == StopCause::kInterrupt && !interactive_)) {
      exit_ = ExitOfStop(cause);
      over = true;
    }
    world_.stop.Reset();
    return !over;
  }

  World& world_;
  Loaded& loaded_;
  ChatState& state_;
  LineReader& reader_;
  const bool interactive_;
  Exit exit_ = Exit::kSuccess;
};

}  // namespace

Exit ChatCommand(World& world, const Options& options) {
  StatusOr<std::string> system = ReadSystem(options);
  if (!system.ok()) return Fail(world, false, Stage::kInput, system.status());
  StatusOr<std::vector<Part>> attached = MediaParts(world, options);
  if (!attached.ok()) return Fail(world, false, Stage::kInput, attached.status());
  Failure failure;
  const std::unique_ptr<Loaded> loaded = Load(world, options, Weights::kLoad, failure);
  if (loaded == nullptr) return Fail(world, false, failure.stage, failure.status);
  RealHost host(world, *loaded, options);
  ChatState state(options, options.system ? std::optional(*system) : std::nullopt, *std::move(attached), host);
  const std::unique_ptr<LineReader> reader = world.make_line_reader(options);
  const bool interactive = world.in_is_terminal && world.err_is_terminal;
  if (interactive) world.log.Print(StrCat(NeutraliseControls(loaded->model->name()), ". /help lists commands.\n"));
  return Chat(world, *loaded, state, *reader, interactive).Talk();
}

}  // namespace galago::cli
