#ifndef GALAGO_IO_GGUF_H_
#define GALAGO_IO_GGUF_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/io/tensor_store.h"

// GGUF, versions 2 and 3, little-endian (ggml-org/ggml: docs/gguf.md).
namespace galago::io {

class GgufFile {
 public:
  static StatusOr<GgufFile> Open(const std::filesystem::path& path);
  // The same from memory, which is borrowed. `what` names the file in messages.
  static StatusOr<GgufFile> Parse(std::span<const std::byte> bytes, std::string_view what);

  const std::string& name() const { return store_.name(); }
  uint32_t version() const { return version_; }

  // Shapes are row-major, ggml's `ne` reversed: a matrix of N rows and K columns is [N, K]. A tensor of a ggml type we
  // do not know is refused, by the type's name, only when it is asked for.
  const TensorStore& tensors() const { return store_; }
  StatusOr<TensorView> Find(std::string_view name) const { return store_.Find(name); }
  bool Contains(std::string_view name) const { return store_.Contains(name); }

  // Metadata. A missing key gives nullopt; a value of another kind or outside its range is DataLoss naming file and
  // key. Integers of any width are integers, f32 and f64 are floats. Views stay valid as long as the file is open.
  StatusOr<std::optional<uint32_t>> GetU32(std::string_view key) const;
  StatusOr<std::optional<int64_t>> GetInt(std::string_view key, int64_t min, int64_t max) const;
  StatusOr<std::optional<double>> GetFloat(std::string_view key) const;
  StatusOr<std::optional<bool>> GetBool(std::string_view key) const;
  StatusOr<std::optional<std::string_view>> GetString(std::string_view key) const;
  StatusOr<std::optional<std::vector<std::string_view>>> GetStringArray(std::string_view key) const;
  StatusOr<std::optional<std::vector<float>>> GetFloatArray(std::string_view key) const;
  StatusOr<std::optional<std::vector<int64_t>>> GetIntArray(std::string_view key) const;
  bool HasKey(std::string_view key) const { return values_.contains(key); }

  // Every key with its type and value as text, in the order of the file; long values are cut.
  struct Entry {
    std::string key;   // as in the file: foreign text, to be shown through Printable
    std::string type;  // "u32", "string", "string[32000]"
    std::string value;
  };
  std::vector<Entry> Describe() const;

 private:
  // The numbers in the file (ggml-org/ggml: include/gguf.h).
  enum class Type : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };
  struct Value {
    Type type;  // of the element if is_array
    bool is_array;
    uint64_t count;                    // 1 unless is_array
    std::span<const std::byte> bytes;  // the element(s) as in the file; strings with their lengths
  };
  struct Builder;

  const Value* FindValue(std::string_view key) const;
  Status WrongKind(std::string_view key, const Value& value, std::string_view wanted) const;
  static std::string_view TypeName(Type type);
  static bool IsInteger(Type type);
  static size_t TypeBytes(Type type);
  static std::vector<std::string_view> Strings(const Value& value, uint64_t limit);
  static std::string ElementText(const Value& value, uint64_t index);

  TensorStore store_;
  uint32_t version_ = 0;
  std::map<std::string, Value, std::less<>> values_;
  std::vector<std::string> order_;  // keys as in the file
};

}  // namespace galago::io

#endif  // GALAGO_IO_GGUF_H_
