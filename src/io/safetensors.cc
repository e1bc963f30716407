#include "src/io/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "src/base/byte_reader.h"
#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/checked.h"

namespace galago::io {
namespace {

struct DTypeSpelling {
  std::string_view name;
  DType dtype;
};
constexpr std::array<DTypeSpelling, 13> kDTypes = {{
    {"F32", DType::kF32},
    {"F16", DType::kF16},
    {"BF16", DType::kBF16},
    {"F64", DType::kF64},
    {"I8", DType::kI8},
    {"U8", DType::kU8},
    {"I16", DType::kI16},
    {"U16", DType::kU16},
    {"I32", DType::kI32},
    {"U32", DType::kU32},
    {"I64", DType::kI64},
    {"U64", DType::kU64},
    {"BOOL", DType::kBool},
}};

// A tensor's place, for the check that the tensors tile the data section.
struct Extent {
  uint64_t begin, end;
  std::string_view name;
};

StatusOr<std::vector<uint64_t>> ReadNumbers(const Json* list, std::string_view what, std::string_view field) {
  if (list == nullptr || !list->is_array()) return DataLoss(StrCat(what, ": \"", field, "\" is not a list of numbers"));
  std::vector<uint64_t> numbers;
  for (const Json& item : *list) {
    if (!item.is_number_unsigned()) {
      return DataLoss(StrCat(what, ": \"", field, "\" holds ", Printable(item.dump(-1, ' ', true), 40),
                             ", a whole number from 0 is needed"));
    }
    numbers.push_back(item.get<uint64_t>());
  }
  return numbers;
}

StatusOr<DType> ReadDType(const Json& entry, std::string_view what) {
  const Json* value = JsonFind(entry, "dtype");
  if (value == nullptr || !value->is_string()) return DataLoss(StrCat(what, ": has no \"dtype\""));
  const auto& name = value->get_ref<const std::string&>();
  const auto it = std::ranges::find(kDTypes, name, &DTypeSpelling::name);
  if (it == kDTypes.end()) return Unimplemented(StrCat(what, ": dtype ", Printable(name, 20), " is not supported"));
  return it->dtype;
}

// One entry of the header: its view into `data` and its extent.
StatusOr<TensorView> ReadEntry(const Json& entry, std::span<const std::byte> data, std::string_view what,
                               Extent& extent) {
  if (!entry.is_object()) return DataLoss(StrCat(what, ": is described by no JSON object"));
  ASSIGN_OR_RETURN(const DType dtype, ReadDType(entry, what));
  ASSIGN_OR_RETURN(const std::vector<uint64_t> dims, ReadNumbers(JsonFind(entry, "shape"), what, "shape"));
  ASSIGN_OR_RETURN(const std::vector<uint64_t> offsets,
                   ReadNumbers(JsonFind(entry, "data_offsets"), what, "data_offsets"));
  if (offsets.size() != 2) return DataLoss(StrCat(what, ": \"data_offsets\" has ", offsets.size(), " numbers, not 2"));
  if (offsets[0] > offsets[1] || offsets[1] > data.size()) {
    return DataLoss(
        StrCat(what, ": lies at bytes ", offsets[0], " to ", offsets[1], " of the ", data.size(), " bytes of data"));
  }
  ASSIGN_OR_RETURN(const Shape shape, CheckedShape(dims, dtype, what));
  const TensorView view{dtype, shape, data.data() + offsets[0]};
  if (view.NumBytes() != offsets[1] - offsets[0]) {
    return DataLoss(StrCat(what, ": ", shape.ToString(), " of ", DTypeName(dtype), " needs ", view.NumBytes(),
                           " bytes, the header gives it ", offsets[1] - offsets[0]));
  }
  extent.begin = offsets[0];
  extent.end = offsets[1];
  return view;
}

Status CheckTiling(std::vector<Extent> extents, uint64_t data_size, std::string_view what) {
  std::ranges::sort(
      extents, [](const Extent& a, const Extent& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t at = 0;
  std::string_view previous = "the start";
  for (const Extent& extent : extents) {
    if (extent.begin != at) {
      return DataLoss(StrCat(what, ": tensor ", Printable(extent.name, 200), " begins at byte ", extent.begin, ", ",
                             Printable(previous, 200), " ends at ", at));
    }
    at = extent.end;
    previous = extent.name;
  }
  if (at != data_size) {
    return DataLoss(StrCat(what, ": the tensors fill ", at, " bytes, the file holds ", data_size, " bytes of data"));
  }
  return OkStatus();
}

Status ReadMetadata(const Json& metadata, std::string_view what, TensorStore& store) {
  if (metadata.is_null()) return OkStatus();
  if (!metadata.is_object()) return DataLoss(StrCat(what, ": __metadata__ is no JSON object"));
  for (const auto& [key, value] : metadata.get_ref<const Json::object_t&>()) {
    if (!value.is_string()) return DataLoss(StrCat(what, ": __metadata__ ", Printable(key), " is not a string"));
    store.SetMetadata(key, value.get<std::string>());
  }
  return OkStatus();
}

struct Header {
  Json json;  // an object
  std::span<const std::byte> data;
};
StatusOr<Header> ReadHeader(std::span<const std::byte> bytes, std::string_view what) {
  RETURN_IF_ERROR(RefuseLfsPointer(bytes, what));
  ByteReader reader(bytes, what);
  ASSIGN_OR_RETURN(const uint64_t header_size, reader.Read<uint64_t>("header length"));
  if (header_size > kMaxSafetensorsHeader) {
    return DataLoss(StrCat(what, ": header of ", header_size, " bytes, the limit is ", kMaxSafetensorsHeader));
  }
  ASSIGN_OR_RETURN(const std::string_view text, reader.ReadText(header_size, "header"));
  Header header;
  // Name, field, list: three levels.
  ASSIGN_OR_RETURN(header.json, ParseJson(text, what, {.max_bytes = kMaxSafetensorsHeader, .max_depth = 4}));
  if (!header.json.is_object()) return DataLoss(StrCat(what, ": the header is no JSON object"));
  header.data = bytes.subspan(reader.position());
  return header;
}

// Sort key of the official writer: larger elements first, so that none is unaligned; then the name.
bool WrittenBefore(const NamedTensor* a, const NamedTensor* b) {
  const size_t a_bytes = InfoOf(a->view.dtype).block_bytes;
  const size_t b_bytes = InfoOf(b->view.dtype).block_bytes;
  return a_bytes != b_bytes ? a_bytes > b_bytes : a->name < b->name;
}

}  // namespace

std::string_view SafetensorsName(DType dtype) {
  const auto it = std::ranges::find(kDTypes, dtype, &DTypeSpelling::dtype);
  return it == kDTypes.end() ? std::string_view() : it->name;
}

StatusOr<std::map<std::string, std::string, std::less<>>> ReadSafetensorsMetadata(std::span<const std::byte> bytes,
                                                                                  std::string_view what) {
  ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes, what));
  TensorStore store{std::string(what)};
  const Json* metadata = JsonFind(header.json, "__metadata__");
  if (metadata != nullptr) RETURN_IF_ERROR(ReadMetadata(*metadata, what, store));
  return store.metadata();
}

StatusOr<TensorStore> ParseSafetensors(std::span<const std::byte> bytes, std::string_view what) {
  ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes, what));
  const std::span<const std::byte> data = header.data;

  TensorStore store{std::string(what)};
  std::vector<Extent> extents;
  for (const auto& [name, entry] : header.json.get_ref<const Json::object_t&>()) {
    if (name == "__metadata__") {
      RETURN_IF_ERROR(ReadMetadata(entry, what, store));
      continue;
    }
    Extent extent{0, 0, name};
    ASSIGN_OR_RETURN(const TensorView view,
                     ReadEntry(entry, data, StrCat(what, ": tensor ", Printable(name, 200)), extent));
    RETURN_IF_ERROR(store.Add(name, view));
    extents.push_back(extent);
  }
  RETURN_IF_ERROR(CheckTiling(std::move(extents), data.size(), what));
  return store;
}

