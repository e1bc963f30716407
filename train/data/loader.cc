#include "train/data/loader.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxExamples = 20;
constexpr int kMaxResamples = 32;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void AddBad(LoaderStats& stats, const std::string& dataset, std::string message) {
  ++stats.bad_records;
  ++stats.bad_by_dataset[dataset];
  if (stats.bad_examples.size() < kMaxExamples) stats.bad_examples.push_back(std::move(message));
}

void AddTo(LoaderStats& total, LoaderStats&& more) {
  total.micro_batches += more.micro_batches;
  total.sequences += more.sequences;
  total.rows += more.rows;
  total.labels += more.labels;
  total.media += more.media;
  total.truncated += more.truncated;
  total.without_labels += more.without_labels;
  total.bad_records += more.bad_records;
  total.waited_s += more.waited_s;
  total.built_s += more.built_s;
  for (const auto& [name, count] : more.bad_by_dataset) total.bad_by_dataset[name] += count;
  const auto add_examples = [](std::vector<std::string>& all, std::vector<std::string>& some) {
    for (std::string& example : some) {
      if (all.size() < kMaxExamples) all.push_back(std::move(example));
    }
  };
  add_examples(total.bad_examples, more.bad_examples);
  add_examples(total.long_examples, more.long_examples);
}

// The sequences of one index of a data set.
StatusOr<std::vector<Sequence>> BuildDraw(const Dataset& dataset, const SequenceBuilder& builder, int64_t index) {
  ASSIGN_OR_RETURN(const std::vector<Record> records, dataset.Get(index));
  std::vector<Sequence> out;
  for (const Record& record : records) {
    StatusOr<Sequence> sequence = builder.Build(record);
    if (!sequence.ok()) return Annotate(sequence.status(), record.source);
    out.push_back(*std::move(sequence));
  }
  return out;
}

// Epochs' orders are made once and shared by the threads.
class Orders {
 public:
  Orders(const Corpus& corpus, const SamplerOptions& options) : lengths_(corpus.lengths()), options_(options) {}

  int64_t epoch_length() const { return EpochLength(lengths_, options_); }

  std::shared_ptr<const std::vector<int64_t>> Get(int64_t epoch) {
    const std::scoped_lock lock(mutex_);
    std::shared_ptr<const std::vector<int64_t>>& order = orders_[epoch];
    if (order == nullptr) order = std::make_shared<const std::vector<int64_t>>(EpochOrder(lengths_, options_, epoch));
    const auto wanted = order;
    while (orders_.size() > 2) orders_.erase(orders_.begin());
    return wanted;
  }

 private:
  const std::vector<int64_t> lengths_;
  const SamplerOptions options_;
  std::mutex mutex_;
  std::map<int64_t, std::shared_ptr<const std::vector<int64_t>>> orders_;
};

Status CheckOptions(const Corpus& corpus, const LoaderOptions& options) {
  const SamplerOptions& sampler = options.sampler;
  if (options.max_length < 1) return InvalidArgument(StrCat("max_length is ", options.max_length));
  if (sampler.micro_batch < 1 || sampler.accumulation < 1 || sampler.world_size < 1 || sampler.rank < 0 ||
      sampler.rank >= sampler.world_size) {
    return InvalidArgument(StrCat("micro-batch ", sampler.micro_batch, ", accumulation ", sampler.accumulation,
                                  ", rank ", sampler.rank, " of ", sampler.world_size, " cannot be"));
  }
  if (options.num_threads < 1 || options.prefetch < 1 || options.start_step < 0) {
    return InvalidArgument(StrCat("loader threads ", options.num_threads, ", prefetch ", options.prefetch,
                                  ", start step ", options.start_step, " cannot be"));
  }
  if (EpochLength(corpus.lengths(), sampler) == 0) {
    return InvalidArgument(StrCat("no data set fills a global batch of ",
                                  sampler.world_size * sampler.micro_batch * sampler.accumulation, " draws"));
  }
  return OkStatus();
}

StatusOr<Packed> BuildFrom(const Corpus& corpus, const SequenceBuilder& builder, const LoaderOptions& options,
                           Orders& orders, int64_t number, LoaderStats& stats) {
  const Clock::time_point begin = Clock::now();
  const int64_t batch = options.sampler.micro_batch;
  const int64_t per_epoch = orders.epoch_length() / batch;
  const auto order = orders.Get(number / per_epoch);
  const int64_t first = number % per_epoch * batch;
  std::vector<Sequence> sequences;
  for (int64_t i = 0; i < batch; ++i) {
    const int64_t global = (*order)[static_cast<size_t>(first + i)];
    const Corpus::Place place = corpus.Locate(global);
    const CorpusPart& part = corpus.parts[place.part];
    world::Rng rng(world::MixSeed(options.sampler.seed, part.name(), static_cast<uint64_t>(number * batch + i)));
    int64_t index = part.IndexOf(place.index);
    for (int attempt = 0;; ++attempt) {
      StatusOr<std::vector<Sequence>> built = BuildDraw(part.dataset(), builder, index);
      if (built.ok()) {
        for (Sequence& sequence : *built) sequences.push_back(std::move(sequence));
        break;
      }
      AddBad(stats, part.name(), MessageOf(built.status()));
      if (options.on_bad == OnBadRecord::kFail) return built.status();
      if (options.on_bad == OnBadRecord::kSkip) break;
      if (attempt == kMaxResamples) {
        return DataLoss(StrCat("data set ", part.name(), ": ", attempt + 1,
                               " records in a row are bad, the last one: ", MessageOf(built.status())));
      }
      index = part.IndexOf(rng.Int(0, part.size() - 1));
    }
  }
  for (const Sequence& sequence : sequences) {
    if (sequence.num_rows() <= options.max_length) continue;
    ++stats.truncated;
    if (stats.long_examples.size() < kMaxExamples) {
      stats.long_examples.push_back(StrCat(sequence.source, ": ", sequence.num_rows(), " rows"));
    }
    if (Pack({sequence}, options.max_length).num_labels == 0) ++stats.without_labels;
  }
  Packed packed = Pack(sequences, options.max_length);
  ++stats.micro_batches;
  stats.sequences += static_cast<int64_t>(sequences.size());
  stats.rows += static_cast<int64_t>(packed.ids.size());
  stats.labels += packed.num_labels;
  stats.media += static_cast<int64_t>(packed.media.size());
  stats.built_s += SecondsSince(begin);
  return packed;
}

}  // namespace

