// Speed of matrix products and attention at the shapes of SigLIP-so400m and Qwen2-1.5B, next to what the processor's
// registers allow. GALAGO_ISA chooses the instruction set, GALAGO_THREADS the threads (default 1).
//   ops_bench --benchmark_filter=MatMul
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "src/kernels/limits.h"
#include "src/ops/attention.h"
#include "src/ops/matmul.h"

namespace galago {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

class Machine {
 public:
  explicit Machine(ops::Precision precision)
      : table_(ops::ChooseKernels(Environment("GALAGO_ISA")).value()),
        pool_(std::max(1, std::atoi(Environment("GALAGO_THREADS").c_str()))),
        ctx_{&pool_, &table_, precision, &arena_, nullptr} {}
  const ops::ExecContext& ctx() const { return ctx_; }

 private:
  kernels::KernelTable table_;
  ThreadPool pool_;
  Arena arena_;
  ops::ExecContext ctx_;
};

// The most operations a second one thread can do in the arithmetic of this name, and the fastest it reads memory.
double Peak(std::string_view name) {
  double best = 0.0;
  alignas(64) static char data[kernels::kLimitBytes];
  alignas(64) static char sums[kernels::kLimitBytes];
  for (const kernels::ArithmeticLimit& limit : kernels::ArithmeticLimits(kernels::DetectCpuFeatures())) {
    for (int i = 0; limit.name == name && i < 5; ++i) {
      constexpr int64_t kRounds = 100000;
      const auto start = std::chrono::steady_clock::now();
      limit.loop.run(kRounds, data, sums);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      best = std::max(best, limit.loop.operations_per_round * static_cast<double>(kRounds) / seconds.count());
    }
  }
  return best;
}
double ReadPeak() {
  const Tensor memory(DType::kU8, {int64_t{256} << 20});
  const kernels::ReadLoop read = kernels::WidestRead(kernels::DetectCpuFeatures()).loop;
  double best = 0.0;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(read(memory.data(), static_cast<int64_t>(memory.num_bytes())));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(memory.num_bytes()) / seconds.count());
  }
  return best;
}