StatusOr<TensorStore> OpenSafetensors(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  ASSIGN_OR_RETURN(TensorStore store, ParseSafetensors(file->bytes(), path.string()));
  store.Keep(file);
  return store;
}

Status WriteSafetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::sort(order, WrittenBefore);

  Json header = Json::object();
  auto& members = header.get_ref<Json::object_t&>();
  if (!metadata.empty()) members.emplace("__metadata__", Json(metadata));
  std::map<std::string_view, const NamedTensor*> seen;
  uint64_t at = 0;
  for (const NamedTensor* tensor : order) {
    const auto it = std::ranges::find(kDTypes, tensor->view.dtype, &DTypeSpelling::dtype);
    if (it == kDTypes.end()) {
      return InvalidArgument(StrCat(path.string(), ": tensor ", tensor->name, " is ", DTypeName(tensor->view.dtype),
                                    ", which safetensors cannot hold"));
    }
    if (tensor->name == "__metadata__" || !seen.emplace(tensor->name, tensor).second) {
      return InvalidArgument(StrCat(path.string(), ": two tensors are named ", tensor->name));
    }
    const uint64_t end = at + tensor->view.NumBytes();
    Json entry = Json::object();
    entry["dtype"] = it->name;
    entry["shape"] = Json::array();
    for (const int64_t dim : tensor->view.shape.dims()) entry["shape"].push_back(static_cast<uint64_t>(dim));
    entry["data_offsets"] = {at, end};
    // ordered_json's own insertion compares with every earlier key.
    static_cast<std::vector<std::pair<const std::string, Json>>&>(members).emplace_back(tensor->name, std::move(entry));
    at = end;
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {  // the only cause: a name or value that is not UTF-8
    return InvalidArgument(StrCat(path.string(), ": a tensor name or metadata value is not UTF-8"));
  }
  constexpr size_t kAlignment = 64;  // of the data section: lets kernels use mapped weights as they lie
  text.append((kAlignment - (sizeof(uint64_t) + text.size()) % kAlignment) % kAlignment, ' ');
  if (text.size() > kMaxSafetensorsHeader) {
    return InvalidArgument(
        StrCat(path.string(), ": header of ", text.size(), " bytes, the limit is ", kMaxSafetensorsHeader));
  }

  const uint64_t header_size = text.size();
  std::vector<std::string_view> pieces = {
      std::string_view(reinterpret_cast<const char*>(&header_size), sizeof(header_size)), text};
  for (const NamedTensor* tensor : order) {
    pieces.emplace_back(tensor->view.As<char>(), tensor->view.NumBytes());
  }
  return WriteFileAtomically(path, pieces);
}

}  // namespace galago::io
