#ifndef GALAGO_TEXT_TOKENIZER_H_
#define GALAGO_TEXT_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"

namespace galago::spec {
class FileSource;
}

// Text to token ids and back, as the tokenizer files that come with a checkpoint say. Four kinds of files, one
// pipeline:
//   added tokens are cut out -> normalizer -> pre-tokenizer -> subword model -> BOS and EOS.
namespace galago::text {

struct EncodeOptions {
  // BOS and EOS where the files ask for them: what the reference's plain tokenizer(text) call does.
  bool add_special = true;
  // Whether the spelling of a special token in the text becomes that token. Text from outside must never be given this:
  // a user who types "<|im_end|>" would end their own turn.
  bool parse_special = false;
  // With parse_special: a character that is taken out again after the special tokens have been found. A spelling with
  // this character inside stays text. 0: none. See prompt.h.
  char32_t literal_break = 0;
};

// A token beside the subword vocabulary. The flags are those of Hugging Face's AddedToken.
struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool special = false;  // control token: never made from untrusted text
  bool lstrip = false;   // takes the white space on its left with it
  bool rstrip = false;
  bool single_word = false;  // only between non-word characters
  bool normalized = false;   // searched in the normalized text
  bool operator==(const AddedToken&) const = default;
};

// How ids become text again.
enum class DecodeStyle {
  kByteLevel,      // pieces are bytes
  kSentencePiece,  // pieces are UTF-8 with U+2581 for a space; <0xNN> are bytes; the first space is dropped
};

class Detokenizer;

// Immutable once set up; then any number of threads may use it.
class Tokenizer {
 public:
  struct Parts;  // what the readers of the file kinds fill in (tokenizer_parts.h)
  explicit Tokenizer(std::unique_ptr<Parts> parts);
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;
  ~Tokenizer();

  // Malformed UTF-8 is read as U+FFFD. OutOfRange: text of more than 64 MiB, or a pattern that ran into its work limit.
  StatusOr<std::vector<int32_t>> Encode(std::string_view text, const EncodeOptions& options = {}) const;

  // Text of all ids; ids outside the vocabulary add nothing. Equals what a Detokenizer gives piece by piece.
  std::string Decode(std::span<const int32_t> ids, bool skip_special = true) const;

  // The id whose token is spelled exactly so, subword pieces included (in their file spelling).
  std::optional<int32_t> TokenToId(std::string_view token) const;
  // Bytes the token stands for, without context: no stripping of a first space. Empty for unknown ids.
  std::string IdToPiece(int32_t id) const;
  bool IsSpecial(int32_t id) const;

  // Appends special tokens as the reference does at load: each gets the id size() of that moment unless its spelling
  // exists already. Returns their ids in order. Only before the tokenizer is shared.
  std::vector<int32_t> AddSpecialTokens(std::span<const std::string> tokens);

  int64_t size() const;        // number of tokens: Python's len(tokenizer)
  int64_t vocab_size() const;  // highest id + 1: rows an embedding table needs
  std::optional<int32_t> bos_id() const;
  std::optional<int32_t> eos_id() const;
  std::optional<int32_t> pad_id() const;
  std::optional<int32_t> unk_id() const;
  bool adds_bos() const;  // with EncodeOptions::add_special
  const std::vector<AddedToken>& added_tokens() const;
  DecodeStyle decode_style() const;
  // Spaces before punctuation are removed from answers (a tokenizer_config.json setting, true for Llama 3).
  bool clean_up_tokenization_spaces() const;

  // Replaces ill-formed UTF-8 and puts `mark` inside every spelling of a special token or of one of `more`, so that
  // Encode with literal_break = mark leaves them text. Text without such spellings comes back as it was.
  std::string BreakSpecials(std::string_view text, char32_t mark, std::span<const std::string> more = {}) const;

 private:
  friend class Detokenizer;
  std::unique_ptr<Parts> parts_;
};

// Reads the files in spec.directory. kGguf is refused here: the words are inside the .gguf, see MakeGgufTokenizer.
StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const spec::TokenizerSpec& spec);
// The same for files that lie elsewhere, named without a folder.
StatusOr<std::unique_ptr<Tokenizer>> LoadTokenizer(const spec::TokenizerSpec& spec, const spec::FileSource& files);

// The tokenizer.ggml.* values of a GGUF file, as plain data.
struct GgufVocab {
  std::string model;  // "llama" (scores) or "gpt2" (merges)
  std::string pre;    // name of the pre-tokenizer: "default", "gpt-2", "llama-bpe", "qwen2", "smollm", ...; gpt2 only
  std::vector<std::string> tokens;
  std::vector<float> scores;         // llama only; as many as tokens
  std::vector<int32_t> token_types;  // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; may be empty
  std::vector<std::string> merges;   // gpt2 only: "left right", best first
  std::optional<int32_t> bos_id, eos_id, unk_id, pad_id;
  std::optional<bool> add_bos, add_eos, add_space_prefix;  // absent: the model's default
};
StatusOr<std::unique_ptr<Tokenizer>> MakeGgufTokenizer(GgufVocab vocab);

}  // namespace galago::text

#endif  // GALAGO_TEXT_TOKENIZER_H_
