// tokenizer.model, a protobuf. The first byte chooses the options.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/text/tokenizer_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::text;
  if (size == 0) return 0;
  const bool legacy = (data[0] & 1) != 0;
  const std::string_view model(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto tokenizer = MakeSentencePieceTokenizer(model, {}, {.legacy = legacy});
  if (!tokenizer.ok()) return 0;
  for (const std::string_view text : {"Hello  world</s> \xe2\x96\x81x", "\xf0\x9f\x98\x80\xff\n"}) {
    const auto ids = (*tokenizer)->Encode(text, {.parse_special = true});
    if (ids.ok()) (void)(*tokenizer)->Decode(*ids);
  }
  return 0;
}
