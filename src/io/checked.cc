#include "src/io/checked.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "src/base/strings.h"

namespace galago::io {
namespace {

std::string DimsText(std::span<const uint64_t> dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); ++i) out += StrCat(i == 0 ? "" : ", ", dims[i]);
  return out + "]";
}

}  // namespace

StatusOr<Shape> CheckedShape(std::span<const uint64_t> dims, DType dtype, std::string_view what) {
  if (dims.size() > Shape::kMaxRank) {
    return Unimplemented(
        StrCat(what, ": has ", dims.size(), " dimensions, at most ", Shape::kMaxRank, " are supported"));
  }
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  const DTypeInfo& info = InfoOf(dtype);
  std::array<int64_t, Shape::kMaxRank> signed_dims = {};
  uint64_t elements = 1;
  bool fits = true;
  for (size_t i = 0; i < dims.size(); ++i) {
    const std::optional<uint64_t> product = CheckedMultiply(elements, std::max<uint64_t>(dims[i], 1));
    fits = fits && product && *product <= kMax / info.block_bytes;
    if (!fits) return DataLoss(StrCat(what, ": shape ", DimsText(dims), " has more elements than any file"));
    elements = *product;
    signed_dims[i] = static_cast<int64_t>(dims[i]);
  }
  if (IsBlockType(dtype) && (dims.empty() || dims.back() % info.block_elements != 0)) {
    return DataLoss(StrCat(what, ": shape ", DimsText(dims), " of type ", info.name, " needs rows of a multiple of ",
                           info.block_elements, " elements"));
  }
  return Shape(std::span<const int64_t>(signed_dims.data(), dims.size()));
}

Status RefuseLfsPointer(std::span<const std::byte> bytes, std::string_view what) {
  constexpr std::string_view kStart = "version https://git-lfs.github.com/spec/";
  if (bytes.size() < kStart.size() || std::memcmp(bytes.data(), kStart.data(), kStart.size()) != 0) return OkStatus();
  return NotFound(StrCat(what, ": is a Git LFS pointer, the weights were not downloaded (run: git lfs pull)"));
}

}  // namespace galago::io
