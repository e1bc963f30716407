#include <unistd.h>

#include <cstdlib>
#include <exception>

#include "apps/cli/chat_state.h"
#include "apps/cli/commands.h"
#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

std::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int RunProgram(int argc, char** argv) {
  FileOutput out(STDOUT_FILENO, "standard output"), err(STDERR_FILENO, "standard error");
  Log log(err);
  Stop stop;
  SignalWatcher signals(stop);
  const std::unique_ptr<Engine> engine = MakeEngine();
  World world{.engine = *engine,
              .out = out,
              .log = log,
              .stop = stop,
              .busy = signals.busy(),
              .surroundings = {.env = Variable},
              .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
              .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
              .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
              .read_stdin = ReadStandardInput,
              .make_line_reader = {}};
  world.make_line_reader = [&](const Options& options) -> std::unique_ptr<LineReader> {
    if (!world.in_is_terminal || !world.err_is_terminal) return std::make_unique<PipeReader>(STDIN_FILENO);
    return std::make_unique<TerminalReader>(
        STDIN_FILENO, err, signals, options.no_history ? std::filesystem::path() : HistoryPath(Variable),
        [](std::string_view text) { return CompleteChatLine(text, ChatState::CommandNames()); });
  };
  const std::vector<std::string> args(argv + 1, argv + argc);
  return static_cast<int>(Main(args, world));
}

}  // namespace
}  // namespace galago::cli

int main(int argc, char** argv) {
  using galago::StrCat;
  using galago::cli::Exit;
  using galago::cli::FileOutput;
  // The code here throws nothing; the standard library may still run out of memory.
  try {
    return galago::cli::RunProgram(argc, argv);
  } catch (const std::bad_alloc&) {
    FileOutput(STDERR_FILENO, "standard error").Write("error: out of memory\n").IgnoreError();
    return static_cast<int>(Exit::kResources);
  } catch (const std::exception& error) {
    const auto* refused = dynamic_cast<const std::system_error*>(&error);
    if (refused != nullptr && refused->code() == std::errc::resource_unavailable_try_again) {
      FileOutput(STDERR_FILENO, "standard error")
          .Write("error: the system gives no more threads; use fewer with --threads\n")
          .IgnoreError();
      return static_cast<int>(Exit::kResources);
    }
    FileOutput(STDERR_FILENO, "standard error")
        .Write(StrCat("error: internal failure: ", error.what(), "\n"))
        .IgnoreError();
    return static_cast<int>(Exit::kInternal);
  }
}
