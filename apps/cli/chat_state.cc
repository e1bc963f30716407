#include "apps/cli/chat_state.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "apps/cli/chat_file.h"
#include "apps/cli/commands.h"
#include "apps/cli/values.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

struct CommandHelp {
  std::string_view name;
  std::string_view alias;
  std::string_view arguments;
  std::string_view help;
};

constexpr std::array<CommandHelp, 16> kHelp = {{
    {"/image", "", "SRC...", "attach pictures to the next message"},
    {"/video", "", "SRC [frames=N] [fps=X] [start=T] [end=T]", "attach a video"},
    {"/media", "", "", "what is attached and was shown, with token counts"},
    {"/drop", "", "N", "remove medium N of that list"},
    {"/clear", "/reset", "", "forget the conversation, keep the system message"},
    {"/undo", "/pop", "", "remove the last question and answer"},
    {"/regen", "", "", "answer the last question again, with a new seed"},
    {"/system", "", "[TEXT|off]", "change or show the system message"},
    {"/set", "", "KEY VALUE", "change a setting"},
    {"/show", "", "[KEY]", "show settings"},
    {"/save", "", "FILE [--embed]", "write the conversation as JSON, media by path or inside"},
    {"/load", "", "FILE", "go on with a saved conversation"},
    {"/stats", "", "", "tokens and times of the last answer"},
    {"/tokens", "", "", "how full the context is"},
    {"/help", "", "", "this list"},
    {"/quit", "/exit", "", "end (also Ctrl-D)"},
}};

std::string HelpText() {
  std::string out;
  for (const CommandHelp& command : kHelp) {
    std::string left = StrCat(command.name, command.arguments.empty() ? "" : " ", command.arguments);
    left.resize(std::max<size_t>(left.size() + 2, 26), ' ');
    out += StrCat("  ", left, command.help);
    if (!command.alias.empty()) out += StrCat(" (", command.alias, ")");
    out += "\n";
  }
  return out +
         "  A line that is only the path of a picture or video attaches it. A line ending in \\ goes on in the next;\n"
         "  text between lines of \"\"\" is one message.\n";
}

ChatState::Step Say(std::string text) { return {.say = std::move(text)}; }
ChatState::Step Refuse(Status status) { return {.status = std::move(status)}; }

std::string Describe(const Part& part) {
  return StrCat(part.kind == PartKind::kVideo ? "video " : "picture ", Printable(part.source, 256));
}

bool IsMedia(const Part& part) { return part.kind != PartKind::kText; }

// What a shell would make of a dragged or quoted path.
std::string Unquoted(std::string_view text) {
  const StatusOr<std::vector<std::string>> words = SplitWords(text);
  return words.ok() && words->size() == 1 ? words->front() : std::string(text);
}

}  // namespace

std::optional<LineJoiner::Entry> LineJoiner::Add(const std::string& line) {
  if (Trim(line) == "\"\"\"" && !continued_) {
    in_block_ = !in_block_;
    if (in_block_) return std::nullopt;
    return Entry{std::exchange(text_, {}), /*literal=*/true};
  }
  if (in_block_) {
    text_ += StrCat(text_.empty() ? "" : "\n", line);
    return std::nullopt;
  }
  if (line.ends_with('\\')) {
    text_ += StrCat(std::string_view(line).substr(0, line.size() - 1), "\n");
    continued_ = true;
    return std::nullopt;
  }
  continued_ = false;
  return Entry{StrCat(std::exchange(text_, {}), line), /*literal=*/false};
}

std::optional<LineJoiner::Entry> LineJoiner::Finish() {
  if (!open()) return std::nullopt;
  const bool literal = std::exchange(in_block_, false);
  continued_ = false;
  return Entry{std::exchange(text_, {}), literal};
}

void LineJoiner::Drop() {
  text_.clear();
  in_block_ = continued_ = false;
}

ChatState::ChatState(Options options, std::optional<std::string> system, std::vector<Part> attached, ChatHost& host)
    : options_(std::move(options)),
      system_(std::move(system)),
      pending_(std::move(attached)),
      flags_(MakeFlags()),
      host_(host) {}

std::vector<std::string> ChatState::CommandNames() {
  std::vector<std::string> names;
  for (const CommandHelp& command : kHelp) {
    names.emplace_back(command.name);
    if (!command.alias.empty()) names.emplace_back(command.alias);
  }
  return names;
}

ChatState::Step ChatState::Handle(const LineJoiner::Entry& entry) {
  fresh_seed_ = false;
  if (entry.literal) return Send(entry.text);
  const std::string_view line = Trim(entry.text);
  if (line.empty()) return {};
  const std::string unquoted = Unquoted(line);
  const std::string path = MediaSource(unquoted).value_or(unquoted);
  if (const auto kind = host_.MediaFile(path)) {
    return AddPart(*kind == PartKind::kVideo ? Part::Video(path, options_.media_options)
                                             : Part::Image(path, options_.media_options));
  }
  if (line.front() == '/') return Command(line);
  return Send(entry.text);
}

