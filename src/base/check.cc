#include "src/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace galago {

void CheckFailed(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "%s:%d: internal error: %s\n", file, line, what.c_str());
  std::abort();
}

}  // namespace galago
