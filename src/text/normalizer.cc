#include "src/text/normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "src/base/strings.h"

namespace galago::text {
namespace {

const icu::Normalizer2* InstanceOf(Normalization form, UErrorCode& error) {
  switch (form) {
    case Normalization::kNone:
      return nullptr;
    case Normalization::kNfc:
      return icu::Normalizer2::getNFCInstance(error);
    case Normalization::kNfd:
      return icu::Normalizer2::getNFDInstance(error);
    case Normalization::kNfkc:
      return icu::Normalizer2::getNFKCInstance(error);
    case Normalization::kNfkd:
      return icu::Normalizer2::getNFKDInstance(error);
  }
  return nullptr;
}

}  // namespace

StatusOr<std::string> Normalize(Normalization form, std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (form == Normalization::kNone || ascii) return std::string(text);
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = InstanceOf(form, error);
  std::string out;
  if (U_SUCCESS(error)) {
    out.reserve(text.size());
    icu::StringByteSink<std::string> sink(&out);
    normalizer->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr,
                              error);
  }
  if (U_FAILURE(error)) return Internal(StrCat("Unicode normalization failed: ", u_errorName(error)));
  return out;
}

bool IsWhiteSpace(char32_t code_point) { return u_isUWhiteSpace(static_cast<UChar32>(code_point)); }

bool IsWordCharacter(char32_t code_point) {
  const auto c = static_cast<UChar32>(code_point);
  return u_isalnum(c) || (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_PC_MASK)) != 0;
}

}  // namespace galago::text
