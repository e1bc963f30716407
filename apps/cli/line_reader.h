#ifndef GALAGO_CLI_LINE_READER_H_
#define GALAGO_CLI_LINE_READER_H_

#include <termios.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/cli/console.h"
#include "apps/cli/line_editor.h"
#include "apps/cli/signals.h"
#include "apps/cli/terminal.h"

namespace galago::cli {

enum class Input { kLine, kInterrupt, kEnd };

// Where the lines of a conversation come from.
class LineReader {
 public:
  virtual ~LineReader() = default;
  virtual Input Read(std::string_view prompt, std::string& line) = 0;
};

// Lines of a pipe or file: no prompt, no escape codes.
class PipeReader : public LineReader {
 public:
  explicit PipeReader(int fd) : fd_(fd) {}
  Input Read(std::string_view prompt, std::string& line) override;

 private:
  int fd_;
  std::string buffer_;
  bool ended_ = false;
};

// Lines typed at a terminal, edited, with a history file that only its owner can read.
class TerminalReader : public LineReader {
 public:
  // history: empty for none.
  TerminalReader(int fd, Output& screen, SignalWatcher& signals, std::filesystem::path history,
                 LineEditor::Complete complete);
  ~TerminalReader() override;
  Input Read(std::string_view prompt, std::string& line) override;

 private:
  void EnterRawMode();
  void LeaveRawMode();
  void Remember(const std::string& line);
  int Columns() const;

  int fd_;
  Output& screen_;
  SignalWatcher& signals_;
  std::filesystem::path history_;
  LineEditor editor_;
  std::optional<termios> saved_;
};

// $XDG_STATE_HOME/galago/chat_history; empty when there is no home.
std::filesystem::path HistoryPath(const GetEnv& env);

// Names of commands after a slash, else paths.
LineEditor::Completion CompleteChatLine(std::string_view text, std::span<const std::string> commands);

}  // namespace galago::cli

#endif  // GALAGO_CLI_LINE_READER_H_
