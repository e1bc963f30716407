#include "apps/cli/args.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "apps/cli/config_file.h"
#include "apps/cli/values.h"
#include "src/base/check.h"
#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

constexpr std::array<CommandInfo, 11> kCommands = {{
    {Command::kRun, "run", "", 0, "one prompt, one answer"},
    {Command::kChat, "chat", "", 0, "a conversation in the terminal"},
    {Command::kInspect, "inspect", "MODEL", 1, "what a checkpoint is, as understood"},
    {Command::kTokenize, "tokenize", "", 0, "text to token ids and back"},
    {Command::kEval, "eval", "world [DIR] | perplexity FILE | compare FILE...", 17,
     "answers held against what is right: scores and failures"},
    {Command::kBench, "bench", "", 0, "speed of a model or of a published one's dimensions, and this machine's limits"},
    {Command::kConvert, "convert", "MODEL", 1, "a model as one .galago file, to be mapped and used as it lies"},
    {Command::kQuantize, "quantize", "MODEL", 1,
     "a model with weights of 4 to 8 bits, calibrated on texts and pictures"},
    {Command::kDoctor, "doctor", "", 0, "this machine: kernels, memory, limits, decoders"},
    {Command::kVersion, "version", "", 0, "version, build features and libraries"},
    {Command::kHelp, "help", "COMMAND", 1, "the flags of a command"},
}};

constexpr size_t kMaxConfigBytes = size_t{1} << 20;

// One value for one flag, wherever it came from; `name` is how its source spells it, for messages.
struct Assignment {
  const Flag* flag;
  std::string value;
  std::string name;
};

class ArgsParser {
 public:
  explicit ArgsParser(const Surroundings& surroundings) : surroundings_(surroundings), flags_(MakeFlags()) {}

  StatusOr<Invocation> Parse(std::span<const std::string> args) {
    Invocation out;
    if (args.empty() || args[0] == "--help" || args[0] == "-h") {
      out.help = Help::kOverview;
      return out;
    }
    if (args[0] == "--version") {
      command_ = out.command = Command::kVersion;
      out.options = DefaultOptions(command_);
      return out;
    }
    RETURN_IF_ERROR(FindCommand(args[0]));
    RETURN_IF_ERROR(ReadCommandLine(args.subspan(1)));
    out.command = command_;
    out.options = DefaultOptions(command_);
    if (command_ == Command::kHelp) {
      out.help = Help::kOverview;
      if (arguments_.empty()) return out;
      RETURN_IF_ERROR(FindCommand(arguments_[0]));
      out.command = command_;
      out.help = help_ == Help::kNone ? Help::kFull : help_;
      return out;
    }
    out.help = help_;
    if (help_ != Help::kNone) return out;
    RETURN_IF_ERROR(ApplyConfigFiles(out.options));
    RETURN_IF_ERROR(ApplyEnvironment(out.options));
    RETURN_IF_ERROR(Apply(assignments_, out.options));
    out.options.arguments = std::move(arguments_);
    return out;
  }

 private:
  Status FindCommand(std::string_view name) {
    std::vector<std::string> known;
    for (const CommandInfo& info : kCommands) {
      if (info.name == name) {
        command_ = info.command;
        return OkStatus();
      }
      known.emplace_back(info.name);
    }
    if (name.starts_with('-')) {
      return InvalidArgument(StrCat("flags follow a command: galago COMMAND ", Printable(name), " ..."));
    }
    return InvalidArgument(StrCat("unknown command '", Printable(name), "'", Hint(name, known), "; see galago help"));
  }

  static std::string Hint(std::string_view word, std::span<const std::string> candidates) {
    const std::string nearest = Nearest(word, candidates);
    return nearest.empty() ? "" : StrCat(", did you mean ", nearest, "?");
  }

  // A flag of the present command by any spelling.
  const Flag* Find(std::string_view spelling) const {
    for (const Flag& flag : flags_) {
      if (flag.AppliesTo(command_) && flag.Matches(spelling)) return &flag;
    }
    return nullptr;
  }

