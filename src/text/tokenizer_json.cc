#include <optional>
#include <string>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/text/bpe_model.h"
#include "src/text/tokenizer_files.h"
#include "src/text/tokenizer_parts.h"

namespace galago::text {
namespace {

constexpr std::string_view kName = "tokenizer.json";
constexpr size_t kMaxVocabFile = size_t{128} << 20;
constexpr int kMaxDepth = 8;

StatusOr<std::string> TypeOf(const Json& value, std::string_view what) {
  ASSIGN_OR_RETURN(const auto type, JsonString(value, "type", what));
  if (!type) return DataLoss(StrCat(what, ": \"type\" is missing"));
  return *type;
}

Status ParseNormalizer(const Json& value, int depth, Normalization& out) {
  ASSIGN_OR_RETURN(const std::string type, TypeOf(value, "normalizer"));
  if (type == "Sequence") {
    const Json* steps = JsonFind(value, "normalizers");
    if (depth > kMaxDepth || steps == nullptr || !steps->is_array())
      return DataLoss("normalizer: malformed \"Sequence\"");
    for (const Json& step : *steps) RETURN_IF_ERROR(ParseNormalizer(step, depth + 1, out));
    return OkStatus();
  }
  constexpr std::pair<std::string_view, Normalization> kForms[] = {{"NFC", Normalization::kNfc},
                                                                   {"NFD", Normalization::kNfd},
                                                                   {"NFKC", Normalization::kNfkc},
                                                                   {"NFKD", Normalization::kNfkd}};
  for (const auto& [name, form] : kForms) {
    if (type != name) continue;
    if (out != Normalization::kNone && out != form) return Unimplemented("normalizer: more than one Unicode form");
    out = form;
    return OkStatus();
  }
  return Unimplemented(
      StrCat("normalizer \"", Printable(type), "\" is not supported; known are Sequence, NFC, NFD, NFKC and NFKD"));
}

Status ParseTemplate(const Json& value, Tokenizer::Parts& parts) {
  constexpr std::string_view kWhat = "post_processor: \"TemplateProcessing\"";
  const Json* single = JsonFind(value, "single");
  const Json* tokens = JsonFind(value, "special_tokens");
  if (single == nullptr || !single->is_array()) return DataLoss(StrCat(kWhat, " without \"single\""));
  bool text_seen = false;
  for (const Json& item : *single) {
    if (JsonFind(item, "Sequence") != nullptr) {
      if (text_seen) return Unimplemented(StrCat(kWhat, " repeats the text"));
      text_seen = true;
      continue;
    }
    const Json* special = JsonFind(item, "SpecialToken");
    if (special == nullptr) return DataLoss(StrCat(kWhat, " has an item that is neither text nor token"));
    ASSIGN_OR_RETURN(const auto name, JsonString(*special, "id", kWhat));
    const Json* entry = tokens == nullptr || !name ? nullptr : JsonFind(*tokens, *name);
    const Json* ids = entry == nullptr ? nullptr : JsonFind(*entry, "ids");
    if (ids == nullptr || !ids->is_array())
      return DataLoss(StrCat(kWhat, ": token \"", Printable(name.value_or("")), "\" has no ids"));
    for (const Json& id : *ids) {
      if (!id.is_number_integer() ||
          !parts.vocab.Has(static_cast<int32_t>(std::min<int64_t>(id.get<int64_t>(), kMaxTokenId + 1)))) {
        return DataLoss(StrCat(kWhat, ": token \"", Printable(*name), "\" has an id that is not in the vocabulary"));
      }
      (text_seen ? parts.after : parts.before).push_back(id.get<int32_t>());
    }
  }
  if (!text_seen) return DataLoss(StrCat(kWhat, " has no place for the text"));
  return OkStatus();
}

Status ParsePostProcessor(const Json& value, int depth, Tokenizer::Parts& parts) {
  ASSIGN_OR_RETURN(const std::string type, TypeOf(value, "post_processor"));
  if (type == "ByteLevel") return OkStatus();  // moves offsets only
  if (type == "TemplateProcessing") return ParseTemplate(value, parts);
  if (type == "Sequence") {
    const Json* steps = JsonFind(value, "processors");
    if (depth > kMaxDepth || steps == nullptr || !steps->is_array())
      return DataLoss("post_processor: malformed \"Sequence\"");
    for (const Json& step : *steps) RETURN_IF_ERROR(ParsePostProcessor(step, depth + 1, parts));
    return OkStatus();
  }
  return Unimplemented(StrCat("post_processor \"", Printable(type),
                              "\" is not supported; known are Sequence, ByteLevel and TemplateProcessing"));
}

Status CheckModel(const Json& model) {
  ASSIGN_OR_RETURN(const auto type, JsonString(model, "type", "model"));
  if (type.value_or("BPE") != "BPE")
    return Unimplemented(StrCat("model \"", Printable(*type), "\" is not supported, only BPE"));
  ASSIGN_OR_RETURN(const auto fallback, JsonBool(model, "byte_fallback", "model"));
  if (fallback.value_or(false)) {
    return Unimplemented("model: byte_fallback is not supported; give the tokenizer.model of this vocabulary instead");
  }
  ASSIGN_OR_RETURN(const auto dropout, JsonNumber(model, "dropout", "model"));
  if (dropout.value_or(0.0) != 0.0) return Unimplemented("model: dropout is not supported");
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    ASSIGN_OR_RETURN(const auto affix, JsonString(model, key, "model"));
    if (!affix.value_or("").empty()) return Unimplemented(StrCat("model: \"", key, "\" is not supported"));
  }
  return OkStatus();
}

Status ParseVocab(const Json& model, Vocab& vocab) {
  const Json* json = JsonFind(model, "vocab");
  if (json == nullptr || !json->is_object()) return DataLoss("model: \"vocab\" is not an object");
  for (const auto& [spelling, id] : json->get_ref<const Json::object_t&>()) {
    if (!id.is_number_integer()) return DataLoss(StrCat("model: \"", Printable(spelling), "\" has no whole number"));
    RETURN_IF_ERROR(vocab.Add(spelling, id.get<int64_t>()));
  }
  return OkStatus();
}

Status ParseMerges(const Json& model, BpeModel& bpe) {
  const Json* merges = JsonFind(model, "merges");
  if (merges == nullptr || !merges->is_array()) return DataLoss("model: \"merges\" is not a list");
  bpe.Reserve(merges->size());
  for (size_t i = 0; i < merges->size(); ++i) {
    const Json& merge = (*merges)[i];
    std::string_view left;
    std::string_view right;
    if (merge.is_string()) {
      const std::string_view text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space == std::string_view::npos) return DataLoss(StrCat("model: merge ", i, " is not two tokens"));
      left = text.substr(0, space);
      right = text.substr(space + 1);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      left = merge[0].get_ref<const std::string&>();
      right = merge[1].get_ref<const std::string&>();
    } else {
      return DataLoss(StrCat("model: merge ", i, " is not two tokens"));
    }
    RETURN_IF_ERROR(bpe.AddMerge(left, right, BpeModel::Missing::kFail));
  }
  return OkStatus();
}

