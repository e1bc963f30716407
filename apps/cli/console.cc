#include "apps/cli/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "apps/cli/terminal.h"
#include "src/base/strings.h"

namespace galago::cli {

Status FileOutput::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<size_t>(put));
    } else if (errno == EPIPE) {
      return FailedPrecondition(StrCat(name_, ": the reader has gone away"));
    } else if (errno != EINTR) {
      const std::string message = StrCat(name_, ": cannot write: ", std::strerror(errno));
      return errno == ENOSPC || errno == EFBIG || errno == EDQUOT ? ResourceExhausted(message) : Unavailable(message);
    }
  }
  return OkStatus();
}

void Log::Print(std::string_view text) { out_.Write(text).IgnoreError(); }

void Log::Say(LogLevel level, std::string_view message) {
  if (level > level_) return;
  std::string_view prefix, on;
  switch (level) {
    case LogLevel::kError:
      prefix = "error: ";
      on = "\x1b[1;31m";
      break;
    case LogLevel::kWarning:
      prefix = "warning: ";
      on = "\x1b[1;33m";
      break;
    case LogLevel::kInfo:
      break;
    case LogLevel::kDebug:
      on = "\x1b[2m";
      prefix = "debug: ";
      break;
  }
  const bool color = color_ && !on.empty();
  // Messages quote foreign names; one message stays one write so that lines of threads do not mix.
  Print(StrCat(color ? on : "", prefix, color ? "\x1b[0m" : "", NeutraliseControls(message), "\n"));
}

}  // namespace galago::cli
