#include "apps/cli/flags.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "apps/cli/bench_flags.h"
#include "apps/cli/eval_flags.h"
#include "apps/cli/quantize_flags.h"
#include "apps/cli/values.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();

using Setter = std::function<Status(Options&, const std::string&)>;
template <class T>
using Access = T& (*)(Options&);

Setter SetInt(Access<int64_t> access, int64_t min, int64_t max = kMaxInt) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(access(options), ParseInt(text, min, max));
    return OkStatus();
  };
}

Setter SetFloat(Access<float> access, double min, double max) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(const double value, ParseNumber(text, min, max));
    access(options) = static_cast<float>(value);
    return OkStatus();
  };
}

Setter SetBool(Access<bool> access) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(access(options), ParseBool(text));
    return OkStatus();
  };
}

Setter SetText(Access<std::string> access) {
  return [=](Options& options, const std::string& text) -> Status {
    access(options) = text;
    return OkStatus();
  };
}

Setter SetOptionalInt(Access<std::optional<int64_t>> access, int64_t min, int64_t max) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(access(options), ParseInt(text, min, max));
    return OkStatus();
  };
}

Setter SetTime(Access<std::optional<double>> access) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(const double seconds, ParseTimestamp(text));
    constexpr int64_t kMax = MediaOptions::kMaxSecond;
    if (seconds > static_cast<double>(kMax)) {
      return InvalidArgument(StrCat(Printable(text), " lies outside 0 to ", kMax, " seconds"));
    }
    access(options) = seconds;
    return OkStatus();
  };
}

template <class T>
struct Choice {
  const char* name;
  T value;
};

template <class T, size_t N>
Setter SetChoice(Access<T> access, std::array<Choice<T>, N> choices) {
  return [=](Options& options, const std::string& text) -> Status {
    std::string known;
    for (const Choice<T>& choice : choices) {
      if (text == choice.name) {
        access(options) = choice.value;
        return OkStatus();
      }
      known += StrCat(known.empty() ? "" : ", ", choice.name);
    }
    return InvalidArgument(StrCat("'", Printable(text), "' is none of ", known));
  };
}

template <class T, size_t N>
std::string NameOfChoice(T value, const std::array<Choice<T>, N>& choices) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return "?";
}

constexpr std::array<Choice<Exif>, 2> kExif = {{{"auto", Exif::kAuto}, {"ignore", Exif::kIgnore}}};
constexpr std::array<Choice<Alpha>, 3> kAlpha = {
    {{"drop", Alpha::kDrop}, {"white", Alpha::kWhite}, {"black", Alpha::kBlack}}};
constexpr std::array<Choice<Aspect>, 4> kAspect = {
    {{"model", Aspect::kModel}, {"crop", Aspect::kCrop}, {"resize", Aspect::kResize}, {"pad", Aspect::kPad}}};
constexpr std::array<Choice<Precision>, 3> kPrecision = {
    {{"f32", Precision::kF32}, {"bf16", Precision::kBf16}, {"int8", Precision::kInt8}}};
constexpr std::array<Choice<Vila15>, 3> kVila15 = {
    {{"eraA", Vila15::kEraA}, {"eraA-aug", Vila15::kEraAAug2024}, {"eraB", Vila15::kEraB}}};
