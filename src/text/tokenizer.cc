#include "src/text/tokenizer.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/byte_level.h"
#include "src/text/detokenizer.h"
#include "src/text/spm_model.h"
#include "src/text/tokenizer_parts.h"

namespace galago::text {
namespace {

constexpr size_t kMaxTextBytes = size_t{64} << 20;

// A piece of the input: an added token, or text between two.
struct Stretch {
  std::string_view text;
  std::optional<int32_t> token;
};

char32_t LastCharacter(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return Utf8Decode(text.substr(at));
}

size_t TrimmedRight(std::string_view text, size_t end, size_t floor) {
  while (end > floor) {
    const std::string_view before = text.substr(floor, end - floor);
    if (!IsWhiteSpace(LastCharacter(before))) break;
    size_t at = end - 1;
    while (at > floor && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    end = at;
  }
  return end;
}

size_t SkippedSpace(std::string_view text, size_t begin) {
  while (begin < text.size() && IsWhiteSpace(Utf8Decode(text.substr(begin)))) begin += Utf8Length(text.substr(begin));
  return begin;
}

bool StandsAlone(std::string_view text, size_t begin, size_t end) {
  const bool left = begin == 0 || !IsWordCharacter(LastCharacter(text.substr(0, begin)));
  const bool right = end == text.size() || !IsWordCharacter(Utf8Decode(text.substr(end)));
  return left && right;
}

// Cuts added tokens out, leftmost first and of those the longest.
void Cut(std::string_view text, const TokenMatcher& matcher, const std::vector<AddedToken>& added,
         std::vector<Stretch>& out) {
  size_t done = 0;
  size_t at = 0;
  while (at < text.size()) {
    const TokenMatcher::Match match = matcher.LongestAt(text, at);
    if (match.length == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = added[static_cast<size_t>(match.value)];
    const size_t match_end = at + match.length;
    if (token.single_word && !StandsAlone(text, at, match_end)) {
      at = match_end;
      continue;
    }
    const size_t begin = token.lstrip ? TrimmedRight(text, at, done) : at;
    const size_t end = token.rstrip ? SkippedSpace(text, match_end) : match_end;
    if (begin > done) out.push_back({text.substr(done, begin - done), std::nullopt});
    out.push_back({text.substr(at, match.length), token.id});
    done = at = end;
  }
  if (done < text.size()) out.push_back({text.substr(done), std::nullopt});
}

std::string Utf8(char32_t c) {
  std::string out;
  Utf8Append(out, c);
  return out;
}

std::string EscapeSpaces(std::string_view text) { return ReplaceAll(std::string(text), " ", kSpaceSymbol); }

// One call of Encode.
class Encoder {
 public:
  Encoder(const Tokenizer::Parts& parts, const EncodeOptions& options)
      : parts_(parts), options_(options), mark_(options.literal_break == 0 ? "" : Utf8(options.literal_break)) {}

  StatusOr<std::vector<int32_t>> Run(std::string_view text) {
    std::string clean = Utf8Sanitize(text);
    if (parts_.normalizing == Normalizing::kFirst) {
      ASSIGN_OR_RETURN(clean, Normalize(parts_.normalization, clean));
    }
    if (parts_.space_prefix == SpacePrefix::kTextStart && !clean.empty()) {
      clean = StrCat(kSpaceSymbol, ReplaceAll(std::move(clean), kSpaceSymbol, " "));
    }
    if (options_.add_special) ids_ = parts_.before;
    std::vector<Stretch> stretches;
    Cut(clean, options_.parse_special ? parts_.raw_all : parts_.raw_plain, parts_.added, stretches);
    const size_t first = ids_.size();
    for (size_t i = 0; i < stretches.size(); ++i) {
      if (stretches[i].token) {
        PushToken(*stretches[i].token);
        after_special_ = true;
        continue;
      }
      const size_t begin = ids_.size();
      const std::string unmarked =
          mark_.empty() ? std::string() : ReplaceAll(std::string(stretches[i].text), mark_, "");
      RETURN_IF_ERROR(EncodeStretch(mark_.empty() ? stretches[i].text : std::string_view(unmarked)));
      KeepOutSpecials(begin);
      after_special_ = false;
    }
    // transformers' LlamaTokenizer.tokenize: the prefix alone in front of a special token is taken back.
    if (parts_.space_prefix == SpacePrefix::kTextStart && stretches.size() > 1 && stretches[0].text == kSpaceSymbol &&
        !stretches[0].token && stretches[1].token &&
        (parts_.no_prefix_before_tokens || parts_.skipped.contains(*stretches[1].token))) {
      ids_.erase(ids_.begin() + static_cast<std::ptrdiff_t>(first));
    }
    if (options_.add_special) ids_.insert(ids_.end(), parts_.after.begin(), parts_.after.end());
    return std::move(ids_);
  }

 private:
  void PushToken(int32_t id) { ids_.push_back(id); }

  Status EncodeStretch(std::string_view text) {
    if (text.empty()) return OkStatus();
    if (parts_.decode_style == DecodeStyle::kSentencePiece) {
      EncodeSentencePiece(text);
      return OkStatus();
    }
    if (parts_.normalizing == Normalizing::kFirst) return EncodeWords(text);
    ASSIGN_OR_RETURN(const std::string normalized, Normalize(parts_.normalization, text));
    std::vector<Stretch> stretches;
    Cut(normalized, options_.parse_special ? parts_.normalized_all : parts_.normalized_plain, parts_.added, stretches);
    for (const Stretch& stretch : stretches) {
      if (stretch.token) {
        PushToken(*stretch.token);
        asked_for_.push_back(ids_.size() - 1);
      } else {
        RETURN_IF_ERROR(EncodeWords(stretch.text));
      }
    }
    return OkStatus();
  }

  Status EncodeWords(std::string_view text) {
    if (!parts_.pre_tokenizer) {
      parts_.model->Encode(text, ids_);
      return OkStatus();
    }
    std::deque<std::string> storage;
    std::vector<std::string_view> words;
    RETURN_IF_ERROR(parts_.pre_tokenizer->Split(text, storage, words));
    for (const std::string_view word : words) parts_.model->Encode(word, ids_);
    return OkStatus();
  }

  void EncodeSentencePiece(std::string_view text) {
    switch (parts_.space_prefix) {
      case SpacePrefix::kNone:
        parts_.model->Encode(EscapeSpaces(text), ids_);
        return;
      case SpacePrefix::kEveryStretch:
        parts_.model->Encode(EscapeSpaces(StrCat(' ', text)), ids_);
        return;
      case SpacePrefix::kStartAndSpecials:
        parts_.model->Encode(EscapeSpaces(after_special_ ? StrCat(' ', text) : std::string(text)), ids_);
        return;
      case SpacePrefix::kTextStart: {
        const std::string escaped = EscapeSpaces(text);
        if (!escaped.starts_with(kSpaceSymbol)) {
          parts_.model->Encode(escaped, ids_);
          return;
        }
        // transformers' LlamaTokenizer._tokenize: encoded behind the spelling of the unknown token, whose pieces are
        // then dropped.
        const std::string unk = EscapeSpaces(parts_.unk_token);
        std::vector<int32_t> lead;
        parts_.model->Encode(unk, lead);
        std::vector<int32_t> all;
        parts_.model->Encode(unk + escaped, all);
        const size_t skip = all.size() >= lead.size() ? lead.size() : 0;
        ids_.insert(ids_.end(), all.begin() + static_cast<std::ptrdiff_t>(skip), all.end());
        return;
      }
    }
  }

  // Ids made from plain text since `begin`: a special one among them (a vocabulary may let merges reach it) is written
  // as bytes instead, unless the text was trusted. The unknown token is no marker, and a single byte is itself.
  void KeepOutSpecials(size_t begin) {
    const bool trusted = options_.parse_special && mark_.empty();
    if (!trusted) {
      std::vector<int32_t> out;
      for (size_t i = begin; i < ids_.size(); ++i) {
        const int32_t id = ids_[i];
        const bool asked_for = std::find(asked_for_.begin(), asked_for_.end(), i) != asked_for_.end();
        const std::string_view spelling = parts_.vocab.Spelling(id);
        if (!parts_.special.contains(id) || asked_for || id == parts_.unk_id || spelling.size() <= 1) {
          out.push_back(id);
        } else {
          parts_.model->EncodeBytes(
              parts_.decode_style == DecodeStyle::kByteLevel ? SpellingToBytes(spelling) : std::string(spelling), out);
        }
      }
      ids_.resize(begin);
      ids_.insert(ids_.end(), out.begin(), out.end());
    }
    asked_for_.clear();
  }

  const Tokenizer::Parts& parts_;
  const EncodeOptions& options_;
  const std::string mark_;
  std::vector<int32_t> ids_;
  std::vector<size_t> asked_for_;  // indices in ids_ of added tokens found in the current stretch after normalization
  bool after_special_ = true;
};

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) { parts_->Index(); }
Tokenizer::~Tokenizer() = default;

StatusOr<std::vector<int32_t>> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() > kMaxTextBytes) {
    return OutOfRange(StrCat("text of ", text.size(), " bytes, the limit is ", kMaxTextBytes));
  }
  return Encoder(*parts_, options).Run(text);
}

std::string Tokenizer::Decode(std::span<const int32_t> ids, bool skip_special) const {
  Detokenizer detokenizer(*this, skip_special);
  std::string out;
  for (const int32_t id : ids) out += detokenizer.Push(id);
  return out + detokenizer.Finish();
}

std::optional<int32_t> Tokenizer::TokenToId(std::string_view token) const { return parts_->vocab.Find(token); }

std::string Tokenizer::IdToPiece(int32_t id) const {
  const std::string_view spelling = parts_->vocab.Spelling(id);
  if (parts_->added_ids.contains(id)) return std::string(spelling);
  if (parts_->decode_style == DecodeStyle::kByteLevel) return SpellingToBytes(spelling);
  if (parts_->byte_pieces) {
    if (const auto byte = ByteOfPiece(spelling)) return std::string(1, static_cast<char>(*byte));
  }
  return ReplaceAll(std::string(spelling), kSpaceSymbol, " ");
}

bool Tokenizer::IsSpecial(int32_t id) const { return parts_->special.contains(id); }

std::vector<int32_t> Tokenizer::AddSpecialTokens(std::span<const std::string> tokens) {
  std::vector<int32_t> ids;
  for (const std::string& token : tokens) {
    const auto known = parts_->vocab.Find(token);
    int32_t id = known.value_or(static_cast<int32_t>(size()));
    while (!known && parts_->vocab.Has(id)) ++id;  // only where a vocabulary has holes
    const Status added = parts_->Add({.content = token, .id = id, .special = true});
    if (!added.ok()) continue;
    parts_->skipped.insert(id);
    ids.push_back(id);
  }
  parts_->Index();
  return ids;
}

int64_t Tokenizer::size() const { return parts_->vocab.num_tokens(); }
int64_t Tokenizer::vocab_size() const { return parts_->vocab.num_rows(); }
std::optional<int32_t> Tokenizer::bos_id() const { return parts_->bos_id; }
std::optional<int32_t> Tokenizer::eos_id() const { return parts_->eos_id; }
std::optional<int32_t> Tokenizer::pad_id() const { return parts_->pad_id; }
std::optional<int32_t> Tokenizer::unk_id() const { return parts_->unk_id; }
bool Tokenizer::adds_bos() const {
  return parts_->bos_id &&
         std::find(parts_->before.begin(), parts_->before.end(), *parts_->bos_id) != parts_->before.end();
}
const std::vector<AddedToken>& Tokenizer::added_tokens() const { return parts_->added; }
DecodeStyle Tokenizer::decode_style() const { return parts_->decode_style; }
bool Tokenizer::clean_up_tokenization_spaces() const { return parts_->clean_up_tokenization_spaces; }

std::string Tokenizer::BreakSpecials(std::string_view text, char32_t mark, std::span<const std::string> more) const {
  TokenMatcher extra;
  for (const std::string& token : more) extra.Add(token, 0);
  const auto spells = [&](std::string_view where, size_t at) {
    return parts_->special_spellings.LongestAt(where, at).length > 0 || extra.LongestAt(where, at).length > 0;
  };
  const auto spells_anywhere = [&](std::string_view where) {
    for (size_t at = 0; at < where.size(); ++at) {
      if (spells(where, at)) return true;
    }
    return false;
  };
  std::string clean = Utf8Sanitize(text);
  if (parts_->normalization != Normalization::kNone) {
    // Normalizing could make a spelling out of other characters (the Kelvin sign becomes K).
    StatusOr<std::string> normalized = Normalize(parts_->normalization, clean);
    if (normalized.ok() && *normalized != clean && spells_anywhere(*normalized)) clean = *std::move(normalized);
  }
  if (!spells_anywhere(clean)) return clean;
  std::string out;
  for (size_t at = 0; at < clean.size();) {
    const size_t length = std::max<size_t>(1, Utf8Length(std::string_view(clean).substr(at)));
    out.append(clean, at, length);
    if (spells(clean, at)) Utf8Append(out, mark);
    at += length;
  }
  return out;
}

}  // namespace galago::text
