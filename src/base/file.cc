#include "src/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "src/base/strings.h"

namespace galago {
namespace {

Status SystemError(const std::filesystem::path& path, std::string_view action) {
  const int error = errno;
  const std::string message = StrCat(path.string(), ": cannot ", action, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return NotFound(message);
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case EFBIG:
      return ResourceExhausted(message);
    default:
      return Unavailable(message);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Close() {
    const int result = ::close(fd_);
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

// A regular file opened for reading, and its size. Anything else is refused before a byte is read: a pipe may never
// end, and opening one would wait for its writer.
StatusOr<Descriptor> OpenRegular(const std::filesystem::path& path, size_t& size) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return SystemError(path, "open");
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) return SystemError(path, "stat");
  if (S_ISDIR(info.st_mode)) return NotFound(StrCat(path.string(), ": is a directory, a file is needed"));
  if (!S_ISREG(info.st_mode)) return NotFound(StrCat(path.string(), ": is a pipe or device, a regular file is needed"));
  size = static_cast<size_t>(info.st_size);
  return file;
}

// At most max_bytes from where the file stands.
StatusOr<std::string> ReadUpTo(int fd, const std::filesystem::path& path, size_t max_bytes) {
  std::string contents;
  std::string chunk(std::min(max_bytes, size_t{1} << 16), '\0');
  while (contents.size() < max_bytes) {
    const ssize_t got = ::read(fd, chunk.data(), std::min(chunk.size(), max_bytes - contents.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(path, "read");
    if (got == 0) break;
    contents.append(chunk.data(), static_cast<size_t>(got));
  }
  return contents;
}

// False with errno set when not everything could be written.
bool WriteAll(int fd, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t put = ::write(fd, rest.data(), rest.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    rest.remove_prefix(static_cast<size_t>(put));
  }
  return true;
}

}  // namespace

StatusOr<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes) {
  size_t size = 0;
  ASSIGN_OR_RETURN(const Descriptor file, OpenRegular(path, size));
  // Files of the kernel's claim no size and others may grow, so what is read counts.
  ASSIGN_OR_RETURN(std::string contents, ReadUpTo(file.get(), path, max_bytes + 1));
  if (contents.size() > max_bytes) {
    return OutOfRange(StrCat(path.string(), ": larger than the limit of ", max_bytes, " bytes"));
  }
  return contents;
}

StatusOr<std::string> ReadFileHead(const std::filesystem::path& path, size_t num_bytes) {
  size_t size = 0;
  ASSIGN_OR_RETURN(const Descriptor file, OpenRegular(path, size));
  return ReadUpTo(file.get(), path, num_bytes);
}

StatusOr<std::string> ReadStandardInput(size_t max_bytes) {
  constexpr std::string_view kName = "standard input";
  ASSIGN_OR_RETURN(std::string contents, ReadUpTo(STDIN_FILENO, kName, max_bytes + 1));
  if (contents.size() > max_bytes) {
    return OutOfRange(StrCat(kName, ": larger than the limit of ", max_bytes, " bytes"));
  }
  return contents;
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view contents) {
  return WriteFileAtomically(path, std::span(&contents, 1));
}

Status WriteFileAtomically(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  std::error_code ignored;
  // A symbolic link keeps pointing where it points; a device or pipe is written to and never replaced.
  const std::filesystem::path target =
      std::filesystem::is_symlink(path, ignored) ? std::filesystem::weakly_canonical(path, ignored) : path;
  struct stat old = {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) return NotFound(StrCat(path.string(), ": is a directory, a file is needed"));
  if (exists && !S_ISREG(old.st_mode)) {
    Descriptor device(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
    if (device.get() < 0) return SystemError(path, "open");
    for (const std::string_view piece : pieces) {
      if (!WriteAll(device.get(), piece)) return SystemError(path, "write");
    }
    return device.Close() == 0 ? OkStatus() : SystemError(path, "write");
  }
  // Made with the permissions a new file gets; an existing one keeps its own.
  std::string temporary;
  int fd = -1;
  for (int attempt = 0; fd < 0 && attempt < 100; ++attempt) {
    temporary = StrCat(target.string(), ".", ::getpid(), "-", attempt, ".partial");
    fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) break;
  }
  Descriptor file(fd);
  if (file.get() < 0) return SystemError(path, "create");
  const auto fail = [&](std::string_view action) {
    Status status = SystemError(path, action);
    ::unlink(temporary.c_str());
    return status;
  };
  for (const std::string_view piece : pieces) {
    if (!WriteAll(file.get(), piece)) return fail("write");
  }
  if (::fsync(file.get()) != 0 && errno != EINVAL) return fail("write");
  if (exists && ::fchmod(file.get(), old.st_mode & 07777) != 0) return fail("write");
  if (file.Close() != 0) return fail("write");
  if (::rename(temporary.c_str(), target.c_str()) != 0) return fail("rename");
  return OkStatus();
}

MappedFile::MappedFile(std::filesystem::path path, const std::byte* data, size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

MappedFile::~MappedFile() {
  if (size_ != 0) ::munmap(const_cast<std::byte*>(data_), size_);
}

StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::filesystem::path& path) {
  size_t size = 0;
  ASSIGN_OR_RETURN(const Descriptor file, OpenRegular(path, size));
  const std::byte* data = nullptr;
  if (size != 0) {
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (mapped == MAP_FAILED) return SystemError(path, "map");
    data = static_cast<const std::byte*>(mapped);
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(path, data, size));
}

void MappedFile::Prefetch() const {
  if (size_ != 0) (void)::madvise(const_cast<std::byte*>(data_), size_, MADV_WILLNEED);
}

StatusOr<std::unique_ptr<ScratchFile>> ScratchFile::Create(const std::filesystem::path& directory) {
  std::string name = (directory / ".galago-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return SystemError(directory, "hold a scratch file");
  // A file system that keeps the name of an open file would keep all of it after a crash.
  if (::unlink(name.c_str()) != 0) {
    Status status = SystemError(directory, "hold a scratch file");
    ::close(fd);
    return status;
  }
  return std::unique_ptr<ScratchFile>(new ScratchFile(directory, fd));
}

ScratchFile::~ScratchFile() {
  for (const std::span<std::byte> part : mapped_) ::munmap(part.data(), part.size());
  ::close(fd_);
}

StatusOr<std::span<const std::byte>> ScratchFile::Append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return std::span<const std::byte>();
  const auto offset = static_cast<off_t>(size_);
  if (::lseek(fd_, offset, SEEK_SET) != offset ||
      !WriteAll(fd_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
    return SystemError(directory_, StrCat("hold ", bytes.size(), " bytes more of scratch"));
  }
  void* mapped = ::mmap(nullptr, bytes.size(), PROT_READ, MAP_PRIVATE, fd_, offset);
  if (mapped == MAP_FAILED) return SystemError(directory_, "map a scratch file");
  mapped_.emplace_back(static_cast<std::byte*>(mapped), bytes.size());
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  size_ += (bytes.size() + page - 1) / page * page;
  return mapped_.back();
}

}  // namespace galago
