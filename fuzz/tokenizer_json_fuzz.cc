// tokenizer.json and the small files beside it: whatever loads must encode and decode.

#include <cstddef>
#include <cstdint>
#include <string>

#include "src/text/tokenizer_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::text;
  // Parts are cut at NUL: tokenizer.json, tokenizer_config.json, text.
  std::string parts[3];
  size_t part = 0;
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == 0 && part < 2) {
      ++part;
    } else {
      parts[part] += static_cast<char>(data[i]);
    }
  }
  SideFiles side;
  if (!parts[1].empty()) side.tokenizer_config = parts[1];
  const auto tokenizer = MakeTokenizerJson(parts[0], side);
  if (!tokenizer.ok()) return 0;
  for (const bool parse_special : {false, true}) {
    const auto ids = (*tokenizer)->Encode(parts[2] + "Hello, world! 123\n", {.parse_special = parse_special});
    if (ids.ok()) (void)(*tokenizer)->Decode(*ids);
  }
  return 0;
}
