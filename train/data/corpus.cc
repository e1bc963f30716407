#include "train/data/corpus.h"

#include <algorithm>
#include <numeric>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

constexpr int64_t kMaxIndices = int64_t{1} << 31;

}  // namespace

StatusOr<CorpusPart> CorpusPart::Make(std::string name, std::shared_ptr<const Dataset> dataset,
                                      std::vector<int64_t> removed, int64_t multiple, int64_t repeat, uint64_t seed) {
  CHECK_GT(multiple, 0);
  CHECK_GT(repeat, 0);
  const int64_t size = dataset->size();
  if (size > kMaxIndices / repeat) {
    return OutOfRange(StrCat("data set ", name, ": ", size, " records ", repeat, " times, the limit is ", kMaxIndices));
  }
  std::vector<bool> gone(static_cast<size_t>(size), false);
  for (const int64_t index : removed) {
    if (index < 0 || index >= size) {
      return DataLoss(StrCat("data set ", name, ": its subset removes record ", index, ", there are ", size));
    }
    gone[static_cast<size_t>(index)] = true;
  }
  CorpusPart part;
  for (int64_t i = 0; i < size; ++i) {
    if (!gone[static_cast<size_t>(i)]) part.indices_.push_back(i);
  }
  if (part.indices_.empty()) return NotFound(StrCat("data set ", name, " has no record"));
  part.num_distinct_ = static_cast<int64_t>(part.indices_.size());

  const int64_t distinct = part.num_distinct_;
  const int64_t copies = 2 * distinct < multiple ? multiple / distinct : 1;
  part.indices_.reserve(static_cast<size_t>(distinct * copies + multiple));
  for (int64_t i = distinct; i < distinct * copies; ++i) {
    part.indices_.push_back(part.indices_[static_cast<size_t>(i % distinct)]);
  }
  world::Rng rng(world::MixSeed(seed, name, 0));
  while (static_cast<int64_t>(part.indices_.size()) % multiple != 0) {
    part.indices_.push_back(part.indices_[static_cast<size_t>(rng.Int(0, distinct - 1))]);
  }
  part.name_ = std::move(name);
  part.dataset_ = std::move(dataset);
  part.repeat_ = repeat;
  return part;
}

std::vector<int64_t> Corpus::lengths() const {
  std::vector<int64_t> out;
  for (const CorpusPart& part : parts) out.push_back(part.size());
  return out;
}

Corpus::Place Corpus::Locate(int64_t global_index) const {
  for (size_t i = 0; i < parts.size(); ++i) {
    if (global_index < parts[i].size()) return {i, global_index};
    global_index -= parts[i].size();
  }
  CHECK(false);
  return {};
}

std::vector<std::string> Corpus::warnings() const {
  std::vector<std::string> out;
  for (const CorpusPart& part : parts) {
    for (const std::string& warning : part.dataset().warnings()) {
      out.push_back(StrCat("data set ", part.name(), ": ", warning));
    }
  }
  return out;
}

}  // namespace galago::train
