#ifndef GALAGO_CONVERT_H_
#define GALAGO_CONVERT_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "galago/model.h"
#include "galago/status.h"

namespace galago {

struct ConvertReport {
  uint64_t bytes = 0;  // of the file written
  int64_t tensors = 0;
  double ms = 0;
  std::vector<std::string> notes;
};

// Writes a model as one .galago file: weights in the form the kernels read, tokenizer, configs and preprocessing. Such
// a file is mapped and used as it lies. `model` is whatever Model::Open takes. Written beside `output` and renamed;
// InvalidArgument if output does not end in ".galago". Of `options` only mmproj and adapter count: the others are given
// when the file is opened. `cancel` may be null.
StatusOr<ConvertReport> ConvertModel(const std::string& model, const ModelOptions& options, const std::string& output,
                                     const std::atomic<bool>* cancel = nullptr);

}  // namespace galago

#endif  // GALAGO_CONVERT_H_
