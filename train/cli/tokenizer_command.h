#ifndef GALAGO_TRAIN_CLI_TOKENIZER_COMMAND_H_
#define GALAGO_TRAIN_CLI_TOKENIZER_COMMAND_H_

#include <span>
#include <string>

namespace galago::train {

// galago-train tokenizer OUT: trains a tokenizer from World's text or from files. Returns the exit code.
int TokenizerCommand(std::span<const std::string> args);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_CLI_TOKENIZER_COMMAND_H_