ChatState::Step ChatState::Command(std::string_view line) {
  const size_t space = line.find_first_of(" \t");
  std::string_view name = line.substr(0, space);
  const std::string_view arguments = space == std::string_view::npos ? "" : Trim(line.substr(space));
  for (const CommandHelp& command : kHelp) {
    if (!command.alias.empty() && name == command.alias) name = command.name;
  }
  if (name == "/image") return Attach(PartKind::kImage, arguments);
  if (name == "/video") return AttachVideo(arguments);
  if (name == "/media") return ListMedia();
  if (name == "/drop") return DropMedia(arguments);
  if (name == "/clear") return Clear();
  if (name == "/undo") return Undo();
  if (name == "/regen") return Regenerate();
  if (name == "/system") return System(arguments);
  if (name == "/set") return Set(arguments);
  if (name == "/show") return Show(arguments);
  if (name == "/save") return Save(arguments);
  if (name == "/load") return Load(arguments);
  if (name == "/stats") return Stats();
  if (name == "/tokens") return Tokens();
  if (name == "/help") return Say(HelpText());
  if (name == "/quit") return {.action = Action::kQuit};
  const std::string nearest = Nearest(name, CommandNames());
  return {.say = HelpText(),
          .status = InvalidArgument(StrCat("unknown command ", Printable(name),
                                           nearest.empty() ? "" : StrCat(", did you mean ", nearest, "?")))};
}

ChatState::Step ChatState::AddPart(Part part) {
  pending_.push_back(std::move(part));
  return Say(StrCat("attached ", Describe(pending_.back()), "\n"));
}

ChatState::Step ChatState::Attach(PartKind kind, std::string_view arguments) {
  std::vector<std::string> sources;
  // A path with spaces needs no quotes when it stands alone.
  if (host_.MediaFile(std::string(arguments))) {
    sources.emplace_back(arguments);
  } else {
    StatusOr<std::vector<std::string>> words = SplitWords(arguments);
    if (!words.ok()) return Refuse(words.status());
    sources = *std::move(words);
  }
  if (sources.empty()) return Refuse(InvalidArgument("/image needs a file: /image SRC..."));
  for (std::string& source : sources) {
    StatusOr<std::string> local = MediaSource(source);
    if (!local.ok()) return Refuse(local.status());
    source = *std::move(local);
    if (source == "-") return Refuse(InvalidArgument("standard input carries the conversation here"));
    if (source.starts_with("data:")) continue;
    if (const auto found = host_.GuessMediaKind(source); !found.ok()) return Refuse(found.status());
  }
  std::string said;
  for (std::string& source : sources) {
    said += AddPart({.kind = kind, .source = std::move(source), .media = options_.media_options}).say;
  }
  return Say(said);
}

ChatState::Step ChatState::AttachVideo(std::string_view arguments) {
  const StatusOr<std::vector<std::string>> words = SplitWords(arguments);
  if (!words.ok()) return Refuse(words.status());
  Options options = options_;
  std::string source;
  for (const std::string& word : *words) {
    const size_t equals = word.find('=');
    const std::string key = equals == std::string::npos ? "" : word.substr(0, equals);
    if (key == "frames" || key == "fps" || key == "start" || key == "end") {
      const Flag* flag = FindFlag(flags_, StrCat("--", key));
      if (Status status = SetFlag(*flag, options, word.substr(equals + 1), key); !status.ok()) return Refuse(status);
    } else if (source.empty()) {
      source = word;
    } else {
      return Refuse(InvalidArgument(StrCat("/video takes one file; '", Printable(word), "' is too much")));
    }
  }
  if (source.empty()) return Refuse(InvalidArgument("/video needs a file: /video SRC [frames=N] [fps=X]"));
  StatusOr<std::string> local = MediaSource(source);
  if (!local.ok()) return Refuse(local.status());
  source = *std::move(local);
  if (!source.starts_with("data:")) {
    if (const auto found = host_.GuessMediaKind(source); !found.ok()) return Refuse(found.status());
  }
  return AddPart(Part::Video(source, options.media_options));
}

std::vector<Message> ChatState::PlannedConversation() const {
  std::vector<Message> out = Conversation();
  if (!pending_.empty()) {
    out.push_back({.role = Role::kUser, .parts = pending_});
  } else if (!out.empty() && out.back().role == Role::kAssistant) {
    out.pop_back();
  }
  if (!out.empty() && out.back().role != Role::kUser) out.clear();
  return out;
}