  Status UnknownFlag(std::string_view name) const {
    std::vector<std::string> known = {"--help", "--config"};
    for (const Flag& flag : flags_) {
      if (!flag.AppliesTo(command_)) continue;
      known.insert(known.end(), flag.names.begin(), flag.names.end());
      known.insert(known.end(), flag.aliases.begin(), flag.aliases.end());
    }
    return InvalidArgument(StrCat("galago ", InfoOf(command_).name, ": unknown flag ", Printable(name),
                                  Hint(name, known), "; see galago help ", InfoOf(command_).name));
  }

  // The next argument, as the value of `name`.
  StatusOr<std::string> TakeValue(std::span<const std::string>& args, std::string_view name,
                                  std::string_view value_name) {
    if (args.empty()) return InvalidArgument(StrCat(name, " needs a value: ", name, " ", value_name));
    std::string value = args[0];
    args = args.subspan(1);
    return value;
  }

  Status ReadCommandLine(std::span<const std::string> args) {
    bool only_arguments = false;
    while (!args.empty()) {
      const std::string arg = args[0];
      args = args.subspan(1);
      if (only_arguments || arg.size() < 2 || arg[0] != '-') {
        if (arguments_.size() == InfoOf(command_).max_arguments) {
          return InvalidArgument(StrCat("galago ", InfoOf(command_).name, ": unexpected argument '", Printable(arg),
                                        "' (a text with spaces needs quotes)"));
        }
        arguments_.push_back(arg);
      } else if (arg == "--") {
        only_arguments = true;
      } else if (arg.starts_with("--")) {
        RETURN_IF_ERROR(ReadLongFlag(arg, args));
      } else {
        RETURN_IF_ERROR(ReadShortFlags(arg, args));
      }
    }
    return OkStatus();
  }

  Status ReadLongFlag(const std::string& arg, std::span<const std::string>& args) {
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = arg.substr(equals + 1);
    if (name == "--help" || name == "--help-compat") {
      help_ = name == "--help" ? Help::kFull : Help::kCompat;
      return OkStatus();
    }
    if (name == "--config") {
      if (!value) {
        ASSIGN_OR_RETURN(value, TakeValue(args, name, "FILE"));
      }
      config_ = *value;
      return OkStatus();
    }
    const Flag* flag = Find(name);
    if (flag == nullptr) return UnknownFlag(name);
    if (flag->is_switch()) {
      assignments_.push_back({flag, value.value_or("true"), name});
      return OkStatus();
    }
    if (!value) {
      ASSIGN_OR_RETURN(value, TakeValue(args, name, flag->value));
    }
    assignments_.push_back({flag, *value, name});
    // vila-infer takes several files after one --media (NVlabs/VILA: llava/cli/infer.py).
    while (name == "--media" && equals == std::string::npos && !args.empty() && !args[0].starts_with('-')) {
      assignments_.push_back({flag, args[0], name});
      args = args.subspan(1);
    }
    return OkStatus();
  }

  // "-n", "-nf" (a spelling of its own), "-n5", "-qv".
  Status ReadShortFlags(const std::string& arg, std::span<const std::string>& args) {
    if (const Flag* flag = Find(arg); flag != nullptr && !flag->is_switch()) {
      ASSIGN_OR_RETURN(std::string value, TakeValue(args, arg, flag->value));
      assignments_.push_back({flag, std::move(value), arg});
      return OkStatus();
    }
    for (size_t i = 1; i < arg.size(); ++i) {
      const std::string name = StrCat('-', arg[i]);
      if (name == "-h") {
        help_ = Help::kShort;
        continue;
      }
      const Flag* flag = Find(name);
      if (flag == nullptr) return UnknownFlag(i == 1 ? arg : name);
      if (!flag->is_switch()) {
        std::string value = arg.substr(i + 1);
        if (value.empty()) {
          ASSIGN_OR_RETURN(value, TakeValue(args, name, flag->value));
        }
        assignments_.push_back({flag, std::move(value), name});
        return OkStatus();
      }
      assignments_.push_back({flag, "true", name});
    }
    return OkStatus();
  }

