#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "src/io/galago_file.h"
#include "src/tensor/tensor.h"

// Whatever the bytes, what was accepted lies inside them, in panels of the size their shape needs.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using galago::io::GalagoFile;
  galago::Tensor image(galago::DType::kU8, {static_cast<int64_t>(size)});  // aligned as a mapped file is
  if (size != 0) std::memcpy(image.data(), data, size);
  const std::span<const std::byte> bytes(image.data(), size);
  for (const GalagoFile::Sums sums : {GalagoFile::Sums::kCheck, GalagoFile::Sums::kIgnore}) {
    const auto file = GalagoFile::Parse(bytes, "fuzz.galago", sums);
    if (!file.ok()) continue;
    for (const auto& [name, text] : file->files()) {
      const auto* at = reinterpret_cast<const std::byte*>(text.data());
      if (!text.empty() && (at < bytes.data() || at + text.size() > bytes.data() + size)) std::abort();
    }
    for (const std::string_view part : {"language", "vision", "projector"}) {
      const auto store = file->Part(part);
      for (const auto& [name, view] : store.tensors()) {
        if (view.data < bytes.data() || view.data + view.NumBytes() > bytes.data() + size) std::abort();
      }
    }
    const auto status = file->Verify([](int64_t count, const auto& body) {
      for (int64_t i = 0; i < count; ++i) body(i);
    });
    if (sums == GalagoFile::Sums::kCheck && !status.ok() && status.message().empty()) std::abort();
  }
  return 0;
}
