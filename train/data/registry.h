#ifndef GALAGO_TRAIN_DATA_REGISTRY_H_
#define GALAGO_TRAIN_DATA_REGISTRY_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/json.h"
#include "train/data/corpus.h"
#include "train/data/dataset.h"
#include "train/data/mixture.h"

namespace galago::train {

struct OpenOptions {
  std::filesystem::path slices;  // folder of pruning subsets: SUBSET/NAME.json lists the indices to leave out
  int64_t global_batch = 1;      // data sets are padded to a multiple of it
  uint64_t seed = 1;             // of the padding
};

// Which data sets there are and how mixtures are made of them. A file (TOML, or JSON of the same shape) has tables
//   [datasets.NAME]  kind = "..." and the keys of that kind (docs/training.md); paths are relative to the file
//   [mixtures]       NAME = ["item", ...]
// Immutable.
class Registry {
 public:
  // Files are read in order; a name that two of them define is an error.
  static StatusOr<Registry> Read(std::span<const std::filesystem::path> files);
  static StatusOr<Registry> Parse(std::string_view text, std::string_view what,
                                  const std::filesystem::path& folder = {});

  // Opens every data set of a mixture once. Errors name the data set and the file that defines it.
  StatusOr<std::shared_ptr<const Corpus>> Open(std::string_view mixture, const OpenOptions& options) const;

  // One data set, whole.
  StatusOr<std::shared_ptr<const Dataset>> OpenDataset(std::string_view name) const;

  std::vector<std::string> dataset_names() const;
  const Mixtures& mixtures() const { return mixtures_; }

 private:
  struct Entry {
    Json settings;
    std::string where;  // "file: datasets.NAME"
    std::filesystem::path folder;
  };
  Status Add(const Json& config, std::string_view what, const std::filesystem::path& folder);
  std::map<std::string, Entry, std::less<>> datasets_;
  Mixtures mixtures_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_REGISTRY_H_
