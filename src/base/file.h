#ifndef GALAGO_BASE_FILE_H_
#define GALAGO_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "galago/status.h"

namespace galago {

// Only regular files are read and mapped: pipes, devices and directories are NotFound. Errors name the path as given.

// The whole file, refused when larger than max_bytes.
StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes);
// Its first bytes, fewer if it is shorter.
StatusOr<std::string> ReadFileHead(const std::filesystem::path& path, size_t num_bytes);

// All of standard input, whatever it is, refused when longer than max_bytes.
StatusOr<std::string> ReadStandardInput(size_t max_bytes);

// Writes beside the target and renames, so that the old file or the new one exists at any moment, never half of one.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents);
// The same for contents in pieces, written one after the other without being joined in memory.
Status WriteFileAtomically(const std::filesystem::path& path, std::span<const std::string_view> pieces);

// A file mapped read-only and privately. Pages come in on first touch; a file that shrinks while mapped is the one case
// that cannot be caught (the kernel raises SIGBUS).
class MappedFile {
 public:
  static StatusOr<std::shared_ptr<const MappedFile>> Open(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  // Asks the kernel to read ahead; failure is harmless and ignored.
  void Prefetch() const;

 private:
  MappedFile(std::filesystem::path path, const std::byte* data, size_t size);
  std::filesystem::path path_;
  const std::byte* data_;
  size_t size_;
};

// Bytes kept on disk in place of memory: a file without a name, gone with the object or the process. What was appended
// is read where the kernel has it cached, and the cache may be emptied.
class ScratchFile {
 public:
  // In a directory that exists.
  static StatusOr<std::unique_ptr<ScratchFile>> Create(const std::filesystem::path& directory);
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  // A copy of `bytes` that begins at a page's boundary and lives as long as this object.
  StatusOr<std::span<const std::byte>> Append(std::span<const std::byte> bytes);

 private:
  ScratchFile(std::filesystem::path directory, int fd) : directory_(std::move(directory)), fd_(fd) {}
  std::filesystem::path directory_;
  int fd_;
  uint64_t size_ = 0;  // whole pages
  std::vector<std::span<std::byte>> mapped_;
};

}  // namespace galago

#endif  // GALAGO_BASE_FILE_H_
