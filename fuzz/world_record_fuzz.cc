#include <cstddef>
#include <cstdint>
#include <string_view>

#include "eval/scorers.h"
#include "eval/world_run.h"
#include "eval/world_set.h"
#include "src/base/check.h"
#include "src/base/json.h"

// A record of a World directory: read or refused, and its questions scored with their own answers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const StatusOr<Json> json = ParseJson(text, "fuzz");
  if (!json.ok()) return 0;
  const StatusOr<eval::Record> record = eval::ParseRecord(*json, "task", "fuzz");
  if (!record.ok()) return 0;
  for (const eval::Question& question : record->questions) {
    for (const std::string_view reply : {std::string_view(question.answer), std::string_view(question.text)}) {
      if (reply.size() > 4096) continue;  // the edit distance is quadratic
      const double score = eval::Score(*record, question, reply);
      CHECK(score >= 0 && score <= 1);
    }
  }
  return 0;
}
