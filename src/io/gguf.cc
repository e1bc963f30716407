#include "src/io/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "src/base/byte_reader.h"
#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/io/checked.h"

namespace galago::io {
namespace {

constexpr uint32_t kDefaultAlignment = 32;
constexpr size_t kMaxDims = 4;                       // GGML_MAX_DIMS
constexpr uint64_t kMaxKeyBytes = 65535;             // docs/gguf.md
constexpr uint64_t kMinPairBytes = 8 + 4 + 1;        // key length, type, smallest value
constexpr uint64_t kMinTensorBytes = 8 + 4 + 4 + 8;  // name length, number of dimensions, type, offset
constexpr std::string_view kAlignmentKey = "general.alignment";

struct GgmlType {
  uint32_t number;
  std::string_view name;
  std::optional<DType> dtype;  // nullopt: known by name only
};

// enum ggml_type (ggml-org/ggml: include/ggml.h). Numbers missing here were withdrawn or are newer.
constexpr std::array<GgmlType, 33> kGgmlTypes = {{
    {0, "F32", DType::kF32},      {1, "F16", DType::kF16},       {2, "Q4_0", DType::kQ4_0},
    {3, "Q4_1", DType::kQ4_1},    {6, "Q5_0", DType::kQ5_0},     {7, "Q5_1", DType::kQ5_1},
    {8, "Q8_0", DType::kQ8_0},    {9, "Q8_1", std::nullopt},     {10, "Q2_K", DType::kQ2_K},
    {11, "Q3_K", DType::kQ3_K},   {12, "Q4_K", DType::kQ4_K},    {13, "Q5_K", DType::kQ5_K},
    {14, "Q6_K", DType::kQ6_K},   {15, "Q8_K", std::nullopt},    {16, "IQ2_XXS", std::nullopt},
    {17, "IQ2_XS", std::nullopt}, {18, "IQ3_XXS", std::nullopt}, {19, "IQ1_S", std::nullopt},
    {20, "IQ4_NL", std::nullopt}, {21, "IQ3_S", std::nullopt},   {22, "IQ2_S", std::nullopt},
    {23, "IQ4_XS", std::nullopt}, {24, "I8", DType::kI8},        {25, "I16", DType::kI16},
    {26, "I32", DType::kI32},     {27, "I64", DType::kI64},      {28, "F64", DType::kF64},
    {29, "IQ1_M", std::nullopt},  {30, "BF16", DType::kBF16},    {34, "TQ1_0", std::nullopt},
    {35, "TQ2_0", std::nullopt},  {39, "MXFP4", std::nullopt},   {40, "NVFP4", std::nullopt},
}};

const GgmlType* FindGgmlType(uint32_t number) {
  const auto it = std::ranges::find(kGgmlTypes, number, &GgmlType::number);
  return it == kGgmlTypes.end() ? nullptr : &*it;
}

template <class T>
T Load(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

StatusOr<std::string_view> ReadString(ByteReader& reader, std::string_view field) {
  ASSIGN_OR_RETURN(const uint64_t length, reader.Read<uint64_t>(field));
  return reader.ReadText(length, field);
}

}  // namespace

size_t GgufFile::TypeBytes(Type type) {
  switch (type) {
    case Type::kU8:
    case Type::kI8:
    case Type::kBool:
      return 1;
    case Type::kU16:
    case Type::kI16:
      return 2;
    case Type::kU32:
    case Type::kI32:
    case Type::kF32:
      return 4;
    case Type::kU64:
    case Type::kI64:
    case Type::kF64:
      return 8;
    case Type::kString:
    case Type::kArray:
      return 0;  // varies
  }
  return 0;
}

std::string_view GgufFile::TypeName(Type type) {
  constexpr std::array<std::string_view, 13> kNames = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                       "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<size_t>(type)];
}

bool GgufFile::IsInteger(Type type) {
  return type != Type::kF32 && type != Type::kF64 && type != Type::kBool && type != Type::kString &&
         type != Type::kArray;
}

// Reads the header, the metadata and the tensor table, in the file's order.
struct GgufFile::Builder {
  ByteReader reader;
  GgufFile file;

