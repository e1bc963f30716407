#ifndef GALAGO_TRAIN_DATA_DATASET_H_
#define GALAGO_TRAIN_DATA_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "galago/status.h"
#include "train/data/record.h"

namespace galago::train {

// A set of records, read when asked for. Immutable: any number of threads may call Get.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  // The records of index `i` in [0, size()): one, or several that are one draw (caption pairs). A record that cannot be
  // read is an error naming file and line.
  virtual StatusOr<std::vector<Record>> Get(int64_t i) const = 0;
  // "file:line" of an index, as far as it is known without reading.
  virtual std::string Source(int64_t i) const = 0;
  // Damage found while opening that leaves the rest usable (a shard that is cut short), one sentence each.
  virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_DATASET_H_
