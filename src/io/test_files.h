#ifndef GALAGO_IO_TEST_FILES_H_
#define GALAGO_IO_TEST_FILES_H_

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "galago/status.h"
#include "src/base/strings.h"

// Makes checkpoint files in memory, well-formed ones and liars, for the tests of this folder.
namespace galago::io::testing {

// A directory that goes away with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "galago_io_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

template <class T>
std::string Raw(const T& value) {
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}
template <class T>
std::string RawAll(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) out += Raw(value);
  return out;
}

inline std::string SafetensorsBytes(std::string_view header, std::string_view data = "") {
  return StrCat(Raw<uint64_t>(header.size()), header, data);
}

// ------------------------------------------------------------------------------------------------------------- zip,
// pickle

struct ZipMember {
  std::string name;
  std::string contents;
  uint16_t method = 0;
  uint16_t flags = 0;
  std::string local_name = {};  // if other than the name
};

struct ZipOptions {
  bool zip64 = false;         // sizes, offsets and the directory's place in 64-bit fields, as for archives over 4 GB
  int32_t entries_delta = 0;  // lies about the number of members
  uint32_t offset_delta = 0;  // and about their place
  std::string comment = {};
};

inline std::string ZipBytes(const std::vector<ZipMember>& members, const ZipOptions& options = {}) {
  std::string out;
  std::string directory;
  for (const ZipMember& member : members) {
    const auto size = static_cast<uint32_t>(member.contents.size());
    const auto offset = static_cast<uint32_t>(out.size()) + options.offset_delta;
    const std::string& local = member.local_name.empty() ? member.name : member.local_name;
    out += StrCat(Raw(uint32_t{0x04034b50}), Raw(uint16_t{45}), Raw(member.flags), Raw(member.method), Raw(uint32_t{0}),
                  Raw(uint32_t{0}), Raw(size), Raw(size), Raw(static_cast<uint16_t>(local.size())), Raw(uint16_t{0}),
                  local, member.contents);
    std::string extra;
    if (options.zip64) {
      extra = StrCat(Raw(uint16_t{0x7777}), Raw(uint16_t{2}), "zz", Raw(uint16_t{1}), Raw(uint16_t{24}),
                     Raw(uint64_t{size}), Raw(uint64_t{size}), Raw(uint64_t{offset}));
    }
    const uint32_t shown_size = options.zip64 ? 0xffffffff : size;
    const uint32_t shown_offset = options.zip64 ? 0xffffffff : offset;
    directory += StrCat(Raw(uint32_t{0x02014b50}), Raw(uint16_t{45}), Raw(uint16_t{45}), Raw(member.flags),
                        Raw(member.method), Raw(uint32_t{0}), Raw(uint32_t{0}), Raw(shown_size), Raw(shown_size),
                        Raw(static_cast<uint16_t>(member.name.size())), Raw(static_cast<uint16_t>(extra.size())),
                        Raw(uint16_t{0}), Raw(uint16_t{0}), Raw(uint16_t{0}), Raw(uint32_t{0}), Raw(shown_offset),
                        member.name, extra);
  }
  const uint64_t start = out.size();
  const auto count = static_cast<uint16_t>(static_cast<int32_t>(members.size()) + options.entries_delta);
  out += directory;
  if (options.zip64) {
    const uint64_t end64 = out.size();
    out += StrCat(Raw(uint32_t{0x06064b50}), Raw(uint64_t{44}), Raw(uint16_t{45}), Raw(uint16_t{45}), Raw(uint32_t{0}),
                  Raw(uint32_t{0}), Raw(uint64_t{count}), Raw(uint64_t{count}), Raw(uint64_t{directory.size()}),
                  Raw(start));
    out += StrCat(Raw(uint32_t{0x07064b50}), Raw(uint32_t{0}), Raw(end64), Raw(uint32_t{1}));
  }
  out += StrCat(Raw(uint32_t{0x06054b50}), Raw(uint16_t{0}), Raw(uint16_t{0}), Raw(count), Raw(count),
                Raw(static_cast<uint32_t>(directory.size())),
                Raw(options.zip64 ? 0xffffffffu : static_cast<uint32_t>(start)),
                Raw(static_cast<uint16_t>(options.comment.size())), options.comment);
  return out;
}

