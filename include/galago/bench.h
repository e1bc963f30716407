#ifndef GALAGO_BENCH_H_
#define GALAGO_BENCH_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "galago/model.h"
#include "galago/session.h"
#include "galago/status.h"

// What speed is measured with: the limits of this machine, models of published dimensions with random weights, and the
// stages of an answer one at a time.
namespace galago {

// ------------------------------------------------------------------------------------------------- limits of the
// machine

// What so many threads do in a second when they do nothing else.
struct MachineLimit {
  std::string name;  // "dram_read", or arithmetic: "fma_f32", "bf16", "int8", "amx_bf16", "amx_int8"
  std::string isa;   // the instructions used, "avx512_vnni"
  int threads = 1;
  // Bytes for dram_read, else operations; a multiply-add counts two. Of processor time, so that what else runs on the
  // machine counts little: the sum over threads, the median and the best of the repeats.
  double median = 0, best = 0;
};

struct LimitOptions {
  std::vector<int> threads;                   // empty: 1, 2, 4, ... and all usable cores
  int repeats = 5;                            // 1 or more
  double seconds = 0.1;                       // of each repeat; above 0
  uint64_t dram_bytes = uint64_t{512} << 20;  // read in turn, far more than caches hold; 1 MiB a thread or more
  const std::atomic<bool>* cancel = nullptr;  // set to true: ends with Cancelled between two repeats
};
StatusOr<std::vector<MachineLimit>> MeasureLimits(const LimitOptions& options);

// ---------------------------------------------------------------------------------------------------- made-up
// checkpoints

struct PublishedShape {
  std::string name;  // "NVILA-Lite-2B"
  std::string what;  // one line
};
std::vector<PublishedShape> PublishedShapes();

enum class WeightFormat {
  kBf16,
  kW4,  // 4 bits in groups of 128
  kW6,  // 6 bits in groups of 128, not of the tower
  kW8   // 8 bits: in groups of 128 for the decoder, one scale a row for the tower
};

struct RandomModelOptions {
  WeightFormat decoder = WeightFormat::kBf16;
  WeightFormat head = WeightFormat::kBf16;   // the tables of the vocabulary
  WeightFormat tower = WeightFormat::kBf16;  // kBf16 or kW8
  uint64_t seed = 1;
  bool operator==(const RandomModelOptions&) const = default;
};

// A checkpoint's description with its published dimensions, a vocabulary of bytes, and weights that LoadWeights makes
// up in memory: for speed and memory. What it says means nothing. NotFound lists the names.
StatusOr<std::shared_ptr<Model>> OpenPublishedShape(const std::string& name, const RandomModelOptions& random,
                                                    const ModelOptions& options);

// ----------------------------------------------------------------------------------------------------- one stage at a
// time

// What a stage amounts to by the model's dimensions.
struct StageWork {
  double operations = 0;  // of its matrix products and attention; a multiply-add counts two
  double bytes = 0;       // of weights and cache that cannot be in a processor's cache: read at least once
};

// The computing stages of Session::Generate, on noise. Not thread-safe: one caller at a time.
class Stages {
 public:
  // The model has its weights. ctx_size 0: as much as is asked of it, up to the model's limit.
  static StatusOr<std::unique_ptr<Stages>> Create(std::shared_ptr<const Model> model, const SessionOptions& options);
  ~Stages();
  Stages(const Stages&) = delete;
  Stages& operator=(const Stages&) = delete;

  // Tower and projector on so many tiles (or frames, where a picture is not cut).
  StatusOr<StageWork> See(int64_t tiles);
  // `tokens` new positions after `past` others, in chunks, and the logits of the last: prefill, and with one token a
  // step of decoding. The first call for a longer `past` fills the cache; do not time it.
  StatusOr<StageWork> Compute(int64_t tokens, int64_t past);

  const std::string& isa() const;
  int threads() const;

 private:
  struct State;
  explicit Stages(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace galago

#endif  // GALAGO_BENCH_H_
