#ifndef GALAGO_TEXT_PRE_TOKENIZER_H_
#define GALAGO_TEXT_PRE_TOKENIZER_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/json.h"
#include "src/text/regex.h"

namespace galago::text {

// Cuts text into words, across which nothing is merged. The steps are those of huggingface/tokenizers:
// tokenizers/src/pre_tokenizers.
class PreTokenizer {
 public:
  // What happens to a match of the pattern.
  enum class Behavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

  Status AddSplit(std::string_view pattern, Behavior behavior, bool invert);
  // A space in front of every piece that does not begin with one.
  void AddPrefixSpace();

  // Reads the "pre_tokenizer" of a tokenizer.json (null: none). Sets byte_level when the steps end in bytes.
  static StatusOr<PreTokenizer> FromJson(const Json* value, bool& byte_level);
  // By the name GGUF files carry in tokenizer.ggml.pre (ggml-org/llama.cpp: src/llama-vocab.cpp).
  static StatusOr<PreTokenizer> FromGgufName(std::string_view name);
  // Qwen2's, as the slow tokenizer class has it built in.
  static StatusOr<PreTokenizer> Qwen2();

  // Appends the words of `text` in order. They point into `text` or into `storage`.
  Status Split(std::string_view text, std::deque<std::string>& storage, std::vector<std::string_view>& words) const;

 private:
  struct Step {
    std::vector<Regex> pattern;  // one, or none: a prefix space
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
  };
  Status AddFromJson(const Json& value, int depth, bool& byte_level);
  std::vector<Step> steps_;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_PRE_TOKENIZER_H_
