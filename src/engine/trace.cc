#include "src/engine/trace.h"

#include "src/io/safetensors.h"

namespace galago::engine {

void Trace::OnTensor(std::string_view name, const Shape& shape, std::span<const float> values) {
  const std::span<const int64_t> dims = shape.dims();
  auto [found, is_new] = entries_.try_emplace(std::string(name));
  Entry& entry = found->second;
  const bool joins = !is_new && (name.starts_with("lm.hidden.") || name == "lm.inputs_embeds");
  if (!joins) {
    entry.dims.assign(dims.begin(), dims.end());
    entry.values.assign(values.begin(), values.end());
    return;
  }
  entry.dims[0] += dims[0];
  entry.values.insert(entry.values.end(), values.begin(), values.end());
}

void Trace::AddIds(std::string_view name, std::span<const int64_t> ids) {
  ids_[std::string(name)].assign(ids.begin(), ids.end());
}

Status Trace::Write(const std::string& path) const {
  std::vector<io::NamedTensor> tensors;
  for (const auto& [name, entry] : entries_) {
    tensors.push_back({name,
                       {DType::kF32, Shape(std::span<const int64_t>(entry.dims)),
                        reinterpret_cast<const std::byte*>(entry.values.data())}});
  }
  for (const auto& [name, ids] : ids_) {
    tensors.push_back(
        {name,
         {DType::kI64, Shape({static_cast<int64_t>(ids.size())}), reinterpret_cast<const std::byte*>(ids.data())}});
  }
  return io::WriteSafetensors(path, tensors, {{"producer", "galago"}});
}

}  // namespace galago::engine
