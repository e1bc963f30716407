// A checkpoint's JSON files to a model description. The input is one JSON object of file names and their contents, a
// GGUF pair as {"gguf": {...}, "mmproj": {...}}; what it says is as hostile as the fuzzer likes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/check.h"
#include "src/base/json.h"
#include "src/spec/describe.h"
#include "src/spec/media_layout.h"
#include "src/spec/parse.h"

namespace galago::spec {
namespace {

class JsonSource : public FileSource {
 public:
  explicit JsonSource(const Json& files) : files_(files) {}
  bool Exists(std::string_view name) const override { return JsonFind(files_, name) != nullptr; }
  StatusOr<std::string> Read(std::string_view name) const override {
    const Json* file = JsonFind(files_, name);
    if (file == nullptr) return NotFound(name);
    // A string is a file as it is, anything else the JSON in it.
    if (file->is_string()) return file->get<std::string>();
    return file->dump(-1, ' ', false, Json::error_handler_t::replace);
  }

 private:
  const Json& files_;
};

GgufFacts FactsOf(const Json& json) {
  GgufFacts facts;
  facts.path = "some.gguf";
  if (const Json* metadata = JsonFind(json, "metadata"); metadata != nullptr && metadata->is_object()) {
    for (const auto& [key, value] : metadata->items()) facts.metadata[key] = value;
  }
  if (const Json* tensors = JsonFind(json, "tensors"); tensors != nullptr && tensors->is_object()) {
    for (const auto& [name, shape] : tensors->items()) {
      std::vector<int64_t>& dims = facts.tensors[name];
      if (!shape.is_array()) continue;
      for (const Json& dim : shape) dims.push_back(dim.is_number_integer() ? dim.get<int64_t>() : -1);
    }
  }
  return facts;
}

// What was accepted must be usable: described, and its pictures counted.
void Use(const StatusOr<ModelSpec>& spec) {
  if (!spec.ok()) {
    CHECK(!spec.status().message().empty());
    return;
  }
  CHECK(Describe(*spec).is_object());
  CHECK(!DescribeText(*spec).empty());
  for (const MediaLayout& layout : {MediaLayout{}, MediaLayout{.kind = MediaKind::kVideo, .tiles = 8},
                                    MediaLayout{.tiles = 17, .block = {{3, 4}}}}) {
    const auto rows = SlotRows(*spec, layout, {.start = 0, .end = 1, .sep = 0});
    if (!rows.ok()) continue;
    for (const int64_t count : *rows) CHECK_GE(count, 0);
  }
}

}  // namespace
}  // namespace galago::spec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::spec;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto files = galago::ParseJson(text, "input", {.max_bytes = size_t{1} << 20, .max_depth = 32});
  if (!files.ok()) return 0;
  if (const galago::Json* llm = galago::JsonFind(*files, "gguf")) {
    const GgufFacts facts = FactsOf(*llm);
    const galago::Json* mmproj = galago::JsonFind(*files, "mmproj");
    const GgufFacts mmproj_facts = mmproj == nullptr ? GgufFacts() : FactsOf(*mmproj);
    Use(ParseGguf(facts, mmproj == nullptr ? nullptr : &mmproj_facts));
    return 0;
  }
  Use(ParseFiles(JsonSource(*files), "model"));
  return 0;
}