  // One layer's values over what is there.
  static Status Apply(std::span<const Assignment> assignments, Options& options) {
    ++options.layer;
    std::set<std::string> begun;
    for (const Assignment& assignment : assignments) {
      const Flag& flag = *assignment.flag;
      if (!flag.list.empty() && begun.insert(flag.list).second) flag.clear(options);
      RETURN_IF_ERROR(SetFlag(flag, options, assignment.value, assignment.name));
    }
    return OkStatus();
  }

  Status ApplyConfigFiles(Options& options) {
    const auto env = [&](const char* name) { return surroundings_.env(name).value_or(""); };
    std::filesystem::path user = env("XDG_CONFIG_HOME");
    if (user.empty() && !env("HOME").empty()) user = std::filesystem::path(env("HOME")) / ".config";
    RETURN_IF_ERROR(ApplyConfigFile(surroundings_.system_config, /*must_exist=*/false, options));
    if (!user.empty()) RETURN_IF_ERROR(ApplyConfigFile(user / "galago" / "config.toml", false, options));
    const std::string named = config_.value_or(env("GALAGO_CONFIG"));
    if (named.empty()) return OkStatus();
    return ApplyConfigFile(named, /*must_exist=*/true, options);
  }

  Status ApplyConfigFile(const std::filesystem::path& path, bool must_exist, Options& options) {
    const StatusOr<std::string> text = ReadFile(path, kMaxConfigBytes);
    if (!text.ok()) {
      if (!must_exist && text.status().code() == StatusCode::kNotFound) return OkStatus();
      return InvalidArgument(StrCat("configuration: ", MessageOf(text.status())));
    }
    ASSIGN_OR_RETURN(const std::vector<ConfigEntry> entries, ParseConfig(*text, path.string()));
    // A command's own section is stronger than what stands before the sections.
    std::vector<Assignment> general, own;
    for (const ConfigEntry& entry : entries) {
      ASSIGN_OR_RETURN(const Flag* flag, FindKey(entry, path.string()));
      if (!flag->AppliesTo(command_)) continue;
      if (!entry.section.empty() && entry.section != InfoOf(command_).name) continue;
      const std::string name = StrCat(path.string(), ":", entry.line, ": ", entry.key);
      if (flag->list.empty() && entry.values.size() != 1) {
        return InvalidArgument(StrCat(name, ": takes one value, ", entry.values.size(), " are given"));
      }
      for (const std::string& value : entry.values) {
        (entry.section.empty() ? general : own).push_back({flag, value, name});
      }
    }
    RETURN_IF_ERROR(Apply(general, options));
    return Apply(own, options);
  }

  // The flag that a configuration key means; one this command lacks is fine where it may belong to another.
  StatusOr<const Flag*> FindKey(const ConfigEntry& entry, std::string_view file) const {
    const std::string where = StrCat(file, ":", entry.line, ": ");
    std::optional<Command> section;
    std::vector<std::string> known;
    for (const CommandInfo& info : kCommands) {
      if (info.name == entry.section) section = info.command;
      known.emplace_back(info.name);
    }
    if (!entry.section.empty() && !section) {
      return InvalidArgument(StrCat(where, "unknown section [", Printable(entry.section), "]",
                                    Hint(entry.section, known), " (sections are commands)"));
    }
    known.clear();
    for (const Flag& flag : flags_) {
      if (section && !flag.AppliesTo(*section)) continue;
      if (flag.Matches(StrCat("--", entry.key))) {
        // Two flags may share a name in different commands.
        if (const Flag* mine = Find(StrCat("--", entry.key)); mine != nullptr && !section) return mine;
        return &flag;
      }
      known.emplace_back(flag.key());
    }
    return InvalidArgument(StrCat(where, "unknown key '", Printable(entry.key), "'", Hint(entry.key, known)));
  }

