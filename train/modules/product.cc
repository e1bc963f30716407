#include <atomic>

#include "train/modules/blocks.h"
#include "train/modules/torch_setup.h"
#include "train/modules/vlm.h"

namespace galago::train {
namespace {

std::atomic<int64_t> operations = 0;  // autograd multiplies on threads of its own

void Count(const Tensor& result, int64_t depth) {
  operations.fetch_add(2 * result.numel() * depth, std::memory_order_relaxed);
}

}  // namespace

// Sums are float32 in any case.
Tensor Widened(const Tensor& factor) {
  return factor.scalar_type() == at::kBFloat16 && !HasBf16Products() ? factor.to(at::kFloat) : factor;
}

Tensor Product(const Tensor& a, const Tensor& b) {
  Tensor result = at::mm(Widened(a), Widened(b)).to(a.scalar_type());
  Count(result, a.size(1));
  return result;
}

Tensor BatchedProduct(const Tensor& a, const Tensor& b) {
  Tensor result = at::bmm(Widened(a), Widened(b)).to(a.scalar_type());
  Count(result, a.size(2));
  return result;
}

int64_t ProductOperations() { return operations.load(std::memory_order_relaxed); }

}  // namespace galago::train
