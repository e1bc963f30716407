#include "train/ranks/mpi_ranks.h"

#include <mpi.h>

#include <algorithm>

#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::train {
namespace {

// Counts of MPI are int: longer messages go in pieces of this many elements.
constexpr size_t kPiece = size_t{1} << 28;

Status Checked(int code, const char* what) {
  if (code == MPI_SUCCESS) return OkStatus();
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return Unavailable(StrCat("ranks: ", what, " failed: ", std::string_view(text, static_cast<size_t>(length))));
}

class MpiRanks : public Ranks {
 public:
  MpiRanks() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm here = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &here);
    MPI_Comm_size(here, &local_size_);
    MPI_Comm_free(&here);
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    engine_ = std::string(text, static_cast<size_t>(length));
    engine_ = engine_.substr(0, engine_.find(','));
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  }
  ~MpiRanks() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_size() const override { return local_size_; }
  std::string_view engine() const override { return engine_; }

  Status AllReduceSum(std::span<int64_t> values) override {
    return Checked(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_INT64_T, MPI_SUM,
                                 MPI_COMM_WORLD),
                   "all-reduce");
  }
  Status AllReduceSum(std::span<double> values) override {
    return Checked(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE, MPI_SUM,
                                 MPI_COMM_WORLD),
                   "all-reduce");
  }
  Status ReduceScatterSum(std::span<const float> in, std::span<float> out) override {
    CHECK_EQ(in.size(), out.size() * static_cast<size_t>(size_));
    if (out.size() <= kPiece) {
      return Checked(MPI_Reduce_scatter_block(in.data(), out.data(), static_cast<int>(out.size()), MPI_FLOAT, MPI_SUM,
                                              MPI_COMM_WORLD),
                     "reduce-scatter");
    }
    for (int part = 0; part < size_; ++part) {
      for (size_t at = 0; at < out.size(); at += kPiece) {
        const size_t count = std::min(kPiece, out.size() - at);
        RETURN_IF_ERROR(Checked(MPI_Reduce(in.data() + static_cast<size_t>(part) * out.size() + at, out.data() + at,
                                           static_cast<int>(count), MPI_FLOAT, MPI_SUM, part, MPI_COMM_WORLD),
                                "reduce-scatter"));
      }
    }
    return OkStatus();
  }
  Status AllGather(std::span<const float> in, std::span<float> out) override {
    CHECK_EQ(out.size(), in.size() * static_cast<size_t>(size_));
    float* own = out.data() + static_cast<size_t>(rank_) * in.size();
    if (in.data() != own) std::ranges::copy(in, own);
    if (in.size() <= kPiece) {
      return Checked(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, out.data(), static_cast<int>(in.size()),
                                   MPI_FLOAT, MPI_COMM_WORLD),
                     "all-gather");
    }
    for (int part = 0; part < size_; ++part) {
      for (size_t at = 0; at < in.size(); at += kPiece) {
        const size_t count = std::min(kPiece, in.size() - at);
        RETURN_IF_ERROR(Checked(MPI_Bcast(out.data() + static_cast<size_t>(part) * in.size() + at,
                                          static_cast<int>(count), MPI_FLOAT, part, MPI_COMM_WORLD),
                                "all-gather"));
      }
    }
    return OkStatus();
  }
  Status Broadcast(std::span<std::byte> bytes) override {
    for (size_t at = 0; at < bytes.size(); at += kPiece) {
      RETURN_IF_ERROR(Checked(MPI_Bcast(bytes.data() + at, static_cast<int>(std::min(kPiece, bytes.size() - at)),
                                        MPI_BYTE, 0, MPI_COMM_WORLD),
                              "broadcast"));
    }
    return OkStatus();
  }
  Status Barrier() override { return Checked(MPI_Barrier(MPI_COMM_WORLD), "barrier"); }
  void Abort(int exit_code) override { MPI_Abort(MPI_COMM_WORLD, exit_code); }

 private:
  int rank_ = 0;
  int size_ = 1;
  int local_size_ = 1;
  std::string engine_;
};

}  // namespace

StatusOr<std::unique_ptr<Ranks>> ConnectMpi() {
  int provided = 0;
  // Only the thread that trains talks to other ranks.
  const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  if (code != MPI_SUCCESS) return Unavailable("ranks: MPI could not be initialised");
  return std::make_unique<MpiRanks>();
}

}  // namespace galago::train
