#ifndef GALAGO_OPS_EXEC_CONTEXT_H_
#define GALAGO_OPS_EXEC_CONTEXT_H_

#include <atomic>
#include <span>
#include <string_view>

#include "galago/status.h"
#include "src/base/arena.h"
#include "src/base/thread_pool.h"
#include "src/kernels/kernel_table.h"
#include "src/ops/view.h"
#include "src/tensor/tensor.h"

namespace galago::ops {

using kernels::Activation;
using kernels::Precision;

// Receives named intermediate results, for comparison with an upstream dump. Called by models, never by ops.
class Observer {
 public:
  virtual ~Observer() = default;
  // values: shape.NumElements() of them, valid during the call.
  virtual void OnTensor(std::string_view name, const Shape& shape, std::span<const float> values) = 0;
};

// Everything a computation needs besides its operands. One per running computation: pool and arena are not shared
// between threads that compute at the same time. Nothing here is owned.
struct ExecContext {
  ThreadPool* pool = nullptr;
  const kernels::KernelTable* kernels = nullptr;
  Precision precision = Precision::kF32;
  Arena* arena = nullptr;
  Observer* observer = nullptr;  // null: nobody looks
  // Asked by models between layers, never by ops; null: nobody can stop it. What was computed until then is dropped.
  const std::atomic<bool>* cancel = nullptr;

  Status CheckCancel() const {
    if (cancel == nullptr || !cancel->load(std::memory_order_relaxed)) return OkStatus();
    return Cancelled("stopped while computing");
  }
};

// The kernels for `isa_name` (a value of GALAGO_ISA), or the best this machine has when it is empty. Unknown names and
// instruction sets the machine lacks are InvalidArgument. Call it before threads start (AMX asks the system).
StatusOr<kernels::KernelTable> ChooseKernels(std::string_view isa_name);

}  // namespace galago::ops

#endif  // GALAGO_OPS_EXEC_CONTEXT_H_
