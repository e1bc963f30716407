#ifndef GALAGO_CLI_OPTIONS_H_
#define GALAGO_CLI_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/cli/console.h"
#include "apps/cli/terminal.h"
#include "galago/bench.h"
#include "galago/message.h"
#include "galago/model.h"
#include "galago/quantize.h"
#include "galago/session.h"

namespace galago::cli {

enum class Command { kRun, kChat, kInspect, kTokenize, kEval, kBench, kConvert, kQuantize, kDoctor, kVersion, kHelp };

enum class ProgressMode { kAuto, kBar, kPlain, kJson, kNone };

// One --image, --video or --media, in the order given. No kind: found from the bytes.
struct MediaItem {
  std::optional<PartKind> kind;
  std::string source;
  bool operator==(const MediaItem&) const = default;
};

struct PromptSource {
  bool is_file = false;
  std::string value;  // the text, or the file's name ("-" is standard input)
  int layer = 0;      // which configuration layer gave it
};

// Flags that only `eval` has. Files: empty for none, "-" for standard output.
struct EvalOptions {
  std::string split;  // empty: heldout, or what the directory holds
  std::vector<std::string> tasks;
  int64_t limit = 0;  // questions a task; 0: all
  std::string json, html, csv;
  std::string results;  // JSON lines of answers
  bool resume = false;
  bool questions = false;  // in the JSON document too
  bool markdown = false;
  bool kinds = false;  // in comparisons
  int64_t failures = 12;
  std::vector<std::pair<std::string, double>> minima;
  // Of `eval perplexity`.
  int64_t window = 2048;
  int64_t windows = 0;  // 0: all
  std::string against;  // the model to compare with; empty: none
};

// Flags that only `quantize` has.
struct QuantizeFlags {
  QuantizeOptions work;                  // but for what the calibration files hold
  std::vector<std::string> calibration;  // files and directories
};

// What `bench` measures of a model.
enum class BenchStageKind { kLoad, kTower, kPrefill, kDecode, kPicture, kLimits };

struct PictureSize {
  int64_t width = 0, height = 0;
  bool operator==(const PictureSize&) const = default;
};

// Flags that only `bench` has.
struct BenchOptions {
  bool limits = false;       // of the machine, for every number of threads
  bool list_shapes = false;  // name them and nothing else
  std::string shape;         // a published checkpoint's dimensions with random weights, in place of --model
  RandomModelOptions random;
  std::vector<BenchStageKind> stages;  // empty: all
  std::vector<int64_t> prefill = {128, 512, 1024};
  std::vector<int64_t> depths = {0, 1024};
  std::vector<int64_t> tiles = {1};
  std::vector<PictureSize> pictures = {{448, 448}, {1344, 896}};
  int64_t repeats = 5, warmup = 2;
  int64_t steps = 32;  // decoded tokens of a repeat
  std::string svg;     // file, or - for standard output; empty: none
};

// Every flag of every command, after defaults, configuration files, environment and command line.
struct Options {
  // Program.
  LogLevel log_level = LogLevel::kInfo;
  ColorMode color = ColorMode::kAuto;
  ProgressMode progress = ProgressMode::kAuto;
  bool json = false;
  double timeout_s = 0;  // 0: none

  // Model, device, context.
  std::string model;
  ModelOptions model_options;
  SessionOptions session;
  uint64_t memory_limit = 0;  // 0: what the system says is free
  bool force = false;         // load although the memory plan does not fit

  // Prompt and media.
  std::optional<PromptSource> prompt;
  std::optional<std::string> system;  // text, or @FILE
  std::vector<MediaItem> media;
  MediaOptions media_options{.exif = Exif::kAuto, .alpha = Alpha::kWhite};

  // Answer. max_tokens -1: until the context is full.
  GenerateOptions generate;

  EvalOptions eval;
  BenchOptions bench;
  QuantizeFlags quantize;

  std::string output;  // of convert and quantize

  bool stats = false;
  bool dry_run = false;
  bool no_history = false;
  bool no_special = false;
  std::optional<std::string> decode;
  std::vector<std::string> arguments;  // what is not a flag

  int layer = 0;                      // the configuration layer being applied
  std::vector<std::string> warnings;  // about the flags themselves
};

// Greedy for run; temperature 0.2 and top-p 0.9 for chat, as the reference's server (NVlabs/VILA: server.py).
Options DefaultOptions(Command command);

}  // namespace galago::cli

#endif  // GALAGO_CLI_OPTIONS_H_
