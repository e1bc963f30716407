#include "apps/cli/line_editor.h"

#include <gtest/gtest.h>

#include <array>

#include "apps/cli/line_reader.h"
#include "apps/cli/terminal.h"

namespace galago::cli {
namespace {

LineEditor::Event Type(LineEditor& editor, std::string_view bytes) {
  LineEditor::Event event = LineEditor::Event::kNone;
  for (const char byte : bytes) event = editor.Feed(byte);
  return event;
}

TEST(LineEditor, InsertsMovesAndErases) {
  LineEditor editor;
  editor.Begin();
  EXPECT_EQ(Type(editor, "helo\x1b[D"), LineEditor::Event::kChanged);
  Type(editor, "l");
  EXPECT_EQ(editor.text(), "hello");
  Type(editor, "\x01> \x05!");
  EXPECT_EQ(editor.text(), "> hello!");
  Type(editor, "\x17");  // Ctrl-W
  EXPECT_EQ(editor.text(), "> ");
  Type(editor, "\x15");  // Ctrl-U
  EXPECT_EQ(editor.text(), "");
  EXPECT_EQ(Type(editor, "\r"), LineEditor::Event::kLine);
}

TEST(LineEditor, TreatsACharacterAsAWhole) {
  LineEditor editor;
  editor.Begin();
  Type(editor, "a\u00e9\u72ac");
  Type(editor, "\x7f");
  EXPECT_EQ(editor.text(), "a\u00e9");
  Type(editor, "\x1b[D\x1b[3~");
  EXPECT_EQ(editor.text(), "a");
  EXPECT_EQ(editor.cursor(), 1u);
  Type(editor, "\xff");
  EXPECT_EQ(editor.text(), "a\ufffd");
}

TEST(LineEditor, EndAndInterrupt) {
  LineEditor editor;
  editor.Begin();
  EXPECT_EQ(Type(editor, "\x04"), LineEditor::Event::kEndOfInput);
  Type(editor, "ab\x01");
  EXPECT_EQ(Type(editor, "\x04"), LineEditor::Event::kChanged);  // erases when there is text
  EXPECT_EQ(editor.text(), "b");
  EXPECT_EQ(Type(editor, "\x03"), LineEditor::Event::kInterrupt);
}

TEST(LineEditor, HistoryKeepsTheLineBeingTyped) {
  LineEditor editor;
  editor.history() = {"one", "two"};
  editor.Begin();
  Type(editor, "new\x1b[A");
  EXPECT_EQ(editor.text(), "two");
  Type(editor, "\x1b[A\x1b[A");
  EXPECT_EQ(editor.text(), "one");
  Type(editor, "\x1b[B\x1b[B\x1b[B");
  EXPECT_EQ(editor.text(), "new");
}

TEST(LineEditor, APastedLineBreakDoesNotSend) {
  LineEditor editor;
  editor.Begin();
  EXPECT_NE(Type(editor, "\x1b[200~a\rb\x1b[201~"), LineEditor::Event::kLine);
  EXPECT_EQ(editor.text(), "a\nb");
  EXPECT_EQ(Type(editor, "\r"), LineEditor::Event::kLine);
}

TEST(LineEditor, UnknownSequencesAreSwallowed) {
  LineEditor editor;
  editor.Begin();
  Type(editor, "a\x1b[19~\x1b[1;3Pb\x1bxc");
  EXPECT_EQ(editor.text(), "abc");
}

TEST(LineEditor, CompletesCommonPartThenShowsChoices) {
  const std::array<std::string, 3> commands = {"/save", "/set", "/stats"};
  LineEditor editor([&](std::string_view text) { return CompleteChatLine(text, commands); });
  editor.Begin();
  EXPECT_EQ(Type(editor, "/s\t"), LineEditor::Event::kShowChoices);
  EXPECT_EQ(editor.choices().size(), 3u);
  EXPECT_EQ(Type(editor, "a\t"), LineEditor::Event::kChanged);
  EXPECT_EQ(editor.text(), "/save ");
}

TEST(LineEditor, DrawsWithinTheRowAndHidesControls) {
  LineEditor editor;
  editor.history() = {"x\x1b[31my"};
  editor.Begin();
  Type(editor, "\x1b[A");
  EXPECT_EQ(editor.Draw("> ", 80), "\r\x1b[K> x\ufffd[31my\r\x1b[9C");
  editor.Begin();
  Type(editor, std::string(200, 'a'));
  const std::string drawn = editor.Draw("> ", 40);
  EXPECT_EQ(drawn, "\r\x1b[K> " + std::string(37, 'a') + "\r\x1b[39C");
}

TEST(HistoryPath, FollowsXdg) {
  const auto with = [](const char* name, const char* value) {
    return HistoryPath(
        [=](const std::string& wanted) { return wanted == name ? std::optional<std::string>(value) : std::nullopt; });
  };
  EXPECT_EQ(with("XDG_STATE_HOME", "/s"), "/s/galago/chat_history");
  EXPECT_EQ(with("HOME", "/h"), "/h/.local/state/galago/chat_history");
  EXPECT_EQ(with("OTHER", ""), "");
}

}  // namespace
}  // namespace galago::cli
