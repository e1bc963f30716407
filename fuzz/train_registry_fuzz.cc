// Registries, the mixtures they define, and mixture strings: parts are cut at NUL.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "train/data/registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::train;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = text.find('\0');
  const auto registry = Registry::Parse(text.substr(0, cut), "registry.toml", "/nowhere");
  const std::string_view mixture = cut == std::string_view::npos ? std::string_view() : text.substr(cut + 1);
  (void)ResolveMixture(mixture, {});
  if (!registry.ok()) return 0;
  (void)ResolveMixture(mixture, registry->mixtures());
  for (const auto& [name, items] : registry->mixtures()) (void)ResolveMixture(name, registry->mixtures());
  return 0;
}
