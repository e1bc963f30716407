#include <cstdlib>

#include "src/base/strings.h"
#include "train/ranks/mpi_ranks.h"
#include "train/ranks/ranks.h"

namespace galago::train {

LaunchedBy DetectLauncher(const std::function<const char*(const char*)>& env) {
  const auto more_than_one = [&](const char* name) {
    const char* value = env(name);
    return value != nullptr && std::atoi(value) > 1;
  };
  if (env("OMPI_COMM_WORLD_SIZE") != nullptr) return {LaunchedBy::Kind::kMpi, "mpirun"};
  if (env("PMIX_RANK") != nullptr) return {LaunchedBy::Kind::kMpi, "srun"};
  // A batch script sees the size of its job too; a process that srun started has a step.
  if (env("SLURM_STEP_ID") != nullptr && more_than_one("SLURM_STEP_NUM_TASKS")) {
    return {LaunchedBy::Kind::kSlurmWithoutPmi, "srun"};
  }
  if (env("RANK") != nullptr && more_than_one("WORLD_SIZE")) return {LaunchedBy::Kind::kTorchrun, "torchrun"};
  return {};
}

StatusOr<std::unique_ptr<Ranks>> ConnectRanks() {
  const LaunchedBy launched = DetectLauncher([](const char* name) { return std::getenv(name); });
  switch (launched.kind) {
    case LaunchedBy::Kind::kMpi:
      return ConnectMpi();
    case LaunchedBy::Kind::kSlurmWithoutPmi:
      return FailedPrecondition(
          "ranks: srun started several processes without telling them of each other: use srun --mpi=pmix");
    case LaunchedBy::Kind::kTorchrun:
      return FailedPrecondition(
          "ranks: RANK and WORLD_SIZE ask for several processes, but the ranks here talk over Open MPI: start them "
          "with "
          "mpirun -n COUNT or srun --mpi=pmix");
    case LaunchedBy::Kind::kNone:
      break;
  }
  return SingleRank();
}

}  // namespace galago::train
