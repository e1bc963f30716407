#include "src/text/tokenizer_parts.h"

#include <utility>

#include "src/base/strings.h"

namespace galago::text {

Status Tokenizer::Parts::Add(AddedToken token) {
  if (token.content.empty()) return DataLoss("an added token is empty");
  if (const auto known = vocab.Find(token.content)) {
    token.id = *known;
  } else {
    RETURN_IF_ERROR(vocab.Add(token.content, token.id));
  }
  if (token.special) special.insert(token.id);
  if (added_ids.insert(token.id).second) {
    added.push_back(std::move(token));
  } else {
    for (AddedToken& old : added) {
      if (old.id == token.id) old = token;
    }
  }
  return OkStatus();
}

void Tokenizer::Parts::Index() {
  raw_all = raw_plain = normalized_all = normalized_plain = special_spellings = TokenMatcher();
  for (size_t i = 0; i < added.size(); ++i) {
    const AddedToken& token = added[i];
    const bool late = token.normalized && normalizing == Normalizing::kStretches;
    const auto value = static_cast<int32_t>(i);
    (late ? normalized_all : raw_all).Add(token.content, value);
    if (token.special) {
      special_spellings.Add(token.content, value);
    } else {
      (late ? normalized_plain : raw_plain).Add(token.content, value);
    }
  }
}

Status Tokenizer::Parts::AddFrom(const SideSettings& settings) {
  const auto is_named = [&](const std::string& content) {
    for (const AddedToken& token : settings.named) {
      if (token.content == content) return true;
    }
    return false;
  };
  for (AddedToken token : settings.added) {
    const auto known = vocab.Find(token.content);
    if (known && *known != token.id) {
      return DataLoss(StrCat(settings.added_from, ": added token \"", Printable(token.content), "\" has the id ",
                             token.id, ", the vocabulary has it as ", *known));
    }
    // An added token may take the place of a subword piece, but not of another added token.
    if (!known && vocab.Has(token.id) && !added_ids.contains(token.id)) vocab.Rename(token.id, token.content);
    token.special = token.special || is_named(token.content);
    RETURN_IF_ERROR(Annotate(Add(std::move(token)), settings.added_from));
  }
  for (AddedToken token : settings.named) {
    if (const auto known = vocab.Find(token.content); known && added_ids.contains(*known)) {
      special.insert(*known);
      skipped.insert(*known);
      continue;
    }
    token.id = static_cast<int32_t>(vocab.num_tokens());
    while (!vocab.Find(token.content) && vocab.Has(token.id)) ++token.id;
    const std::string content = token.content;
    RETURN_IF_ERROR(Annotate(Add(std::move(token)), "tokenizer_config.json"));
    skipped.insert(*vocab.Find(content));
  }
  const auto id_of = [&](const std::optional<std::string>& name) { return name ? vocab.Find(*name) : std::nullopt; };
  bos_id = id_of(settings.names.bos);
  eos_id = id_of(settings.names.eos);
  unk_id = id_of(settings.names.unk);
  pad_id = id_of(settings.names.pad);
  unk_token = settings.names.unk.value_or("");
  clean_up_tokenization_spaces = settings.clean_up_tokenization_spaces;
  return OkStatus();
}

}  // namespace galago::text
