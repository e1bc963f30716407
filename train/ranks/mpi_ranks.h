#ifndef GALAGO_TRAIN_RANKS_MPI_RANKS_H_
#define GALAGO_TRAIN_RANKS_MPI_RANKS_H_

#include <memory>

#include "train/ranks/ranks.h"

namespace galago::train {

// The processes of MPI_COMM_WORLD; MPI is finalised with the object. Once a process.
StatusOr<std::unique_ptr<Ranks>> ConnectMpi();

}  // namespace galago::train

#endif  // GALAGO_TRAIN_RANKS_MPI_RANKS_H_
