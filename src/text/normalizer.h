#ifndef GALAGO_TEXT_NORMALIZER_H_
#define GALAGO_TEXT_NORMALIZER_H_

#include <string>
#include <string_view>

#include "galago/status.h"

namespace galago::text {

enum class Normalization { kNone, kNfc, kNfd, kNfkc, kNfkd };

// Unicode normal form of well-formed UTF-8.
StatusOr<std::string> Normalize(Normalization form, std::string_view text);

// Unicode's White_Space.
bool IsWhiteSpace(char32_t code_point);
// Letter, digit, mark or underscore: what single-word tokens must not touch.
bool IsWordCharacter(char32_t code_point);

}  // namespace galago::text

#endif  // GALAGO_TEXT_NORMALIZER_H_
