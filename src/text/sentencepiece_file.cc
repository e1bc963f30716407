#include "src/text/sentencepiece_file.h"

#include <bit>
#include <cstring>

#include "src/base/byte_reader.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/vocab.h"

namespace galago::text {
namespace {

constexpr std::string_view kName = "tokenizer.model";

// A protobuf field: a number for wire types 0, 1 and 5, bytes for 2.
struct Field {
  uint64_t number = 0;
  int wire = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

class Message {
 public:
  explicit Message(std::string_view bytes) : in_(std::as_bytes(std::span(bytes.data(), bytes.size())), kName) {}
  bool AtEnd() const { return in_.remaining() == 0; }

  StatusOr<Field> Next() {
    Field field;
    ASSIGN_OR_RETURN(const uint64_t key, Varint());
    field.number = key >> 3;
    field.wire = static_cast<int>(key & 7);
    if (field.number == 0) return DataLoss(StrCat(kName, ": field number 0 at offset ", in_.position()));
    switch (field.wire) {
      case 0: {
        ASSIGN_OR_RETURN(field.value, Varint());
        return field;
      }
      case 1: {
        ASSIGN_OR_RETURN(field.value, in_.Read<uint64_t>("a 64-bit field"));
        return field;
      }
      case 2: {
        ASSIGN_OR_RETURN(const uint64_t length, Varint());
        ASSIGN_OR_RETURN(field.bytes, in_.ReadText(length, "a field"));
        return field;
      }
      case 5: {
        ASSIGN_OR_RETURN(field.value, in_.Read<uint32_t>("a 32-bit field"));
        return field;
      }
      default:
        return DataLoss(StrCat(kName, ": wire type ", field.wire, " at offset ", in_.position()));
    }
  }

 private:
  StatusOr<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      ASSIGN_OR_RETURN(const auto byte, in_.Read<uint8_t>("a varint"));
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return DataLoss(StrCat(kName, ": endless varint at offset ", in_.position()));
  }
  ByteReader in_;
};

StatusOr<Piece> ParsePiece(std::string_view bytes, size_t id) {
  Piece piece;
  Message message(bytes);
  while (!message.AtEnd()) {
    ASSIGN_OR_RETURN(const Field field, message.Next());
    if (field.number == 1 && field.wire == 2) {
      piece.text = field.bytes;
    } else if (field.number == 2 && field.wire == 5) {
      piece.score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
    } else if (field.number == 3 && field.wire == 0) {
      if (field.value < 1 || field.value > 6)
        return DataLoss(StrCat(kName, ": piece ", id, " has the type ", field.value));
      piece.type = static_cast<PieceType>(field.value);
    }
  }
  if (Utf8Sanitize(piece.text) != piece.text) return DataLoss(StrCat(kName, ": piece ", id, " is not UTF-8"));
  return piece;
}

Status ParseTrainer(std::string_view bytes, SentencePieceFile& out) {
  uint64_t model_type = 1;  // the format's default: unigram
  Message message(bytes);
  while (!message.AtEnd()) {
    ASSIGN_OR_RETURN(const Field field, message.Next());
    if (field.wire != 0) continue;
    if (field.number == 3) model_type = field.value;
    if (field.number == 24 && field.value != 0) {
      return Unimplemented(StrCat(kName, ": white space as a suffix is not supported"));
    }
    if (field.number == 35) out.byte_fallback = field.value != 0;
  }
  if (model_type != 2) {
    return Unimplemented(StrCat(kName, ": model type ", model_type, " is not supported, only 2 (BPE)"));
  }
  return OkStatus();
}

Status ParseNormalizer(std::string_view bytes, SentencePieceFile& out) {
  Message message(bytes);
  while (!message.AtEnd()) {
    ASSIGN_OR_RETURN(const Field field, message.Next());
    if (field.number == 2 && field.wire == 2 && !field.bytes.empty()) {
      return Unimplemented(StrCat(kName, ": normalization by a character map is not supported"));
    }
    if (field.wire != 0) continue;
    if (field.number == 3) out.add_dummy_prefix = field.value != 0;
    if (field.number == 4) out.remove_extra_whitespaces = field.value != 0;
    if (field.number == 5) out.escape_whitespaces = field.value != 0;
  }
  if (out.remove_extra_whitespaces || !out.escape_whitespaces) {
    return Unimplemented(StrCat(kName, ": only models that keep white space and write it as U+2581 are supported"));
  }
  return OkStatus();
}

}  // namespace

StatusOr<SentencePieceFile> ParseSentencePieceFile(std::string_view bytes) {
  SentencePieceFile out;
  std::string_view trainer;
  std::string_view normalizer;
  Message message(bytes);
  while (!message.AtEnd()) {
    ASSIGN_OR_RETURN(const Field field, message.Next());
    if (field.wire != 2) continue;
    if (field.number == 1) {
      if (out.pieces.size() > static_cast<size_t>(kMaxTokenId)) {
        return DataLoss(StrCat(kName, ": more than ", kMaxTokenId, " pieces"));
      }
      ASSIGN_OR_RETURN(Piece piece, ParsePiece(field.bytes, out.pieces.size()));
      out.pieces.push_back(std::move(piece));
    } else if (field.number == 2) {
      trainer = field.bytes;
    } else if (field.number == 3) {
      normalizer = field.bytes;
    }
  }
  if (out.pieces.empty()) return DataLoss(StrCat(kName, ": no pieces"));
  RETURN_IF_ERROR(ParseTrainer(trainer, out));
  RETURN_IF_ERROR(ParseNormalizer(normalizer, out));
  return out;
}

}  // namespace galago::text
