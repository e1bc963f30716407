#include "train/world/tar_shard.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "src/base/check.h"

namespace galago::world {
namespace {

constexpr size_t kBlock = 512;

// POSIX ustar header.
struct Header {
  std::array<char, 100> name;
  std::array<char, 8> mode;
  std::array<char, 8> uid;
  std::array<char, 8> gid;
  std::array<char, 12> size;
  std::array<char, 12> mtime;
  std::array<char, 8> checksum;
  char type;
  std::array<char, 100> link;
  std::array<char, 8> magic;  // with version
  std::array<char, 32> owner;
  std::array<char, 32> group;
  std::array<char, 8> major;
  std::array<char, 8> minor;
  std::array<char, 155> prefix;
  std::array<char, 12> unused;
};
static_assert(sizeof(Header) == kBlock);

// Octal digits that fill the field up to its closing zero.
template <size_t kSize>
void PutOctal(std::array<char, kSize>& field, uint64_t value) {
  std::array<char, 32> digits;
  const int length = std::snprintf(digits.data(), digits.size(), "%0*llo", static_cast<int>(kSize) - 1,
                                   static_cast<unsigned long long>(value));
  CHECK_EQ(length, static_cast<int>(kSize) - 1);
  std::memcpy(field.data(), digits.data(), kSize);
}

}  // namespace

std::string TarMember(std::string_view name, std::string_view bytes) {
  Header header = {};
  CHECK(!name.empty() && name.size() <= header.name.size());
  std::memcpy(header.name.data(), name.data(), name.size());
  PutOctal(header.mode, 0644);
  PutOctal(header.uid, 0);
  PutOctal(header.gid, 0);
  PutOctal(header.size, bytes.size());
  PutOctal(header.mtime, 0);
  header.type = '0';
  std::memcpy(header.magic.data(), "ustar\00000", 8);
  // The sum takes its own field for blanks.
  header.checksum.fill(' ');
  std::array<unsigned char, kBlock> raw;
  std::memcpy(raw.data(), &header, kBlock);
  unsigned sum = 0;
  for (const unsigned char byte : raw) sum += byte;
  std::array<char, 7> digits;
  PutOctal(digits, sum);
  std::memcpy(header.checksum.data(), digits.data(), digits.size());

  std::string member(kBlock + (bytes.size() + kBlock - 1) / kBlock * kBlock, '\0');
  std::memcpy(member.data(), &header, kBlock);
  std::memcpy(member.data() + kBlock, bytes.data(), bytes.size());
  return member;
}

std::string TarEnd() { return std::string(2 * kBlock, '\0'); }

}  // namespace galago::world
