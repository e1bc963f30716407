#ifndef GALAGO_TRAIN_RANKS_RANKS_H_
#define GALAGO_TRAIN_RANKS_RANKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "galago/status.h"

namespace galago::train {

// The processes of a run, one a device, each with its own part of every batch: five operations over an existing
// engine. Every rank calls the same operations in the same order. Not thread-safe.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual int local_size() const = 0;           // how many of them share this machine
  virtual std::string_view engine() const = 0;  // "one process", "Open MPI 4.1.4"

  // Sums over ranks; every rank gets the same bits.
  virtual Status AllReduceSum(std::span<int64_t> values) = 0;
  virtual Status AllReduceSum(std::span<double> values) = 0;
  // in: size() * out.size() values. Rank r gets the sum over ranks of the r-th part.
  virtual Status ReduceScatterSum(std::span<const float> in, std::span<float> out) = 0;
  // out: size() * in.size() values, the parts of all ranks in order. `in` may be this rank's part of `out`.
  virtual Status AllGather(std::span<const float> in, std::span<float> out) = 0;
  // From rank 0 to all.
  virtual Status Broadcast(std::span<std::byte> bytes) = 0;
  virtual Status Barrier() = 0;

  // Ends this process and all others of the run with `exit_code`: what a rank does that cannot go on while the others
  // wait for it. Does not return where there are others.
  virtual void Abort(int exit_code) = 0;
};

// What a launcher tells the processes it starts.
struct LaunchedBy {
  enum class Kind { kNone, kMpi, kTorchrun, kSlurmWithoutPmi } kind = Kind::kNone;
  std::string launcher;  // for messages: "mpirun", "srun"
};
LaunchedBy DetectLauncher(const std::function<const char*(const char*)>& env);

// One process.
std::unique_ptr<Ranks> SingleRank();

// By the environment: mpirun's or srun's processes over Open MPI, else one process. FailedPrecondition where a launcher
// started several processes that cannot find each other.
StatusOr<std::unique_ptr<Ranks>> ConnectRanks();

}  // namespace galago::train

#endif  // GALAGO_TRAIN_RANKS_RANKS_H_
