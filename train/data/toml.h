#ifndef GALAGO_TRAIN_DATA_TOML_H_
#define GALAGO_TRAIN_DATA_TOML_H_

// toml++, header only, without exceptions, and with its assertions off: foreign text reaches some of them ("[ *"), and
// the parser reports an error behind each. Every file that reads TOML includes this one, so that all agree.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 1
#define TOML_ASSERT(expression) static_assert(true)
// With NDEBUG the library turns assertions into promises to the compiler.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#endif  // GALAGO_TRAIN_DATA_TOML_H_
