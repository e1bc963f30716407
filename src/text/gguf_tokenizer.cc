#include <algorithm>

#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/bpe_model.h"
#include "src/text/spm_model.h"
#include "src/text/tokenizer.h"
#include "src/text/tokenizer_parts.h"

// Behaves as ggml-org/llama.cpp: src/llama-vocab.cpp does, so that both give the same ids for the same file.
namespace galago::text {
namespace {

constexpr std::string_view kWhat = "GGUF tokenizer";

PieceType TypeOf(const GgufVocab& vocab, size_t id) {
  return vocab.token_types.empty() ? PieceType::kNormal : static_cast<PieceType>(vocab.token_types[id]);
}

Status Check(const GgufVocab& vocab) {
  const size_t n = vocab.tokens.size();
  if (n == 0) return DataLoss(StrCat(kWhat, ": no tokens"));
  if (!vocab.token_types.empty() && vocab.token_types.size() != n) {
    return DataLoss(StrCat(kWhat, ": ", n, " tokens but ", vocab.token_types.size(), " token types"));
  }
  for (size_t i = 0; i < vocab.token_types.size(); ++i) {
    if (vocab.token_types[i] < 1 || vocab.token_types[i] > 6) {
      return DataLoss(StrCat(kWhat, ": token ", i, " has the type ", vocab.token_types[i]));
    }
  }
  if (vocab.model == "llama" && vocab.scores.size() != n) {
    return DataLoss(StrCat(kWhat, ": ", n, " tokens but ", vocab.scores.size(), " scores"));
  }
  for (const auto& id : {vocab.bos_id, vocab.eos_id, vocab.unk_id, vocab.pad_id}) {
    if (id && (*id < 0 || static_cast<size_t>(*id) >= n)) {
      return DataLoss(StrCat(kWhat, ": a special id is ", *id, ", there are ", n, " tokens"));
    }
  }
  return OkStatus();
}

StatusOr<std::unique_ptr<const SubwordModel>> MakeSpm(const GgufVocab& vocab) {
  std::vector<Piece> pieces(vocab.tokens.size());
  std::vector<int32_t> keep_out;
  bool has_bytes = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    pieces[i] = {vocab.tokens[i], vocab.scores[i], TypeOf(vocab, i)};
    has_bytes = has_bytes || pieces[i].type == PieceType::kByte;
  }
  ASSIGN_OR_RETURN(SpmModel model,
                   SpmModel::Make(pieces, {.byte_fallback = has_bytes, .match_user_defined = false}, keep_out));
  return std::make_unique<SpmModel>(std::move(model));
}

StatusOr<std::unique_ptr<const SubwordModel>> MakeBpe(const GgufVocab& vocab, const Vocab& words,
                                                      const std::optional<int32_t>& unk_id, bool ignore_merges) {
  auto model = std::make_unique<BpeModel>(words, ignore_merges, unk_id);
  model->Reserve(vocab.merges.size());
  for (size_t i = 0; i < vocab.merges.size(); ++i) {
    const std::string_view merge = vocab.merges[i];
    const size_t space = merge.find(' ', 1);  // the left token may itself begin with a space
    if (space == std::string_view::npos) return DataLoss(StrCat(kWhat, ": merge ", i, " is not two tokens"));
    RETURN_IF_ERROR(model->AddMerge(merge.substr(0, space), merge.substr(space + 1), BpeModel::Missing::kSkip));
  }
  return model;
}

}  // namespace

StatusOr<std::unique_ptr<Tokenizer>> MakeGgufTokenizer(GgufVocab vocab) {
  RETURN_IF_ERROR(Check(vocab));
  const bool is_spm = vocab.model == "llama";
  if (!is_spm && vocab.model != "gpt2") {
    return Unimplemented(
        StrCat(kWhat, " model \"", Printable(vocab.model), "\" is not supported; known are llama and gpt2"));
  }
  auto parts = std::make_unique<Tokenizer::Parts>();
  for (size_t i = 0; i < vocab.tokens.size(); ++i) {
    RETURN_IF_ERROR(Annotate(parts->vocab.Add(vocab.tokens[i], static_cast<int64_t>(i)), kWhat));
  }
  for (size_t i = 0; i < vocab.tokens.size(); ++i) {
    const PieceType type = TypeOf(vocab, i);
    const bool special = type == PieceType::kControl || type == PieceType::kUnknown;
    if ((!special && type != PieceType::kUserDefined) || vocab.tokens[i].empty()) continue;
    RETURN_IF_ERROR(
        Annotate(parts->Add({.content = vocab.tokens[i], .id = static_cast<int32_t>(i), .special = special}), kWhat));
  }
  parts->skipped = parts->special;
  parts->bos_id = vocab.bos_id;
  parts->eos_id = vocab.eos_id;
  parts->unk_id = vocab.unk_id;
  parts->pad_id = vocab.pad_id;
  bool add_bos = is_spm;
  if (is_spm) {
    if (!parts->bos_id && vocab.tokens.size() > 2) parts->bos_id = 1;
    if (!parts->eos_id && vocab.tokens.size() > 2) parts->eos_id = 2;
    if (!parts->unk_id) parts->unk_id = 0;
    parts->decode_style = DecodeStyle::kSentencePiece;
    parts->byte_pieces = true;
    parts->space_prefix = vocab.add_space_prefix.value_or(true) ? SpacePrefix::kStartAndSpecials : SpacePrefix::kNone;
    ASSIGN_OR_RETURN(parts->model, MakeSpm(vocab));
  } else {
    const bool is_llama3 = vocab.pre == "llama-bpe" || vocab.pre == "llama3" || vocab.pre == "llama-v3";
    add_bos = is_llama3;
    ASSIGN_OR_RETURN(parts->pre_tokenizer, PreTokenizer::FromGgufName(vocab.pre));
    ASSIGN_OR_RETURN(parts->model, MakeBpe(vocab, parts->vocab, parts->unk_id, /*ignore_merges=*/is_llama3));
  }
  if (vocab.add_bos.value_or(add_bos) && parts->bos_id) parts->before = {*parts->bos_id};
  if (vocab.add_eos.value_or(false) && parts->eos_id) parts->after = {*parts->eos_id};
  return std::make_unique<Tokenizer>(std::move(parts));
}

}  // namespace galago::text
