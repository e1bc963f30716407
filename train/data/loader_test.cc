#include "train/data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/strings.h"
#include "train/data/test_records.h"

namespace galago::train {
namespace {

using testing::Chat;
using ::testing::HasSubstr;
using testing::TinyBuilder;

// Records "name:i"; those in `bad` cannot be read.
class NumberedDataset : public Dataset {
 public:
  NumberedDataset(std::string name, int64_t size, std::vector<int64_t> bad = {})
      : name_(std::move(name)), size_(size), bad_(std::move(bad)) {}
  int64_t size() const override { return size_; }
  StatusOr<std::vector<Record>> Get(int64_t i) const override {
    if (std::find(bad_.begin(), bad_.end(), i) != bad_.end()) return DataLoss(StrCat(Source(i), ": is damaged"));
    Record record = Chat({StrCat("What is number ", i, "?"), std::string(static_cast<size_t>(1 + i % 7), 'x')});
    record.source = Source(i);
    return std::vector<Record>{record};
  }
  std::string Source(int64_t i) const override { return StrCat(name_, ":", i); }

 private:
  const std::string name_;
  const int64_t size_;
  const std::vector<int64_t> bad_;
};

std::shared_ptr<const Corpus> MakeCorpus(std::vector<int64_t> bad = {}) {
  auto corpus = std::make_shared<Corpus>();
  for (auto& [name, size] : {std::pair<std::string, int64_t>{"a", 20}, {"b", 9}}) {
    auto dataset = std::make_shared<NumberedDataset>(name, size, name == "a" ? bad : std::vector<int64_t>());
    auto part = CorpusPart::Make(name, dataset, {}, /*multiple=*/4, /*repeat=*/1, /*seed=*/1);
    EXPECT_TRUE(part.ok()) << part.status();
    corpus->parts.push_back(*std::move(part));
  }
  return corpus;
}

LoaderOptions Options() { return {.sampler = {.micro_batch = 2, .accumulation = 2, .seed = 3}, .max_length = 100}; }

std::vector<std::string> Sources(Loader& loader, int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) {
    const auto packed = loader.Next();
    EXPECT_TRUE(packed.ok()) << packed.status();
    if (!packed.ok()) break;
    out.insert(out.end(), packed->sources.begin(), packed->sources.end());
  }
  return out;
}

TEST(Loader, OrderDependsOnNeitherThreadsNorPrefetch) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  const auto corpus = MakeCorpus();
  std::vector<std::string> want;
  LoaderStats stats;
  for (int64_t number = 0; number < 24; ++number) {  // 32 draws are an epoch: the second one begins
    const auto packed = BuildMicroBatch(*corpus, *builder, Options(), number, stats);
    ASSERT_TRUE(packed.ok());
    want.insert(want.end(), packed->sources.begin(), packed->sources.end());
  }
  for (const int threads : {1, 2, 5}) {
    for (const int64_t prefetch : {1, 3, 16}) {
      LoaderOptions options = Options();
      options.num_threads = threads;
      options.prefetch = prefetch;
      auto loader = Loader::Make(corpus, builder, options);
      ASSERT_TRUE(loader.ok()) << loader.status();
      EXPECT_EQ((*loader)->steps_per_epoch(), 8);
      EXPECT_EQ(Sources(**loader, 24), want);
      EXPECT_EQ((*loader)->stats().sequences, 48);
      EXPECT_EQ((*loader)->stats().labels, stats.labels);
    }
  }
}

TEST(Loader, StartsAtAnyStep) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  const auto corpus = MakeCorpus();
  auto whole = Loader::Make(corpus, builder, Options());
  ASSERT_TRUE(whole.ok());
  const std::vector<std::string> all = Sources(**whole, 24);
  for (const int64_t step : {1, 5, 9}) {
    LoaderOptions options = Options();
    options.start_step = step;
    auto resumed = Loader::Make(corpus, builder, options);
    ASSERT_TRUE(resumed.ok());
    EXPECT_EQ(Sources(**resumed, 24 - static_cast<int>(2 * step)),
              std::vector<std::string>(all.begin() + 4 * step, all.end()));
  }
}

