#include "apps/cli/line_editor.h"

#include <algorithm>

#include "apps/cli/terminal.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::cli {
namespace {

constexpr size_t kMaxLineBytes = size_t{1} << 20;
constexpr char kEscape = 0x1b;

constexpr char Ctrl(char letter) { return static_cast<char>(letter & 0x1f); }

std::string CommonPrefix(const std::vector<std::string>& words) {
  std::string prefix = words.front();
  for (const std::string& word : words) {
    const auto end = std::mismatch(prefix.begin(), prefix.end(), word.begin(), word.end()).first;
    prefix.erase(end, prefix.end());
  }
  return prefix.substr(0, Utf8CompletePrefix(prefix));
}

}  // namespace

void LineEditor::Begin() {
  text_.clear();
  partial_.clear();
  escape_.clear();
  in_escape_ = pasting_ = false;
  cursor_ = 0;
  history_at_ = history_.size();
}

LineEditor::Event LineEditor::Feed(char byte) {
  if (in_escape_) return FeedEscape(byte);
  if (byte == kEscape) {
    in_escape_ = true;
    escape_.clear();
    return Event::kNone;
  }
  const auto value = static_cast<unsigned char>(byte);
  if (pasting_ && (byte == '\r' || byte == '\n' || byte == '\t')) return Insert(byte == '\r' ? '\n' : byte);
  if (value < 0x20 || value == 0x7f) return Control(byte);
  return Insert(byte);
}

// ESC [ parameters final, ESC O final, or ESC and one character.
LineEditor::Event LineEditor::FeedEscape(char byte) {
  escape_ += byte;
  if (escape_.size() == 1) {
    if (byte == '[' || byte == 'O') return Event::kNone;
  } else if (escape_[0] == '[' && (byte < 0x40 || byte > 0x7e) && escape_.size() < 16) {
    return Event::kNone;
  }
  in_escape_ = false;
  return ObeyEscape(escape_);
}

LineEditor::Event LineEditor::ObeyEscape(std::string_view s) {
  if (s == "[200~" || s == "[201~") {
    pasting_ = s == "[200~";
    return Event::kNone;
  }
  if (s == "[A" || s == "OA") return MoveInHistory(-1);
  if (s == "[B" || s == "OB") return MoveInHistory(+1);
  if (s == "[C" || s == "OC") return MoveTo(After(cursor_));
  if (s == "[D" || s == "OD") return MoveTo(Before(cursor_));
  if (s == "[H" || s == "OH" || s == "[1~" || s == "[7~") return MoveTo(0);
  if (s == "[F" || s == "OF" || s == "[4~" || s == "[8~") return MoveTo(text_.size());
  if (s == "[3~") return Erase(cursor_, After(cursor_));
  if (s == "[1;5C" || s == "f") return MoveTo(WordAfter(cursor_));
  if (s == "[1;5D" || s == "b") return MoveTo(WordBefore(cursor_));
  return Event::kNone;
}

LineEditor::Event LineEditor::Control(char byte) {
  switch (byte) {
    case '\r':
    case '\n':
      return Event::kLine;
    case '\t':
      return CompleteWord();
    case Ctrl('C'):
      return Event::kInterrupt;
    case Ctrl('D'):
      return text_.empty() ? Event::kEndOfInput : Erase(cursor_, After(cursor_));
    case Ctrl('H'):
    case 0x7f:
      return Erase(Before(cursor_), cursor_);
    case Ctrl('A'):
      return MoveTo(0);
    case Ctrl('E'):
      return MoveTo(text_.size());
    case Ctrl('B'):
      return MoveTo(Before(cursor_));
    case Ctrl('F'):
      return MoveTo(After(cursor_));
    case Ctrl('P'):
      return MoveInHistory(-1);
    case Ctrl('N'):
      return MoveInHistory(+1);
    case Ctrl('K'):
      return Erase(cursor_, text_.size());
    case Ctrl('U'):
      return Erase(0, cursor_);
    case Ctrl('W'):
      return Erase(WordBefore(cursor_), cursor_);
    default:
      return Event::kNone;
  }
}

