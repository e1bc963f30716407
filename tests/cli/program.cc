#include "tests/cli/program.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::testing {
namespace {

using Clock = std::chrono::steady_clock;

std::map<std::string, std::string> FullEnvironment(std::map<std::string, std::string> env, const Folder& home) {
  env.emplace("HOME", home.path().string());
  env.emplace("PATH", "/usr/bin:/bin");
  // Leak checking would need ptrace, which test machines may forbid.
  if (const char* options = std::getenv("ASAN_OPTIONS")) env.emplace("ASAN_OPTIONS", options);
  return env;
}

[[noreturn]] void Execute(const std::string& program, const std::vector<std::string>& args,
                          const std::map<std::string, std::string>& env) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<std::string> settings;
  for (const auto& [name, value] : env) settings.push_back(StrCat(name, "=", value));
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  };
  ::execve(program.c_str(), pointers(words).data(), pointers(settings).data());
  ::_exit(127);
}

int ExitCodeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends;
    CHECK_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read = ends[0];
    write = ends[1];
  }
};

void Close(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

size_t Occurrences(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "galago_cli_XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

void Folder::Write(const std::string& name, const std::string& text) const {
  std::filesystem::create_directories((path_ / name).parent_path());
  std::ofstream(path_ / name, std::ios::binary) << text;
}

Outcome RunProgram(const std::string& program, const Call& call, const Folder& home) {
  Pipe in, out, err;
  const auto env = FullEnvironment(call.env, home);
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child == 0) {
    ::dup2(in.read, 0);
    ::dup2(out.write, 1);
    ::dup2(err.write, 2);
    if (!call.stdout_file.empty()) ::dup2(::open(call.stdout_file.c_str(), O_WRONLY | O_CLOEXEC), 1);
    if (call.file_size_limit) {
      const rlimit limit = {*call.file_size_limit, *call.file_size_limit};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    Execute(program, call.args, env);
  }
  Close(in.read);
  Close(out.write);
  Close(err.write);
  // Inputs of these tests are smaller than a pipe.
  CHECK(call.input.size() < 60'000);
  if (!call.input.empty()) {
    CHECK_EQ(::write(in.write, call.input.data(), call.input.size()), static_cast<ssize_t>(call.input.size()));
  }
  Close(in.write);
  Outcome outcome;
  size_t signals_sent = 0;
  const auto end = Clock::now() + std::chrono::seconds(60);
  while (out.read >= 0 || err.read >= 0) {
    std::array<pollfd, 2> fds = {{{out.read, POLLIN, 0}, {err.read, POLLIN, 0}}};
    if (Clock::now() > end) ::kill(child, SIGKILL);
    if (::poll(fds.data(), fds.size(), 1000) <= 0) continue;
    const auto take = [](int& fd, const pollfd& event, std::string& text) {
      if (fd < 0 || event.revents == 0) return;
      std::array<char, 4096> chunk;
      const ssize_t got = ::read(fd, chunk.data(), chunk.size());
      if (got > 0) {
        text.append(chunk.data(), static_cast<size_t>(got));
      } else {
        Close(fd);
      }
    };
    take(out.read, fds[0], outcome.out);
    take(err.read, fds[1], outcome.err);
    if (call.close_stdout_early && !outcome.out.empty()) Close(out.read);
    while (signals_sent < call.signals.size() && Occurrences(outcome.out, call.signal_after) > signals_sent) {
      ::kill(child, call.signals[signals_sent++]);
    }
  }
  int status = 0;
  CHECK_EQ(::waitpid(child, &status, 0), child);
  outcome.exit_code = ExitCodeOf(status);
  return outcome;
}

TerminalSession::TerminalSession(const std::string& program, const std::vector<std::string>& args,
                                 const std::map<std::string, std::string>& env, const Folder& home) {
  const auto full = FullEnvironment(env, home);
  const winsize size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  child_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
  CHECK(child_ >= 0);
  if (child_ == 0) Execute(program, args, full);
}

TerminalSession::~TerminalSession() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    Wait();
  }
  Close(terminal_);
}

void TerminalSession::Type(const std::string& bytes) {
  CHECK_EQ(::write(terminal_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

bool TerminalSession::ReadMore(int timeout_ms) {
  pollfd event = {terminal_, POLLIN, 0};
  if (::poll(&event, 1, timeout_ms) <= 0) return false;
  std::array<char, 4096> chunk;
  const ssize_t got = ::read(terminal_, chunk.data(), chunk.size());
  if (got <= 0) return false;  // EIO: the program has gone
  screen_.append(chunk.data(), static_cast<size_t>(got));
  return true;
}

bool TerminalSession::Expect(const std::string& text) {
  const auto end = Clock::now() + std::chrono::seconds(20);
  for (;;) {
    const size_t at = screen_.find(text, seen_);
    if (at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0 || !ReadMore(static_cast<int>(left))) return false;
  }
}

int TerminalSession::Wait() {
  while (ReadMore(20'000)) continue;
  int status = 0;
  CHECK_EQ(::waitpid(child_, &status, 0), child_);
  child_ = -1;
  return ExitCodeOf(status);
}

bool TerminalSession::IsRaw() const {
  termios now = {};
  CHECK_EQ(::tcgetattr(terminal_, &now), 0);
  return (now.c_lflag & ICANON) == 0;
}

void TerminalSession::Signal(int signal) { ::kill(child_, signal); }

}  // namespace galago::testing
