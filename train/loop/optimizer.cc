#include "train/loop/optimizer.h"

#include <algorithm>

#include "src/base/check.h"

namespace galago::train {
namespace {

constexpr int64_t kGrain = 1 << 16;  // elements a thread takes at once

}  // namespace

ShardedAdamW::ShardedAdamW(std::vector<TrainedValues> trained, const AdamWOptions& options, Ranks& ranks,
                           ThreadPool& pool)
    : trained_(std::move(trained)), options_(options), ranks_(ranks), pool_(pool) {
  int64_t total = 0;
  for (const TrainedValues& parameter : trained_) {
    starts_.push_back(total);
    total += static_cast<int64_t>(parameter.values.size());
  }
  const int64_t size = ranks.size();
  slice_ = (total + size - 1) / size;
  gradients_.resize(static_cast<size_t>(slice_ * size));
  exp_avg_.resize(static_cast<size_t>(slice_));
  exp_avg_sq_.resize(static_cast<size_t>(slice_));
  if (size > 1) {
    reduced_.resize(static_cast<size_t>(slice_));
    gathered_.resize(gradients_.size());
  }
  const int64_t begin = slice_ * ranks.rank(), end = begin + slice_;
  for (size_t i = 0; i < trained_.size(); ++i) {
    const int64_t first = std::max(begin, starts_[i]);
    const int64_t last = std::min(end, starts_[i] + static_cast<int64_t>(trained_[i].values.size()));
    for (int64_t at = first; at < last; at += kGrain) {
      segments_.push_back({i, at - starts_[i], at - begin, std::min(kGrain, last - at)});
    }
  }
}

std::span<float> ShardedAdamW::gradient(size_t i) {
  return std::span(gradients_).subspan(static_cast<size_t>(starts_[i]), trained_[i].values.size());
}

std::span<const float> ShardedAdamW::slice_gradients() const {
  return ranks_.size() > 1 ? std::span<const float>(reduced_) : std::span<const float>(gradients_);
}

StatusOr<double> ShardedAdamW::ReduceGradients() {
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

Status ShardedAdamW::Step(double lr_factor, double gradient_scale) {
  ++num_steps_;
  const std::span<const float> gradients = slice_gradients();
  pool_.ParallelFor(static_cast<int64_t>(segments_.size()), [&](int64_t s) {
    const Segment& segment = segments_[static_cast<size_t>(s)];
    const TrainedValues& parameter = trained_[segment.parameter];
    const auto at = static_cast<size_t>(segment.at), length = static_cast<size_t>(segment.length);
    AdamWStep(parameter.values.subspan(static_cast<size_t>(segment.offset), length), gradients.subspan(at, length),
              std::span(exp_avg_).subspan(at, length), std::span(exp_avg_sq_).subspan(at, length), options_,
              lr_factor * parameter.peak_lr, parameter.weight_decay, static_cast<float>(gradient_scale), num_steps_);
  });
  if (ranks_.size() > 1) {
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
  }
  ClearGradients();
  return OkStatus();
}

void ShardedAdamW::ClearGradients() { std::ranges::fill(gradients_, 0.0f); }

std::vector<ShardedAdamW::Piece> ShardedAdamW::pieces() {
  std::vector<Piece> pieces;
  for (const Segment& segment : segments_) {
    const auto at = static_cast<size_t>(segment.at), length = static_cast<size_t>(segment.length);
    pieces.push_back({segment.parameter, segment.offset, std::span(exp_avg_).subspan(at, length),
                      std::span(exp_avg_sq_).subspan(at, length)});
  }
  return pieces;
}

}  // namespace galago::train
