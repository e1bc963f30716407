#ifndef GALAGO_CLI_TERMINAL_H_
#define GALAGO_CLI_TERMINAL_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

// What may be written to a terminal, and when.
namespace galago::cli {

// A variable of the environment; a seam for tests.
using GetEnv = std::function<std::optional<std::string>(const std::string& name)>;

enum class ColorMode { kAuto, kAlways, kNever };

// auto: only on a terminal that is not "dumb", and not with NO_COLOR set; CLICOLOR_FORCE=1 overrides.
bool UseColor(ColorMode mode, bool is_terminal, const GetEnv& env);

// `text` without what a terminal would obey: C0 and C1 control characters (new line and tab excepted), DEL, and the
// marks that reorder text on screen become U+FFFD. `text` is whole UTF-8; other bytes become U+FFFD too.
std::string NeutraliseControls(std::string_view text);

// Columns `text` takes, wide characters counted twice.
int DisplayWidth(std::string_view text);

}  // namespace galago::cli

#endif  // GALAGO_CLI_TERMINAL_H_
