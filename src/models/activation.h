#ifndef GALAGO_MODELS_ACTIVATION_H_
#define GALAGO_MODELS_ACTIVATION_H_

#include "src/base/check.h"
#include "src/ops/exec_context.h"
#include "src/spec/model_spec.h"

namespace galago::models {

inline ops::Activation ActivationOf(spec::Activation activation) {
  switch (activation) {
    case spec::Activation::kGeluTanh:
      return ops::Activation::kGeluTanh;
    case spec::Activation::kGeluErf:
      return ops::Activation::kGeluErf;
    case spec::Activation::kQuickGelu:
      return ops::Activation::kQuickGelu;
    case spec::Activation::kSilu:
      return ops::Activation::kSilu;
  }
  CHECK(false);
}

}  // namespace galago::models

#endif  // GALAGO_MODELS_ACTIVATION_H_
