// Files of records, and every reader of a record.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/base/json.h"
#include "train/data/conversation.h"
#include "train/data/documents.h"
#include "train/data/record_file.h"
#include "train/data/times.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::train;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto slices = FindRecords(text, "records.json");
  if (!slices.ok()) return 0;
  size_t end = 0;
  for (const RecordSlice& slice : *slices) {
    CHECK_LE(end, slice.begin);
    CHECK_LE(slice.length, size - slice.begin);
    end = slice.begin + slice.length;
    const auto json = galago::ParseJson(text.substr(slice.begin, slice.length), "record");
    if (!json.ok() || !json->is_object()) continue;
    for (const MediaPlace place : {MediaPlace::kFront, MediaPlace::kMarks, MediaPlace::kAsMarked}) {
      const auto record = ConversationRecord(*json, {.place = place, .max_media = 2}, "s");
      if (!record.ok()) continue;
      for (const auto& turn : record->turns) {
        for (const auto& part : turn.parts) {
          if (const auto* medium = std::get_if<galago::text::MediaPart>(&part)) {
            CHECK_LT(static_cast<size_t>(medium->index), record->media.size());
          } else {
            (void)WithTimeTokens(std::get<std::string>(part), 10.0, {.num_time_tokens = 100});
          }
        }
      }
    }
    (void)QuestionRecord(*json, {}, "s");
    (void)DocumentRecord(*json, {}, "s");
    (void)CaptionRecord(*json, {}, "s");
  }
  return 0;
}
