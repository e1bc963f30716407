#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "src/io/gguf.h"
#include "src/tensor/convert.h"

// Opens, asks every key in every way, and expands every tensor.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = galago::io::GgufFile::Parse(std::as_bytes(std::span(data, size)), "fuzz.gguf");
  if (!file.ok()) return 0;
  for (const auto& entry : file->Describe()) {
    (void)file->GetU32(entry.key).ok();
    (void)file->GetInt(entry.key, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()).ok();
    (void)file->GetFloat(entry.key).ok();
    (void)file->GetBool(entry.key).ok();
    (void)file->GetString(entry.key).ok();
    (void)file->GetStringArray(entry.key).ok();
    (void)file->GetFloatArray(entry.key).ok();
    (void)file->GetIntArray(entry.key).ok();
  }
  for (const auto& [name, view] : file->tensors().tensors()) {
    std::vector<float> values(static_cast<size_t>(view.shape.NumElements()));
    galago::ToF32(view.dtype, view.data, values);
  }
  return 0;
}
