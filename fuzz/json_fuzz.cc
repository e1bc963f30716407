#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "src/base/json.h"

// What was accepted is printed and read back to the same text, and every typed look-up answers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = galago::ParseJson(text, "fuzz.json", {.max_bytes = size_t{1} << 20, .max_depth = 32});
  if (!json.ok()) return 0;
  const std::string printed = json->dump();
  const auto again = galago::ParseJson(printed, "printed.json", {.max_bytes = printed.size(), .max_depth = 32});
  if (!again.ok() || again->dump() != printed) std::abort();
  if (!json->is_object()) return 0;
  for (const auto& [key, value] : json->get_ref<const galago::Json::object_t&>()) {
    (void)galago::JsonInt(*json, key, "fuzz.json", std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max())
        .ok();
    (void)galago::JsonInt(*json, key, "fuzz.json", 0, 10).ok();
    (void)galago::JsonNumber(*json, key, "fuzz.json").ok();
    (void)galago::JsonBool(*json, key, "fuzz.json").ok();
    (void)galago::JsonString(*json, key, "fuzz.json").ok();
  }
  return 0;
}
