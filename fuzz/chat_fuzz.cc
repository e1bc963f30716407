#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "apps/cli/chat_file.h"

// An accepted conversation is written and read back to the same text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto chat = galago::cli::ChatFromText({reinterpret_cast<const char*>(data), size}, "fuzz.json");
  if (!chat.ok()) return 0;
  const std::string text = galago::cli::ChatToText(*chat);
  const auto again = galago::cli::ChatFromText(text, "again.json");
  if (!again.ok() || galago::cli::ChatToText(*again) != text) std::abort();
  return 0;
}
