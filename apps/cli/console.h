#ifndef GALAGO_CLI_CONSOLE_H_
#define GALAGO_CLI_CONSOLE_H_

#include <string>
#include <string_view>

#include "galago/status.h"

// The two output streams: results on one, everything said about them on the other.
namespace galago::cli {

// Where bytes go. FailedPrecondition: the reader has gone away (a closed pipe), which is no reason to complain.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status Write(std::string_view bytes) = 0;
};

class FileOutput : public Output {
 public:
  explicit FileOutput(int fd, std::string_view name) : fd_(fd), name_(name) {}
  Status Write(std::string_view bytes) override;

 private:
  int fd_;
  std::string_view name_;
};

class StringOutput : public Output {
 public:
  Status Write(std::string_view bytes) override {
    text_ += bytes;
    return OkStatus();
  }
  const std::string& text() const { return text_; }
  void clear() { text_.clear(); }

 private:
  std::string text_;
};

enum class LogLevel { kError, kWarning, kInfo, kDebug };

// Messages for the person, one line each, on standard error. Losing one is not a failure of the command.
class Log {
 public:
  explicit Log(Output& out) : out_(out) {}
  void set_level(LogLevel level) { level_ = level; }
  void set_color(bool color) { color_ = color; }
  LogLevel level() const { return level_; }
  bool color() const { return color_; }

  void Error(std::string_view message) { Say(LogLevel::kError, message); }
  void Warning(std::string_view message) { Say(LogLevel::kWarning, message); }
  void Info(std::string_view message) { Say(LogLevel::kInfo, message); }
  void Debug(std::string_view message) { Say(LogLevel::kDebug, message); }
  // As is, without prefix and at every level: what was asked for, such as statistics.
  void Print(std::string_view text);

 private:
  void Say(LogLevel level, std::string_view message);
  Output& out_;
  LogLevel level_ = LogLevel::kInfo;
  bool color_ = false;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_CONSOLE_H_
