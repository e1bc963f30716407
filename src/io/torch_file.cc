#include "src/io/torch_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "src/base/strings.h"
#include "src/io/checked.h"
#include "src/io/unpickle.h"
#include "src/io/zip.h"

namespace galago::io {
namespace {

using Members = std::map<std::string, std::span<const std::byte>, std::less<>>;

// A bare pickle begins with PROTO. torch.save before 1.6 wrote several, the first of them its magic number
// 0x1950a86a20f9469cfc6c (pytorch/pytorch: torch/serialization.py).
Status RefusePickle(std::span<const std::byte> bytes, std::string_view what) {
  if (bytes.size() < 2 || bytes[0] != std::byte{0x80} || bytes[1] > std::byte{5}) return OkStatus();
  constexpr std::string_view kMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // LONG1 of ten bytes
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min<size_t>(bytes.size(), 32));
  if (head.find(kMagic) == std::string_view::npos) {
    return Unimplemented(
        StrCat(what, ": is a bare pickle, not a file of torch.save; save its tensors with torch.save"));
  }
  return Unimplemented(StrCat(what,
                              ": is a torch file in the format from before PyTorch 1.6; load and save it again with a "
                              "newer PyTorch"));
}

// Every member lies in one folder named after the file; "FOLDER/data.pkl" is the root object.
StatusOr<std::string> FindFolder(const Members& members, std::string_view what) {
  constexpr std::string_view kRoot = "/data.pkl";
  const std::string* found = nullptr;
  for (const auto& [name, contents] : members) {
    if (!name.ends_with(kRoot) || name.find('/') != name.size() - kRoot.size()) continue;
    if (found != nullptr)
      return DataLoss(StrCat(what, ": has two roots, ", Printable(*found), " and ", Printable(name)));
    found = &name;
  }
  if (found == nullptr) return DataLoss(StrCat(what, ": is a zip archive without data.pkl, not a torch file"));
  return found->substr(0, found->size() - kRoot.size() + 1);
}

Status RefuseBigEndian(const Members& members, const std::string& folder, std::string_view what) {
  const auto it = members.find(folder + "byteorder");
  if (it == members.end()) return OkStatus();
  const std::string_view order(reinterpret_cast<const char*>(it->second.data()), it->second.size());
  if (order == "little") return OkStatus();
  return Unimplemented(StrCat(what, ": byte order is ", Printable(order), ", only little is supported"));
}

// Elements from the first to the last one that the strides reach, counted from the tensor's offset; nullopt if above
// uint64. No dimension is zero.
std::optional<uint64_t> Reach(const PickledTensor& tensor) {
  uint64_t reach = 1;
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    const auto step = CheckedMultiply(tensor.sizes[i] - 1, tensor.strides[i]);
    const auto sum = step ? CheckedAdd(reach, *step) : std::nullopt;
    if (!sum) return std::nullopt;
    reach = *sum;
  }
  return reach;
}

bool IsContiguous(const PickledTensor& tensor) {
  uint64_t expected = 1;
  for (size_t i = tensor.sizes.size(); i-- > 0;) {
    if (tensor.sizes[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.sizes[i];
  }
  return true;
}

// Row-major copy of the strided elements at `base`.
Tensor Gather(const PickledTensor& tensor, DType dtype, const Shape& shape, const std::byte* base) {
  Tensor result(dtype, shape);
  const size_t element = InfoOf(dtype).block_bytes;
  std::array<uint64_t, Shape::kMaxRank> at = {};
  std::byte* out = result.data();
  for (int64_t n = shape.NumElements(); n > 0; --n) {
    uint64_t offset = 0;
    for (size_t i = 0; i < shape.rank(); ++i) offset += at[i] * tensor.strides[i];
    std::memcpy(out, base + offset * element, element);
    out += element;
    for (size_t i = shape.rank(); i-- > 0;) {
      if (++at[i] < tensor.sizes[i]) break;
      at[i] = 0;
    }
  }
  return result;
}

struct Archive {
  Members members;
  std::string folder;    // with its slash
  uint64_t copy_budget;  // bytes that may still be copied for tensors that are not contiguous
};

// Adds one tensor: a view of its storage, or a copy where the elements do not lie in row-major order.
Status AddTensor(std::string_view name, const PickledTensor& tensor, Archive& archive, TensorStore& store) {
  const std::string where = StrCat(store.name(), ": tensor ", Printable(name, 200));
  const PickledStorage& storage = tensor.storage;
  const auto it = archive.members.find(StrCat(archive.folder, "data/", storage.key));
  if (it == archive.members.end()) {
    return DataLoss(StrCat(where, " lies in storage ", Printable(storage.key), ", which the archive lacks"));
  }
  const std::span<const std::byte> bytes = it->second;
  const size_t element = InfoOf(storage.dtype).block_bytes;
  if (storage.num_elements > bytes.size() / element) {
    return DataLoss(StrCat(where, ": storage ", Printable(storage.key), " claims ", storage.num_elements,
                           " elements of ", DTypeName(storage.dtype), ", it has ", bytes.size(), " bytes"));
  }
  ASSIGN_OR_RETURN(const Shape shape, CheckedShape(tensor.sizes, storage.dtype, where));
  if (shape.NumElements() == 0) return store.Add(std::string(name), {storage.dtype, shape, bytes.data()});
  const std::optional<uint64_t> reach = Reach(tensor);
  if (!reach || tensor.offset > storage.num_elements || *reach > storage.num_elements - tensor.offset) {
    return DataLoss(StrCat(where, ": ", shape.ToString(), " at element ", tensor.offset,
                           " reaches beyond its storage of ", storage.num_elements, " elements"));
  }
  const TensorView view{storage.dtype, shape, bytes.data() + tensor.offset * element};
  if (IsContiguous(tensor)) return store.Add(std::string(name), view);
  if (view.NumBytes() > archive.copy_budget) {
    return OutOfRange(StrCat(where, ": ", shape.ToString(), " is not contiguous and copying it takes ", view.NumBytes(),
                             " bytes, the limit for this file leaves ", archive.copy_budget));
  }
  archive.copy_budget -= view.NumBytes();
  return store.AddOwned(std::string(name), Gather(tensor, storage.dtype, shape, view.data));
}

}  // namespace

StatusOr<TensorStore> ParseTorch(std::span<const std::byte> bytes, std::string_view what) {
  RETURN_IF_ERROR(RefuseLfsPointer(bytes, what));
  RETURN_IF_ERROR(RefusePickle(bytes, what));
  Archive archive{.members = {}, .folder = {}, .copy_budget = bytes.size()};
  ASSIGN_OR_RETURN(archive.members, ReadStoredZip(bytes, what));
  ASSIGN_OR_RETURN(archive.folder, FindFolder(archive.members, what));
  RETURN_IF_ERROR(RefuseBigEndian(archive.members, archive.folder, what));
  ASSIGN_OR_RETURN(const PickledDict dict, Unpickle(archive.members.find(archive.folder + "data.pkl")->second, what));
  TensorStore store{std::string(what)};
  for (const PickledDict::Entry& entry : dict.entries) {
    if (entry.tensor) RETURN_IF_ERROR(AddTensor(entry.key, dict.tensors[*entry.tensor], archive, store));
  }
  if (store.tensors().empty()) {
    return Unimplemented(StrCat(what, ": holds a dict of ", dict.entries.size(), " entries, none of them a tensor"));
  }
  return store;
}

StatusOr<TensorStore> OpenTorch(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  ASSIGN_OR_RETURN(TensorStore store, ParseTorch(file->bytes(), path.string()));
  store.Keep(file);
  return store;
}

}  // namespace galago::io
