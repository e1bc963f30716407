#ifndef GALAGO_TESTS_CLI_PROGRAM_H_
#define GALAGO_TESTS_CLI_PROGRAM_H_

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Runs the program under test (GALAGO_PROGRAM) and watches it from outside.
namespace galago::testing {

// A directory that goes away with its owner.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  void Write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

struct Call {
  std::vector<std::string> args;
  std::string input;                       // standard input, then its end
  std::map<std::string, std::string> env;  // besides PATH and a HOME of its own
  std::optional<size_t> file_size_limit;   // writes beyond it fail, as on a full disk
  std::vector<int> signals;                // one sent each time...
  std::string signal_after;                // ...this has appeared on standard output once more
  bool close_stdout_early = false;         // the reader goes away after the first bytes
  std::string stdout_file;                 // instead of a pipe
};

struct Outcome {
  int exit_code = -1;  // -signal if one killed it
  std::string out, err;
};

// Ends the program after a minute (exit_code -9).
Outcome RunProgram(const std::string& program, const Call& call, const Folder& home);

// The program on a terminal of its own.
class TerminalSession {
 public:
  TerminalSession(const std::string& program, const std::vector<std::string>& args,
                  const std::map<std::string, std::string>& env, const Folder& home);
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;
  ~TerminalSession();

  void Type(const std::string& bytes);
  // Waits until the screen has shown `text` after what was expected before; false after twenty seconds.
  bool Expect(const std::string& text);
  int Wait();
  bool IsRaw() const;  // whether the terminal delivers keys one by one
  void Signal(int signal);
  const std::string& screen() const { return screen_; }

 private:
  bool ReadMore(int timeout_ms);
  pid_t child_ = -1;
  int terminal_ = -1;
  std::string screen_;
  size_t seen_ = 0;
};

}  // namespace galago::testing

#endif  // GALAGO_TESTS_CLI_PROGRAM_H_
