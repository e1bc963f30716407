#include "train/loop/optimizer.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "src/base/check.h"

namespace galago::train {
namespace {

constexpr int64_t kGrain = 1 << 16;  // elements a thread takes at once

}  // namespace

ShardedOptimizer::ShardedOptimizer(std::vector<TrainedValues> trained, const Options& options, Ranks& ranks,
                                   ThreadPool& pool)
    : trained_(std::move(trained)), options_(options), ranks_(ranks), pool_(pool) {
  Place();
  gradients_.resize(static_cast<size_t>(slice_ * ranks.size()));
  if (ranks.size() > 1) {
    reduced_.resize(static_cast<size_t>(slice_));
    gathered_.resize(gradients_.size());
  }
  CutIntoSegments();
}

// With AdamW alone one after the other, and slices cut through them. With Muon whole: its matrices to ranks by the work
// they make, the largest first, then the others by size.
void ShardedOptimizer::Place() {
  const auto length = [&](size_t i) { return static_cast<int64_t>(trained_[i].values.size()); };
  starts_.resize(trained_.size());
  if (std::ranges::none_of(trained_, [](const TrainedValues& parameter) { return parameter.muon_rows > 0; })) {
    int64_t total = 0;
    for (size_t i = 0; i < trained_.size(); ++i) {
      starts_[i] = total;
      total += length(i);
    }
    slice_ = (total + ranks_.size() - 1) / ranks_.size();
    return;
  }
  std::vector<size_t> owner(trained_.size());
  std::vector<int64_t> held(static_cast<size_t>(ranks_.size())), work(held.size());
  const auto deal_out = [&](bool muon, const auto& weight, std::vector<int64_t>& load) {
    std::vector<size_t> order;
    for (size_t i = 0; i < trained_.size(); ++i) {
      if ((trained_[i].muon_rows > 0) == muon) order.push_back(i);
    }
    std::ranges::stable_sort(order, std::greater(), weight);
    for (const size_t i : order) {
      owner[i] = static_cast<size_t>(std::ranges::min_element(load) - load.begin());
      starts_[i] = held[owner[i]];
      held[owner[i]] += length(i);
      if (&load != &held) load[owner[i]] += weight(i);
    }
  };
  const auto products = [&](size_t i) {
    const int64_t rows = trained_[i].muon_rows;
    return length(i) * std::min(rows, length(i) / rows);
  };
  deal_out(true, products, work);
  deal_out(false, length, held);
  slice_ = std::ranges::max(held);
  for (size_t i = 0; i < trained_.size(); ++i) starts_[i] += slice_ * static_cast<int64_t>(owner[i]);
}

void ShardedOptimizer::CutIntoSegments() {
  const int64_t begin = slice_ * ranks_.rank(), end = begin + slice_;
  int64_t squares = 0, held = 0;
  for (size_t i = 0; i < trained_.size(); ++i) {
    const int64_t first = std::max(begin, starts_[i]);
    const int64_t last = std::min(end, starts_[i] + static_cast<int64_t>(trained_[i].values.size()));
    if (first >= last) continue;
    held = std::max(held, last - begin);
    if (trained_[i].muon_rows > 0) {
      segments_.push_back({i, 0, first - begin, -1, last - first});
      continue;
    }
    for (int64_t at = first; at < last; at += kGrain) {
      const int64_t length = std::min(kGrain, last - at);
      segments_.push_back({i, at - starts_[i], at - begin, squares, length});
      squares += length;
    }
  }
  exp_avg_.resize(static_cast<size_t>(held));
  exp_avg_sq_.resize(static_cast<size_t>(squares));
}

std::span<float> ShardedOptimizer::gradient(size_t i) {
  return std::span(gradients_).subspan(static_cast<size_t>(starts_[i]), trained_[i].values.size());
}

std::span<const float> ShardedOptimizer::slice_gradients() const {
  return ranks_.size() > 1 ? std::span<const float>(reduced_) : std::span<const float>(gradients_);
}

StatusOr<double> ShardedOptimizer::ReduceGradients() {
  if (ranks_.size() > 1) RETURN_IF_ERROR(ranks_.ReduceScatterSum(gradients_, reduced_));
  const std::span<const float> gradients = slice_gradients();
  // Partial sums at fixed places, added in order: the same with any number of threads.
  std::vector<double> sums(segments_.size());
  pool_.ParallelFor(static_cast<int64_t>(segments_.size()), [&](int64_t s) {
    const Segment& segment = segments_[static_cast<size_t>(s)];
    double lanes[8] = {};
    const float* g = gradients.data() + segment.at;
    for (int64_t i = 0; i < segment.length; ++i) lanes[i % 8] += static_cast<double>(g[i]) * g[i];
    double sum = 0.0;
    for (const double lane : lanes) sum += lane;
    sums[static_cast<size_t>(s)] = sum;
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

void ShardedOptimizer::Update(const Segment& segment, double lr_factor, double gradient_scale) {
  const TrainedValues& parameter = trained_[segment.parameter];
  const auto at = static_cast<size_t>(segment.at), length = static_cast<size_t>(segment.length);
  const std::span<float> values = parameter.values.subspan(static_cast<size_t>(segment.offset), length);
  const std::span<const float> gradients = slice_gradients().subspan(at, length);
  const std::span<float> averages = std::span(exp_avg_).subspan(at, length);
  const double lr = lr_factor * parameter.peak_lr;
  if (segment.at_square < 0) {
    MuonStep(values, gradients, averages, parameter.muon_rows, segment.length / parameter.muon_rows, options_.muon, lr,
             parameter.weight_decay, static_cast<float>(gradient_scale));
  } else {
    AdamWStep(values, gradients, averages,
              std::span(exp_avg_sq_).subspan(static_cast<size_t>(segment.at_square), length), options_.adam, lr,
              parameter.weight_decay, static_cast<float>(gradient_scale), num_steps_);
  }
}

Status ShardedOptimizer::CollectValues() {
  const std::span<float> own =
      std::span(gathered_).subspan(static_cast<size_t>(slice_ * ranks_.rank()), static_cast<size_t>(slice_));
  for (const Segment& segment : segments_) {
    const auto from = trained_[segment.parameter].values.subspan(static_cast<size_t>(segment.offset),
                                                                 static_cast<size_t>(segment.length));
    std::ranges::copy(from, own.begin() + segment.at);
  }
  RETURN_IF_ERROR(ranks_.AllGather(own, gathered_));
  for (size_t i = 0; i < trained_.size(); ++i) {
    std::copy_n(gathered_.begin() + starts_[i], trained_[i].values.size(), trained_[i].values.begin());
  }
  return OkStatus();
}

Status ShardedOptimizer::Step(double lr_factor, double gradient_scale) {
  ++num_steps_;
  // Muon's products have threads of their own.
  for (const Segment& segment : segments_) {
    if (segment.at_square < 0) Update(segment, lr_factor, gradient_scale);
  }
  pool_.ParallelFor(static_cast<int64_t>(segments_.size()), [&](int64_t s) {
    const Segment& segment = segments_[static_cast<size_t>(s)];
    if (segment.at_square >= 0) Update(segment, lr_factor, gradient_scale);
  });
  if (ranks_.size() > 1) RETURN_IF_ERROR(CollectValues());
  ClearGradients();
  return OkStatus();
}

void ShardedOptimizer::ClearGradients() { std::ranges::fill(gradients_, 0.0f); }

std::vector<ShardedOptimizer::Piece> ShardedOptimizer::pieces() {
  std::vector<Piece> pieces;
  for (const Segment& segment : segments_) {
    const auto at = static_cast<size_t>(segment.at), length = static_cast<size_t>(segment.length);
    const std::span<float> squares =
        segment.at_square < 0 ? std::span<float>()
                              : std::span(exp_avg_sq_).subspan(static_cast<size_t>(segment.at_square), length);
    pieces.push_back({segment.parameter, segment.offset, std::span(exp_avg_).subspan(at, length), squares});
  }
  return pieces;
}

}  // namespace galago::train
