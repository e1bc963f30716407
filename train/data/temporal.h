#ifndef GALAGO_TRAIN_DATA_TEMPORAL_H_
#define GALAGO_TRAIN_DATA_TEMPORAL_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "galago/status.h"
#include "train/data/dataset.h"

namespace galago::train {

// Questions on when things happen in videos (NVlabs/LITA: lita/dataset; NVlabs/VILA: llava/data/dataset_impl/lita.py).
enum class TemporalTask {
  kDenseCaptions,      // describe the video, each sentence behind its start and end
  kEventLocalization,  // when does this event happen: one event of the video, drawn by the seed
  kReasoning,          // a question as given, whose answer holds times
  kQuestions,          // questions about the video as given, without times
};

struct TemporalOptions {
  TemporalTask task = TemporalTask::kDenseCaptions;
  std::filesystem::path media_dir;  // videos lie here ...
  std::string extension = ".mp4";   // ... as ID + extension, unless a record names its "video"
  uint64_t seed = 1;                // of the choice of wording and event
  std::string question_suffix;      // kQuestions: behind every question, after a new line
};

// A JSON map from video id to record, or a list of records with "id": "duration" with "timestamps" and "sentences", or
// "QA" [{"q", "a"}] (kReasoning: one draw per pair; kQuestions: one conversation per video).
StatusOr<std::unique_ptr<const Dataset>> OpenTemporal(const std::filesystem::path& path,
                                                      const TemporalOptions& options);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_TEMPORAL_H_
