// Training throughput of a model's forward and backward pass, without data loading and optimiser:
//   train_bench MODEL_DIRECTORY [samples] [tiles] [text tokens] [labels] [threads]
// Prints samples and tokens a second and how much of the machine's measured bf16 product rate that is.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>

#include "src/spec/media_layout.h"
#include "src/spec/parse.h"
#include "train/modules/torch_setup.h"
#include "train/modules/vlm.h"

namespace galago::train {
namespace {

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The best time of several. On a machine that others use, too, processor time over threads tells more than the clock.
struct Time {
  double seconds = 1e30, processor_seconds = 1e30;
};
template <class F>
Time Best(int repeats, const F& f) {
  Time best;
  for (int i = 0; i < repeats; ++i) {
    const double start = Seconds();
    const std::clock_t processor = std::clock();
    f();
    best.seconds = std::min(best.seconds, Seconds() - start);
    best.processor_seconds =
        std::min(best.processor_seconds, static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC);
  }
  return best;
}

struct Load {
  int64_t samples = 64, tiles = 1, text = 130, labels = 20;
};

Packed MakeBatch(const spec::ModelSpec& spec, const Load& load) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int32_t> ids(0, static_cast<int32_t>(spec.language.vocab_size) - 1);
  std::normal_distribution<float> normal;
  Packed packed;
  packed.cu_seqlens.push_back(0);
  for (int64_t i = 0; i < load.samples; ++i) {
    auto media = std::make_shared<MediaInput>();
    const spec::MediaLayout layout = {.tiles = load.tiles};
    media->pixels = {.layout = layout,
                     .pixels = ::galago::Tensor::F32({load.tiles, 3, spec.preprocess.size, spec.preprocess.size})};
    for (float& pixel : media->pixels.pixels.f32()) pixel = normal(random);
    media->slot_rows = spec::SlotRows(spec, layout, {.end = 1}).value();
    int64_t rows = 0;
    for (const int64_t slot : media->slot_rows) rows += slot;
    const auto begin = static_cast<int64_t>(packed.ids.size());
    packed.spans.push_back({.at = begin, .media = i, .count = rows});
    packed.media.push_back(std::move(media));
    packed.ids.resize(packed.ids.size() + static_cast<size_t>(rows), kMediaRow);
    packed.labels.resize(packed.ids.size(), kIgnore);
    const int64_t text = load.text - 10 + i % 21;
    for (int64_t t = 0; t < text; ++t) {
      packed.ids.push_back(ids(random));
      const bool labelled = t * load.labels / text != (t + 1) * load.labels / text;
      packed.labels.push_back(labelled ? packed.ids.back() : kIgnore);
      packed.num_labels += labelled ? 1 : 0;
    }
    for (int64_t t = 0; t < rows + text; ++t) packed.positions.push_back(static_cast<int32_t>(t));
    packed.cu_seqlens.push_back(static_cast<int32_t>(packed.ids.size()));
    packed.max_seqlen = std::max(packed.max_seqlen, rows + text);
  }
  return packed;
}

// Multiply-adds of the products, twice, forward and backward; attention's included.
double Operations(const spec::ModelSpec& spec, const Packed& batch) {
  const auto& v = *spec.vision;
  const auto& l = spec.language;
  double tiles = 0.0;
  for (const auto& media : batch.media) tiles += static_cast<double>(media->pixels.layout.tiles);
  const double c = static_cast<double>(v.hidden_size), f = static_cast<double>(v.intermediate_size);
  const double p = static_cast<double>(v.num_positions());
  const double vision = tiles * p *
                        (3.0 * static_cast<double>(v.patch_size * v.patch_size) * c +
                         static_cast<double>(v.num_layers_run) * (4.0 * c * c + 2.0 * c * f + 2.0 * p * c));
  const double d = static_cast<double>(l.hidden_size), q = static_cast<double>(l.num_attention_heads * l.head_dim);
  const double kv = static_cast<double>(l.num_key_value_heads * l.head_dim);
  double pairs = 0.0;
  for (size_t i = 0; i + 1 < batch.cu_seqlens.size(); ++i) {
    const double n = batch.cu_seqlens[i + 1] - batch.cu_seqlens[i];
    pairs += n * n;
  }
  const double layer = static_cast<double>(batch.ids.size()) *
                           (2.0 * d * q + 2.0 * d * kv + 3.0 * d * static_cast<double>(l.intermediate_size)) +
                       2.0 * pairs * q;
  const double head = static_cast<double>(batch.num_labels) * d * static_cast<double>(l.vocab_size);
  return 6.0 * (vision + static_cast<double>(l.num_hidden_layers) * layer + head);
}

// GFLOP/s of a large bf16 product, by the clock and by processor time on all threads.
Time PeakTime() {
  const at::Tensor a = at::randn({4096, 512}).to(at::kBFloat16);
  const at::Tensor b = at::randn({512, 1024}).to(at::kBFloat16);
  return Best(30, [&] { at::mm(a, b); });
}
constexpr double kPeakOperations = 2.0 * 4096 * 512 * 1024;

void Run(const spec::ModelSpec& spec, const Load& load) {
  const auto model = Vlm::Init(spec, 1).value();
  model->SetFraming({}, {3}, {});
  const Packed batch = MakeBatch(spec, load);
  const double operations = Operations(spec, batch);
  const auto n = static_cast<double>(load.samples);
  const double threads = at::get_num_threads();
  const Time peak = PeakTime();
  std::printf(
      "%lld samples of %lld tiles and about %lld text tokens: %zu rows, %.0f GFLOP a step; bf16 products at %.0f "
      "GFLOP/s "
      "(%.0f by processor time)\n",
      static_cast<long long>(load.samples), static_cast<long long>(load.tiles), static_cast<long long>(load.text),
      batch.ids.size(), operations * 1e-9, kPeakOperations / peak.seconds * 1e-9,
      kPeakOperations / peak.processor_seconds * threads * 1e-9);
  struct Stage {
    const char* name;
    RunOptions options;
  };
  const Stage stages[] = {{"all", {}},
                          {"vision and projector", {.train_language = false}},
                          {"projector and language", {.train_vision = false}},
                          {"projector", {.train_vision = false, .train_language = false}}};
  const LossOptions options = {.divisor = static_cast<double>(batch.num_labels)};
  for (const Stage& stage : stages) {
    model->SetOptions(stage.options);
    const auto step = [&] {
      model->WeightsChanged();
      model->Loss(batch, options).backward();
      for (Parameter& parameter : model->parameters()) parameter.value.mutable_grad() = torch::Tensor();
    };
    step();
    const Time time = Best(4, step);
    std::printf("  trained: %-24s %7.1f ms  %6.1f samples/s  %7.0f tokens/s; by processor time %6.1f samples/s",
                stage.name, time.seconds * 1e3, n / time.seconds, static_cast<double>(batch.ids.size()) / time.seconds,
                n / time.processor_seconds * threads);
    if (&stage == stages) {
      std::printf(", %.0f %% of the products' rate",
                  100.0 * operations / time.processor_seconds / (kPeakOperations / peak.processor_seconds));
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace galago::train

int main(int argc, char** argv) {
  galago::train::PrepareProcess(argv);
  if (argc < 2) {
    std::fprintf(stderr, "usage: train_bench MODEL_DIRECTORY [samples] [tiles] [text tokens] [labels] [threads]\n");
    return 2;
  }
  const auto number = [&](int i, int64_t fallback) { return i < argc ? std::atoll(argv[i]) : fallback; };
  const auto spec = galago::spec::ParseDirectory(argv[1]);
  if (!spec.ok()) {
    std::fprintf(stderr, "%s\n", galago::MessageOf(spec.status()).c_str());
    return 1;
  }
  galago::train::UseThreads(static_cast<int>(number(6, 0)));
  const galago::train::Load defaults;
  galago::train::Run(*spec, {.samples = number(2, defaults.samples),
                             .tiles = number(3, defaults.tiles),
                             .text = number(4, defaults.text),
                             .labels = number(5, defaults.labels)});
  return 0;
}