StatusOr<OnBadRecord> OnBadRecordFromName(std::string_view name) {
  if (name == "fail") return OnBadRecord::kFail;
  if (name == "skip") return OnBadRecord::kSkip;
  if (name == "resample") return OnBadRecord::kResample;
  return InvalidArgument(StrCat("\"", Printable(name), "\" is none of fail, skip, resample"));
}

std::string LoaderStats::Summary() const {
  std::string out;
  if (bad_records > 0) {
    out += StrCat(bad_records, " bad records (");
    bool first = true;
    for (const auto& [name, count] : bad_by_dataset) {
      out += StrCat(first ? "" : ", ", name, " ", count);
      first = false;
    }
    out += "), among them:\n";
    for (const std::string& example : bad_examples) out += StrCat("  ", example, "\n");
  }
  if (truncated > 0) {
    out += StrCat(truncated, " of ", sequences, " sequences were longer than the limit and cut; in ", without_labels,
                  " of them nothing was left to learn; among them:\n");
    for (const std::string& example : long_examples) out += StrCat("  ", example, "\n");
  }
  return out;
}

// Workers take the next number as long as it is within `prefetch` of what was handed out; results wait by number.
class Loader::State {
 public:
  State(std::shared_ptr<const Corpus> corpus, std::shared_ptr<const SequenceBuilder> builder,
        const LoaderOptions& options)
      : corpus_(std::move(corpus)),
        builder_(std::move(builder)),
        options_(options),
        orders_(*corpus_, options.sampler),
        next_out_(options.start_step * options.sampler.accumulation),
        next_in_(next_out_) {}

  ~State() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    work_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  Status Start() {
    try {
      for (int i = 0; i < options_.num_threads; ++i) workers_.emplace_back([this] { Work(); });
    } catch (const std::system_error& error) {
      return ResourceExhausted(StrCat("cannot start a loader thread: ", error.what()));
    }
    return OkStatus();
  }

  StatusOr<Packed> Next() {
    const Clock::time_point begin = Clock::now();
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return results_.contains(next_out_); });
    auto found = results_.find(next_out_);
    AddTo(stats_, std::exchange(found->second.stats, {}));
    stats_.waited_s += SecondsSince(begin);
    if (!found->second.packed.ok()) return found->second.packed.status();  // stays: every later call ends here
    StatusOr<Packed> packed = std::move(found->second.packed);
    results_.erase(found);
    ++next_out_;
    lock.unlock();
    work_.notify_all();
    return packed;
  }

  int64_t steps_per_epoch() const {
    return orders_.epoch_length() / (options_.sampler.micro_batch * options_.sampler.accumulation);
  }
  const LoaderStats& stats() const { return stats_; }

 private:
  struct Result {
    StatusOr<Packed> packed;
    LoaderStats stats;
  };

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [&] { return stop_ || next_in_ < next_out_ + options_.prefetch; });
      if (stop_) return;
      const int64_t number = next_in_++;
      lock.unlock();
      LoaderStats stats;
      StatusOr<Packed> packed = BuildFrom(*corpus_, *builder_, options_, orders_, number, stats);
      lock.lock();
      results_.emplace(number, Result{std::move(packed), std::move(stats)});
      ready_.notify_all();
    }
  }

  const std::shared_ptr<const Corpus> corpus_;
  const std::shared_ptr<const SequenceBuilder> builder_;
  const LoaderOptions options_;
  Orders orders_;
  LoaderStats stats_;  // of what was handed out: touched by Next alone
  std::mutex mutex_;
  std::condition_variable work_, ready_;
  int64_t next_out_, next_in_;
  std::map<int64_t, Result> results_;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

StatusOr<std::unique_ptr<Loader>> Loader::Make(std::shared_ptr<const Corpus> corpus,
                                               std::shared_ptr<const SequenceBuilder> builder,
                                               const LoaderOptions& options) {
  RETURN_IF_ERROR(CheckOptions(*corpus, options));
  auto loader =
      std::unique_ptr<Loader>(new Loader(std::make_unique<State>(std::move(corpus), std::move(builder), options)));
  RETURN_IF_ERROR(loader->state_->Start());
  return loader;
}

Loader::Loader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Loader::~Loader() = default;
int64_t Loader::steps_per_epoch() const { return state_->steps_per_epoch(); }
StatusOr<Packed> Loader::Next() { return state_->Next(); }
const LoaderStats& Loader::stats() const { return state_->stats(); }

StatusOr<Packed> BuildMicroBatch(const Corpus& corpus, const SequenceBuilder& builder, const LoaderOptions& options,
                                 int64_t number, LoaderStats& stats) {
  RETURN_IF_ERROR(CheckOptions(corpus, options));
  Orders orders(corpus, options.sampler);
  return BuildFrom(corpus, builder, options, orders, number, stats);
}

}  // namespace galago::train
