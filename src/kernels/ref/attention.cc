#include <algorithm>
#include <cmath>
#include <limits>

#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {
namespace {

// What sums are made of: rounded to bf16 or as it is.
template <bool kRound>
double Operand(double x) {
  return kRound ? Bf16ToF32(F32ToBf16(static_cast<float>(x))) : x;
}

template <bool kRound>
double Score(const AttentionArgs& args, const float* q, int64_t position) {
  double sum = 0.0;
  for (int64_t d = 0; d < args.head_dim; ++d) {
    sum += Operand<kRound>(q[d]) * Operand<kRound>(Element(args.kv_type, args.k, position * args.ld_k + d));
  }
  return sum * args.scale;
}

template <bool kRound>
void Attention(const AttentionArgs& args) noexcept {
  auto* sums = reinterpret_cast<double*>(args.scratch);
  for (int64_t r = 0; r < args.rows; ++r) {
    double highest = -std::numeric_limits<double>::infinity();
    double total = 0.0;
    std::fill_n(sums, args.head_dim, 0.0);
    for (int64_t base = 0; base < args.limit[r]; base += kKeyBlock) {
      const int64_t keys = std::min(kKeyBlock, args.limit[r] - base);
      double scores[kKeyBlock];
      for (int64_t s = 0; s < keys; ++s) scores[s] = Score<kRound>(args, args.q[r], base + s);
      const double before = highest;
      highest = std::max(highest, *std::max_element(scores, scores + keys));
      const double shrink = base == 0 ? 0.0 : std::exp(before - highest);
      total *= shrink;
      for (int64_t d = 0; d < args.head_dim; ++d) sums[d] *= shrink;
      for (int64_t s = 0; s < keys; ++s) {
        const double weight = std::exp(scores[s] - highest);
        total += weight;
        for (int64_t d = 0; d < args.head_dim; ++d) {
          const float value = Element(args.kv_type, args.v, (base + s) * args.ld_v + d);
          sums[d] += Operand<kRound>(weight) * Operand<kRound>(value);
        }
      }
    }
    for (int64_t d = 0; d < args.head_dim; ++d) args.out[r][d] = static_cast<float>(sums[d] / total);
  }
}

}  // namespace

void FillAttention(KernelTable& table) {
  table.attention[0] = Attention<false>;
  table.attention[1] = Attention<true>;
}

}  // namespace galago::kernels::ref
