#ifndef GALAGO_TRAIN_DATA_RECORD_FILE_H_
#define GALAGO_TRAIN_DATA_RECORD_FILE_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/file.h"
#include "src/base/json.h"

namespace galago::train {

// Where one record lies in a file.
struct RecordSlice {
  size_t begin = 0;
  size_t length = 0;
  int64_t line = 0;  // of its first byte, from 1
};

// Finds the records of a JSON array, or of lines that are a record each (JSONL; empty lines are passed over), without
// parsing them: only strings and brackets are followed. A file that is cut short or damaged still gives the records in
// front of the damage, and the rest as one that does not parse. DataLoss for a file that begins as neither.
StatusOr<std::vector<RecordSlice>> FindRecords(std::string_view text, std::string_view what);

// A mapped file of records, each parsed when asked for. Immutable.
class RecordFile {
 public:
  static StatusOr<RecordFile> Open(const std::filesystem::path& path);

  int64_t size() const { return static_cast<int64_t>(slices_.size()); }
  // An object, or DataLoss naming file and line.
  StatusOr<Json> Get(int64_t i) const;
  std::string Source(int64_t i) const;  // "file:line"

 private:
  RecordFile() = default;
  std::shared_ptr<const MappedFile> file_;
  std::vector<RecordSlice> slices_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_RECORD_FILE_H_