  std::string_view what() const { return file.store_.name(); }

  static StatusOr<Type> CheckedType(uint32_t number, std::string_view where) {
    if (number > static_cast<uint32_t>(Type::kF64)) {
      return DataLoss(StrCat(where, " has type ", number, ", the last one known is 12"));
    }
    return static_cast<Type>(number);
  }

  Status ReadValue(const std::string& key) {
    const std::string where = StrCat(what(), ": key ", Printable(key));
    ASSIGN_OR_RETURN(const uint32_t number, reader.Read<uint32_t>(StrCat("type of key ", Printable(key))));
    ASSIGN_OR_RETURN(const Type type, CheckedType(number, where));
    Value value{type, false, 1, {}};
    if (type == Type::kArray) {
      ASSIGN_OR_RETURN(const uint32_t element, reader.Read<uint32_t>(StrCat("element type of key ", Printable(key))));
      ASSIGN_OR_RETURN(value.type, CheckedType(element, where));
      if (value.type == Type::kArray) return Unimplemented(StrCat(where, " is an array of arrays"));
      value.is_array = true;
      ASSIGN_OR_RETURN(value.count, reader.Read<uint64_t>(StrCat("length of key ", Printable(key))));
    }
    const size_t element_bytes = value.type == Type::kString ? sizeof(uint64_t) : TypeBytes(value.type);
    if (value.count > reader.remaining() / element_bytes) {
      return DataLoss(StrCat(where, " claims ", value.count, " values of type ", TypeName(value.type), ", ",
                             reader.remaining(), " bytes remain"));
    }
    if (value.type == Type::kString) {
      ByteReader start = reader;
      for (uint64_t i = 0; i < value.count; ++i) {
        ASSIGN_OR_RETURN(const uint64_t length, reader.Read<uint64_t>("string length"));
        RETURN_IF_ERROR(reader.ReadBytes(length, "string").status());
      }
      ASSIGN_OR_RETURN(value.bytes, start.ReadBytes(reader.position() - start.position(), "string"));
    } else {
      ASSIGN_OR_RETURN(value.bytes, reader.ReadBytes(value.count * element_bytes, "value"));
    }
    if (!file.values_.emplace(key, value).second) return DataLoss(StrCat(where, " appears twice"));
    file.order_.push_back(key);
    return OkStatus();
  }

  Status ReadMetadata(uint64_t count) {
    if (count > reader.remaining() / kMinPairBytes) {
      return DataLoss(StrCat(what(), ": claims ", count, " keys, ", reader.remaining(), " bytes remain"));
    }
    for (uint64_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(const std::string_view key, ReadString(reader, "key"));
      if (key.empty() || key.size() > kMaxKeyBytes) {
        return DataLoss(StrCat(what(), ": a key of ", key.size(), " bytes, 1 to ", kMaxKeyBytes, " are allowed"));
      }
      RETURN_IF_ERROR(ReadValue(std::string(key)));
    }
    return OkStatus();
  }

  StatusOr<uint32_t> ReadAlignment() {
    ASSIGN_OR_RETURN(const auto alignment, file.GetU32(kAlignmentKey));
    const uint32_t value = alignment.value_or(kDefaultAlignment);
    if (!std::has_single_bit(value)) {
      return DataLoss(StrCat(what(), ": ", kAlignmentKey, " is ", value, ", a power of two is needed"));
    }
    return value;
  }

  struct TableEntry {
    std::string name;
    std::vector<uint64_t> dims;  // row-major
    uint32_t ggml_type;
    uint64_t offset;  // in the data section
  };

