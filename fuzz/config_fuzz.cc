#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "apps/cli/config_file.h"

// Accepted entries have a key and stand in the order of their lines.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto entries = galago::cli::ParseConfig({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (!entries.ok()) return 0;
  int line = 1;
  for (const galago::cli::ConfigEntry& entry : *entries) {
    if (entry.key.empty() || entry.line < line) std::abort();
    line = entry.line;
  }
  return 0;
}
