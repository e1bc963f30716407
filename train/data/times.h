#ifndef GALAGO_TRAIN_DATA_TIMES_H_
#define GALAGO_TRAIN_DATA_TIMES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/spec/model_spec.h"
#include "src/text/prompt.h"

// Seconds in training text ("<12.5>") to time tokens ("<t10>"). NVlabs/LITA: lita/dataset; the way back is
// text::ReplaceTimeTokens.
namespace galago::train {

// Index of the token for a time within a clip of `duration_s` > 0: round half to even, kept within the tokens there
// are.
int64_t TimeToken(double time_s, double duration_s, int64_t num_time_tokens);

// The text with every <seconds> replaced by a trusted time token, in parts of a turn. Without time tokens, or with a
// duration that is not positive, the text comes back as one part.
std::vector<text::Part> WithTimeTokens(std::string_view text, double duration_s, const spec::VideoSpec& video);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_TIMES_H_
