#ifndef GALAGO_BASE_BYTE_READER_H_
#define GALAGO_BASE_BYTE_READER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "galago/status.h"
#include "src/base/strings.h"

namespace galago {

static_assert(std::endian::native == std::endian::little, "file formats here are little-endian and read in place");

// Walks over foreign bytes. Every read checks what remains before it believes a length. `what` (a file name) must
// outlive the reader.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  std::string_view what() const { return what_; }

  template <class T>
  requires std::is_trivially_copyable_v<T> StatusOr<T> Read(std::string_view field) {
    if (remaining() < sizeof(T)) return Short(field, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  StatusOr<std::span<const std::byte>> ReadBytes(uint64_t count, std::string_view field) {
    if (count > remaining()) return Short(field, count);
    const auto out = bytes_.subspan(position_, count);
    position_ += count;
    return out;
  }
  StatusOr<std::string_view> ReadText(uint64_t count, std::string_view field) {
    ASSIGN_OR_RETURN(const auto bytes, ReadBytes(count, field));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

 private:
  Status Short(std::string_view field, uint64_t need) const {
    return DataLoss(
        StrCat(what_, ": ", field, " needs ", need, " bytes at offset ", position_, ", ", remaining(), " remain"));
  }
  std::span<const std::byte> bytes_;
  std::string_view what_;
  size_t position_ = 0;
};

}  // namespace galago

#endif  // GALAGO_BASE_BYTE_READER_H_