Status ParseAddedTokens(const Json* list, Tokenizer::Parts& parts) {
  if (list == nullptr) return OkStatus();
  if (!list->is_array()) return DataLoss("\"added_tokens\" is not a list");
  for (const Json& item : *list) {
    constexpr std::string_view kWhat = "\"added_tokens\"";
    AddedToken token;
    ASSIGN_OR_RETURN(const auto content, JsonString(item, "content", kWhat));
    ASSIGN_OR_RETURN(const auto id, JsonInt(item, "id", kWhat, 0, kMaxTokenId));
    if (!content || !id) return DataLoss("\"added_tokens\": an item has no content or no id");
    token.content = *content;
    token.id = static_cast<int32_t>(*id);
    for (const auto& [key, field] : {std::pair<std::string_view, bool AddedToken::*>{"special", &AddedToken::special},
                                     {"lstrip", &AddedToken::lstrip},
                                     {"rstrip", &AddedToken::rstrip},
                                     {"single_word", &AddedToken::single_word},
                                     {"normalized", &AddedToken::normalized}}) {
      ASSIGN_OR_RETURN(const auto value, JsonBool(item, key, kWhat));
      token.*field = value.value_or(false);
    }
    RETURN_IF_ERROR(parts.Add(std::move(token)));
  }
  return OkStatus();
}

// All but the post-processor, whose tokens the side files may add.
Status Parse(const Json& root, Tokenizer::Parts& parts) {
  const Json* model = JsonFind(root, "model");
  if (model == nullptr || !model->is_object()) return DataLoss("\"model\" is not an object");
  RETURN_IF_ERROR(CheckModel(*model));
  RETURN_IF_ERROR(ParseVocab(*model, parts.vocab));
  RETURN_IF_ERROR(ParseAddedTokens(JsonFind(root, "added_tokens"), parts));
  if (const Json* normalizer = JsonFind(root, "normalizer")) {
    RETURN_IF_ERROR(ParseNormalizer(*normalizer, 0, parts.normalization));
  }
  bool byte_level = false;
  ASSIGN_OR_RETURN(parts.pre_tokenizer, PreTokenizer::FromJson(JsonFind(root, "pre_tokenizer"), byte_level));
  if (!byte_level) return Unimplemented("only byte-level vocabularies (pre_tokenizer ByteLevel) are supported");

  ASSIGN_OR_RETURN(const auto unk, JsonString(*model, "unk_token", "model"));
  ASSIGN_OR_RETURN(const auto ignore_merges, JsonBool(*model, "ignore_merges", "model"));
  auto bpe = std::make_unique<BpeModel>(parts.vocab, ignore_merges.value_or(false),
                                        unk ? parts.vocab.Find(*unk) : std::nullopt);
  RETURN_IF_ERROR(ParseMerges(*model, *bpe));
  parts.model = std::move(bpe);
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizerJson(std::string_view json, const SideFiles& side) {
  ASSIGN_OR_RETURN(const Json root, ParseJson(json, kName, {.max_bytes = kMaxVocabFile}));
  auto parts = std::make_unique<Tokenizer::Parts>();
  RETURN_IF_ERROR(Annotate(Parse(root, *parts), kName));
  ASSIGN_OR_RETURN(const SideSettings settings, ParseSideFiles(side, {}));
  RETURN_IF_ERROR(parts->AddFrom(settings));
  parts->skipped.insert(parts->special.begin(), parts->special.end());
  if (const Json* post = JsonFind(root, "post_processor")) {
    RETURN_IF_ERROR(Annotate(ParsePostProcessor(*post, 0, *parts), kName));
  }
  return std::make_unique<Tokenizer>(std::move(parts));
}

}  // namespace galago::text
