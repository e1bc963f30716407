#ifndef GALAGO_CLI_LINE_EDITOR_H_
#define GALAGO_CLI_LINE_EDITOR_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace galago::cli {

// Edits one line from the bytes a terminal sends; draws nothing itself. Text is UTF-8; a pasted line break is kept in
// the line and shown as an arrow.
class LineEditor {
 public:
  enum class Event { kNone, kChanged, kLine, kInterrupt, kEndOfInput, kShowChoices };
  // What may stand in place of the last word of `text` (the line up to the cursor), and where that word begins.
  struct Completion {
    size_t word_begin = 0;
    std::vector<std::string> choices;
  };
  using Complete = std::function<Completion(std::string_view text)>;

  explicit LineEditor(Complete complete = {}) : complete_(std::move(complete)) {}

  // A fresh line; history stays.
  void Begin();
  Event Feed(char byte);
  const std::string& text() const { return text_; }
  size_t cursor() const { return cursor_; }
  const std::vector<std::string>& choices() const { return choices_; }  // after kShowChoices
  std::vector<std::string>& history() { return history_; }

  // Escape codes that draw prompt and line into a row of `columns`, scrolled so that the cursor shows.
  std::string Draw(std::string_view prompt, int columns) const;

 private:
  Event FeedEscape(char byte);
  Event ObeyEscape(std::string_view sequence);
  Event Control(char byte);
  Event Insert(char byte);
  Event CompleteWord();
  Event MoveInHistory(int step);
  Event MoveTo(size_t cursor);
  Event Erase(size_t begin, size_t end);
  size_t Before(size_t at) const;  // start of the character in front of `at`
  size_t After(size_t at) const;   // end of the character at `at`
  size_t WordBefore(size_t at) const;
  size_t WordAfter(size_t at) const;

  Complete complete_;
  std::string text_;
  size_t cursor_ = 0;    // byte offset, on a character boundary
  std::string partial_;  // bytes of a character not complete yet
  std::string escape_;   // escape sequence being received, without the ESC
  bool in_escape_ = false;
  bool pasting_ = false;  // between the marks of a bracketed paste
  std::vector<std::string> choices_;
  std::vector<std::string> history_;
  size_t history_at_ = 0;  // history_.size(): the line being typed
  std::string typed_;      // the line being typed while history is shown
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_LINE_EDITOR_H_