  StatusOr<std::vector<TableEntry>> ReadTable(uint64_t count) {
    if (count > reader.remaining() / kMinTensorBytes) {
      return DataLoss(StrCat(what(), ": claims ", count, " tensors, ", reader.remaining(), " bytes remain"));
    }
    std::vector<TableEntry> table;
    for (uint64_t i = 0; i < count; ++i) {
      TableEntry entry;
      ASSIGN_OR_RETURN(const std::string_view name, ReadString(reader, "tensor name"));
      entry.name = name;
      ASSIGN_OR_RETURN(const uint32_t rank, reader.Read<uint32_t>("number of dimensions"));
      if (rank > kMaxDims) {
        return DataLoss(StrCat(what(), ": tensor ", Printable(name), " has ", rank, " dimensions, at most ", kMaxDims,
                               " are possible"));
      }
      for (uint32_t d = 0; d < rank; ++d) {
        ASSIGN_OR_RETURN(const uint64_t dim, reader.Read<uint64_t>("dimension"));
        entry.dims.push_back(dim);
      }
      std::ranges::reverse(entry.dims);
      ASSIGN_OR_RETURN(entry.ggml_type, reader.Read<uint32_t>("tensor type"));
      ASSIGN_OR_RETURN(entry.offset, reader.Read<uint64_t>("tensor offset"));
      table.push_back(std::move(entry));
    }
    return table;
  }

  Status AddTensor(const TableEntry& entry, std::span<const std::byte> data, uint32_t alignment) {
    const std::string where = StrCat(what(), ": tensor ", Printable(entry.name, 200));
    if (entry.offset % alignment != 0) {
      return DataLoss(StrCat(where, " lies at offset ", entry.offset, ", a multiple of ", alignment, " is needed"));
    }
    const GgmlType* type = FindGgmlType(entry.ggml_type);
    if (type == nullptr || !type->dtype) {
      return file.store_.AddRefused(
          entry.name, Unimplemented(StrCat(where, " is of ggml type ",
                                           type != nullptr ? std::string(type->name) : StrCat(entry.ggml_type),
                                           ", which is not supported")));
    }
    ASSIGN_OR_RETURN(const Shape shape, CheckedShape(entry.dims, *type->dtype, where));
    TensorView view{*type->dtype, shape, nullptr};
    if (entry.offset > data.size() || view.NumBytes() > data.size() - entry.offset) {
      return DataLoss(StrCat(where, " needs ", view.NumBytes(), " bytes at offset ", entry.offset,
                             " of the data, which has ", data.size()));
    }
    view.data = data.data() + entry.offset;
    return file.store_.Add(entry.name, view);
  }

  // Two tensors on the same bytes are a lie about one of them. (Sizes of refused types are unknown.)
  Status CheckOverlap() const {
    std::vector<std::pair<const std::byte*, const std::string*>> starts;
    for (const auto& [name, view] : file.store_.tensors()) {
      if (view.NumBytes() != 0) starts.emplace_back(view.data, &name);
    }
    std::ranges::sort(starts, {}, [](const auto& start) { return start.first; });
    for (size_t i = 1; i < starts.size(); ++i) {
      const TensorView& previous = file.store_.tensors().find(*starts[i - 1].second)->second;
      if (previous.data + previous.NumBytes() > starts[i].first) {
        return DataLoss(StrCat(what(), ": tensors ", Printable(*starts[i - 1].second), " and ",
                               Printable(*starts[i].second), " overlap"));
      }
    }
    return OkStatus();
  }