  Status ApplyEnvironment(Options& options) {
    std::vector<Assignment> assignments;
    for (const Flag& flag : flags_) {
      if (!flag.AppliesTo(command_)) continue;
      const std::string name = flag.EnvironmentName();
      const std::optional<std::string> value = surroundings_.env(name);
      if (!value || value->empty()) continue;
      if (flag.list.empty()) {
        assignments.push_back({&flag, *value, name});
      } else {
        for (std::string& item : Split(*value, ',')) assignments.push_back({&flag, std::move(item), name});
      }
    }
    return Apply(assignments, options);
  }

  const Surroundings& surroundings_;
  std::vector<Flag> flags_;
  Command command_ = Command::kHelp;
  Help help_ = Help::kNone;
  std::optional<std::string> config_;
  std::vector<Assignment> assignments_;  // of the command line, in order
  std::vector<std::string> arguments_;
};

// "  -n, --max-tokens N      longest answer ..." with the description from a fixed column on.
std::string HelpLine(std::string_view left, std::string_view right) {
  constexpr size_t kColumn = 28;
  std::string line = StrCat("  ", left);
  if (line.size() + 2 > kColumn) {
    line += StrCat("\n", std::string(kColumn, ' '));
  } else {
    line.resize(kColumn, ' ');
  }
  return StrCat(line, right, "\n");
}

std::string Spellings(const std::vector<std::string>& names, std::string_view value) {
  std::string out;
  for (const std::string& name : names) out += StrCat(out.empty() ? "" : ", ", name);
  return value.empty() ? out : StrCat(out, " ", value);
}

}  // namespace

std::span<const CommandInfo> Commands() { return kCommands; }

const CommandInfo& InfoOf(Command command) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const CommandInfo& info) { return info.command == command; });
  CHECK(found != kCommands.end());
  return *found;
}

StatusOr<Invocation> ParseArgs(std::span<const std::string> args, const Surroundings& surroundings) {
  return ArgsParser(surroundings).Parse(args);
}

std::string OverviewText() {
  std::string out =
      "galago answers questions about pictures and videos with VILA, NVILA and MobileVLM models.\n\n"
      "  galago run -m MODEL --image cat.jpg -p \"What is this?\"\n\n"
      "Commands:\n";
  for (const CommandInfo& info : kCommands) out += HelpLine(info.name, info.summary);
  return out + "\ngalago help COMMAND lists every flag; galago COMMAND -h the common ones.\n";
}

std::string HelpText(Command command, Help help) {
  const CommandInfo& info = InfoOf(command);
  std::string out =
      StrCat("galago ", info.name, info.arguments.empty() ? "" : " ", info.arguments, " [flags]: ", info.summary, "\n");
  std::vector<std::string> groups;
  const std::vector<Flag> flags = MakeFlags();
  const auto shown = [&](const Flag& flag) {
    return flag.AppliesTo(command) && (help != Help::kShort || flag.common) &&
           (help != Help::kCompat || !flag.aliases.empty());
  };
  for (const Flag& flag : flags) {
    if (shown(flag) && std::find(groups.begin(), groups.end(), flag.group) == groups.end()) {
      groups.push_back(flag.group);
    }
  }
  for (const std::string& group : groups) {
    out += StrCat("\n", group, ":\n");
    for (const Flag& flag : flags) {
      if (!shown(flag) || flag.group != group) continue;
      out += help == Help::kCompat ? HelpLine(Spellings(flag.aliases, ""), StrCat("the same as ", flag.long_name()))
                                   : HelpLine(Spellings(flag.names, flag.value), flag.help);
    }
  }
  if (help == Help::kFull) {
    out += "\nConfiguration:\n";
    out += HelpLine("--config FILE", "a TOML file of these flags without dashes; stronger than those in");
    out += HelpLine("", "/etc/galago/config.toml and $XDG_CONFIG_HOME/galago/config.toml");
    out += HelpLine("GALAGO_<FLAG>", "environment, stronger than any file; a flag beats both");
    out += HelpLine("--help-compat", "spellings of other programs that are accepted");
  } else if (help == Help::kShort) {
    out += StrCat("\ngalago help ", info.name, " lists every flag.\n");
  }
  return out;
}

}  // namespace galago::cli
