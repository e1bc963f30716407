#include "src/base/memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace galago {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

void FreeMemory::operator()(std::byte* data) const { std::free(data); }

Memory AllocateMemory(size_t num_bytes) {
  const size_t size = (std::max(num_bytes, size_t{1}) + kAlignment - 1) / kAlignment * kAlignment;
  const bool huge = size >= 2 * kHugePage;
  void* data = nullptr;
  if (::posix_memalign(&data, huge ? kHugePage : kAlignment, size) != 0) throw std::bad_alloc();
  // Whole huge pages only, so that the last one takes no more memory than was asked for. Where the system has none to
  // give, pages stay small.
  if (huge) (void)::madvise(data, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  return Memory(static_cast<std::byte*>(data));
}

}  // namespace galago
