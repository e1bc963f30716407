// Matrix products next to oneDNN's, alternately in one run, at the shapes of SigLIP-so400m and Qwen2-1.5B: int8 weights
// of one scale a row (kW8Row) and groups of 4 bits (kW4G128) against s8 x s8, bf16 against bf16. Ours takes float32
// activations and quantises or rounds them; oneDNN's come ready in its types, its weights in the order it asks for.
// Prints milliseconds, shares of the measured peak of one thread times the threads, and medians of the paired ratios,
// oneDNN's time over ours: with all that ops::MatMul does, and of the product alone, its activations ready. Above 1 we
// are ahead.
//   OMP_NUM_THREADS=2 GALAGO_THREADS=2 onednn_bench [runs]
// With one thread times are of the processor, so that other programs disturb them less.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/kernels/limits.h"
#include "src/ops/matmul.h"
#include "src/tensor/panels.h"

namespace galago {
namespace {

using dnnl::memory;

int Threads() {
  const char* value = std::getenv("GALAGO_THREADS");
  return value != nullptr ? std::max(1, std::atoi(value)) : 1;
}

double Seconds() {
  timespec now;
  clock_gettime(Threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Shape3 {
  int64_t m, k, n;
};

class OneDnn {
 public:
  OneDnn(const Shape3& s, memory::data_type type) : stream_(engine_) {
    const memory::desc src({s.m, s.k}, type, memory::format_tag::ab);
    const memory::desc any({s.k, s.n}, type, memory::format_tag::any);
    const memory::desc dst({s.m, s.n}, memory::data_type::f32, memory::format_tag::ab);
    dnnl::primitive_attr attributes;
    if (type == memory::data_type::s8)
      attributes.set_output_scales(2, std::vector<float>(static_cast<size_t>(s.n), 0.01f));
    const dnnl::matmul::primitive_desc description({src, any, dst}, attributes, engine_);
    product_ = dnnl::matmul(description);
    for (const auto& [name, desc] :
         {std::pair{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, description.weights_desc()}, {DNNL_ARG_DST, dst}}) {
      memory values(desc, engine_);
      std::memset(values.get_data_handle(), name == DNNL_ARG_WEIGHTS ? 1 : 0, desc.get_size());
      arguments_.emplace(name, values);
    }
  }
  void Run() {
    product_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_;
  dnnl::matmul product_;
  std::unordered_map<int, memory> arguments_;
};

Tensor Weights(DType dtype, const Shape3& s) {
  Tensor weights(dtype, {s.n, s.k});
  const std::span<std::byte> bytes(weights.data(), weights.num_bytes());
  if (dtype == DType::kW8Row) {
    GroupedWeights8 grouped = MakeGroupedWeights8(s.n, s.k, s.k);
    std::ranges::fill(grouped.scales, 0.01f);
    PackPanels(dtype, grouped, bytes);
  } else if (dtype == DType::kW4G128) {
    PackPanels(dtype, MakeGroupedWeights(s.n, s.k, 128), bytes);
  }
  return weights;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Operations a second of one thread.
double Peak(std::string_view name) {
  double best = 0.0;
  alignas(64) static char data[kernels::kLimitBytes];
  alignas(64) static char sums[kernels::kLimitBytes];
  for (const kernels::ArithmeticLimit& limit : kernels::ArithmeticLimits(kernels::DetectCpuFeatures())) {
    for (int i = 0; limit.name == name && i < 9; ++i) {
      constexpr int64_t kRounds = 100000;
      const double start = Seconds();
      limit.loop.run(kRounds, data, sums);
      best = std::max(best, limit.loop.operations_per_round * static_cast<double>(kRounds) / (Seconds() - start));
    }
  }
  return best;
}

class Comparison {
 public:
  explicit Comparison(int runs) : runs_(runs), table_(ops::ChooseKernels("").value()), pool_(Threads()) {
    std::printf("peaks of a thread: int8 %.0f, bf16 %.0f Gop/s\n", int8_peak_ * 1e-9, bf16_peak_ * 1e-9);
  }

  void Print(const char* name, DType dtype, ops::Precision precision, memory::data_type type, const Shape3& s) {
    const ops::ExecContext ctx = {&pool_, &table_, precision, &arena_, nullptr};
    const Tensor weights = Weights(dtype, s);
    const std::vector<float> x(static_cast<size_t>(s.m * s.k), 0.5f);
    std::vector<float> out(static_cast<size_t>(s.m * s.n));
    OneDnn theirs(s, type);
    std::vector<double> our_times, their_times, ratios, alone_ratios;
    const kernels::GemmKernel& gemm = dtype == DType::kBF16 ? table_.Gemm(precision, kernels::FloatType::kBF16)
                                                            : table_.Gemm(precision, PanelTypeOf(dtype));
    Tensor packed(DType::kU8, {gemm.packed_bytes(s.m, s.k)});
    gemm.pack({.a = x.data(), .lda = s.k, .m0 = 0, .m1 = s.m, .k = s.k, .packed = packed.data()});
    for (int i = -1; i < runs_; ++i) {  // the first warms up
      double start = Seconds();
      ops::MatMul(ctx, {x, s.m, s.k}, weights.view(), {out, s.m, s.n});
      const double ours = Seconds() - start;
      start = Seconds();
      theirs.Run();
      const double other = Seconds() - start;
      start = Seconds();
      RunAlone(gemm, packed, weights, s, out.data());
      const double alone = Seconds() - start;
      if (i < 0) continue;
      alone_ratios.push_back(other / alone);
      our_times.push_back(ours);
      their_times.push_back(other);
      ratios.push_back(other / ours);
    }
    const double flop = 2.0 * static_cast<double>(s.m * s.k * s.n);
    const double peak = (type == memory::data_type::s8 ? int8_peak_ : bf16_peak_) * Threads();
    std::printf(
        "%-14s M %4ld K %4ld N %4ld: ours %8.3f ms %3.0f %%, oneDNN %8.3f ms %3.0f %%, ratio %.3f, alone %.3f\n", name,
        static_cast<long>(s.m), static_cast<long>(s.k), static_cast<long>(s.n), Median(our_times) * 1e3,
        100 * flop / Median(our_times) / peak, Median(their_times) * 1e3, 100 * flop / Median(their_times) / peak,
        Median(ratios), Median(alone_ratios));
    std::fflush(stdout);
  }

 private:
  // In the blocks of ops::MatMul, without its epilogue.
  void RunAlone(const kernels::GemmKernel& gemm, const Tensor& packed, const Tensor& weights, const Shape3& s,
                float* out) {
    constexpr int64_t kRows = 240, kCols = 128;
    const int64_t down = (s.m + kRows - 1) / kRows, across = (s.n + kCols - 1) / kCols;
    pool_.ParallelFor(down * across, [&](int64_t task) {
      const int64_t m0 = task % down * kRows, n0 = task / down * kCols;
      gemm.run({.a = packed.data(),
                .lda = s.k,
                .w = weights.data(),
                .m0 = m0,
                .m1 = std::min(s.m, m0 + kRows),
                .n0 = n0,
                .n1 = std::min(s.n, n0 + kCols),
                .k = s.k,
                .c = out + m0 * s.n + n0,
                .ldc = s.n});
    });
  }

  const double int8_peak_ = Peak("int8"), bf16_peak_ = Peak("bf16");
  int runs_;
  kernels::KernelTable table_;
  ThreadPool pool_;
  Arena arena_;
};

}  // namespace
}  // namespace galago

int main(int argc, char** argv) {
  using galago::DType;
  using galago::ops::Precision;
  galago::Comparison comparison(argc > 1 ? std::max(1, std::atoi(argv[1])) : 5);
  for (const int64_t m : {196, 512, 1024}) {
    for (const auto& [k, n] :
         {std::pair<int64_t, int64_t>{1152, 1152}, {1152, 4304}, {4304, 1152}, {1536, 8960}, {8960, 1536}}) {
      const auto int8 = dnnl::memory::data_type::s8, bf16 = dnnl::memory::data_type::bf16;
      comparison.Print("int8 rows", DType::kW8Row, Precision::kInt8, int8, {m, k, n});
      if (k % 128 == 0) comparison.Print("int8 x 4 bits", DType::kW4G128, Precision::kInt8, int8, {m, k, n});
      comparison.Print("bf16", DType::kBF16, Precision::kBf16, bf16, {m, k, n});
    }
  }
}
