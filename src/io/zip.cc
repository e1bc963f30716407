#include "src/io/zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "src/base/byte_reader.h"
#include "src/base/strings.h"

namespace galago::io {
namespace {

constexpr uint32_t kLocalMagic = 0x04034b50;
constexpr uint32_t kCentralMagic = 0x02014b50;
constexpr uint32_t kEndMagic = 0x06054b50;
constexpr uint32_t kEnd64Magic = 0x06064b50;
constexpr uint32_t kLocator64Magic = 0x07064b50;
constexpr uint32_t kIn64 = 0xffffffff;  // "see the zip64 field"

// 4.3.16, without the comment.
struct __attribute__((packed)) EndRecord {
  uint32_t magic;
  uint16_t disk, directory_disk, entries_here, entries;
  uint32_t directory_size, directory_offset;
  uint16_t comment_size;
};
static_assert(sizeof(EndRecord) == 22);

// 4.3.15
struct __attribute__((packed)) Locator64 {
  uint32_t magic, disk;
  uint64_t end64_offset;
  uint32_t disks;
};
static_assert(sizeof(Locator64) == 20);

// 4.3.14
struct __attribute__((packed)) EndRecord64 {
  uint32_t magic;
  uint64_t record_size;
  uint16_t made_by, needed;
  uint32_t disk, directory_disk;
  uint64_t entries_here, entries, directory_size, directory_offset;
};
static_assert(sizeof(EndRecord64) == 56);

// 4.3.12, without name, extra field and comment.
struct __attribute__((packed)) CentralHeader {
  uint32_t magic;
  uint16_t made_by, needed, flags, method, time, date;
  uint32_t crc, stored_size, size;
  uint16_t name_size, extra_size, comment_size, disk, internal_attributes;
  uint32_t external_attributes, local_offset;
};
static_assert(sizeof(CentralHeader) == 46);

// 4.3.7, without name and extra field.
struct __attribute__((packed)) LocalHeader {
  uint32_t magic;
  uint16_t needed, flags, method, time, date;
  uint32_t crc, stored_size, size;
  uint16_t name_size, extra_size;
};
static_assert(sizeof(LocalHeader) == 30);

struct Directory {
  uint64_t offset, size, entries;
};

struct Member {
  std::string_view name;
  uint64_t local_offset, size;
};

template <class T>
T Load(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// The end record is the last one whose comment reaches exactly to the end of the file.
std::optional<size_t> FindEnd(std::span<const std::byte> archive) {
  if (archive.size() < sizeof(EndRecord)) return std::nullopt;
  const size_t last = archive.size() - sizeof(EndRecord);
  const size_t first = last - std::min<size_t>(last, 0xffff);
  for (size_t at = last + 1; at-- > first;) {
    const auto end = Load<EndRecord>(archive, at);
    if (end.magic == kEndMagic && end.comment_size == last - at) return at;
  }
  return std::nullopt;
}

StatusOr<Directory> FindDirectory(std::span<const std::byte> archive, std::string_view what) {
  const std::optional<size_t> end_at = FindEnd(archive);
  if (!end_at) return DataLoss(StrCat(what, ": is not a zip archive, or its end is cut off"));
  const auto end = Load<EndRecord>(archive, *end_at);
  Directory directory{end.directory_offset, end.directory_size, end.entries};
  uint64_t limit = *end_at;  // the directory ends before this
  bool one_disk = end.disk == end.directory_disk && end.entries_here == end.entries;
  if (*end_at >= sizeof(Locator64)) {
    const auto locator = Load<Locator64>(archive, *end_at - sizeof(Locator64));
    if (locator.magic == kLocator64Magic) {
      if (archive.size() < sizeof(EndRecord64) || locator.end64_offset > *end_at - sizeof(Locator64) ||
          *end_at - sizeof(Locator64) - locator.end64_offset < sizeof(EndRecord64)) {
        return DataLoss(StrCat(what, ": zip64 end record at byte ", locator.end64_offset, " of ", archive.size()));
      }
      const auto end64 = Load<EndRecord64>(archive, locator.end64_offset);
      if (end64.magic != kEnd64Magic) {
        return DataLoss(StrCat(what, ": no zip64 end record at byte ", locator.end64_offset));
      }
      directory = {end64.directory_offset, end64.directory_size, end64.entries};
      limit = locator.end64_offset;
      one_disk = end64.disk == end64.directory_disk && end64.entries_here == end64.entries;
    }
  }
  if (!one_disk) return Unimplemented(StrCat(what, ": is a zip archive of several disks"));
  if (directory.offset > limit || directory.size > limit - directory.offset) {
    return DataLoss(StrCat(what, ": zip directory of ", directory.size, " bytes at ", directory.offset,
                           " does not end before byte ", limit));
  }
  if (directory.entries > directory.size / sizeof(CentralHeader)) {
    return DataLoss(
        StrCat(what, ": zip directory of ", directory.size, " bytes claims ", directory.entries, " members"));
  }
  return directory;
}

// Replaces the values that the header says are in the zip64 extra field (4.5.3): size, stored size, offset, in this
// order.
Status Read64(std::span<const std::byte> extra, const CentralHeader& header, std::string_view what, uint64_t& size,
              uint64_t& stored_size, uint64_t& local_offset) {
  if (header.size != kIn64 && header.stored_size != kIn64 && header.local_offset != kIn64) return OkStatus();
  ByteReader reader(extra, what);
  while (reader.remaining() >= 4) {
    ASSIGN_OR_RETURN(const uint16_t id, reader.Read<uint16_t>("extra field"));
    ASSIGN_OR_RETURN(const uint16_t length, reader.Read<uint16_t>("extra field"));
    ASSIGN_OR_RETURN(const auto body, reader.ReadBytes(length, "extra field"));
    if (id != 1) continue;
    ByteReader field(body, what);
    if (header.size == kIn64) {
      ASSIGN_OR_RETURN(size, field.Read<uint64_t>("zip64 size"));
    }
    if (header.stored_size == kIn64) {
      ASSIGN_OR_RETURN(stored_size, field.Read<uint64_t>("zip64 stored size"));
    }
    if (header.local_offset == kIn64) {
      ASSIGN_OR_RETURN(local_offset, field.Read<uint64_t>("zip64 offset"));
    }
    return OkStatus();
  }
  return DataLoss(StrCat(what, ": has no zip64 field"));
}

StatusOr<Member> ReadMember(ByteReader& reader, std::string_view what) {
  ASSIGN_OR_RETURN(const auto header, reader.Read<CentralHeader>("zip directory entry"));
  if (header.magic != kCentralMagic) {
    return DataLoss(
        StrCat(what, ": no zip directory entry at byte ", reader.position() - sizeof(header), " of the directory"));
  }
  ASSIGN_OR_RETURN(const std::string_view name, reader.ReadText(header.name_size, "zip member name"));
  ASSIGN_OR_RETURN(const auto extra, reader.ReadBytes(header.extra_size, "zip extra field"));
  RETURN_IF_ERROR(reader.ReadBytes(header.comment_size, "zip member comment").status());
  const std::string where = StrCat(what, ": member ", Printable(name, 200));
  if ((header.flags & 0x2041) != 0) return Unimplemented(StrCat(where, " is encrypted"));
  if (header.method != 0) {
    return Unimplemented(StrCat(where, " is compressed (method ", header.method, "), only stored members are read"));
  }
  uint64_t size = header.size;
  uint64_t stored_size = header.stored_size;
  uint64_t local_offset = header.local_offset;
  RETURN_IF_ERROR(Read64(extra, header, where, size, stored_size, local_offset));
  if (size != stored_size) {
    return DataLoss(StrCat(where, " is stored but has two sizes, ", size, " and ", stored_size));
  }
  return Member{name, local_offset, size};
}

// The member's bytes: after its local header, before the directory.
StatusOr<std::span<const std::byte>> Locate(std::span<const std::byte> before_directory, const Member& member,
                                            std::string_view what) {
  const std::string where = StrCat(what, ": member ", Printable(member.name, 200));
  if (member.local_offset > before_directory.size()) {
    return DataLoss(
        StrCat(where, " lies at byte ", member.local_offset, ", the directory at ", before_directory.size()));
  }
  ByteReader reader(before_directory.subspan(member.local_offset), where);
  ASSIGN_OR_RETURN(const auto header, reader.Read<LocalHeader>("local header"));
  if (header.magic != kLocalMagic) return DataLoss(StrCat(where, " has no local header"));
  ASSIGN_OR_RETURN(const std::string_view name, reader.ReadText(header.name_size, "name"));
  if (name != member.name) return DataLoss(StrCat(where, " is called ", Printable(name, 200), " in its own header"));
  if (header.method != 0) return DataLoss(StrCat(where, " is compressed according to its own header"));
  RETURN_IF_ERROR(reader.ReadBytes(header.extra_size, "extra field").status());
  return reader.ReadBytes(member.size, "contents");
}

}  // namespace

StatusOr<std::map<std::string, std::span<const std::byte>, std::less<>>> ReadStoredZip(
    std::span<const std::byte> archive, std::string_view what) {
  ASSIGN_OR_RETURN(const Directory directory, FindDirectory(archive, what));
  ByteReader reader(archive.subspan(directory.offset, directory.size), what);
  const auto before_directory = archive.first(directory.offset);
  std::map<std::string, std::span<const std::byte>, std::less<>> members;
  struct Extent {
    const std::byte *begin, *end;
    std::string_view name;
  };
  std::vector<Extent> extents;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    ASSIGN_OR_RETURN(const Member member, ReadMember(reader, what));
    ASSIGN_OR_RETURN(const auto contents, Locate(before_directory, member, what));
    if (!members.emplace(member.name, contents).second) {
      return DataLoss(StrCat(what, ": two members are named ", Printable(member.name, 200)));
    }
    extents.push_back({before_directory.data() + member.local_offset, contents.data() + contents.size(), member.name});
  }
  std::ranges::sort(extents, {}, &Extent::begin);
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      return DataLoss(StrCat(what, ": members ", Printable(extents[i - 1].name, 200), " and ",
                             Printable(extents[i].name, 200), " overlap"));
    }
  }
  return members;
}

}  // namespace galago::io
