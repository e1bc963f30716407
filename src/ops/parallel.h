#ifndef GALAGO_OPS_PARALLEL_H_
#define GALAGO_OPS_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>

#include "src/ops/exec_context.h"

namespace galago::ops {

// body(i) for i in [0, count), on any thread. Passing a reference keeps std::function from allocating.
template <class Body>
void ParallelFor(const ExecContext& ctx, int64_t count, const Body& body) {
  ctx.pool->ParallelFor(count, std::cref(body));
}

// The same with scratch memory: body(i, scratch) gets `scratch_floats` floats no other running call uses.
template <class Body>
void ParallelForWithScratch(const ExecContext& ctx, int64_t count, int64_t scratch_floats, const Body& body) {
  constexpr int64_t kLine = 16;  // floats: pieces of different threads share no cache line
  scratch_floats = (scratch_floats + kLine - 1) / kLine * kLine;
  const Arena::Scope scope(*ctx.arena);
  const int64_t slots = std::min<int64_t>(count, ctx.pool->num_threads());
  const auto scratch = ctx.arena->Floats(slots * scratch_floats);
  std::atomic<int64_t> next = 0;
  ParallelFor(ctx, slots, [&](int64_t slot) {
    for (int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      body(i, scratch.data() + slot * scratch_floats);
    }
  });
}

// body(begin, end) over [0, count) in runs of at least `grain` items; a few runs for each thread, one run when the work
// is small.
template <class Body>
void ParallelRanges(const ExecContext& ctx, int64_t count, int64_t grain, const Body& body) {
  const int64_t most = int64_t{4} * ctx.pool->num_threads();
  const int64_t run = std::max(std::max<int64_t>(grain, 1), (count + most - 1) / most);
  ParallelFor(ctx, (count + run - 1) / run, [&](int64_t i) { body(i * run, std::min(count, (i + 1) * run)); });
}

// Items worth handing to another thread: about 16 K floats of light work.
inline int64_t RowGrain(int64_t cols) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(cols, 1)); }

}  // namespace galago::ops

#endif  // GALAGO_OPS_PARALLEL_H_
