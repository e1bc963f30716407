#include "src/engine/gguf_source.h"

#include <limits>

#include "src/base/strings.h"

namespace galago::engine {
namespace {

constexpr size_t kMaxArray = 4096;

template <class T>
Json ArrayOf(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(value);
  return array;
}

// The value of a key whose type, as GgufFile::Describe spells it, is "u32", "f32", "string", "i32[3]", ...
StatusOr<Json> ValueOf(const io::GgufFile& file, const std::string& key, std::string_view type) {
  const bool is_array = type.ends_with(']');
  if (type.starts_with("string")) {
    if (is_array) {
      ASSIGN_OR_RETURN(const auto strings, file.GetStringArray(key));
      if (strings->size() > kMaxArray) return Json();
      return ArrayOf(std::vector<std::string>(strings->begin(), strings->end()));
    }
    ASSIGN_OR_RETURN(const auto text, file.GetString(key));
    return Json(std::string(*text));
  }
  if (type.starts_with("bool")) {
    if (is_array) return Json();
    ASSIGN_OR_RETURN(const auto flag, file.GetBool(key));
    return Json(*flag);
  }
  if (type.starts_with("f")) {
    if (is_array) {
      ASSIGN_OR_RETURN(const auto numbers, file.GetFloatArray(key));
      return numbers->size() > kMaxArray ? Json() : ArrayOf(*numbers);
    }
    ASSIGN_OR_RETURN(const auto number, file.GetFloat(key));
    return Json(*number);
  }
  if (is_array) {
    ASSIGN_OR_RETURN(const auto numbers, file.GetIntArray(key));
    return numbers->size() > kMaxArray ? Json() : ArrayOf(*numbers);
  }
  ASSIGN_OR_RETURN(const auto number,
                   file.GetInt(key, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  return Json(*number);
}

StatusOr<std::optional<int32_t>> TokenId(const io::GgufFile& file, std::string_view key) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> id, file.GetInt(key, 0, std::numeric_limits<int32_t>::max()));
  return id ? std::optional<int32_t>(static_cast<int32_t>(*id)) : std::nullopt;
}

}  // namespace

StatusOr<spec::GgufFacts> FactsOf(const io::GgufFile& file, const std::filesystem::path& path) {
  spec::GgufFacts facts;
  facts.path = path;
  for (const io::GgufFile::Entry& entry : file.Describe()) {
    // Nested arrays and numbers beyond int64 occur in no key we know; whoever asks for one learns that it is absent.
    if (entry.type.starts_with("array")) continue;
    StatusOr<Json> value = ValueOf(file, entry.key, entry.type);
    if (value.ok() && !value->is_null()) facts.metadata.emplace(entry.key, *std::move(value));
  }
  for (const auto& [name, view] : file.tensors().tensors()) {
    const std::span<const int64_t> dims = view.shape.dims();
    facts.tensors.emplace(name, std::vector<int64_t>(dims.begin(), dims.end()));
  }
  return facts;
}

StatusOr<text::GgufVocab> VocabOf(const io::GgufFile& file) {
  text::GgufVocab vocab;
  ASSIGN_OR_RETURN(const auto model, file.GetString("tokenizer.ggml.model"));
  if (!model) return NotFound(StrCat(file.name(), ": holds no tokenizer (no key \"tokenizer.ggml.model\")"));
  vocab.model = *model;
  ASSIGN_OR_RETURN(const auto pre, file.GetString("tokenizer.ggml.pre"));
  vocab.pre = pre.value_or("default");
  ASSIGN_OR_RETURN(const auto tokens, file.GetStringArray("tokenizer.ggml.tokens"));
  if (!tokens) return NotFound(StrCat(file.name(), ": holds no vocabulary (no key \"tokenizer.ggml.tokens\")"));
  vocab.tokens.assign(tokens->begin(), tokens->end());
  ASSIGN_OR_RETURN(auto scores, file.GetFloatArray("tokenizer.ggml.scores"));
  if (scores) vocab.scores = *std::move(scores);
  ASSIGN_OR_RETURN(const auto types, file.GetIntArray("tokenizer.ggml.token_type"));
  if (types) {
    for (const int64_t type : *types) vocab.token_types.push_back(static_cast<int32_t>(type));
  }
  ASSIGN_OR_RETURN(const auto merges, file.GetStringArray("tokenizer.ggml.merges"));
  if (merges) vocab.merges.assign(merges->begin(), merges->end());
  ASSIGN_OR_RETURN(vocab.bos_id, TokenId(file, "tokenizer.ggml.bos_token_id"));
  ASSIGN_OR_RETURN(vocab.eos_id, TokenId(file, "tokenizer.ggml.eos_token_id"));
  ASSIGN_OR_RETURN(vocab.unk_id, TokenId(file, "tokenizer.ggml.unknown_token_id"));
  ASSIGN_OR_RETURN(vocab.pad_id, TokenId(file, "tokenizer.ggml.padding_token_id"));
  ASSIGN_OR_RETURN(vocab.add_bos, file.GetBool("tokenizer.ggml.add_bos_token"));
  ASSIGN_OR_RETURN(vocab.add_eos, file.GetBool("tokenizer.ggml.add_eos_token"));
  ASSIGN_OR_RETURN(vocab.add_space_prefix, file.GetBool("tokenizer.ggml.add_space_prefix"));
  return vocab;
}

}  // namespace galago::engine
