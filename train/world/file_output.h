#ifndef GALAGO_TRAIN_WORLD_FILE_OUTPUT_H_
#define GALAGO_TRAIN_WORLD_FILE_OUTPUT_H_

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "galago/status.h"

namespace galago::world {

// A new file written from front to back, truncating one that is there. Errors name the path; a full disk is
// ResourceExhausted. For files below a directory that is renamed when whole, so nothing is synchronised here.
class FileOutput {
 public:
  static StatusOr<FileOutput> Create(const std::filesystem::path& path);
  FileOutput(FileOutput&& other) noexcept;
  FileOutput& operator=(FileOutput&&) = delete;
  ~FileOutput();

  Status Append(std::string_view bytes);
  int64_t size() const { return size_; }
  // Some file systems tell of a full disk only here.
  Status Close();

 private:
  FileOutput(std::filesystem::path path, int fd);
  Status Failure(std::string_view action) const;

  std::filesystem::path path_;
  int fd_;
  int64_t size_ = 0;
};

Status WriteWhole(const std::filesystem::path& path, std::string_view bytes);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_FILE_OUTPUT_H_
