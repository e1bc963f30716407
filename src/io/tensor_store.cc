#include "src/io/tensor_store.h"

#include "src/base/strings.h"

namespace galago::io {

StatusOr<TensorView> TensorStore::Find(std::string_view name) const {
  if (const auto it = tensors_.find(name); it != tensors_.end()) return it->second;
  if (const auto it = refused_.find(name); it != refused_.end()) return it->second;
  return NotFound(StrCat(name_, ": has no tensor ", Printable(name, 200)));
}

bool TensorStore::Contains(std::string_view name) const { return tensors_.contains(name) || refused_.contains(name); }

uint64_t TensorStore::num_bytes() const {
  uint64_t total = 0;
  for (const auto& [name, view] : tensors_) total += view.NumBytes();
  return total;
}

void TensorStore::Prefetch() const {
  for (const auto& file : files_) file->Prefetch();
}

Status TensorStore::Add(std::string name, const TensorView& view) {
  if (Contains(name)) return DataLoss(StrCat(name_, ": tensor ", Printable(name, 200), " appears twice"));
  tensors_.emplace(std::move(name), view);
  return OkStatus();
}

Status TensorStore::AddOwned(std::string name, Tensor tensor) {
  auto owned = std::make_shared<const Tensor>(std::move(tensor));
  RETURN_IF_ERROR(Add(std::move(name), owned->view()));
  owned_.push_back(std::move(owned));
  return OkStatus();
}

void TensorStore::Replace(std::string_view name, Tensor tensor) {
  const auto found = tensors_.find(name);
  CHECK(found != tensors_.end());
  const auto& kept = owned_.emplace_back(std::make_shared<const Tensor>(std::move(tensor)));
  found->second = kept->view();
}

Status TensorStore::AddRefused(std::string name, Status reason) {
  if (Contains(name)) return DataLoss(StrCat(name_, ": tensor ", Printable(name, 200), " appears twice"));
  refused_.emplace(std::move(name), std::move(reason));
  return OkStatus();
}

void TensorStore::KeepMemoryOf(const TensorStore& other) {
  files_.insert(files_.end(), other.files_.begin(), other.files_.end());
  owned_.insert(owned_.end(), other.owned_.begin(), other.owned_.end());
}

}  // namespace galago::io
