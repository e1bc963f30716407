#ifndef GALAGO_OPS_FLOAT_TYPE_H_
#define GALAGO_OPS_FLOAT_TYPE_H_

#include "src/base/check.h"
#include "src/kernels/kernel_table.h"
#include "src/tensor/dtype.h"

namespace galago::ops {

// The kernels' word for a float dtype.
inline kernels::FloatType FloatTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return kernels::FloatType::kF32;
    case DType::kF16:
      return kernels::FloatType::kF16;
    case DType::kBF16:
      return kernels::FloatType::kBF16;
    default:
      CheckFailed(__FILE__, __LINE__, "not a float type: " + std::string(DTypeName(dtype)));
  }
}

}  // namespace galago::ops

#endif  // GALAGO_OPS_FLOAT_TYPE_H_
