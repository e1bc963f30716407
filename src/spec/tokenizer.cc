#include <algorithm>

#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

std::string Join(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : StrCat(folder, "/", name);
}

// The template, which is a string or a list of {"name", "template"} of which "default" counts.
StatusOr<std::string> ChatTemplate(const Config& config) {
  const Json* value = config.Find("chat_template");
  if (value == nullptr || !value->is_array()) return config.StringOr("chat_template", "");
  for (const Json& item : *value) {
    const Config entry(item, StrCat(config.what(), ": chat_template"));
    ASSIGN_OR_RETURN(const std::string name, entry.StringOr("name", ""));
    if (name == "default") return entry.String("template");
  }
  return std::string();
}

void CollectContent(const Json& token, std::vector<std::string>& out) {
  if (token.is_string()) {
    out.push_back(token.get<std::string>());
  } else if (const Json* content = JsonFind(token, "content"); content != nullptr && content->is_string()) {
    out.push_back(content->get<std::string>());
  }
}

// Strings of added tokens from the small files, and only if those name none from the large tokenizer.json.
StatusOr<std::vector<std::string>> SpecialTokens(const FileSource& files, std::string_view folder,
                                                 const Config& config) {
  std::vector<std::string> tokens;
  if (const Json* decoder = config.Find("added_tokens_decoder"); decoder != nullptr && decoder->is_object()) {
    for (const auto& [id, token] : decoder->items()) CollectContent(token, tokens);
  }
  ASSIGN_OR_RETURN(const Config added, Config::ReadIfPresent(files, Join(folder, "added_tokens.json")));
  for (const auto& [text, id] : added.json().items()) tokens.push_back(text);
  ASSIGN_OR_RETURN(const Config map, Config::ReadIfPresent(files, Join(folder, "special_tokens_map.json")));
  for (const Config* source : {&config, &map}) {
    for (const std::string_view key : {"bos_token", "eos_token", "pad_token"}) {
      if (const Json* token = source->Find(key)) CollectContent(*token, tokens);
    }
    const Json* more = source->Find("additional_special_tokens");
    if (more == nullptr || !more->is_array()) continue;
    for (const Json& token : *more) CollectContent(token, tokens);
  }
  if (!config.Has("added_tokens_decoder") && added.json().empty()) {
    ASSIGN_OR_RETURN(const Config fast, Config::ReadIfPresent(files, Join(folder, "tokenizer.json")));
    if (const Json* list = fast.Find("added_tokens"); list != nullptr && list->is_array()) {
      for (const Json& token : *list) CollectContent(token, tokens);
    }
  }
  return tokens;
}

}  // namespace

bool TokenizerFiles::HasToken(std::string_view token) const {
  return std::ranges::find(special_tokens, token) != special_tokens.end();
}

StatusOr<TokenizerFiles> ParseTokenizer(const FileSource& files, std::string_view folder,
                                        const std::filesystem::path& root, bool default_legacy) {
  TokenizerFiles out;
  out.spec.directory = folder.empty() ? root : root / folder;
  if (files.Exists(Join(folder, "tokenizer.model"))) {
    out.spec.kind = TokenizerKind::kSentencePiece;
  } else if (files.Exists(Join(folder, "tokenizer.json"))) {
    out.spec.kind = TokenizerKind::kTokenizerJson;
  } else if (files.Exists(Join(folder, "vocab.json")) && files.Exists(Join(folder, "merges.txt"))) {
    out.spec.kind = TokenizerKind::kVocabMerges;
  } else {
    return NotFound(
        StrCat(folder.empty() ? std::string("the model folder") : StrCat(folder, "/"),
               " has no tokenizer: neither tokenizer.model, tokenizer.json, nor vocab.json with merges.txt"));
  }
  ASSIGN_OR_RETURN(const Config config, Config::ReadIfPresent(files, Join(folder, "tokenizer_config.json")));
  ASSIGN_OR_RETURN(out.spec.legacy, config.BoolOr("legacy", default_legacy));
  ASSIGN_OR_RETURN(out.spec.add_bos_token,
                   config.BoolOr("add_bos_token", out.spec.kind == TokenizerKind::kSentencePiece));
  // transformers writes 1e30 for "no limit".
  ASSIGN_OR_RETURN(const double length, config.PositiveOr("model_max_length", 1e30));
  if (length < static_cast<double>(kMaxPositions)) out.model_max_length = static_cast<int64_t>(length);
  ASSIGN_OR_RETURN(out.chat_template, ChatTemplate(config));
  if (const std::string name = Join(folder, "chat_template.jinja"); out.chat_template.empty() && files.Exists(name)) {
    ASSIGN_OR_RETURN(out.chat_template, files.Read(name));
  }
  ASSIGN_OR_RETURN(out.special_tokens, SpecialTokens(files, folder, config));
  return out;
}

}  // namespace galago::spec