LineEditor::Event LineEditor::Insert(char byte) {
  partial_ += byte;
  if (Utf8CompletePrefix(partial_) == 0) return Event::kNone;  // wait for the rest of the character
  const std::string character = Utf8Sanitize(partial_);
  partial_.clear();
  if (text_.size() + character.size() > kMaxLineBytes) return Event::kNone;
  text_.insert(cursor_, character);
  cursor_ += character.size();
  return Event::kChanged;
}

LineEditor::Event LineEditor::CompleteWord() {
  if (!complete_) return Event::kNone;
  Completion completion = complete_(std::string_view(text_).substr(0, cursor_));
  if (completion.choices.empty()) return Event::kNone;
  const std::string common = CommonPrefix(completion.choices);
  if (common.size() > cursor_ - completion.word_begin) {
    text_.replace(completion.word_begin, cursor_ - completion.word_begin, common);
    cursor_ = completion.word_begin + common.size();
    return Event::kChanged;
  }
  choices_ = std::move(completion.choices);
  return choices_.size() > 1 ? Event::kShowChoices : Event::kNone;
}

LineEditor::Event LineEditor::MoveInHistory(int step) {
  if (step < 0 ? history_at_ == 0 : history_at_ >= history_.size()) return Event::kNone;
  if (history_at_ == history_.size()) typed_ = text_;
  history_at_ += static_cast<size_t>(step);
  text_ = history_at_ == history_.size() ? typed_ : history_[history_at_];
  cursor_ = text_.size();
  return Event::kChanged;
}

LineEditor::Event LineEditor::MoveTo(size_t cursor) {
  cursor_ = cursor;
  return Event::kChanged;
}

LineEditor::Event LineEditor::Erase(size_t begin, size_t end) {
  text_.erase(begin, end - begin);
  cursor_ = begin;
  return Event::kChanged;
}

size_t LineEditor::Before(size_t at) const {
  if (at == 0) return 0;
  do {
    --at;
  } while (at > 0 && (static_cast<unsigned char>(text_[at]) & 0xc0) == 0x80);
  return at;
}

size_t LineEditor::After(size_t at) const {
  if (at >= text_.size()) return text_.size();
  return at + std::max<size_t>(1, Utf8Length(std::string_view(text_).substr(at)));
}

size_t LineEditor::WordBefore(size_t at) const {
  while (at > 0 && text_[at - 1] == ' ') --at;
  while (at > 0 && text_[at - 1] != ' ') --at;
  return at;
}

size_t LineEditor::WordAfter(size_t at) const {
  while (at < text_.size() && text_[at] == ' ') ++at;
  while (at < text_.size() && text_[at] != ' ') ++at;
  return at;
}

std::string LineEditor::Draw(std::string_view prompt, int columns) const {
  // History may come from a file: it must not command the terminal either.
  const auto shown = [](std::string_view part) {
    return ReplaceAll(ReplaceAll(NeutraliseControls(part), "\n", "\u21b5"), "\t", " ");
  };
  const int room = std::max(10, columns - DisplayWidth(prompt) - 1);
  size_t begin = 0;
  while (DisplayWidth(shown(std::string_view(text_).substr(begin, cursor_ - begin))) > room) begin = After(begin);
  size_t end = text_.size();
  while (end > cursor_ && DisplayWidth(shown(std::string_view(text_).substr(begin, end - begin))) > room) {
    end = Before(end);
  }
  const int left = DisplayWidth(prompt) + DisplayWidth(shown(std::string_view(text_).substr(begin, cursor_ - begin)));
  std::string out = StrCat("\r\x1b[K", prompt, shown(std::string_view(text_).substr(begin, end - begin)), "\r");
  if (left > 0) out += StrCat("\x1b[", left, "C");
  return out;
}

}  // namespace galago::cli
