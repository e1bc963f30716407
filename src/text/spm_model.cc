#include "src/text/spm_model.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/symbol_list.h"

namespace galago::text {
namespace {

struct Candidate {
  float score;
  int32_t left;
  int32_t id;
  uint32_t size;
  bool operator<(const Candidate& other) const {  // best on top: highest score, then leftmost
    return score != other.score ? score < other.score : left > other.left;
  }
};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<unsigned char> ByteOfPiece(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return std::nullopt;
  const int high = HexDigit(text[3]);
  const int low = HexDigit(text[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<unsigned char>(high * 16 + low);
}

StatusOr<SpmModel> SpmModel::Make(const std::vector<Piece>& pieces, const Options& options,
                                  const std::vector<int32_t>& keep_out) {
  SpmModel model;
  model.byte_fallback_ = options.byte_fallback;
  model.byte_ids_.fill(-1);
  std::vector<bool> kept_out(pieces.size(), false);
  for (const int32_t id : keep_out) {
    if (id >= 0 && static_cast<size_t>(id) < pieces.size()) kept_out[static_cast<size_t>(id)] = true;
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    const auto id = static_cast<int32_t>(i);
    switch (piece.type) {
      case PieceType::kUnknown:
        if (model.unk_id_ >= 0)
          return DataLoss(StrCat("pieces ", model.unk_id_, " and ", id, " are both the unknown piece"));
        model.unk_id_ = id;
        break;
      case PieceType::kControl:
        break;
      case PieceType::kByte: {
        const auto byte = ByteOfPiece(piece.text);
        if (!byte)
          return DataLoss(StrCat("byte piece ", id, " is spelled \"", Printable(piece.text), "\", expected <0xNN>"));
        model.byte_ids_[*byte] = id;
        break;
      }
      case PieceType::kUserDefined:
      case PieceType::kNormal:
      case PieceType::kUnused:
        if (!std::isfinite(piece.score)) return DataLoss(StrCat("piece ", id, " has a score that is not finite"));
        if (piece.text.empty() || kept_out[i]) break;
        if (piece.type == PieceType::kUserDefined && options.match_user_defined)
          model.user_defined_.Add(piece.text, id);
        model.mergeable_.insert_or_assign(piece.text, Entry{id, piece.score, piece.type == PieceType::kUnused});
        model.longest_ = std::max(model.longest_, piece.text.size());
        break;
    }
  }
  const bool all_bytes =
      std::all_of(model.byte_ids_.begin(), model.byte_ids_.end(), [](int32_t id) { return id >= 0; });
  if (model.byte_fallback_ && !all_bytes) return DataLoss("byte fallback is on, but not all 256 byte pieces are there");
  if (!model.byte_fallback_ && model.unk_id_ < 0)
    return DataLoss("there is neither an unknown piece nor byte fallback");
  return model;
}

void SpmModel::EncodeBytes(std::string_view text, std::vector<int32_t>& ids) const {
  for (const char c : text) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (unk_id_ >= 0) {
      ids.push_back(unk_id_);
    }
  }
}

void SpmModel::Encode(std::string_view text, std::vector<int32_t>& ids) const {
  constexpr int32_t kNoPiece = -1;
  SymbolList symbols;
  symbols.Reserve(text.size());
  std::string key;
  const auto find = [&](uint32_t begin, uint32_t length) {
    if (length > longest_) return mergeable_.end();
    key.assign(text.substr(begin, length));
    return mergeable_.find(key);
  };
  for (size_t at = 0; at < text.size();) {
    const auto begin = static_cast<uint32_t>(at);
    if (const auto match = user_defined_.LongestAt(text, at); match.length > 0) {
      symbols.Append(match.value, begin, static_cast<uint32_t>(match.length), /*frozen=*/true);
      at += match.length;
      continue;
    }
    const auto length = static_cast<uint32_t>(std::max<size_t>(1, Utf8Length(text.substr(at))));
    const auto it = find(begin, length);
    symbols.Append(it == mergeable_.end() ? kNoPiece : it->second.id, begin, length);
    at += length;
  }

  // An unused piece may be a step on the way to a used one, but not the result: then it is taken apart again. As in the
  // original the parts are those of the last merge that made this spelling.
  std::unordered_map<std::string, std::pair<uint32_t, uint32_t>> parts_of_unused;
  std::vector<Candidate> storage;
  storage.reserve(static_cast<size_t>(symbols.size()));
  std::priority_queue<Candidate> queue(std::less<Candidate>{}, std::move(storage));
  const auto consider = [&](int32_t left) {
    if (left == SymbolList::kNone || symbols[left].next == SymbolList::kNone) return;
    const auto& a = symbols[left];
    const auto& b = symbols[a.next];
    if (a.frozen || b.frozen) return;
    const auto it = find(a.begin, a.length + b.length);
    if (it == mergeable_.end()) return;
    queue.push({it->second.score, left, it->second.id, a.length + b.length});
    if (it->second.unused) parts_of_unused[it->first] = {a.length, b.length};
  };
  for (int32_t i = 0; i + 1 < symbols.size(); ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    const auto& a = symbols[top.left];
    if (a.length == 0 || a.next == SymbolList::kNone || a.length + symbols[a.next].length != top.size) continue;
    symbols.MergeRight(top.left, top.id);
    consider(a.prev);
    consider(top.left);
  }

  const size_t first = ids.size();
  std::vector<std::pair<uint32_t, uint32_t>> stack;  // begin, length: what is still to be written, last first
  for (int32_t i = 0; i < symbols.size(); ++i) {
    const auto& symbol = symbols[i];
    if (symbol.length == 0) continue;
    if (symbol.frozen) {
      ids.push_back(symbol.id);
      continue;
    }
    stack.assign(1, {symbol.begin, symbol.length});
    while (!stack.empty()) {
      const auto [begin, length] = stack.back();
      stack.pop_back();
      const auto it = find(begin, length);
      if (it == mergeable_.end()) {
        if (byte_fallback_) {
          EncodeBytes(text.substr(begin, length), ids);
        } else if (ids.size() == first || ids.back() != unk_id_) {  // unknown neighbours share one unknown piece
          ids.push_back(unk_id_);
        }
        continue;
      }
      const auto parts = it->second.unused ? parts_of_unused.find(it->first) : parts_of_unused.end();
      if (parts == parts_of_unused.end()) {
        ids.push_back(it->second.id);
        continue;
      }
      const auto [left, right] = parts->second;
      stack.emplace_back(begin + left, right);
      stack.emplace_back(begin, left);
    }
  }
}

}  // namespace galago::text
