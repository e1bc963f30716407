#include "train/data/tar.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "src/base/strings.h"

namespace galago::train {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kMaxName = 4096;
constexpr size_t kMaxPax = size_t{1} << 20;
constexpr size_t kMaxMembers = 20'000'000;

// A header block's fields (POSIX.1-2017, pax: ustar interchange format).
class Header {
 public:
  explicit Header(std::string_view block) : block_(block) {}

  bool IsZero() const {
    return std::all_of(block_.begin(), block_.end(), [](char c) { return c == '\0'; });
  }
  // The checksum counts its own field as spaces.
  bool ChecksumHolds() const {
    uint64_t sum = 0;
    for (size_t i = 0; i < kBlock; ++i) {
      sum += i >= 148 && i < 156 ? uint64_t{' '} : static_cast<unsigned char>(block_[i]);
    }
    return Octal(148, 8) == sum;
  }
  std::optional<uint64_t> size() const {
    if ((static_cast<unsigned char>(block_[124]) & 0x80) == 0) return Octal(124, 12);
    uint64_t value = 0;  // GNU: base 256
    for (size_t i = 125; i < 136; ++i) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(block_[i]);
    }
    return value;
  }
  char type() const { return block_[156]; }
  std::string name() const {
    const std::string_view name = Text(0, 100);
    const std::string_view prefix = block_.substr(257, 5) == "ustar" ? Text(345, 155) : std::string_view();
    return prefix.empty() ? std::string(name) : StrCat(prefix, "/", name);
  }

 private:
  std::string_view Text(size_t at, size_t length) const {
    const std::string_view field = block_.substr(at, length);
    return field.substr(0, field.find('\0'));
  }
  std::optional<uint64_t> Octal(size_t at, size_t length) const {
    uint64_t value = 0;
    const std::string_view digits = Trim(Text(at, length));
    for (const char c : digits) {
      if (c < '0' || c > '7') return std::nullopt;
      value = value << 3 | static_cast<uint64_t>(c - '0');  // at most 12 digits: 36 bits
    }
    return value;
  }

  std::string_view block_;
};

// "length path=NAME\n" among the records of a pax header.
std::string PaxPath(std::string_view records) {
  std::string path;
  while (!records.empty()) {
    const size_t space = records.find(' ');
    if (space == std::string_view::npos) break;
    uint64_t length = 0;
    for (const char c : records.substr(0, space)) {
      if (c < '0' || c > '9' || length > kMaxPax) return path;
      length = length * 10 + static_cast<uint64_t>(c - '0');
    }
    if (length <= space + 1 || length > records.size()) break;
    const std::string_view record = records.substr(space + 1, length - space - 2);
    if (record.starts_with("path=")) path = std::string(record.substr(5));
    records.remove_prefix(length);
  }
  return path;
}

}  // namespace

TarIndex IndexTar(std::span<const std::byte> bytes, std::string_view what) {
  TarIndex index;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string long_name;
  size_t at = 0;
  const auto damaged = [&](std::string_view why) {
    index.damage = DataLoss(StrCat(what, ": ", why, " at byte ", at, " of ", bytes.size()));
    return index;
  };
  while (at < text.size()) {
    if (text.size() - at < kBlock) return damaged("the archive is cut short");
    const Header header(text.substr(at, kBlock));
    if (header.IsZero()) return index;
    if (!header.ChecksumHolds()) return damaged("the header of a member is damaged");
    const auto size = header.size();
    const size_t begin = at + kBlock;
    if (!size || *size > text.size() - begin) return damaged("the archive is cut short in a member that begins");
    const std::string_view body = text.substr(begin, *size);
    const char type = header.type();
    if (type == 'L') {
      if (body.size() > kMaxName) return damaged("a member has too long a name");
      long_name = std::string(body.substr(0, body.find('\0')));
    } else if (type == 'x') {
      if (body.size() > kMaxPax) return damaged("a member has too long a header");
      long_name = PaxPath(body);
    } else {
      if (type == '0' || type == '\0' || type == '7') {
        if (index.members.size() == kMaxMembers) return damaged("the archive has too many members");
        index.members.push_back({long_name.empty() ? header.name() : long_name, begin, body.size()});
      }
      long_name.clear();
    }
    const size_t padded = (body.size() + kBlock - 1) / kBlock * kBlock;
    if (padded > text.size() - begin) return damaged("the archive is cut short behind a member that begins");
    at = begin + padded;
  }
  return damaged("the archive has no end");
}

std::vector<TarSample> GroupByKey(const TarIndex& index) {
  std::vector<TarSample> samples;
  std::map<std::string, size_t, std::less<>> by_key;
  for (size_t i = 0; i < index.members.size(); ++i) {
    const std::string& name = index.members[i].name;
    const size_t slash = name.rfind('/');
    const size_t dot = name.find('.', slash == std::string::npos ? 0 : slash + 1);
    const std::string key = name.substr(0, dot);
    const auto [known, is_new] = by_key.try_emplace(key, samples.size());
    if (is_new) samples.push_back({key, {}});
    samples[known->second].members.push_back(i);
  }
  return samples;
}

std::string SampleExtension(std::string_view name, std::string_view key) {
  std::string out(name.size() > key.size() ? name.substr(key.size() + 1) : std::string_view());
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace galago::train
