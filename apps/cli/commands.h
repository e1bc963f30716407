#ifndef GALAGO_CLI_COMMANDS_H_
#define GALAGO_CLI_COMMANDS_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/args.h"
#include "apps/cli/console.h"
#include "apps/cli/engine.h"
#include "apps/cli/exit_codes.h"
#include "apps/cli/line_reader.h"
#include "apps/cli/options.h"
#include "apps/cli/signals.h"

namespace galago::cli {

// All that a command touches of the world.
struct World {
  Engine& engine;
  Output& out;  // results
  Log& log;     // everything else
  Stop& stop;
  std::atomic<bool>& busy;  // true while an answer is being computed
  Surroundings surroundings;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool in_is_terminal = false;
  std::function<StatusOr<std::string>(size_t max_bytes)> read_stdin;
  std::function<std::unique_ptr<LineReader>(const Options&)> make_line_reader;  // of chat
};

Exit RunCommand(World& world, const Options& options);
Exit ChatCommand(World& world, const Options& options);
Exit InspectCommand(World& world, const Options& options);
Exit TokenizeCommand(World& world, const Options& options);
Exit EvalCommand(World& world, const Options& options);
Exit BenchCommand(World& world, const Options& options);
Exit ConvertCommand(World& world, const Options& options);
Exit QuantizeCommand(World& world, const Options& options);
Exit PerplexityCommand(World& world, const Options& options);  // of `eval`
Exit DoctorCommand(World& world, const Options& options);
Exit VersionCommand(World& world, const Options& options);

// The whole program: parses, dispatches, reports. `args` without the program's name.
Exit Main(std::span<const std::string> args, World& world);

// Says what failed, on standard error and, with --json, as an error object on standard output; returns its exit code.
Exit Fail(World& world, bool json, Stage stage, const Status& status, std::string_view request_id = "");

// Writes a result. A reader that has gone away is a quiet success, a full disk is not.
Exit Deliver(World& world, std::string_view text);

// A model ready to answer.
struct Loaded {
  std::unique_ptr<EngineModel> model;
  std::unique_ptr<EngineSession> session;
  MemoryPlan memory;
  LoadReport report;  // empty when no weights were loaded
};
struct Failure {
  Stage stage = Stage::kModel;
  Status status;
};
enum class Weights { kLoad, kSkip };

// The path that `reference` means (model_ref.h); on failure returns nothing and fills `failure`.
std::optional<std::string> LocateModel(World& world, const std::string& reference, Failure& failure);
// Resolves and opens --model, or makes up --shape; on failure returns nullptr and fills `failure`.
std::unique_ptr<EngineModel> OpenModel(World& world, const Options& options, Failure& failure);
// OpenModel, the memory plan (printed, checked), weights and session.
std::unique_ptr<Loaded> Load(World& world, const Options& options, Weights weights, Failure& failure);

// Text of --prompt or --file. InvalidArgument if neither is given.
StatusOr<std::string> ReadPrompt(World& world, const Options& options);
// Text of --system, its @FILE read; empty if the flag is not given.
StatusOr<std::string> ReadSystem(const Options& options);
// --image, --video and --media in their order.
StatusOr<std::vector<Part>> MediaParts(World& world, const Options& options);

// What the engine gets, with the limits that depend on the session filled in.
GenerateOptions GenerateOptionsFor(const Options& options, int64_t ctx_size, const Stop& stop);

// Lines of --stats. load_ms 0 leaves loading out.
std::string StatsText(const GenerateResult& result, double load_ms);

// After an answer that was stopped from outside: what the program ends with.
Exit ExitOfStop(StopCause cause);

}  // namespace galago::cli

#endif  // GALAGO_CLI_COMMANDS_H_
