#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "src/io/safetensors.h"

// Whatever the bytes, the views of what was accepted lie inside them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const auto store = galago::io::ParseSafetensors(bytes, "fuzz.safetensors");
  if (!store.ok()) return 0;
  for (const auto& [name, view] : store->tensors()) {
    if (view.data < bytes.data() || view.data + view.NumBytes() > bytes.data() + bytes.size()) std::abort();
  }
  return 0;
}
