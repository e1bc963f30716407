#ifndef GALAGO_TRAIN_LOOP_OPTIMIZER_H_
#define GALAGO_TRAIN_LOOP_OPTIMIZER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/base/thread_pool.h"
#include "train/loop/adamw.h"
#include "train/loop/muon.h"
#include "train/ranks/ranks.h"

namespace galago::train {

// What is trained, as the optimiser sees it: float32 master values that stay where they are.
struct TrainedValues {
  std::string name;
  std::span<float> values;
  double peak_lr = 0.0;
  double weight_decay = 0.0;
  int64_t muon_rows = 0;  // a matrix of so many rows that Muon trains; 0: AdamW
};

// AdamW, or Muon for matrices and AdamW for the rest, over all trained parameters, its state divided among the ranks
// (ZeRO-1): parameters and gradients lie one after the other in one row that is cut into as many equal slices as there
// are ranks. A step sums gradients slice by slice (reduce-scatter), updates the own slice, and collects the new values
// of all (all-gather). A matrix of Muon's lies within one slice, and with it
// every parameter does: slices are then as long as the one that holds most.
class ShardedOptimizer {
 public:
  struct Options {
    AdamWOptions adam;
    MuonOptions muon;
  };
  // `ranks` and `pool` must outlive the optimiser, the values too.
  ShardedOptimizer(std::vector<TrainedValues> trained, const Options& options, Ranks& ranks, ThreadPool& pool);

  const std::vector<TrainedValues>& trained() const { return trained_; }
  // Where the gradient of parameter `i` is accumulated; zero after construction and after each step.
  std::span<float> gradient(size_t i);

  // Sums the gradients over ranks. Returns the part of the squared L2 norm that lies in this rank's slice: the sum over
  // ranks is the norm's square.
  StatusOr<double> ReduceGradients();
  // Updates with rates lr_factor * peak_lr and gradients times gradient_scale; then clears the gradients. Values are
  // the same on all ranks afterwards.
  Status Step(double lr_factor, double gradient_scale);
  void ClearGradients();

  // Updates made so far.
  int64_t num_steps() const { return num_steps_; }
  void set_num_steps(int64_t num_steps) { num_steps_ = num_steps; }

  // A piece of this rank's state: parameter `parameter`'s elements [offset, offset + length).
  struct Piece {
    size_t parameter = 0;
    int64_t offset = 0;
    std::span<float> exp_avg;
    std::span<float> exp_avg_sq;  // empty for Muon
  };
  std::vector<Piece> pieces();
  // Bytes of state that this rank holds.
  size_t state_bytes() const { return (exp_avg_.size() + exp_avg_sq_.size()) * sizeof(float); }

 private:
  struct Segment {  // of this rank's slice
    size_t parameter;
    int64_t offset;     // within the parameter
    int64_t at;         // within the slice
    int64_t at_square;  // within exp_avg_sq_; -1: Muon's, the whole of a matrix
    int64_t length;
  };
  void Place();
  void CutIntoSegments();
  void Update(const Segment& segment, double lr_factor, double gradient_scale);
  Status CollectValues();
  std::span<const float> slice_gradients() const;

  std::vector<TrainedValues> trained_;
  Options options_;
  Ranks& ranks_;
  ThreadPool& pool_;
  std::vector<int64_t> starts_;    // of each parameter in the row
  std::vector<float> gradients_;   // the whole row, padded to size * slice_
  std::vector<float> reduced_;     // this rank's slice of the sum; empty with one rank
  std::vector<float> gathered_;    // the whole row of new values; empty with one rank
  std::vector<float> exp_avg_;     // of what lies in this rank's slice
  std::vector<float> exp_avg_sq_;  // AdamW's part of it
  std::vector<Segment> segments_;  // AdamW's cut so that none is long: the grain of the threads
  int64_t slice_ = 0;
  int64_t num_steps_ = 0;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_OPTIMIZER_H_
