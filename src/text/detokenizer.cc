#include "src/text/detokenizer.h"

#include <algorithm>

#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/byte_level.h"
#include "src/text/spm_model.h"
#include "src/text/tokenizer_parts.h"

namespace galago::text {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// transformers: PreTrainedTokenizerBase.clean_up_tokenization, in its order.
std::string CleanUpSpaces(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
      {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) text = ReplaceAll(std::move(text), from, to);
  return text;
}

// Bytes at the front on which no rule of CleanUpSpaces can join with what follows: up to and with the last character
// that is not inside any of its patterns. Rules only take spaces away, so cleaning such parts one by one is the same.
size_t CleanablePrefix(std::string_view text) {
  const size_t last = text.find_last_not_of(" 'nvr");
  return last == std::string_view::npos ? 0 : last + 1;
}

// SentencePiece decodes byte pieces character by character; every byte that is no part of one is U+FFFD by itself.
std::string DecodeBytePieces(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    out += length == 0 ? kReplacement : bytes.substr(0, length);
    bytes.remove_prefix(std::max<size_t>(1, length));
  }
  return out;
}

}  // namespace

Detokenizer::Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : owner_(std::move(tokenizer)), tokenizer_(owner_.get()), skip_special_(skip_special) {}

Detokenizer::Detokenizer(const Tokenizer& tokenizer, bool skip_special)
    : tokenizer_(&tokenizer), skip_special_(skip_special) {}

std::string Detokenizer::Push(int32_t id) {
  const auto& parts = *tokenizer_->parts_;
  std::string out;
  if (parts.vocab.Has(id) && !(skip_special_ && parts.skipped.contains(id))) {
    if (parts.decode_style == DecodeStyle::kByteLevel) {
      PushByteLevel(id, out);
    } else {
      PushSentencePiece(id, out);
    }
  }
  return parts.clean_up_tokenization_spaces ? CleanUp(std::move(out), /*last=*/false) : out;
}

void Detokenizer::PushByteLevel(int32_t id, std::string& out) {
  bytes_ += tokenizer_->IdToPiece(id);
  const size_t complete = Utf8CompletePrefix(bytes_);
  out += Utf8Sanitize(std::string_view(bytes_).substr(0, complete));
  bytes_.erase(0, complete);
}

void Detokenizer::Show(std::string_view text, std::string& out) {
  if (text.empty()) return;
  if (join_) out += ' ';
  join_ = false;
  shown_ = true;
  out += text;
}

// transformers' LlamaTokenizer.convert_tokens_to_string over SentencePiece's own Decode, for ids without special ones.
void Detokenizer::PushSentencePiece(int32_t id, std::string& out) {
  const auto& parts = *tokenizer_->parts_;
  const std::string_view spelling = parts.vocab.Spelling(id);
  const bool added = parts.added_ids.contains(id);
  const bool slow_class = parts.decodes_as_slow_llama;
  if (const auto byte = parts.byte_pieces && !added ? ByteOfPiece(spelling) : std::nullopt) {
    bytes_ += static_cast<char>(*byte);
    const size_t complete = Utf8CompletePrefix(bytes_);
    Show(DecodeBytePieces(std::string_view(bytes_).substr(0, complete)), out);
    bytes_.erase(0, complete);
    first_ = strip_ = false;
    return;
  }
  Show(DecodeBytePieces(bytes_), out);
  bytes_.clear();
  if (added) {
    // The slow classes decode what lies between added tokens by itself and join all with spaces.
    join_ = slow_class && shown_ && !parts.skipped.contains(id);
    Show(spelling, out);
    if (slow_class && !parts.skipped.contains(id)) first_ = strip_ = join_ = true;
    return;
  }
  std::string_view piece = spelling;
  if (first_ && (slow_class || parts.space_prefix != SpacePrefix::kNone) && piece.starts_with(kSpaceSymbol)) {
    piece.remove_prefix(kSpaceSymbol.size());
    if (slow_class && !piece.empty() && !parts.vocab.Find(piece)) {
      // The reference hands the shortened spelling to SentencePiece, which does not know it and shows it as it is, any
      // further U+2581 included.
      first_ = strip_ = false;
      Show(piece, out);
      return;
    }
  }
  first_ = false;
  if (strip_ && parts.space_prefix == SpacePrefix::kEveryStretch) {
    // With legacy=True the model still has its dummy prefix on, and drops a space of the first text itself.
    const bool dropped = piece.starts_with(kSpaceSymbol);
    if (dropped) piece.remove_prefix(kSpaceSymbol.size());
    if (dropped || !piece.empty()) strip_ = false;
  }
  Show(ReplaceAll(std::string(piece), kSpaceSymbol, " "), out);
}

std::string Detokenizer::CleanUp(std::string text, bool last) {
  unclean_ += text;
  const size_t safe = last ? unclean_.size() : CleanablePrefix(unclean_);
  std::string out = CleanUpSpaces(unclean_.substr(0, safe));
  unclean_.erase(0, safe);
  return out;
}

std::string Detokenizer::Finish() {
  const auto& parts = *tokenizer_->parts_;
  std::string out;
  Show(parts.decode_style == DecodeStyle::kByteLevel ? Utf8Sanitize(bytes_) : DecodeBytePieces(bytes_), out);
  if (join_ && !first_) out += ' ';
  if (parts.clean_up_tokenization_spaces) out = CleanUp(std::move(out), /*last=*/true);
  bytes_.clear();
  first_ = strip_ = true;
  shown_ = join_ = false;
  return out;
}

StopMatcher::StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) { std::erase(stops_, ""); }

StopMatcher::Result StopMatcher::Push(std::string_view text) {
  Result result;
  if (stopped_) {
    result.stopped = true;
    return result;
  }
  held_ += text;
  // Earliest stop string, of those the longest.
  size_t best = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t at = held_.find(stop);
    if (at < best || (at == best && at != std::string::npos && stop.size() > result.stop.size())) {
      best = at;
      result.stop = stop;
    }
  }
  if (best != std::string::npos) {
    result.text = held_.substr(0, best);
    result.stopped = stopped_ = true;
    held_.clear();
    return result;
  }
  // The longest tail that begins a stop string stays back.
  size_t keep = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, n))) {
        keep = n;
        break;
      }
    }
  }
  result.text = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return result;
}

std::string StopMatcher::Finish() {
  std::string out = std::move(held_);
  held_.clear();
  stopped_ = false;
  return out;
}

}  // namespace galago::text