void Report(benchmark::State& state, double flop, double bytes) {
  const auto n = static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = benchmark::Counter(flop * n, benchmark::Counter::kIsRate);
  state.counters["weights/s"] = benchmark::Counter(bytes * n, benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
}

// Arguments: M, K, N.
void MatMul(benchmark::State& state, DType weight, ops::Precision precision) {
  const int64_t m = state.range(0), k = state.range(1), n = state.range(2);
  const Machine machine(precision);
  // Few rows read their weights from memory in a model: enough copies that caches do not hold them.
  const int64_t copies = m <= 16 ? 12 : 1;
  Tensor weights(weight, {copies * n, k});
  std::vector<float> x(static_cast<size_t>(m * k), 0.5f), out(static_cast<size_t>(m * n));
  TensorView one = {weight, {n, k}, weights.data()};
  int64_t turn = 0;
  for (auto _ : state) {
    one.data = weights.data() + static_cast<size_t>(turn++ % copies) * one.NumBytes();
    ops::MatMul(machine.ctx(), {x, m, k}, one, {out, m, n});
    benchmark::ClobberMemory();
  }
  const double flop = 2.0 * static_cast<double>(m * k * n), bytes = static_cast<double>(one.NumBytes());
  Report(state, flop, bytes);
  // Shares of what one thread can do, times the threads: of its 8-bit arithmetic, of its memory.
  if (precision == ops::Precision::kInt8) {
    static const double int8 = Peak("int8"), memory = ReadPeak();
    const double runs = static_cast<double>(state.iterations()) / machine.ctx().pool->num_threads();
    state.counters["of int8 peak"] = benchmark::Counter(flop / int8 * runs, benchmark::Counter::kIsRate);
    state.counters["of read peak"] = benchmark::Counter(bytes / memory * runs, benchmark::Counter::kIsRate);
  }
}

void Shapes(benchmark::internal::Benchmark* bench) {
  for (const int64_t m : {1, 16, 256, 1024}) {
    bench->Args({m, 1152, 4304})->Args({m, 4304, 1152})->Args({m, 1536, 8960})->Args({m, 8960, 1536});
  }
  bench->UseRealTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(MatMul, bf16, DType::kBF16, ops::Precision::kBf16)->Apply(Shapes);
BENCHMARK_CAPTURE(MatMul, f32, DType::kF32, ops::Precision::kF32)->Apply(Shapes);
BENCHMARK_CAPTURE(MatMul, f16_weights, DType::kF16, ops::Precision::kF32)->Apply(Shapes);

void QuantisedShapes(benchmark::internal::Benchmark* bench) {
  for (const int64_t m : {1, 4, 16, 256, 1024})
    bench->Args({m, 1152, 4304})->Args({m, 1536, 8960})->Args({m, 8960, 1536});
  bench->UseRealTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(MatMul, w4_int8, DType::kW4G128, ops::Precision::kInt8)->Apply(QuantisedShapes);
BENCHMARK_CAPTURE(MatMul, w4_bf16, DType::kW4G128, ops::Precision::kBf16)->Apply(QuantisedShapes);
BENCHMARK_CAPTURE(MatMul, q4_k_int8, DType::kW4G32, ops::Precision::kInt8)->Apply(QuantisedShapes);
BENCHMARK_CAPTURE(MatMul, w6_int8, DType::kW6G128, ops::Precision::kInt8)->Apply(QuantisedShapes);
BENCHMARK_CAPTURE(MatMul, q6_k_int8, DType::kW6G16, ops::Precision::kInt8)->Apply(QuantisedShapes);
BENCHMARK_CAPTURE(MatMul, w8_int8, DType::kW8G128, ops::Precision::kInt8)->Apply(QuantisedShapes);
BENCHMARK_CAPTURE(MatMul, w8_rows_int8, DType::kW8Row, ops::Precision::kInt8)->Apply(QuantisedShapes);

// One SigLIP layer's attention over 1024 patches.
void EncoderAttention(benchmark::State& state) {
  constexpr int64_t kP = 1024, kHeads = 16, kWidth = kHeads * 72;
  const Machine machine(ops::Precision::kF32);
  const std::vector<float> q(kP * kWidth, 0.1f), k(q), v(q);
  std::vector<float> out(q.size());
  for (auto _ : state) {
    ops::EncoderAttention(machine.ctx(), {q, kP, kWidth}, {k, kP, kWidth}, {v, kP, kWidth}, 1, kHeads, 0.1,
                          {out, kP, kWidth});
    benchmark::ClobberMemory();
  }
  Report(state, 4.0 * kP * kP * kWidth, 0.0);
}
BENCHMARK(EncoderAttention)->UseRealTime()->Unit(benchmark::kMicrosecond);

// Arguments: new rows T, cached positions before them; heads of Qwen2-1.5B.
void CausalAttention(benchmark::State& state) {
  constexpr int64_t kN = 12, kK = 2, kH = 128;
  const int64_t rows = state.range(0), past = state.range(1), capacity = rows + past;
  const Machine machine(ops::Precision::kF32);
  Tensor k(DType::kBF16, {kK, capacity, kH}), v(DType::kBF16, {kK, capacity, kH});
  const ops::KvLayer kv = {DType::kBF16, k.data(), v.data(), capacity, kK, kH};
  std::vector<float> q(static_cast<size_t>(rows * kN * kH), 0.1f);
  std::vector<float> out(q.size());
  for (auto _ : state) {
    ops::CausalAttention(machine.ctx(), {q, rows, kN * kH}, kv, past, kN, 0.1, {out, rows, kN * kH});
    benchmark::ClobberMemory();
  }
  const double pairs = static_cast<double>(rows) * (static_cast<double>(past) + static_cast<double>(rows + 1) / 2);
  Report(state, 4.0 * pairs * kN * kH, static_cast<double>(k.num_bytes() + v.num_bytes()));
}
BENCHMARK(CausalAttention)
    ->Args({1, 1023})
    ->Args({512, 0})
    ->Args({512, 512})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace galago

int main(int argc, char** argv) {
  if (const auto table = galago::ops::ChooseKernels(galago::Environment("GALAGO_ISA")); !table.ok()) {
    std::fprintf(stderr, "%s\n", galago::MessageOf(table.status()).c_str());
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
