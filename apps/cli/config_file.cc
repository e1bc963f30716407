#include "apps/cli/config_file.h"

#include <algorithm>
#include <cctype>

#include "src/base/strings.h"

namespace galago::cli {
namespace {

bool IsBare(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; }

class Parser {
 public:
  Parser(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  StatusOr<std::vector<ConfigEntry>> Parse() {
    std::vector<ConfigEntry> entries;
    std::string section;
    for (;;) {
      SkipBlank(/*lines=*/true);
      if (AtEnd()) return entries;
      if (Accept('[')) {
        SkipBlank(false);
        section = BareWord();
        SkipBlank(false);
        if (section.empty() || !Accept(']')) return Bad("a section is written [name]");
      } else {
        ASSIGN_OR_RETURN(ConfigEntry entry, ParseEntry());
        entry.section = section;
        const auto same = [&](const ConfigEntry& e) { return e.section == entry.section && e.key == entry.key; };
        if (const auto first = std::find_if(entries.begin(), entries.end(), same); first != entries.end()) {
          return Bad(StrCat("'", entry.key, "' was already set in line ", first->line));
        }
        entries.push_back(std::move(entry));
      }
      SkipBlank(false);
      if (!AtEnd() && !Accept('\n')) return Bad("one setting a line");
    }
  }

 private:
  bool AtEnd() const { return position_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  bool Accept(char c) {
    if (AtEnd() || text_[position_] != c) return false;
    if (c == '\n') ++line_;
    ++position_;
    return true;
  }
  Status Bad(std::string_view why) const { return InvalidArgument(StrCat(what_, ":", line_, ": ", why)); }

  // White space and comments; new lines too if `lines`.
  void SkipBlank(bool lines) {
    for (;;) {
      if (Accept(' ') || Accept('\t') || Accept('\r') || (lines && Accept('\n'))) continue;
      if (Peek() != '#') return;
      while (!AtEnd() && Peek() != '\n') ++position_;
    }
  }

  std::string BareWord() {
    const size_t begin = position_;
    while (IsBare(Peek())) ++position_;
    return std::string(text_.substr(begin, position_ - begin));
  }

  StatusOr<ConfigEntry> ParseEntry() {
    ConfigEntry entry;
    entry.line = line_;
    if (Peek() == '"' || Peek() == '\'') {
      ASSIGN_OR_RETURN(entry.key, ParseString());
    } else {
      entry.key = BareWord();
    }
    std::replace(entry.key.begin(), entry.key.end(), '_', '-');
    SkipBlank(false);
    if (entry.key.empty() || !Accept('=')) return Bad("a setting is written key = value");
    SkipBlank(false);
    if (!Accept('[')) {
      ASSIGN_OR_RETURN(std::string value, ParseScalar());
      entry.values.push_back(std::move(value));
      return entry;
    }
    for (;;) {
      SkipBlank(true);
      if (Accept(']')) return entry;
      ASSIGN_OR_RETURN(std::string value, ParseScalar());
      entry.values.push_back(std::move(value));
      SkipBlank(true);
      if (!Accept(',') && Peek() != ']') return Bad("the values of an array are separated by commas and end with ]");
    }
  }

  // A string, or the spelling of a number or truth value; whether it suits is for the flag to say.
  StatusOr<std::string> ParseScalar() {
    if (Peek() == '"' || Peek() == '\'') return ParseString();
    const size_t begin = position_;
    while (IsBare(Peek()) || Peek() == '+' || Peek() == '.') ++position_;
    std::string word(text_.substr(begin, position_ - begin));
    const bool number = !word.empty() && (std::isdigit(static_cast<unsigned char>(word[0])) || word[0] == '-' ||
                                          word[0] == '+' || word[0] == '.');
    if (!number && word != "true" && word != "false") {
      return Bad("a value is a number, true, false, or a text in quotes");
    }
    return word;
  }

  StatusOr<std::string> ParseString() {
    const char quote = Peek();
    ++position_;
    std::string out;
    for (;;) {
      if (AtEnd() || Peek() == '\n') return Bad(StrCat("a ", quote, " is not closed"));
      const char c = text_[position_++];
      if (c == quote) return out;
      if (c != '\\' || quote == '\'') {
        out += c;
        continue;
      }
      const char escape = Peek();
      if (!AtEnd()) ++position_;
      switch (escape) {
        case 'n':
          out += '\n';
          break;
        case 't':
          out += '\t';
          break;
        case '\\':
        case '"':
          out += escape;
          break;
        default:
          return Bad("only \\n, \\t, \\\\ and \\\" are known after a backslash; '...' takes text as it is");
      }
    }
  }

  std::string_view text_;
  std::string_view what_;
  size_t position_ = 0;
  int line_ = 1;
};

}  // namespace

StatusOr<std::vector<ConfigEntry>> ParseConfig(std::string_view text, std::string_view what) {
  return Parser(text, what).Parse();
}

}  // namespace galago::cli