ChatState::Step ChatState::ListMedia() {
  std::vector<std::pair<const Part*, bool>> media;
  for (const Message& turn : turns_) {
    for (const Part& part : turn.parts) {
      if (IsMedia(part)) media.emplace_back(&part, false);
    }
  }
  for (const Part& part : pending_) media.emplace_back(&part, true);
  if (media.empty()) return Say("no media\n");
  const StatusOr<PromptPlan> plan = host_.Plan(PlannedConversation());
  const bool counted = plan.ok() && plan->media.size() == media.size();
  std::string out;
  for (size_t i = 0; i < media.size(); ++i) {
    out += StrCat("  ", i + 1, ". ", Describe(*media[i].first), media[i].second ? ", attached" : "",
                  counted ? StrCat(", ", plan->media[i].tokens, " tokens") : "", "\n");
  }
  return {.say = out, .status = plan.ok() ? OkStatus() : plan.status()};
}

ChatState::Step ChatState::DropMedia(std::string_view arguments) {
  const StatusOr<int64_t> number = ParseInt(arguments, 1, 1'000'000);
  if (!number.ok()) return Refuse(InvalidArgument("/drop needs a number from the list of /media"));
  int64_t left = *number;
  const auto drop_from = [&](std::vector<Part>& parts) -> std::optional<std::string> {
    for (auto part = parts.begin(); part != parts.end(); ++part) {
      if (!IsMedia(*part) || --left != 0) continue;
      const std::string said = StrCat("dropped ", Describe(*part), "\n");
      parts.erase(part);
      return said;
    }
    return std::nullopt;
  };
  for (Message& turn : turns_) {
    if (const auto said = drop_from(turn.parts)) return Say(*said);
  }
  if (const auto said = drop_from(pending_)) return Say(*said);
  return Refuse(InvalidArgument(StrCat("there is no medium ", *number, "; /media lists them")));
}

ChatState::Step ChatState::Clear() {
  turns_.clear();
  pending_.clear();
  last_.reset();
  return Say("conversation forgotten\n");
}

ChatState::Step ChatState::Undo() {
  if (turns_.empty()) return Say("nothing to undo\n");
  if (turns_.back().role == Role::kAssistant) turns_.pop_back();
  turns_.pop_back();
  last_.reset();
  return Say(StrCat("removed the last question and answer, ", turns_.size() / 2, " left\n"));
}

ChatState::Step ChatState::Regenerate() {
  if (turns_.empty()) return Refuse(InvalidArgument("there is no question to answer again"));
  Remember();
  if (turns_.back().role == Role::kAssistant) turns_.pop_back();
  fresh_seed_ = true;
  return {.action = Action::kAnswer};
}

ChatState::Step ChatState::System(std::string_view arguments) {
  if (arguments.empty()) return Say(StrCat(system_ ? *system_ : "(the template's)", "\n"));
  if (arguments == "off") {
    system_.reset();
    return Say("system message: the template's\n");
  }
  system_ = Unquoted(arguments);
  return Say("system message changed\n");
}

ChatState::Step ChatState::Set(std::string_view arguments) {
  const size_t space = arguments.find_first_of(" \t=");
  std::string key(arguments.substr(0, space));
  std::replace(key.begin(), key.end(), '_', '-');
  const std::string value = space == std::string_view::npos ? "" : Unquoted(Trim(arguments.substr(space + 1)));
  std::vector<std::string> known;
  for (const Flag& flag : flags_) {
    if (!flag.show || !flag.AppliesTo(galago::cli::Command::kChat)) continue;
    known.emplace_back(flag.key());
    if (!flag.Matches(StrCat("--", key))) continue;
    if (!flag.list.empty()) flag.clear(options_);
    if (flag.list.empty() || !value.empty()) {
      if (Status status = SetFlag(flag, options_, value, flag.key()); !status.ok()) return Refuse(status);
    }
    return Say(StrCat(flag.key(), " = ", flag.show(options_), "\n"));
  }
  const std::string nearest = Nearest(key, known);
  return Refuse(
      InvalidArgument(StrCat("unknown setting '", Printable(key), "'",
                             nearest.empty() ? "" : StrCat(", did you mean ", nearest, "?"), "; /show lists them")));
}

ChatState::Step ChatState::Show(std::string_view arguments) {
  std::string out;
  if (arguments.empty()) out += StrCat("  model = ", host_.model_name(), "\n");
  for (const Flag& flag : flags_) {
    if (!flag.show || !flag.AppliesTo(galago::cli::Command::kChat)) continue;
    if (!arguments.empty() && !flag.Matches(StrCat("--", arguments))) continue;
    out += StrCat("  ", flag.key(), " = ", flag.show(options_), "\n");
  }
  if (out.empty()) return Refuse(InvalidArgument(StrCat("unknown setting '", Printable(arguments), "'")));
  return Say(out);
}

