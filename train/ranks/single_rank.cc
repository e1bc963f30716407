#include <algorithm>

#include "src/base/check.h"
#include "train/ranks/ranks.h"

namespace galago::train {
namespace {

class Single : public Ranks {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_size() const override { return 1; }
  std::string_view engine() const override { return "one process"; }
  Status AllReduceSum(std::span<int64_t>) override { return OkStatus(); }
  Status AllReduceSum(std::span<double>) override { return OkStatus(); }
  Status ReduceScatterSum(std::span<const float> in, std::span<float> out) override { return Copy(in, out); }
  Status AllGather(std::span<const float> in, std::span<float> out) override { return Copy(in, out); }
  Status Broadcast(std::span<std::byte>) override { return OkStatus(); }
  Status Barrier() override { return OkStatus(); }
  void Abort(int) override {}

 private:
  static Status Copy(std::span<const float> in, std::span<float> out) {
    CHECK_EQ(in.size(), out.size());
    if (in.data() != out.data()) std::ranges::copy(in, out.begin());
    return OkStatus();
  }
};

}  // namespace

std::unique_ptr<Ranks> SingleRank() { return std::make_unique<Single>(); }

}  // namespace galago::train
