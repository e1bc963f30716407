#include "apps/cli/line_reader.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxHistoryLines = 1000;
constexpr size_t kMaxHistoryBytes = size_t{8} << 20;
constexpr std::string_view kPasteOn = "\x1b[?2004h";
constexpr std::string_view kPasteOff = "\x1b[?2004l";

}  // namespace

Input PipeReader::Read(std::string_view, std::string& line) {
  for (;;) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos || (ended_ && !buffer_.empty())) {
      line = buffer_.substr(0, end);
      buffer_.erase(0, end == std::string::npos ? end : end + 1);
      if (line.ends_with('\r')) line.pop_back();
      line = Utf8Sanitize(line);
      return Input::kLine;
    }
    if (ended_) return Input::kEnd;
    std::array<char, 4096> chunk;
    const ssize_t got = ::read(fd_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      ended_ = true;
    } else {
      buffer_.append(chunk.data(), static_cast<size_t>(got));
    }
  }
}

TerminalReader::TerminalReader(int fd, Output& screen, SignalWatcher& signals, fs::path history,
                               LineEditor::Complete complete)
    : fd_(fd), screen_(screen), signals_(signals), history_(std::move(history)), editor_(std::move(complete)) {
  if (history_.empty()) return;
  if (const StatusOr<std::string> text = ReadFile(history_, kMaxHistoryBytes); text.ok()) {
    for (const std::string& line : Split(*text, '\n')) {
      if (!line.empty()) editor_.history().push_back(Utf8Sanitize(line));
    }
    auto& lines = editor_.history();
    if (lines.size() > kMaxHistoryLines) {
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMaxHistoryLines));
    }
  }
}

TerminalReader::~TerminalReader() {
  LeaveRawMode();
  if (history_.empty()) return;
  // The file grew by appending; cut it when it has outgrown its bound by far.
  std::error_code error;
  if (fs::file_size(history_, error) > kMaxHistoryBytes / 2 && !error) {
    std::string text;
    for (const std::string& line : editor_.history()) text += StrCat(ReplaceAll(line, "\n", " "), "\n");
    if (WriteFileAtomically(history_, text).ok()) ::chmod(history_.c_str(), 0600);
  }
}

Input TerminalReader::Read(std::string_view prompt, std::string& line) {
  EnterRawMode();
  editor_.Begin();
  const auto draw = [&] { screen_.Write(editor_.Draw(prompt, Columns())).IgnoreError(); };
  const auto finish = [&](Input input) {
    LeaveRawMode();
    screen_.Write("\n").IgnoreError();
    return input;
  };
  draw();
  for (;;) {
    char byte = 0;
    const ssize_t got = ::read(fd_, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return finish(Input::kEnd);
    switch (editor_.Feed(byte)) {
      case LineEditor::Event::kNone:
        break;
      case LineEditor::Event::kChanged:
        draw();
        break;
      case LineEditor::Event::kShowChoices: {
        std::string list = "\n";
        for (const std::string& choice : editor_.choices()) list += StrCat(NeutraliseControls(choice), "  ");
        screen_.Write(StrCat(list, "\n")).IgnoreError();
        draw();
        break;
      }
      case LineEditor::Event::kInterrupt:
        return finish(Input::kInterrupt);
      case LineEditor::Event::kEndOfInput:
        return finish(Input::kEnd);
      case LineEditor::Event::kLine:
        line = editor_.text();
        Remember(line);
        return finish(Input::kLine);
    }
  }
}

void TerminalReader::EnterRawMode() {
  termios now = {};
  if (saved_ || ::tcgetattr(fd_, &now) != 0) return;
  saved_ = now;
  now.c_iflag &= ~static_cast<tcflag_t>(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  ::tcsetattr(fd_, TCSADRAIN, &now);
  screen_.Write(kPasteOn).IgnoreError();
  signals_.SetBeforeExit([fd = fd_, saved = *saved_, &screen = screen_] {
    screen.Write(kPasteOff).IgnoreError();
    ::tcsetattr(fd, TCSADRAIN, &saved);
  });
}

void TerminalReader::LeaveRawMode() {
  if (!saved_) return;
  signals_.SetBeforeExit({});
  screen_.Write(kPasteOff).IgnoreError();
  ::tcsetattr(fd_, TCSADRAIN, &*saved_);
  saved_.reset();
}

void TerminalReader::Remember(const std::string& line) {
  auto& lines = editor_.history();
  if (Trim(line).empty() || (!lines.empty() && lines.back() == line)) return;
  lines.push_back(line);
  if (lines.size() > kMaxHistoryLines) lines.erase(lines.begin());
  if (history_.empty()) return;
  std::error_code error;
  fs::create_directories(history_.parent_path(), error);
  const int fd = ::open(history_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;  // a conversation without history is still one
  // An older file may be readable by others.
  if (::fchmod(fd, 0600) == 0) FileOutput(fd, "history").Write(StrCat(ReplaceAll(line, "\n", " "), "\n")).IgnoreError();
  ::close(fd);
}

int TerminalReader::Columns() const {
  winsize size = {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

fs::path HistoryPath(const GetEnv& env) {
  const std::string state = env("XDG_STATE_HOME").value_or("");
  const std::string home = env("HOME").value_or("");
  if (state.empty() && home.empty()) return {};
  const fs::path base = state.empty() ? fs::path(home) / ".local" / "state" : fs::path(state);
  return base / "galago" / "chat_history";
}

LineEditor::Completion CompleteChatLine(std::string_view text, std::span<const std::string> commands) {
  LineEditor::Completion out;
  const bool first_word = text.find(' ') == std::string_view::npos;
  if (first_word && text.starts_with('/') && text.find('/', 1) == std::string_view::npos) {
    for (const std::string& command : commands) {
      if (command.starts_with(text)) out.choices.push_back(StrCat(command, " "));
    }
    if (!out.choices.empty()) return out;
  }
  const size_t space = text.rfind(' ');
  out.word_begin = space == std::string_view::npos ? 0 : space + 1;
  const std::string word(text.substr(out.word_begin));
  const size_t slash = word.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : word.substr(0, slash + 1);
  const std::string stem = word.substr(folder.size());
  std::error_code error;
  for (fs::directory_iterator it(folder.empty() ? "." : folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(stem) || (stem.empty() && name.starts_with('.'))) continue;
    std::error_code ignored;
    out.choices.push_back(StrCat(folder, name, it->is_directory(ignored) ? "/" : ""));
  }
  std::sort(out.choices.begin(), out.choices.end());
  return out;
}

}  // namespace galago::cli
