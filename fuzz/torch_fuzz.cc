#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "src/io/torch_file.h"
#include "src/io/unpickle.h"

// The whole container, and the pickle by itself: few mutations of a zip reach the machine inside.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const auto dict =
      galago::io::Unpickle(bytes, "fuzz.pkl", {.max_bytes = 1 << 20, .max_nodes = 1 << 12, .max_stack = 1 << 10});
  if (dict.ok()) {
    for (const auto& entry : dict->entries) {
      if (entry.tensor && *entry.tensor >= dict->tensors.size()) __builtin_trap();
    }
  }
  const auto store = galago::io::ParseTorch(bytes, "fuzz.pt");
  if (!store.ok()) return 0;
  // Every byte of every tensor is readable.
  volatile uint8_t sum = 0;
  for (const auto& [name, view] : store->tensors()) {
    const auto* at = view.As<uint8_t>();
    for (size_t i = 0; i < view.NumBytes(); ++i) sum = static_cast<uint8_t>(sum + at[i]);
  }
  return 0;
}
