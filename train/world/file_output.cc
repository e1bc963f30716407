#include "train/world/file_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "src/base/strings.h"

namespace galago::world {

FileOutput::FileOutput(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}

FileOutput::FileOutput(FileOutput&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

FileOutput::~FileOutput() {
  if (fd_ >= 0) ::close(fd_);
}

Status FileOutput::Failure(std::string_view action) const {
  const int error = errno;
  const std::string message = StrCat(path_.string(), ": cannot ", action, ": ", std::generic_category().message(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE) {
    return ResourceExhausted(message);
  }
  return Unavailable(message);
}

StatusOr<FileOutput> FileOutput::Create(const std::filesystem::path& path) {
  FileOutput file(path, ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.fd_ < 0) return file.Failure("create");
  return file;
}

Status FileOutput::Append(std::string_view bytes) {
  size_ += static_cast<int64_t>(bytes.size());
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return Failure("write");
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return OkStatus();
}

Status FileOutput::Close() {
  const int result = ::close(std::exchange(fd_, -1));
  return result == 0 ? OkStatus() : Failure("write");
}

Status WriteWhole(const std::filesystem::path& path, std::string_view bytes) {
  ASSIGN_OR_RETURN(FileOutput file, FileOutput::Create(path));
  RETURN_IF_ERROR(file.Append(bytes));
  return file.Close();
}

}  // namespace galago::world
