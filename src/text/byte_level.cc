#include "src/text/byte_level.h"

#include <array>

#include "src/base/utf8.h"

namespace galago::text {
namespace {

constexpr bool Printable(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

constexpr int kTableSize = 0x100 + 68;

struct Tables {
  std::array<char32_t, 256> to_character{};
  std::array<int16_t, kTableSize> to_byte{};
};

constexpr Tables MakeTables() {
  Tables tables;
  for (auto& byte : tables.to_byte) byte = -1;
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t c = Printable(byte) ? static_cast<char32_t>(byte) : next++;
    tables.to_character[byte] = c;
    tables.to_byte[c] = static_cast<int16_t>(byte);
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

}  // namespace

std::string BytesToSpelling(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) Utf8Append(out, kTables.to_character[static_cast<unsigned char>(byte)]);
  return out;
}

std::string SpellingToBytes(std::string_view spelling) {
  std::string out;
  out.reserve(spelling.size());
  for (std::string_view rest = spelling; !rest.empty();) {
    const size_t length = Utf8Length(rest);
    if (length == 0) return std::string(spelling);
    const char32_t c = Utf8Decode(rest);
    if (c >= kTableSize || kTables.to_byte[c] < 0) return std::string(spelling);
    out += static_cast<char>(kTables.to_byte[c]);
    rest.remove_prefix(length);
  }
  return out;
}

}  // namespace galago::text
