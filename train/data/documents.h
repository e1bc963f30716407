#ifndef GALAGO_TRAIN_DATA_DOCUMENTS_H_
#define GALAGO_TRAIN_DATA_DOCUMENTS_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "galago/status.h"
#include "src/base/json.h"
#include "train/data/record.h"

namespace galago::train {

struct DocumentOptions {
  std::filesystem::path media_dir;
  int64_t max_pictures = 6;  // the first ones in file order
  std::optional<int64_t> max_tiles = 6;
};

// A document of MMC4's shape, learnt whole: "text_list" (sentences) and "image_info" [{"matched_text_index", and
// "image_base64" or "image_name"}]; each picture goes in front of its sentence (NVlabs/VILA: llava/data/dataset.py,
// LazyMMC4Dataset). Pictures of one sentence keep the file's order.
StatusOr<Record> DocumentRecord(const Json& json, const DocumentOptions& options, const std::string& source);

// A picture with its caption: "image" (a path) or "image_base64", and "caption".
StatusOr<Record> CaptionRecord(const Json& json, const DocumentOptions& options, const std::string& source);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_DOCUMENTS_H_
