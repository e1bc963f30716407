#ifndef GALAGO_CLI_FLAGS_H_
#define GALAGO_CLI_FLAGS_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/cli/options.h"
#include "galago/status.h"

// One table from which come the flags, their environment names, the keys of configuration files, the settings of
// `chat` and the help texts.
namespace galago::cli {

struct Flag {
  std::vector<std::string> names;    // "-n", "--max-tokens"; the last one is the flag's own name
  std::vector<std::string> aliases;  // spellings of other programs
  std::string value;                 // its name in help texts; empty for a switch
  std::string help;
  std::string group;
  std::vector<Command> commands;
  bool common = false;  // in the short help
  std::string list;     // repeatable flags: the list they append to; a higher layer starts it afresh
  std::function<Status(Options&, const std::string&)> set;
  std::function<void(Options&)> clear;              // repeatable flags: empties the list
  std::function<std::string(const Options&)> show;  // settings of chat: the present value

  const std::string& long_name() const { return names.back(); }
  std::string_view key() const { return std::string_view(long_name()).substr(2); }  // "max-tokens"
  std::string EnvironmentName() const;                                              // "GALAGO_MAX_TOKENS"
  bool is_switch() const { return value.empty(); }
  bool Matches(std::string_view spelling) const;
  bool AppliesTo(Command command) const;
};

// The flags of one command, all in its short help.
class CommandFlags {
 public:
  explicit CommandFlags(Command command) : command_(command) {}
  // Valid until the next one.
  Flag& operator()(std::string group, std::string name, std::string value, std::string help,
                   std::function<Status(Options&, const std::string&)> set) {
    flags_.push_back({.names = {std::move(name)},
                      .value = std::move(value),
                      .help = std::move(help),
                      .group = std::move(group),
                      .commands = {command_},
                      .common = true,
                      .set = std::move(set)});
    return flags_.back();
  }
  std::vector<Flag> Take() { return std::move(flags_); }

 private:
  Command command_;
  std::vector<Flag> flags_;
};

// In the order of the help texts.
std::vector<Flag> MakeFlags();

// By any spelling, with dashes: "-n", "--n-predict". nullptr if there is none.
const Flag* FindFlag(std::span<const Flag> flags, std::string_view spelling);

// Calls flag.set and puts the flag's name in front of what it complains about.
Status SetFlag(const Flag& flag, Options& options, const std::string& value, std::string_view name);

}  // namespace galago::cli

#endif  // GALAGO_CLI_FLAGS_H_
