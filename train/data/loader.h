#ifndef GALAGO_TRAIN_DATA_LOADER_H_
#define GALAGO_TRAIN_DATA_LOADER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "train/data/corpus.h"
#include "train/data/sampler.h"
#include "train/data/sequence.h"
#include "train/data/sequence_builder.h"

namespace galago::train {

// What becomes of a record that cannot be read or learnt from. It is counted and named in any case.
enum class OnBadRecord {
  kFail,      // the run ends with its error
  kSkip,      // its draw is left empty
  kResample,  // another record of the same data set takes its place
};
StatusOr<OnBadRecord> OnBadRecordFromName(std::string_view name);  // "fail", "skip", "resample"

struct LoaderOptions {
  SamplerOptions sampler;
  int64_t max_length = 0;  // rows of a sequence; what is over is cut. To be set
  int64_t start_step = 0;  // optimiser steps already done: the loader goes on where they ended
  int num_threads = 1;     // that build micro-batches in the background
  int64_t prefetch = 8;    // most micro-batches that are ready or being built: bounds memory
  OnBadRecord on_bad = OnBadRecord::kFail;
};

// What went through a loader so far.
struct LoaderStats {
  int64_t micro_batches = 0;
  int64_t sequences = 0;
  int64_t rows = 0;    // after truncation
  int64_t labels = 0;  // that carry loss
  int64_t media = 0;
  int64_t truncated = 0;       // sequences over max_length
  int64_t without_labels = 0;  // of these, such that nothing is left to learn
  int64_t bad_records = 0;     // not read or not learnt from
  std::map<std::string, int64_t> bad_by_dataset;
  std::vector<std::string> bad_examples;   // the first of them: "file:line: reason"
  std::vector<std::string> long_examples;  // the first of the sequences over max_length: "file:line: rows"
  double waited_s = 0.0;                   // time the caller of Next stood still
  double built_s = 0.0;                    // time of all threads spent building

  // One sentence per kind of trouble; empty if there was none.
  std::string Summary() const;
};

// Micro-batches of one rank, in order, built ahead by background threads. The sequence of micro-batches depends on the
// corpus, the seed and start_step alone, not on threads or time.
class Loader {
 public:
  static StatusOr<std::unique_ptr<Loader>> Make(std::shared_ptr<const Corpus> corpus,
                                                std::shared_ptr<const SequenceBuilder> builder,
                                                const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Optimiser steps in an epoch.
  int64_t steps_per_epoch() const;
  // The next micro-batch; epochs follow each other without end. It may be empty (kSkip). After an error every call
  // gives that error. One caller a time.
  StatusOr<Packed> Next();
  const LoaderStats& stats() const;

 private:
  class State;
  explicit Loader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// One micro-batch by number, without threads: what Next gives. For tests, dry runs and looking at data.
StatusOr<Packed> BuildMicroBatch(const Corpus& corpus, const SequenceBuilder& builder, const LoaderOptions& options,
                                 int64_t number, LoaderStats& stats);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_LOADER_H_