constexpr std::array<Choice<ColorMode>, 3> kColor = {
    {{"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}}};
constexpr std::array<Choice<ProgressMode>, 5> kProgress = {{{"auto", ProgressMode::kAuto},
                                                            {"bar", ProgressMode::kBar},
                                                            {"plain", ProgressMode::kPlain},
                                                            {"json", ProgressMode::kJson},
                                                            {"none", ProgressMode::kNone}}};
constexpr std::array<Choice<LogLevel>, 4> kLogLevel = {{{"error", LogLevel::kError},
                                                        {"warning", LogLevel::kWarning},
                                                        {"info", LogLevel::kInfo},
                                                        {"debug", LogLevel::kDebug}}};

Status SetPrompt(Options& options, PromptSource source) {
  source.layer = options.layer;
  if (options.prompt && options.prompt->layer == source.layer && options.prompt->is_file != source.is_file) {
    return InvalidArgument("--prompt and --file exclude each other");
  }
  options.prompt = std::move(source);
  return OkStatus();
}

Setter AddMedia(std::optional<PartKind> kind) {
  return [=](Options& options, const std::string& text) -> Status {
    if (text.empty()) return InvalidArgument("a file name is needed");
    options.media.push_back({kind, text});
    return OkStatus();
  };
}

Status AddLogitBias(Options& options, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    return InvalidArgument(StrCat("'", Printable(text), "' is not of the form ID=BIAS"));
  }
  ASSIGN_OR_RETURN(const int64_t id, ParseInt(text.substr(0, equals), 0, std::numeric_limits<int32_t>::max()));
  // -inf is how a token is forbidden.
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  ASSIGN_OR_RETURN(const double bias, ParseNumber(text.substr(equals + 1), -kInfinity, 1e6));
  options.generate.sampling.logit_bias[static_cast<int32_t>(id)] = static_cast<float>(bias);
  return OkStatus();
}

Status SetSeed(Options& options, const std::string& text) {
  int64_t seed = -1;
  if (text != "random") {
    ASSIGN_OR_RETURN(seed, ParseInt(text, -1, kMaxInt));
  }
  options.generate.sampling.seed.reset();
  if (seed >= 0) options.generate.sampling.seed = static_cast<uint64_t>(seed);
  return OkStatus();
}

std::string ShowInt(const std::optional<int64_t>& value) { return value ? StrCat(*value) : "model"; }
std::string ShowSeconds(const std::optional<double>& value, std::string_view otherwise) {
  return value ? StrCat(*value) : std::string(otherwise);
}

// Appends flags group by group.
class Table {
 public:
  void Group(std::string group, std::vector<Command> commands) {
    group_ = std::move(group);
    commands_ = std::move(commands);
  }
  Flag& Add(std::vector<std::string> names, std::string value, std::string help, Setter set) {
    flags_.push_back({.names = std::move(names),
                      .value = std::move(value),
                      .help = std::move(help),
                      .group = group_,
                      .commands = commands_,
                      .set = std::move(set)});
    return flags_.back();
  }
  std::vector<Flag> Take() { return std::move(flags_); }

 private:
  std::vector<Flag> flags_;
  std::string group_;
  std::vector<Command> commands_;
};

void AddModelFlags(Table& table) {
  table.Group("Model", {Command::kRun, Command::kChat, Command::kTokenize, Command::kInspect, Command::kEval,
                        Command::kBench, Command::kConvert, Command::kQuantize});
  Flag& model =
      table.Add({"-m", "--model"}, "REF", "directory, .gguf or .galago file, or hf:OWNER/NAME from the local hub cache",
                SetText([](Options& o) -> std::string& { return o.model; }));
  model.aliases = {"--model-path"};
  model.common = true;
  table
      .Add({"--hf-repo"}, "OWNER/NAME", "the same as --model hf:OWNER/NAME",
           [](Options& o, const std::string& text) {
             o.model = StrCat("hf:", text);
             return OkStatus();
           })
      .aliases = {"-hf", "-hfr"};
  table.Add({"--mmproj"}, "FILE", "the picture half of a GGUF pair",
            SetText([](Options& o) -> std::string& { return o.model_options.mmproj; }));
  table.Add({"--chat-template"}, "NAME", "built-in prompt template (default: the checkpoint's)",
            SetText([](Options& o) -> std::string& { return o.model_options.chat_template; }));
  table.Add({"--vila15-compat"}, "ERA", "which reference behaviour a VILA-1.5 checkpoint gets: eraA, eraA-aug, eraB",
            SetChoice<Vila15>([](Options& o) -> Vila15& { return o.model_options.vila15; }, kVila15));
  table.Add({"--conv-mode"}, "NAME", "ignored: the checkpoint knows its own template",
            [](Options& o, const std::string&) {
              o.warnings.push_back("--conv-mode is ignored: the checkpoint knows its own template");
              return OkStatus();
            });

  table.Group("Model", {Command::kRun, Command::kChat, Command::kEval, Command::kConvert});
  table.Add({"--adapter"}, "DIR", "an adapter in PEFT's format, added to the weights of a model directory",
            [](Options& o, const std::string& text) -> Status {
              if (text.empty()) return InvalidArgument("--adapter: which folder?");
              o.model_options.adapter = text;
              return OkStatus();
            });

  table.Group("Device and memory", {Command::kRun, Command::kChat, Command::kEval, Command::kBench});
  table.Add({"--precision"}, "TYPE",
            "f32 (reference arithmetic), bf16 (default), or int8 in front of quantised weights",
            SetChoice<Precision>([](Options& o) -> Precision& { return o.model_options.precision; }, kPrecision));
  Flag& threads = table.Add({"-t", "--threads"}, "N", "computing threads; 0: one per usable core",
                            [](Options& o, const std::string& text) -> Status {
                              ASSIGN_OR_RETURN(const int64_t threads, ParseInt(text, 0, 1024));
                              o.session.threads = static_cast<int>(threads);
                              return OkStatus();
                            });
  threads.common = true;
  threads.commands.push_back(Command::kQuantize);
  Flag& ctx = table.Add({"-c", "--ctx-size"}, "N", "tokens of context; 0: the model's own limit",
                        SetInt([](Options& o) -> int64_t& { return o.session.ctx_size; }, 0, int64_t{1} << 32));
  ctx.aliases = {"--max-context-len"};
  ctx.common = true;
  table
      .Add({"--prefill-chunk"}, "N", "prompt tokens computed at once; never changes the answer (default 512)",
           SetInt([](Options& o) -> int64_t& { return o.session.prefill_chunk; }, 1, int64_t{1} << 20))
      .aliases = {"-b", "--batch-size"};
  table
      .Add({"--isa"}, "NAME", "kernel family to force, such as ref or avx2 (galago doctor lists them)",
           SetText([](Options& o) -> std::string& { return o.session.isa; }))
      .commands.push_back(Command::kQuantize);
  table.Add({"--memory-limit"}, "SIZE", "memory the plan may fill, such as 6G (default: what is free)",
            [](Options& o, const std::string& text) -> Status {
              ASSIGN_OR_RETURN(o.memory_limit, ParseSize(text));
              return OkStatus();
            });
  table.Add({"--force"}, "", "load even if the memory plan does not fit",
            SetBool([](Options& o) -> bool& { return o.force; }));
}

void AddPromptFlags(Table& table) {
  table.Group("Prompt", {Command::kRun, Command::kTokenize});
  Flag& prompt =
      table.Add({"-p", "--prompt"}, "TEXT", "the question; <image> and <video> mark where media stand",
                [](Options& o, const std::string& text) { return SetPrompt(o, {.is_file = false, .value = text}); });
  prompt.aliases = {"--text"};
  prompt.common = true;
  table
      .Add({"-f", "--file"}, "FILE", "read the prompt from a file; - is standard input",
           [](Options& o, const std::string& text) { return SetPrompt(o, {.is_file = true, .value = text}); })
      .common = true;
  table.Add({"--parse-special"}, "", "spellings of special tokens in the prompt become those tokens",
            SetBool([](Options& o) -> bool& { return o.generate.parse_special; }));

  table.Group("Prompt", {Command::kRun, Command::kChat});
  Flag& system = table.Add({"--system"}, "TEXT|@FILE", "system message (default: the template's)",
                           [](Options& o, const std::string& text) {
                             o.system = text;
                             return OkStatus();
                           });
  system.aliases = {"--system-prompt", "-sys"};
  system.common = true;

  table.Group("Prompt", {Command::kRun});
  table.Add({"--raw"}, "", "the prompt as it is, without template",
            SetBool([](Options& o) -> bool& { return o.generate.raw; }));

  table.Group("Prompt", {Command::kTokenize});
  table.Add({"--no-special"}, "", "without the tokens a prompt begins or ends with",
            SetBool([](Options& o) -> bool& { return o.no_special; }));
  table.Add({"--decode"}, "IDS", "the other way: token ids, separated by commas or spaces, to text",
            [](Options& o, const std::string& text) {
              o.decode = text;
              return OkStatus();
            });
}

void AddMediaFlags(Table& table) {
  table.Group("Media", {Command::kRun, Command::kChat});
  const auto add = [&](std::string name, std::string help, std::optional<PartKind> kind) -> Flag& {
    Flag& flag = table.Add({std::move(name)}, "SRC", std::move(help), AddMedia(kind));
    flag.list = "media";
    flag.clear = [](Options& o) { o.media.clear(); };
    flag.common = true;
    return flag;
  };
  add("--image", "picture: a path, - for standard input, or a data: URI; repeat for more", PartKind::kImage);
  add("--video", "video: a file or a directory of numbered pictures; repeat for more", PartKind::kVideo);
  add("--media", "picture or video, found from its bytes; repeat, or several after one flag", std::nullopt);

  Flag& frames = table.Add({"--frames"}, "N", "frames of a video (default: the model's)",
                           SetOptionalInt([](Options& o) -> std::optional<int64_t>& { return o.media_options.frames; },
                                          1, MediaOptions::kMaxFrames));
  frames.aliases = {"-nf", "--num-video-frames"};
  frames.show = [](const Options& o) { return ShowInt(o.media_options.frames); };
  frames.common = true;
  table
      .Add({"--fps"}, "X", "frames a second, instead of spreading them evenly",
           [](Options& o, const std::string& text) -> Status {
             ASSIGN_OR_RETURN(o.media_options.fps, ParseNumber(text, 1e-6, MediaOptions::kMaxFps));
             return OkStatus();
           })
      .show = [](const Options& o) { return ShowSeconds(o.media_options.fps, "off"); };
  table
      .Add({"--start"}, "T", "where to begin in a video: seconds, M:SS or H:MM:SS",
           SetTime([](Options& o) -> std::optional<double>& { return o.media_options.start_s; }))
      .show = [](const Options& o) { return ShowSeconds(o.media_options.start_s, "begin"); };
  table
      .Add({"--end"}, "T", "where to end in a video",
           SetTime([](Options& o) -> std::optional<double>& { return o.media_options.end_s; }))
      .show = [](const Options& o) { return ShowSeconds(o.media_options.end_s, "end"); };
  table
      .Add({"--max-tiles"}, "N", "tiles a large picture may be cut into (default: the model's)",
           SetOptionalInt([](Options& o) -> std::optional<int64_t>& { return o.media_options.max_tiles; }, 1,
                          MediaOptions::kMaxTiles))
      .show = [](const Options& o) { return ShowInt(o.media_options.max_tiles); };
  Flag& video_tiles =
      table.Add({"--video-max-tiles"}, "N", "the same for the frames of a video",
                SetOptionalInt([](Options& o) -> std::optional<int64_t>& { return o.media_options.video_max_tiles; }, 1,
                               MediaOptions::kMaxTiles));
  video_tiles.aliases = {"-vm"};
  video_tiles.show = [](const Options& o) { return ShowInt(o.media_options.video_max_tiles); };
  table
      .Add({"--exif"}, "MODE", "auto turns pictures upright (default); ignore does as the reference",
           SetChoice<Exif>([](Options& o) -> Exif& { return o.media_options.exif; }, kExif))
      .show = [](const Options& o) { return NameOfChoice(o.media_options.exif, kExif); };
  table
      .Add({"--alpha"}, "MODE", "what is behind transparency: white (default), black, or drop as the reference",
           SetChoice<Alpha>([](Options& o) -> Alpha& { return o.media_options.alpha; }, kAlpha))
      .show = [](const Options& o) { return NameOfChoice(o.media_options.alpha, kAlpha); };
  Flag& aspect = table.Add({"--aspect"}, "MODE", "model (default), crop, resize or pad",
                           SetChoice<Aspect>([](Options& o) -> Aspect& { return o.media_options.aspect; }, kAspect));
  aspect.aliases = {"--vision-scaling"};
  aspect.show = [](const Options& o) { return NameOfChoice(o.media_options.aspect, kAspect); };
  table.Add({"--parity"}, "", "pixels exactly as the reference reads them: --exif ignore --alpha drop",
            [](Options& o, const std::string& text) -> Status {
              ASSIGN_OR_RETURN(const bool on, ParseBool(text));
              if (on) {
                o.media_options.exif = Exif::kIgnore;
                o.media_options.alpha = Alpha::kDrop;
              }
              return OkStatus();
            });
}

void AddSamplingFlags(Table& table) {
  table.Group("Answer", {Command::kRun, Command::kChat});
  Flag& max_tokens = table.Add({"-n", "--max-tokens"}, "N", "longest answer in tokens; -1: until the context is full",
                               SetInt([](Options& o) -> int64_t& { return o.generate.max_tokens; }, -1));
  max_tokens.aliases = {"--n-predict", "--max-new-tokens"};
  max_tokens.show = [](const Options& o) { return StrCat(o.generate.max_tokens); };
  max_tokens.common = true;
  const auto add = [&](std::string name, std::string help, Access<float> access, double min, double max) -> Flag& {
    Flag& flag = table.Add({std::move(name)}, "X", std::move(help), SetFloat(access, min, max));
    flag.show = [access](const Options& o) { return NumberText(access(const_cast<Options&>(o))); };
    return flag;
  };
  Flag& temp = add(
      "--temp", "temperature; 0 takes the likeliest token (run: 0, chat: 0.2)",
      [](Options& o) -> float& { return o.generate.sampling.temperature; }, 0, 100);
  temp.aliases = {"--temperature"};
  temp.common = true;
  add(
      "--top-p", "keep the likeliest tokens of this total probability (run: 1, chat: 0.9)",
      [](Options& o) -> float& { return o.generate.sampling.top_p; }, 1e-6, 1);
  table
      .Add({"--top-k"}, "N", "keep the N likeliest tokens; 0: all",
           [](Options& o, const std::string& text) -> Status {
             ASSIGN_OR_RETURN(const int64_t k, ParseInt(text, 0, std::numeric_limits<int32_t>::max()));
             o.generate.sampling.top_k = static_cast<int32_t>(k);
             return OkStatus();
           })
      .show = [](const Options& o) { return StrCat(o.generate.sampling.top_k); };
  add(
      "--min-p", "drop tokens below this share of the likeliest one's probability",
      [](Options& o) -> float& { return o.generate.sampling.min_p; }, 0, 1);
  add(
      "--repeat-penalty", "divides the logits of recent tokens; 1: off",
      [](Options& o) -> float& { return o.generate.sampling.repeat_penalty; }, 0.01, 100);
  table
      .Add({"--repeat-last-n"}, "N", "how many recent tokens --repeat-penalty looks at (default 64)",
           [](Options& o, const std::string& text) -> Status {
             ASSIGN_OR_RETURN(const int64_t n, ParseInt(text, 0, std::numeric_limits<int32_t>::max()));
             o.generate.sampling.repeat_last_n = static_cast<int32_t>(n);
             return OkStatus();
           })
      .show = [](const Options& o) { return StrCat(o.generate.sampling.repeat_last_n); };
  add(
      "--presence-penalty", "taken from the logits of tokens already in the answer",
      [](Options& o) -> float& { return o.generate.sampling.presence_penalty; }, -100, 100);
  add(
      "--frequency-penalty", "the same, once per occurrence",
      [](Options& o) -> float& { return o.generate.sampling.frequency_penalty; }, -100, 100);
  Flag& seed = table.Add({"-s", "--seed"}, "N", "of the random choice; -1 or random: a new one, reported", SetSeed);
  seed.show = [](const Options& o) {
    return o.generate.sampling.seed ? StrCat(*o.generate.sampling.seed) : std::string("random");
  };
  Flag& stop = table.Add({"--stop"}, "TEXT", "end the answer before this text; repeat for more",
                         [](Options& o, const std::string& text) -> Status {
                           if (text.empty()) return InvalidArgument("an empty text would stop every answer");
                           o.generate.stop.push_back(text);
                           return OkStatus();
                         });
  stop.list = "stop";
  stop.clear = [](Options& o) { o.generate.stop.clear(); };
  stop.show = [](const Options& o) {
    std::string out;
    for (const std::string& text : o.generate.stop) out += StrCat(out.empty() ? "" : ", ", "'", Printable(text), "'");
    return out.empty() ? "none" : out;
  };
  Flag& bias = table.Add({"--logit-bias"}, "ID=BIAS", "added to one token's logit; -inf forbids it; repeat for more",
                         AddLogitBias);
  bias.list = "logit-bias";
  bias.clear = [](Options& o) { o.generate.sampling.logit_bias.clear(); };
  table
      .Add({"--ignore-eos"}, "", "generate stop tokens like any other",
           SetBool([](Options& o) -> bool& { return o.generate.ignore_eos; }))
      .show = [](const Options& o) { return o.generate.ignore_eos ? "on" : "off"; };
}

void AddOutputFlags(Table& table) {
  table.Group("Output", {Command::kRun, Command::kInspect, Command::kTokenize, Command::kBench, Command::kConvert,
                         Command::kQuantize, Command::kDoctor, Command::kVersion});
  table.Add({"--json"}, "", "one JSON document instead of text", SetBool([](Options& o) -> bool& { return o.json; }))
      .common = true;

  table.Group("Output", {Command::kConvert, Command::kQuantize});
  table
      .Add({"-o", "--output"}, "NAME", "the file to write, NAME.galago; quantize: or a directory of AutoAWQ's form",
           SetText([](Options& o) -> std::string& { return o.output; }))
      .common = true;

  table.Group("Output", {Command::kRun, Command::kChat});
  Flag& stats = table.Add({"--stats"}, "", "tokens and times of each answer, on standard error",
                          SetBool([](Options& o) -> bool& { return o.stats; }));
  stats.show = [](const Options& o) { return o.stats ? "on" : "off"; };
  stats.common = true;

  table.Group("Output", {Command::kRun});
  table
      .Add({"--dry-run"}, "", "media plan, token counts, memory and the rendered prompt; loads no weights",
           SetBool([](Options& o) -> bool& { return o.dry_run; }))
      .common = true;
  table.Add({"--trace"}, "FILE", "write the prompt's named intermediates as float32 safetensors",
            SetText([](Options& o) -> std::string& { return o.generate.trace_path; }));

  table.Group("Output", {Command::kChat});
  table.Add({"--no-history"}, "", "neither read nor write the history file",
            SetBool([](Options& o) -> bool& { return o.no_history; }));

  table.Group("Program", {Command::kRun, Command::kChat, Command::kEval, Command::kBench});
  table.Add({"--timeout"}, "DUR", "give up after this time, such as 30s or 2m",
            [](Options& o, const std::string& text) -> Status {
              ASSIGN_OR_RETURN(o.timeout_s, ParseDuration(text));
              return OkStatus();
            });
  table
      .Add({"--progress"}, "MODE", "auto, bar, plain, json or none",
           SetChoice<ProgressMode>([](Options& o) -> ProgressMode& { return o.progress; }, kProgress))
      .commands.push_back(Command::kQuantize);

  table.Group("Program", {Command::kRun, Command::kChat, Command::kInspect, Command::kTokenize, Command::kEval,
                          Command::kBench, Command::kConvert, Command::kQuantize, Command::kDoctor, Command::kVersion});
  table.Add({"--color"}, "MODE", "auto, always or never",
            SetChoice<ColorMode>([](Options& o) -> ColorMode& { return o.color; }, kColor));
  table.Add({"-v", "--verbose"}, "", "say more", [](Options& o, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(const bool on, ParseBool(text));
    if (on) o.log_level = LogLevel::kDebug;
    return OkStatus();
  });
  table.Add({"-q", "--quiet"}, "", "errors only", [](Options& o, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(const bool on, ParseBool(text));
    if (on) o.log_level = LogLevel::kError;
    return OkStatus();
  });
  table.Add({"--log-level"}, "LEVEL", "error, warning, info or debug",
            SetChoice<LogLevel>([](Options& o) -> LogLevel& { return o.log_level; }, kLogLevel));
}

void AddComparisonFlags(Table& table) {
  table.Group("Comparison with llama.cpp", {Command::kRun, Command::kChat});
  const auto add = [&](std::string name, std::string help, Access<bool> access) {
    table.Add({std::move(name)}, "", std::move(help), SetBool(access));
  };
  add("--llamacpp-drop-last-layer", "leave out the tower's last layer",
      [](Options& o) -> bool& { return o.model_options.quirks.drop_last_layer; });
  add("--llamacpp-class-token-last", "keep the class token and drop the last patch",
      [](Options& o) -> bool& { return o.model_options.quirks.class_token_last; });
  add("--llamacpp-gelu-tanh", "tanh form of GELU in the projector",
      [](Options& o) -> bool& { return o.model_options.quirks.gelu_tanh; });
  add("--llamacpp-pad-bottom-right", "pad pictures at the bottom and right instead of around",
      [](Options& o) -> bool& { return o.model_options.quirks.pad_bottom_right; });
}

}  // namespace

Options DefaultOptions(Command command) {
  Options options;
  if (command == Command::kChat) {
    options.generate.sampling.temperature = 0.2f;
    options.generate.sampling.top_p = 0.9f;
  }
  return options;
}

std::string Flag::EnvironmentName() const {
  std::string name = StrCat("GALAGO_", key());
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

bool Flag::Matches(std::string_view spelling) const {
  return std::find(names.begin(), names.end(), spelling) != names.end() ||
         std::find(aliases.begin(), aliases.end(), spelling) != aliases.end();
}

bool Flag::AppliesTo(Command command) const {
  return std::find(commands.begin(), commands.end(), command) != commands.end();
}

std::vector<Flag> MakeFlags() {
  Table table;
  AddModelFlags(table);
  AddPromptFlags(table);
  AddMediaFlags(table);
  AddSamplingFlags(table);
  AddOutputFlags(table);
  AddComparisonFlags(table);
  std::vector<Flag> flags = table.Take();
  for (Flag& flag : MakeEvalFlags()) flags.push_back(std::move(flag));
  for (Flag& flag : MakeBenchFlags()) flags.push_back(std::move(flag));
  for (Flag& flag : MakeQuantizeFlags()) flags.push_back(std::move(flag));
  return flags;
}

const Flag* FindFlag(std::span<const Flag> flags, std::string_view spelling) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.Matches(spelling); });
  return found == flags.end() ? nullptr : &*found;
}

Status SetFlag(const Flag& flag, Options& options, const std::string& value, std::string_view name) {
  return Annotate(flag.set(options, value), name);
}

}  // namespace galago::cli