TEST(Loader, BadRecordsAreCountedAndNamed) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  const auto corpus = MakeCorpus({4, 7, 11});
  LoaderOptions options = Options();
  auto failing = Loader::Make(corpus, builder, options);
  ASSERT_TRUE(failing.ok());
  Status failure;
  for (int i = 0; i < 16 && failure.ok(); ++i) failure = (*failing)->Next().status();
  EXPECT_THAT(MessageOf(failure), HasSubstr("is damaged"));
  EXPECT_EQ((*failing)->Next().status(), failure);
  EXPECT_EQ((*failing)->stats().bad_records, 1);

  for (const OnBadRecord on_bad : {OnBadRecord::kSkip, OnBadRecord::kResample}) {
    options.on_bad = on_bad;
    options.num_threads = 3;
    std::vector<std::string> first;
    for (int round = 0; round < 2; ++round) {
      auto loader = Loader::Make(corpus, builder, options);
      ASSERT_TRUE(loader.ok());
      const std::vector<std::string> sources = Sources(**loader, 16);
      const LoaderStats& stats = (*loader)->stats();
      EXPECT_EQ(sources.size(), on_bad == OnBadRecord::kSkip ? 29u : 32u);
      EXPECT_GE(stats.bad_records, 3);
      EXPECT_EQ(stats.bad_by_dataset.at("a"), stats.bad_records);
      EXPECT_THAT(stats.bad_examples, ::testing::Contains("a:7: is damaged"));
      EXPECT_THAT(stats.Summary(), HasSubstr("a:11: is damaged"));
      if (round == 0) first = sources;
      EXPECT_EQ(sources, first);
    }
  }
}

TEST(Loader, ASetOfBadRecordsOnlyEndsInAnError) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  auto corpus = std::make_shared<Corpus>();
  auto dataset = std::make_shared<NumberedDataset>("a", 4, std::vector<int64_t>{0, 1, 2, 3});
  corpus->parts.push_back(*CorpusPart::Make("a", dataset, {}, 4, 1, 1));
  LoaderOptions options = Options();
  options.on_bad = OnBadRecord::kResample;
  auto loader = Loader::Make(corpus, builder, options);
  ASSERT_TRUE(loader.ok());
  EXPECT_THAT(MessageOf((*loader)->Next().status()), HasSubstr("in a row"));
}

TEST(Loader, LongSequencesAreCutAndCounted) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  LoaderOptions options = Options();
  options.max_length = 10;  // inside the question
  LoaderStats stats;
  const auto packed = BuildMicroBatch(*MakeCorpus(), *builder, options, 0, stats);
  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(packed->max_seqlen, 10);
  EXPECT_EQ(packed->num_labels, 0);
  EXPECT_EQ(stats.truncated, 2);
  EXPECT_EQ(stats.without_labels, 2);
  EXPECT_THAT(stats.Summary(), HasSubstr("2 of 2 sequences"));
  ASSERT_EQ(stats.long_examples.size(), 2u);
  EXPECT_THAT(stats.Summary(), HasSubstr(stats.long_examples[1]));
  EXPECT_THAT(stats.long_examples[1], ::testing::MatchesRegex(".+: [0-9]+ rows"));
}

TEST(Loader, NonsenseIsRefused) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  LoaderOptions options = Options();
  options.max_length = 0;
  EXPECT_FALSE(Loader::Make(MakeCorpus(), builder, options).ok());
  options = Options();
  options.sampler.micro_batch = 64;
  EXPECT_THAT(MessageOf(Loader::Make(MakeCorpus(), builder, options).status()), HasSubstr("global batch"));
  options = Options();
  options.sampler.rank = 1;
  EXPECT_FALSE(Loader::Make(MakeCorpus(), builder, options).ok());
}

TEST(CorpusPart, RemovesPadsAndRepeats) {
  const auto dataset = std::make_shared<NumberedDataset>("n", 5);
  const auto part = CorpusPart::Make("n", dataset, {1, 3}, /*multiple=*/8, /*repeat=*/2, /*seed=*/1);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->num_distinct(), 3);
  EXPECT_EQ(part->size(), 16);  // 3 twice, two duplicates, and all of it again
  for (int64_t i = 0; i < 16; ++i) {
    const int64_t index = part->IndexOf(i);
    EXPECT_THAT(index, ::testing::AnyOf(0, 2, 4));
    EXPECT_EQ(index, part->IndexOf((i + 8) % 16));
    if (i < 6) {
      EXPECT_EQ(index, 2 * (i % 3));
    }
  }
  EXPECT_EQ(CorpusPart::Make("n", dataset, {5}, 1, 1, 1).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(CorpusPart::Make("n", dataset, {0, 1, 2, 3, 4}, 1, 1, 1).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace galago::train
