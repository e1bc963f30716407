#ifndef GALAGO_ENGINE_TRACE_H_
#define GALAGO_ENGINE_TRACE_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/ops/exec_context.h"

namespace galago::engine {

// Collects named intermediates of a prompt and writes them as float32 safetensors, for comparison with an upstream
// dump. Tensors of the language model arrive in prefill chunks and are joined along their rows.
class Trace : public ops::Observer {
 public:
  void OnTensor(std::string_view name, const Shape& shape, std::span<const float> values) override;
  void AddIds(std::string_view name, std::span<const int64_t> ids);
  Status Write(const std::string& path) const;

 private:
  struct Entry {
    std::vector<int64_t> dims;
    std::vector<float> values;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::vector<int64_t>, std::less<>> ids_;
};

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_TRACE_H_