ChatState::Step ChatState::Save(std::string_view arguments) {
  StatusOr<std::vector<std::string>> words = SplitWords(arguments);
  if (!words.ok()) return Refuse(words.status());
  const bool embed = std::erase(*words, "--embed") != 0;
  if (words->size() != 1) return Refuse(InvalidArgument("/save needs one file: /save FILE [--embed]"));
  SavedChat chat{.model = host_.model_name(), .system = system_, .turns = turns_, .pending = pending_};
  if (embed) {
    const Status status = EmbedMedia(chat, [&](const std::string& path) { return host_.Read(path); });
    if (!status.ok()) return Refuse(Annotate(status, "not saved"));
  } else {
    // The file may be read from another directory.
    const auto make_absolute = [](Part& part) {
      std::error_code error;
      if (!IsMedia(part) || part.source.starts_with("data:")) return;
      if (const auto path = std::filesystem::absolute(part.source, error); !error) part.source = path.string();
    };
    for (Message& turn : chat.turns) std::for_each(turn.parts.begin(), turn.parts.end(), make_absolute);
    std::for_each(chat.pending.begin(), chat.pending.end(), make_absolute);
  }
  const Status status = host_.Write(words->front(), ChatToText(chat));
  if (!status.ok()) return Refuse(Annotate(status, "not saved"));
  return Say(StrCat("saved to ", Printable(words->front(), 256), "\n"));
}

ChatState::Step ChatState::Load(std::string_view arguments) {
  const std::string path = Unquoted(arguments);
  if (path.empty()) return Refuse(InvalidArgument("/load needs a file: /load FILE"));
  const StatusOr<std::string> text = host_.Read(path);
  if (!text.ok()) return Refuse(text.status());
  StatusOr<SavedChat> chat = ChatFromText(*text, path);
  if (!chat.ok()) return Refuse(chat.status());
  // A medium that has gone would make every later message fail.
  const auto check = [&](const std::vector<Part>& parts) -> Status {
    for (const Part& part : parts) {
      if (!IsMedia(part) || part.source.starts_with("data:")) continue;
      RETURN_IF_ERROR(Annotate(host_.GuessMediaKind(part.source).status(), path));
    }
    return OkStatus();
  };
  Status status = check(chat->pending);
  for (const Message& turn : chat->turns) {
    if (status.ok()) status = check(turn.parts);
  }
  if (!status.ok()) return Refuse(status);
  std::string said = StrCat("loaded ", chat->turns.size() / 2, " questions and answers\n");
  if (!chat->model.empty() && chat->model != host_.model_name()) {
    said += StrCat("the conversation was held with ", Printable(chat->model), "\n");
  }
  system_ = std::move(chat->system);
  turns_ = std::move(chat->turns);
  pending_ = std::move(chat->pending);
  last_.reset();
  return Say(said);
}

ChatState::Step ChatState::Stats() { return Say(last_ ? StatsText(*last_, 0) : "no answer yet\n"); }

ChatState::Step ChatState::Tokens() {
  const std::vector<Message> conversation = PlannedConversation();
  if (conversation.empty()) return Say(StrCat("0 of ", host_.ctx_size(), " tokens\n"));
  int64_t tokens = 0;
  if (last_ && pending_.empty()) {
    tokens = last_->usage.prompt_tokens + last_->usage.completion_tokens;
  } else {
    const StatusOr<PromptPlan> plan = host_.Plan(conversation);
    if (!plan.ok()) return Refuse(plan.status());
    tokens = plan->usage.prompt_tokens;
  }
  return Say(StrCat(tokens, " of ", host_.ctx_size(), " tokens\n"));
}

void ChatState::Remember() {
  turns_before_ = turns_;
  pending_before_ = pending_;
}

ChatState::Step ChatState::Send(const std::string& text) {
  StatusOr<UserMessage> user = host_.PlaceMedia(text, pending_);
  if (!user.ok()) return Refuse(user.status());
  Remember();
  turns_.push_back(std::move(user->message));
  pending_.clear();
  Step step{.action = Action::kAnswer};
  for (const std::string& warning : user->warnings) step.say += StrCat("warning: ", warning, "\n");
  return step;
}

std::vector<Message> ChatState::Conversation() const {
  std::vector<Message> out;
  if (system_) out.push_back({.role = Role::kSystem, .parts = {Part::Text(*system_)}});
  out.insert(out.end(), turns_.begin(), turns_.end());
  return out;
}

void ChatState::Answered(const GenerateResult& result) {
  if (result.finish_reason == FinishReason::kCancelled && result.text.empty()) {
    NotAnswered();
    return;
  }
  turns_.push_back({.role = Role::kAssistant, .parts = {Part::Text(result.text)}});
  last_ = result;
}

void ChatState::NotAnswered() {
  turns_ = std::move(turns_before_);
  pending_ = std::move(pending_before_);
}

}  // namespace galago::cli