namespace pickle {

inline std::string Text(std::string_view text) { return StrCat("X", Raw(static_cast<uint32_t>(text.size())), text); }
inline std::string Number(int64_t value) { return StrCat("\x8a\x08", Raw(value)); }  // LONG1
inline std::string Tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}
inline std::string Numbers(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t value : values) items.push_back(Number(value));
  return Tuple(items);
}
inline std::string Global(std::string_view module, std::string_view name) {
  return StrCat("c", module, "\n", name, "\n");
}

struct TensorFields {
  std::string storage = "FloatStorage";
  std::string key = "0";
  int64_t count = 0;  // elements of the storage
  std::vector<int64_t> sizes, strides;
  int64_t offset = 0;
};

inline std::string Tensor(const TensorFields& t) {
  const std::string storage =
      Tuple({Text("storage"), Global("torch", t.storage), Text(t.key), Text("cpu"), Number(t.count)}) + "Q";
  const std::string hooks = Global("collections", "OrderedDict") + ")R";
  return Global("torch._utils", "_rebuild_tensor_v2") +
         Tuple({storage, Number(t.offset), Numbers(t.sizes), Numbers(t.strides), "\x89", hooks}) + "R";
}

inline std::string Dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out += Text(key) + value;
  return out + "u";
}

inline std::string Program(std::string_view body) { return StrCat("\x80\x02", body, "."); }

}  // namespace pickle

// An archive as torch.save writes it: the pickled value and its storages "0", "1", ...
inline std::string TorchBytes(std::string_view value, const std::vector<std::string>& storages,
                              const ZipOptions& options = {}) {
  std::vector<ZipMember> members = {{"archive/data.pkl", pickle::Program(value)}};
  for (size_t i = 0; i < storages.size(); ++i) members.push_back({StrCat("archive/data/", i), storages[i]});
  members.push_back({"archive/version", "3\n"});
  return ZipBytes(members, options);
}

// --------------------------------------------------------------------------------------------------------------------
// GGUF

inline std::string GgufString(std::string_view text) { return StrCat(Raw(uint64_t{text.size()}), text); }

// Numbers of value types and tensor types are those of the format.
struct GgufBuilder {
  struct Tensor {
    std::string name;
    std::vector<uint64_t> ne;  // fastest dimension first
    uint32_t type;
    uint64_t offset;
  };
  std::vector<std::pair<std::string, std::string>> pairs;  // key, type and value as bytes
  std::vector<Tensor> tensors;
  std::string data;
  uint32_t version = 3;
  uint64_t alignment = 32;

  GgufBuilder& Key(std::string key, uint32_t type, std::string value) {
    pairs.emplace_back(std::move(key), Raw(type) + value);
    return *this;
  }
  template <class T>
  GgufBuilder& Array(std::string key, uint32_t element, const std::vector<T>& values) {
    return Key(std::move(key), 9, StrCat(Raw(element), Raw(uint64_t{values.size()}), RawAll(values)));
  }
  // Appends the bytes as the next tensor.
  GgufBuilder& Add(std::string name, std::vector<uint64_t> ne, uint32_t type, std::string_view bytes) {
    data.append((alignment - data.size() % alignment) % alignment, '\0');
    tensors.push_back({std::move(name), std::move(ne), type, data.size()});
    data += bytes;
    return *this;
  }
  std::string Bytes() const {
    std::string out = StrCat("GGUF", Raw(version), Raw(uint64_t{tensors.size()}), Raw(uint64_t{pairs.size()}));
    for (const auto& [key, value] : pairs) out += GgufString(key) + value;
    for (const Tensor& tensor : tensors) {
      out += GgufString(tensor.name) + Raw(static_cast<uint32_t>(tensor.ne.size())) + RawAll(tensor.ne) +
             Raw(tensor.type) + Raw(tensor.offset);
    }
    out.append((alignment - out.size() % alignment) % alignment, '\0');
    return out + data;
  }
};

}  // namespace galago::io::testing

#endif  // GALAGO_IO_TEST_FILES_H_
