#ifndef GALAGO_TEXT_SIDE_FILES_H_
#define GALAGO_TEXT_SIDE_FILES_H_

#include <optional>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/spec/parse.h"
#include "src/text/tokenizer.h"

namespace galago::text {

// The small files beside a vocabulary: tokenizer_config.json, special_tokens_map.json, added_tokens.json. Read in the
// order transformers' _from_pretrained does: an added_tokens_decoder in the first makes the other two irrelevant.
struct SideFiles {
  std::optional<std::string> tokenizer_config, special_tokens_map, added_tokens;
  static StatusOr<SideFiles> Read(const spec::FileSource& files);
};

// Which settings a missing key stands for.
struct NamedTokens {
  std::optional<std::string> bos, eos, unk, pad;
};

struct SideSettings {
  std::vector<AddedToken> added;  // with ids
  std::string added_from;         // the file they stand in, for messages
  std::vector<AddedToken> named;  // bos, eos, unk, pad, ... without ids, in the order in which transformers adds them
  NamedTokens names;
  bool add_eos_token = false;
  bool clean_up_tokenization_spaces = true;  // transformers' default when the key is missing
};

// defaults: what the tokenizer class uses for keys that are missing (null in the file means none).
StatusOr<SideSettings> ParseSideFiles(const SideFiles& files, const NamedTokens& defaults);

}  // namespace galago::text

#endif  // GALAGO_TEXT_SIDE_FILES_H_
