#ifndef GALAGO_TRAIN_DATA_CORPUS_H_
#define GALAGO_TRAIN_DATA_CORPUS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "galago/status.h"
#include "train/data/dataset.h"

namespace galago::train {

// A data set as a mixture uses it: some of its indices, padded to a whole number of global batches, several times.
class CorpusPart {
 public:
  // `removed`: indices left out (a pruning subset); those outside the data set are an error. `multiple`: the number of
  // indices is filled up to a multiple of it, because the sampler drops what does not fill a global batch: a set of
  // less than half a batch is first replicated, the rest are duplicates drawn from `seed` (NVlabs/VILA:
  // llava/data/base.py). `repeat`: how often all of that comes.
  static StatusOr<CorpusPart> Make(std::string name, std::shared_ptr<const Dataset> dataset,
                                   std::vector<int64_t> removed, int64_t multiple, int64_t repeat, uint64_t seed);

  const std::string& name() const { return name_; }
  const Dataset& dataset() const { return *dataset_; }
  int64_t size() const { return static_cast<int64_t>(indices_.size()) * repeat_; }
  // The data set's index of index `i` in [0, size()).
  int64_t IndexOf(int64_t i) const { return indices_[static_cast<size_t>(i) % indices_.size()]; }
  // Distinct records: without padding and repeats.
  int64_t num_distinct() const { return num_distinct_; }

 private:
  CorpusPart() = default;
  std::string name_;
  std::shared_ptr<const Dataset> dataset_;
  std::vector<int64_t> indices_;
  int64_t repeat_ = 1;
  int64_t num_distinct_ = 0;
};

// The concatenation that the sampler draws from.
struct Corpus {
  std::vector<CorpusPart> parts;

  std::vector<int64_t> lengths() const;
  struct Place {
    size_t part = 0;
    int64_t index = 0;  // within the part
  };
  Place Locate(int64_t global_index) const;
  std::vector<std::string> warnings() const;  // of all data sets, with their names
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_CORPUS_H_
