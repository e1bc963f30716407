// vocab.json, merges.txt, added_tokens.json and tokenizer_config.json of the slow Qwen2 tokenizer.

#include <cstddef>
#include <cstdint>
#include <string>

#include "src/text/tokenizer_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::text;
  // Parts are cut at NUL: vocab.json, merges.txt, tokenizer_config.json, added_tokens.json, text.
  std::string parts[5];
  size_t part = 0;
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == 0 && part < 4) {
      ++part;
    } else {
      parts[part] += static_cast<char>(data[i]);
    }
  }
  SideFiles side;
  if (!parts[2].empty()) side.tokenizer_config = parts[2];
  if (!parts[3].empty()) side.added_tokens = parts[3];
  const auto tokenizer = MakeVocabMergesTokenizer(parts[0], parts[1], side);
  if (!tokenizer.ok()) return 0;
  const auto ids = (*tokenizer)->Encode(parts[4] + "Hello, world! 123\n", {.parse_special = true});
  if (ids.ok()) (void)(*tokenizer)->Decode(*ids, /*skip_special=*/false);
  const std::string more[] = {"<image>"};
  (void)(*tokenizer)->AddSpecialTokens(more);
  (void)(*tokenizer)->Encode("a<image>b", {.parse_special = true});
  return 0;
}