  Status Run(std::span<const std::byte> bytes) {
    ASSIGN_OR_RETURN(const std::string_view magic, reader.ReadText(4, "magic"));
    if (magic != "GGUF") return DataLoss(StrCat(what(), ": is not a GGUF file, it begins with ", Printable(magic)));
    ASSIGN_OR_RETURN(file.version_, reader.Read<uint32_t>("version"));
    if (file.version_ != 2 && file.version_ != 3) {
      const bool swapped = file.version_ != 0 && (file.version_ & 0xffffff) == 0;
      return Unimplemented(swapped ? StrCat(what(), ": is a big-endian GGUF file, only little-endian is supported")
                                   : StrCat(what(), ": is GGUF version ", file.version_, ", 2 and 3 are supported"));
    }
    ASSIGN_OR_RETURN(const uint64_t num_tensors, reader.Read<uint64_t>("number of tensors"));
    ASSIGN_OR_RETURN(const uint64_t num_pairs, reader.Read<uint64_t>("number of keys"));
    RETURN_IF_ERROR(ReadMetadata(num_pairs));
    ASSIGN_OR_RETURN(const uint32_t alignment, ReadAlignment());
    ASSIGN_OR_RETURN(const std::vector<TableEntry> table, ReadTable(num_tensors));
    // The data begin at the next multiple of the alignment; a file of metadata alone may end before.
    const uint64_t start = (uint64_t{reader.position()} + alignment - 1) / alignment * alignment;
    const auto data = bytes.subspan(std::min<uint64_t>(start, bytes.size()));
    for (const TableEntry& entry : table) RETURN_IF_ERROR(AddTensor(entry, data, alignment));
    return CheckOverlap();
  }
};

StatusOr<GgufFile> GgufFile::Parse(std::span<const std::byte> bytes, std::string_view what) {
  RETURN_IF_ERROR(RefuseLfsPointer(bytes, what));
  Builder builder{ByteReader(bytes, what), GgufFile()};
  builder.file.store_ = TensorStore{std::string(what)};
  RETURN_IF_ERROR(builder.Run(bytes));
  return std::move(builder.file);
}

StatusOr<GgufFile> GgufFile::Open(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const auto mapped, MappedFile::Open(path));
  ASSIGN_OR_RETURN(GgufFile file, Parse(mapped->bytes(), path.string()));
  file.store_.Keep(mapped);
  return file;
}

const GgufFile::Value* GgufFile::FindValue(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

Status GgufFile::WrongKind(std::string_view key, const Value& value, std::string_view wanted) const {
  return DataLoss(StrCat(name(), ": key ", key, " is ", TypeName(value.type), value.is_array ? "[]" : "", ", ", wanted,
                         " is needed"));
}

namespace {

// An integer of any width as int64; nullopt above its range (u64 only).
template <class Type>
std::optional<int64_t> IntegerAt(Type type, const std::byte* data) {
  switch (type) {
    case Type::kU8:
      return Load<uint8_t>(data);
    case Type::kI8:
      return Load<int8_t>(data);
    case Type::kU16:
      return Load<uint16_t>(data);
    case Type::kI16:
      return Load<int16_t>(data);
    case Type::kU32:
      return Load<uint32_t>(data);
    case Type::kI32:
      return Load<int32_t>(data);
    case Type::kI64:
      return Load<int64_t>(data);
    case Type::kU64: {
      const auto value = Load<uint64_t>(data);
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

StatusOr<std::optional<int64_t>> GgufFile::GetInt(std::string_view key, int64_t min, int64_t max) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<int64_t>();
  if (value->is_array || !IsInteger(value->type)) return WrongKind(key, *value, "an integer");
  const std::optional<int64_t> number = IntegerAt(value->type, value->bytes.data());
  if (!number || *number < min || *number > max) {
    return DataLoss(StrCat(name(), ": key ", key, " is ", ElementText(*value, 0), ", expected ", min, " to ", max));
  }
  return number;
}

StatusOr<std::optional<uint32_t>> GgufFile::GetU32(std::string_view key) const {
  ASSIGN_OR_RETURN(const std::optional<int64_t> number, GetInt(key, 0, std::numeric_limits<uint32_t>::max()));
  return number ? std::optional(static_cast<uint32_t>(*number)) : std::nullopt;
}

StatusOr<std::optional<double>> GgufFile::GetFloat(std::string_view key) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<double>();
  if (!value->is_array && value->type == Type::kF32) return std::optional<double>(Load<float>(value->bytes.data()));
  if (!value->is_array && value->type == Type::kF64) return std::optional<double>(Load<double>(value->bytes.data()));
  return WrongKind(key, *value, "a float");
}

StatusOr<std::optional<bool>> GgufFile::GetBool(std::string_view key) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<bool>();
  if (value->is_array || value->type != Type::kBool) return WrongKind(key, *value, "a bool");
  return std::optional<bool>(value->bytes[0] != std::byte{0});
}

StatusOr<std::optional<std::string_view>> GgufFile::GetString(std::string_view key) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<std::string_view>();
  if (value->is_array || value->type != Type::kString) return WrongKind(key, *value, "a string");
  return std::optional<std::string_view>(Strings(*value, 1).front());
}

StatusOr<std::optional<std::vector<std::string_view>>> GgufFile::GetStringArray(std::string_view key) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<std::vector<std::string_view>>();
  if (!value->is_array || value->type != Type::kString) return WrongKind(key, *value, "a list of strings");
  return std::optional(Strings(*value, value->count));
}

StatusOr<std::optional<std::vector<float>>> GgufFile::GetFloatArray(std::string_view key) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<std::vector<float>>();
  if (!value->is_array || (value->type != Type::kF32 && value->type != Type::kF64)) {
    return WrongKind(key, *value, "a list of floats");
  }
  std::vector<float> numbers(value->count);
  for (uint64_t i = 0; i < value->count; ++i) {
    const std::byte* data = value->bytes.data() + i * TypeBytes(value->type);
    numbers[i] = value->type == Type::kF32 ? Load<float>(data) : static_cast<float>(Load<double>(data));
  }
  return std::optional(std::move(numbers));
}

