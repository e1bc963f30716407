#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "train/cli/commands.h"
#include "train/cli/flags.h"
#include "train/modules/torch_setup.h"

namespace galago::train {
namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(Args);
};

constexpr Command kCommands[] = {
    {"world", "draw pictures and videos with questions and answers", WorldCommand},
    {"tokenizer", "make a vocabulary from World or from text files", TokenizerCommand},
    {"run", "train by a recipe, or go on where it stopped", RunCommand},
    {"finetune", "train a finished model on new data: adapters, projector, norms", FinetuneCommand},
    {"merge", "add an adapter to the weights of its model", MergeCommand},
    {"average", "a model between two that were trained from the same one", AverageCommand},
    {"report", "write the HTML report of a run", ReportCommand},
};

int Main(const std::vector<std::string>& args) {
  if (!args.empty()) {
    for (const Command& command : kCommands) {
      if (args[0] == command.name) return command.run(Args(args).subspan(1));
    }
  }
  const bool asked = !args.empty() && (args[0] == "--help" || args[0] == "-h" || args[0] == "help");
  std::FILE* out = asked ? stdout : stderr;
  if (!args.empty() && !asked) std::fprintf(out, "error: there is no command %s\n\n", args[0].c_str());
  std::fprintf(out, "usage: galago-train COMMAND [arguments]\n\ncommands (each explains itself with --help):\n");
  for (const Command& command : kCommands) std::fprintf(out, "  %-12s %s\n", command.name, command.summary);
  return static_cast<int>(asked ? Exit::kSuccess : Exit::kUsage);
}

}  // namespace
}  // namespace galago::train

int main(int argc, char** argv) {
  using galago::train::Exit;
  galago::train::PrepareProcess(argv);
  // Our code throws nothing; LibTorch and the standard library may.
  try {
    return galago::train::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory\n");
    return static_cast<int>(Exit::kResources);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: internal failure: %s\n", error.what());
    return static_cast<int>(Exit::kInternal);
  }
}
