#ifndef GALAGO_CLI_CHAT_STATE_H_
#define GALAGO_CLI_CHAT_STATE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/flags.h"
#include "apps/cli/options.h"
#include "galago/message.h"
#include "galago/session.h"
#include "galago/status.h"

// The conversation and its commands, as a state machine without terminal, model or file system of its own.
namespace galago::cli {

// What the commands need from outside.
class ChatHost {
 public:
  virtual ~ChatHost() = default;
  virtual StatusOr<PartKind> GuessMediaKind(const std::string& source) = 0;
  virtual StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) = 0;
  virtual StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation) = 0;
  // The kind of a regular file that holds a picture or video; nothing for any other file or text.
  virtual std::optional<PartKind> MediaFile(const std::string& path) = 0;
  virtual StatusOr<std::string> Read(const std::string& path) = 0;
  virtual Status Write(const std::string& path, const std::string& contents) = 0;
  virtual std::string model_name() const = 0;
  virtual int64_t ctx_size() const = 0;
};

// Puts physical lines together: a trailing backslash continues, lines between two """ lines are one text.
class LineJoiner {
 public:
  struct Entry {
    std::string text;
    bool literal = false;  // from a """ block: never a command
  };
  // The entry that `line` completes, if it does.
  std::optional<Entry> Add(const std::string& line);
  // What is left when the input ends.
  std::optional<Entry> Finish();
  bool open() const { return in_block_ || continued_; }
  void Drop();

 private:
  std::string text_;
  bool in_block_ = false;
  bool continued_ = false;
};

class ChatState {
 public:
  enum class Action { kNone, kAnswer, kQuit };
  struct Step {
    Action action = Action::kNone;
    std::string say;  // for the person; may have several lines
    Status status;    // why the line could not be obeyed
  };

  ChatState(Options options, std::optional<std::string> system, std::vector<Part> attached, ChatHost& host);

  // Obeys a command, attaches a file, or takes the line as the next message (kAnswer).
  Step Handle(const LineJoiner::Entry& entry);

  // After kAnswer: what to answer, and how.
  std::vector<Message> Conversation() const;
  const Options& options() const { return options_; }
  // For /regen: the seed in force is not used again.
  bool fresh_seed() const { return fresh_seed_; }

  // The outcome of kAnswer. A stopped answer is kept as far as it came; without one, the message is taken back.
  void Answered(const GenerateResult& result);
  void NotAnswered();

  std::span<const Message> turns() const { return turns_; }
  std::span<const Part> pending() const { return pending_; }

  static std::vector<std::string> CommandNames();  // with slash, for completion

 private:
  Step Command(std::string_view line);
  Step Attach(PartKind kind, std::string_view arguments);
  Step AttachVideo(std::string_view arguments);
  Step ListMedia();
  Step DropMedia(std::string_view arguments);
  Step Clear();
  Step Undo();
  Step Regenerate();
  Step System(std::string_view arguments);
  Step Set(std::string_view arguments);
  Step Show(std::string_view arguments);
  Step Save(std::string_view arguments);
  Step Load(std::string_view arguments);
  Step Stats();
  Step Tokens();
  Step Send(const std::string& text);
  Step AddPart(Part part);
  void Remember();
  // Everything said and attached, ending with a user's message; empty if there is none.
  std::vector<Message> PlannedConversation() const;

  Options options_;
  std::optional<std::string> system_;
  std::vector<Message> turns_;
  std::vector<Part> pending_;
  std::optional<GenerateResult> last_;
  bool fresh_seed_ = false;
  // As it was before the message being answered.
  std::vector<Message> turns_before_;
  std::vector<Part> pending_before_;
  std::vector<Flag> flags_;
  ChatHost& host_;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_CHAT_STATE_H_