StatusOr<std::optional<std::vector<int64_t>>> GgufFile::GetIntArray(std::string_view key) const {
  const Value* value = FindValue(key);
  if (value == nullptr) return std::optional<std::vector<int64_t>>();
  if (!value->is_array || !IsInteger(value->type)) return WrongKind(key, *value, "a list of integers");
  std::vector<int64_t> numbers(value->count);
  for (uint64_t i = 0; i < value->count; ++i) {
    const auto number = IntegerAt(value->type, value->bytes.data() + i * TypeBytes(value->type));
    if (!number) return DataLoss(StrCat(name(), ": key ", key, ", element ", i, " is ", ElementText(*value, i)));
    numbers[i] = *number;
  }
  return std::optional(std::move(numbers));
}

// The lengths were checked when the file was read.
std::vector<std::string_view> GgufFile::Strings(const Value& value, uint64_t limit) {
  std::vector<std::string_view> strings;
  const std::byte* at = value.bytes.data();
  for (uint64_t i = 0; i < std::min(value.count, limit); ++i) {
    const auto length = Load<uint64_t>(at);
    strings.emplace_back(reinterpret_cast<const char*>(at + sizeof(length)), length);
    at += sizeof(length) + length;
  }
  return strings;
}

std::string GgufFile::ElementText(const Value& value, uint64_t index) {
  const std::byte* data = value.bytes.data() + index * TypeBytes(value.type);
  switch (value.type) {
    case Type::kF32:
      return StrCat(Load<float>(data));
    case Type::kF64:
      return StrCat(Load<double>(data));
    case Type::kBool:
      return *data != std::byte{0} ? "true" : "false";
    case Type::kU64:
      return StrCat(Load<uint64_t>(data));
    default:
      return StrCat(IntegerAt(value.type, data).value_or(0));
  }
}

std::vector<GgufFile::Entry> GgufFile::Describe() const {
  constexpr uint64_t kShown = 6;  // elements of a list
  std::vector<Entry> entries;
  for (const std::string& key : order_) {
    const Value& value = values_.find(key)->second;
    Entry entry{key, std::string(TypeName(value.type)), ""};
    std::vector<std::string> shown;
    if (value.type == Type::kString) {
      for (const std::string_view text : Strings(value, kShown)) shown.push_back(Printable(text, 60));
    } else {
      for (uint64_t i = 0; i < std::min(value.count, kShown); ++i) shown.push_back(ElementText(value, i));
    }
    for (size_t i = 0; i < shown.size(); ++i) entry.value += StrCat(i == 0 ? "" : ", ", shown[i]);
    if (value.is_array) {
      entry.type += StrCat("[", value.count, "]");
      entry.value = StrCat("[", entry.value, value.count > kShown ? ", ...]" : "]");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace galago::io
