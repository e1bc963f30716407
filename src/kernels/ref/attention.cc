#include <algorithm>
#include <cmath>
#include <limits>

#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {
namespace {

double Score(const AttentionArgs& args, const float* q, int64_t position) {
  double sum = 0.0;
  for (int64_t d = 0; d < args.head_dim; ++d) {
    sum += static_cast<double>(q[d]) * Element(args.kv_type, args.k, position * args.ld_k + d);
  }
  return sum * args.scale;
}

// Scores are computed twice, so that nothing as long as the sequence must be stored.
void Attention(const AttentionArgs& args) noexcept {
  auto* sums = reinterpret_cast<double*>(args.scratch);
  for (int64_t r = 0; r < args.rows; ++r) {
    double highest = -std::numeric_limits<double>::infinity();
    for (int64_t s = 0; s < args.limit[r]; ++s) highest = std::max(highest, Score(args, args.q[r], s));
    double total = 0.0;
    std::fill_n(sums, args.head_dim, 0.0);
    for (int64_t s = 0; s < args.limit[r]; ++s) {
      const double weight = std::exp(Score(args, args.q[r], s) - highest);
      total += weight;
      for (int64_t d = 0; d < args.head_dim; ++d) {
        sums[d] += weight * Element(args.kv_type, args.v, s * args.ld_v + d);
      }
    }
    for (int64_t d = 0; d < args.head_dim; ++d) args.out[r][d] = static_cast<float>(sums[d] / total);
  }
}

}  // namespace

void FillAttention(KernelTable& table) {
  for (auto& slot : table.attention) slot = Attention;
}

}  // namespace galago::kernels::ref
