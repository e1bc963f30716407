#include "apps/cli/world_maker.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "src/base/check.h"
#include "src/base/strings.h"

extern char** environ;

namespace galago::cli {
namespace {

namespace fs = std::filesystem;

// How to start the other program: what it says goes to our standard error, and signals act on it as on any program,
// although this one blocks and ignores some.
class SpawnSettings {
 public:
  SpawnSettings() {
    CHECK_EQ(posix_spawn_file_actions_init(&actions_), 0);
    CHECK_EQ(posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO), 0);
    CHECK_EQ(posix_spawnattr_init(&attributes_), 0);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) sigaddset(&defaults, signal);
    CHECK_EQ(posix_spawnattr_setsigmask(&attributes_, &none), 0);
    CHECK_EQ(posix_spawnattr_setsigdefault(&attributes_, &defaults), 0);
    CHECK_EQ(posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF), 0);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Status Run(const fs::path& program, std::vector<std::string> arguments, const Stop& stop) {
  arguments.insert(arguments.begin(), program.string());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const SpawnSettings settings;
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, program.c_str(), settings.actions(), settings.attributes(), argv.data(), environ);
  if (error != 0) return Unavailable(StrCat(program.string(), ": cannot start: ", std::strerror(error)));
  int state = 0;
  for (bool asked = false; ::waitpid(child, &state, WNOHANG) == 0;) {
    if (stop.cancel() && !asked) {
      ::kill(child, SIGTERM);
      asked = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (stop.cancel()) return Cancelled("stopped while World was made");
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return OkStatus();
  return Unavailable(StrCat(program.string(), " world: ended with ", WIFEXITED(state) ? "exit code " : "signal ",
                            WIFEXITED(state) ? WEXITSTATUS(state) : WTERMSIG(state)));
}

}  // namespace

StatusOr<fs::path> WorldCacheDir(const GetEnv& env, const std::string& split) {
  fs::path cache = env("XDG_CACHE_HOME").value_or("");
  if (cache.empty()) {
    const std::string home = env("HOME").value_or("");
    if (home.empty()) {
      return FailedPrecondition("neither XDG_CACHE_HOME nor HOME says where the cache is: name a World directory");
    }
    cache = fs::path(home) / ".cache";
  }
  return cache / "galago" / "world" / StrCat(split, "-v2");
}

fs::path SiblingProgram(const std::string& name) {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path() / name;
}

Status MakeWorld(const fs::path& program, const std::string& split, const fs::path& dir, const Stop& stop) {
  if (::access(program.c_str(), X_OK) != 0) {
    return NotFound(
        StrCat("there is no World in ", dir.string(), ", and ", program.string(),
               ", which makes it, is missing: build galago with GALAGO_WITH_TORCH, or name a directory that "
               "'galago-train world DIR --split ",
               split, " --preset eval' made elsewhere"));
  }
  std::error_code error;
  fs::create_directories(dir.parent_path(), error);
  if (error) return Unavailable(StrCat(dir.parent_path().string(), ": cannot make the folder: ", error.message()));
  const fs::path partial = StrCat(dir.string(), ".", ::getpid(), ".partial");
  fs::remove_all(partial, error);
  const Status made = Run(program, {"world", partial.string(), "--split", split, "--preset", "eval"}, stop);
  if (made.ok()) {
    fs::rename(partial, dir, error);
    if (!error) return OkStatus();
  }
  std::error_code ignored;
  fs::remove_all(partial, ignored);
  RETURN_IF_ERROR(made);
  // Another process may have been first: its World is as good.
  if (fs::exists(dir / "world.json", ignored)) return OkStatus();
  return Unavailable(StrCat(dir.string(), ": cannot rename to it: ", error.message()));
}

}  // namespace galago::cli
