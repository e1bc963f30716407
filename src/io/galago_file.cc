#include "src/io/galago_file.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>

#include "src/base/hash.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/checked.h"
#include "src/io/safetensors.h"
#include "src/tensor/panels.h"

namespace galago::io {
namespace {

constexpr std::string_view kFile = "file/";
constexpr std::string_view kPadding = "padding/";
constexpr size_t kAlignment = 64;
constexpr uint64_t kMaxSide = uint64_t{1} << 30;  // of a panel matrix: sizes in bytes stay below 2^63

constexpr std::string_view kVersionKey = "galago.version";
constexpr std::string_view kPanelsKey = "galago.panels";
constexpr std::string_view kFactsKey = "galago.facts";
constexpr std::string_view kTableKey = "galago.table";
constexpr std::string_view kSumKey = "galago.sum";

std::string Hex(uint64_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (size_t i = 16; i-- > 0; value >>= 4) text[i] = kDigits[value & 15];
  return text;
}

std::span<const std::byte> BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string HeaderSum(std::string_view version, std::string_view panels, std::string_view facts,
                      std::string_view table) {
  return Hex(Checksum64(BytesOf(StrCat(version, "\n", panels, "\n", facts, "\n", table))));
}

using Metadata = std::map<std::string, std::string, std::less<>>;

StatusOr<std::string> Value(const Metadata& metadata, std::string_view key, std::string_view what) {
  if (const auto it = metadata.find(key); it != metadata.end()) return it->second;
  return DataLoss(StrCat(what, ": the header has no ", key));
}

// Before anything else is believed: what an older program cannot know must not look like damage.
Status CheckFormat(const Metadata& metadata, std::string_view what) {
  if (!metadata.contains(kVersionKey)) {
    return DataLoss(StrCat(what, ": no .galago file: the header has no ", kVersionKey));
  }
  const std::string& version = metadata.find(kVersionKey)->second;
  if (version != StrCat(kGalagoVersion)) {
    return Unimplemented(StrCat(what, ": is of format version ", Printable(version, 20),
                                ", this program reads version ", kGalagoVersion,
                                "; make it again with `galago convert`"));
  }
  ASSIGN_OR_RETURN(const std::string panels, Value(metadata, kPanelsKey, what));
  if (panels != kGalagoPanels) {
    return Unimplemented(StrCat(what, ": its matrices are laid out for the kernel family ", Printable(panels, 40),
                                ", this program's is ", kGalagoPanels, "; make it again with `galago convert`"));
  }
  return OkStatus();
}

std::optional<DType> PanelTypeNamed(std::string_view name) {
  for (int i = static_cast<int>(DType::kW4G32); i <= static_cast<int>(DType::kW8Row); ++i) {
    if (DTypeName(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

// The matrix that an entry of bytes is, once its size is seen to fit.
StatusOr<TensorView> PanelView(DType dtype, const std::vector<uint64_t>& dims, const TensorView& bytes,
                               std::string_view what) {
  if (dims.size() != 2 || dims[0] == 0 || dims[1] == 0 || dims[0] > kMaxSide || dims[1] > kMaxSide) {
    return DataLoss(StrCat(what, ": is no matrix, which ", DTypeName(dtype), " must be"));
  }
  const auto rows = static_cast<int64_t>(dims[0]);
  const auto cols = static_cast<int64_t>(dims[1]);
  const int64_t group = PanelGroup(PanelTypeOf(dtype));
  if (group == 0 ? cols > kMaxRowK : cols % group != 0) {
    return DataLoss(StrCat(what, ": ", cols, " columns do not suit ", DTypeName(dtype)));
  }
  const size_t need = PanelMatrixBytes(dtype, rows, cols);
  if (bytes.NumBytes() != need) {
    return DataLoss(StrCat(what, ": [", rows, ", ", cols, "] of ", DTypeName(dtype), " needs ", need,
                           " bytes, the file has ", bytes.NumBytes()));
  }
  return TensorView{dtype, {rows, cols}, bytes.data};
}

// Type and shape of a tensor's entry in the table, over its view in the container.
StatusOr<TensorView> ViewOf(const Json& row, const TensorView& stored, std::string_view what) {
  ASSIGN_OR_RETURN(const auto dtype, JsonString(row, "dtype", what));
  const Json* shape = JsonFind(row, "shape");
  if (!dtype || shape == nullptr || !shape->is_array()) return DataLoss(StrCat(what, ": has no dtype and shape"));
  std::vector<uint64_t> dims;
  for (const Json& dim : *shape) {
    if (!dim.is_number_unsigned()) return DataLoss(StrCat(what, ": its shape is not of whole numbers"));
    dims.push_back(dim.get<uint64_t>());
  }
  if (const auto panels = PanelTypeNamed(*dtype)) return PanelView(*panels, dims, stored, what);
  const std::span<const int64_t> own = stored.shape.dims();
  const bool same = std::ranges::equal(own, dims, [](int64_t a, uint64_t b) { return static_cast<uint64_t>(a) == b; });
  if (DTypeName(stored.dtype) != *dtype || !same) {
    return DataLoss(
        StrCat(what, ": is ", stored.shape.ToString(), " of ", DTypeName(stored.dtype), ", the table says otherwise"));
  }
  return stored;
}

bool SumIs(const TensorView& view, std::string_view sum) {
  return Hex(Checksum64({view.data, view.NumBytes()})) == sum;
}

Status Altered(std::string_view what) {
  return DataLoss(StrCat(what, ": its checksum is another than when the file was written: the file was altered"));
}

}  // namespace

StatusOr<GalagoFile> GalagoFile::Parse(std::span<const std::byte> bytes, std::string_view what, Sums sums) {
  ASSIGN_OR_RETURN(const Metadata metadata, ReadSafetensorsMetadata(bytes, what));
  RETURN_IF_ERROR(CheckFormat(metadata, what));
  GalagoFile out;
  out.name_ = what;
  ASSIGN_OR_RETURN(out.facts_, Value(metadata, kFactsKey, what));
  ASSIGN_OR_RETURN(const std::string table_text, Value(metadata, kTableKey, what));
  ASSIGN_OR_RETURN(const std::string sum, Value(metadata, kSumKey, what));
  if (sums == Sums::kCheck && sum != HeaderSum(StrCat(kGalagoVersion), kGalagoPanels, out.facts_, table_text)) {
    return Altered(StrCat(what, ": header"));
  }
  ASSIGN_OR_RETURN(const Json table, ParseJson(table_text, StrCat(what, ": ", kTableKey),
                                               {.max_bytes = kMaxSafetensorsHeader, .max_depth = 4}));
  if (!table.is_object()) return DataLoss(StrCat(what, ": ", kTableKey, " is no JSON object"));
  ASSIGN_OR_RETURN(const TensorStore store, ParseSafetensors(bytes, what));
  size_t padding = 0;
  for (const auto& [name, view] : store.tensors()) {
    padding += name.starts_with(kPadding) ? 1 : 0;
    if (reinterpret_cast<uintptr_t>(view.data) % kAlignment != 0 && !name.starts_with(kPadding)) {
      return DataLoss(
          StrCat(what, ": ", Printable(name, 200), " does not begin at a multiple of ", kAlignment, " bytes"));
    }
  }
  for (const auto& [name, row] : table.get_ref<const Json::object_t&>()) {
    const std::string where = StrCat(what, ": ", Printable(name, 200));
    ASSIGN_OR_RETURN(const TensorView stored, store.Find(name));
    ASSIGN_OR_RETURN(const auto row_sum, JsonString(row, "sum", where));
    if (!row_sum || row_sum->size() != 16 || row_sum->find_first_not_of("0123456789abcdef") != std::string::npos) {
      return DataLoss(StrCat(where, ": has no checksum"));
    }
    if (name.starts_with(kFile)) {
      if (sums == Sums::kCheck && !SumIs(stored, *row_sum)) return Altered(where);
      out.files_.emplace(name.substr(kFile.size()), std::string_view(stored.As<char>(), stored.NumBytes()));
      continue;
    }
    Entry entry;
    ASSIGN_OR_RETURN(entry.view, ViewOf(row, stored, where));
    entry.sum = std::stoull(*row_sum, nullptr, 16);
    out.tensors_.emplace(name, entry);
  }
  if (out.files_.size() + out.tensors_.size() + padding != store.tensors().size()) {
    return DataLoss(StrCat(what, ": holds ", store.tensors().size(), " entries, the table names ",
                           out.files_.size() + out.tensors_.size(), " beside ", padding, " of padding"));
  }
  return out;
}

StatusOr<GalagoFile> GalagoFile::Open(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(auto file, MappedFile::Open(path));
  ASSIGN_OR_RETURN(GalagoFile out, Parse(file->bytes(), path.string()));
  out.file_ = std::move(file);
  return out;
}

TensorStore GalagoFile::Part(std::string_view part) const {
  TensorStore store(name_);
  const std::string prefix = StrCat(part, "/");
  for (auto it = tensors_.lower_bound(prefix); it != tensors_.end() && it->first.starts_with(prefix); ++it) {
    const Status added = store.Add(it->first.substr(prefix.size()), it->second.view);
    CHECK(added.ok());  // keys of a map differ
  }
  if (file_ != nullptr) store.Keep(file_);
  return store;
}

uint64_t GalagoFile::tensor_bytes() const {
  uint64_t total = 0;
  for (const auto& [name, entry] : tensors_) total += entry.view.NumBytes();
  return total;
}

Status GalagoFile::Verify(const ParallelFor& parallel_for) const {
  std::vector<const std::pair<const std::string, Entry>*> order;
  for (const auto& item : tensors_) order.push_back(&item);
  // The largest first, so that no thread is left with one at the end.
  std::ranges::sort(order,
                    [](const auto* a, const auto* b) { return a->second.view.NumBytes() > b->second.view.NumBytes(); });
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::atomic<size_t> bad = kNone;
  parallel_for(static_cast<int64_t>(order.size()), [&](int64_t i) {
    const Entry& entry = order[static_cast<size_t>(i)]->second;
    if (Checksum64({entry.view.data, entry.view.NumBytes()}) != entry.sum) bad = static_cast<size_t>(i);
  });
  if (bad == kNone) return OkStatus();
  return Altered(StrCat(name_, ": ", order[bad]->first));
}

Status WriteGalago(const std::filesystem::path& path, const GalagoContents& contents) {
  struct Item {
    std::string name;
    std::string dtype;  // as safetensors spells it
    std::vector<uint64_t> shape;
    std::string_view bytes;
  };
  std::vector<Item> items;
  Json table = Json::object();
  for (const auto& [name, text] : contents.files) {
    items.push_back({StrCat(kFile, name), "U8", {text.size()}, text});
    table[items.back().name] = {{"sum", Hex(Checksum64(BytesOf(text)))}};
  }
  for (const auto& [name, view] : contents.tensors) {
    Item item{name, std::string(SafetensorsName(view.dtype)), {}, {view.As<char>(), view.NumBytes()}};
    if (IsPanelType(view.dtype)) {
      item.dtype = "U8";
      item.shape = {view.NumBytes()};
    } else if (item.dtype.empty()) {
      return InvalidArgument(
          StrCat(path.string(), ": ", name, " is ", DTypeName(view.dtype), ", which the format has no place for"));
    } else {
      for (const int64_t dim : view.shape.dims()) item.shape.push_back(static_cast<uint64_t>(dim));
    }
    if (table.contains(name) || name.starts_with(kFile) || name.starts_with(kPadding)) {
      return InvalidArgument(StrCat(path.string(), ": no tensor can be named ", name));
    }
    Json shape = Json::array();
    for (const int64_t dim : view.shape.dims()) shape.push_back(static_cast<uint64_t>(dim));
    table[name] = {{"sum", Hex(Checksum64(BytesOf(item.bytes)))},
                   {"dtype", std::string(DTypeName(view.dtype))},
                   {"shape", std::move(shape)}};
    items.push_back(std::move(item));
  }

  std::string text;
  const std::string zeros(kAlignment, '\0');
  std::vector<std::string_view> pieces(2);  // header length and header
  try {
    const std::string table_text = table.dump();
    Json metadata = {{"format", "galago"}};
    metadata[std::string(kVersionKey)] = StrCat(kGalagoVersion);
    metadata[std::string(kPanelsKey)] = std::string(kGalagoPanels);
    metadata[std::string(kFactsKey)] = contents.facts;
    metadata[std::string(kTableKey)] = table_text;
    metadata[std::string(kSumKey)] = HeaderSum(StrCat(kGalagoVersion), kGalagoPanels, contents.facts, table_text);
    Json header = Json::object();
    auto& members = static_cast<std::vector<std::pair<const std::string, Json>>&>(header.get_ref<Json::object_t&>());
    members.emplace_back("__metadata__", std::move(metadata));
    uint64_t at = 0;
    uint64_t paddings = 0;
    const auto add = [&](std::string name, std::string_view dtype, const std::vector<uint64_t>& shape,
                         std::string_view bytes) {
      Json entry = {{"dtype", std::string(dtype)}, {"shape", shape}, {"data_offsets", {at, at + bytes.size()}}};
      members.emplace_back(std::move(name), std::move(entry));  // the object's own insertion compares all keys
      pieces.push_back(bytes);
      at += bytes.size();
    };
    for (const Item& item : items) {
      add(item.name, item.dtype, item.shape, item.bytes);
      if (const uint64_t missing = (kAlignment - at % kAlignment) % kAlignment; missing != 0) {
        add(StrCat(kPadding, paddings++), "U8", {missing}, std::string_view(zeros).substr(0, missing));
      }
    }
    text = header.dump();
  } catch (const nlohmann::json::exception&) {  // the only cause: a name that is not UTF-8
    return InvalidArgument(StrCat(path.string(), ": a name is not UTF-8"));
  }
  text.append((kAlignment - (sizeof(uint64_t) + text.size()) % kAlignment) % kAlignment, ' ');
  if (text.size() > kMaxSafetensorsHeader) {
    return InvalidArgument(
        StrCat(path.string(), ": header of ", text.size(), " bytes, the limit is ", kMaxSafetensorsHeader));
  }
  const uint64_t header_size = text.size();
  pieces[0] = {reinterpret_cast<const char*>(&header_size), sizeof(header_size)};
  pieces[1] = text;
  return WriteFileAtomically(path, pieces);
}

}  // namespace galago::io
