#ifndef GALAGO_TRAIN_DATA_OPEN_DATASET_H_
#define GALAGO_TRAIN_DATA_OPEN_DATASET_H_

#include <filesystem>
#include <memory>
#include <string_view>

#include "galago/status.h"
#include "src/base/json.h"
#include "train/data/dataset.h"

namespace galago::train {

// A data set from its entry in a registry: "kind" chooses the reader, every other key is one of that kind. `where`
// names the entry in messages; relative paths start at `folder`.
StatusOr<std::unique_ptr<const Dataset>> OpenDataset(const Json& settings, std::string_view where,
                                                     const std::filesystem::path& folder);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_OPEN_DATASET_H_
