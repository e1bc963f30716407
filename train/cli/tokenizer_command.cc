#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "train/cli/commands.h"
#include "train/cli/flags.h"
#include "train/data/bpe_trainer.h"
#include "train/data/tokenizer_files.h"
#include "train/data/world_text.h"

namespace galago::train {
namespace {

constexpr size_t kMaxTextBytes = size_t{1} << 30;
constexpr int64_t kNumBytes = 256;
constexpr double kCountScale = 1000.0;  // weights of groups become whole numbers

struct TokenizerFlags {
  std::vector<std::string> files;
  std::vector<std::string> tasks;
  std::vector<std::string> read_tasks;
  std::string style = "words";
  std::string stamps;
  int64_t samples = 2000;
  int64_t seed = 1;
  int64_t jobs = 0;
  int64_t vocab_size = 2048;
  int64_t time_tokens = 100;
  double min_share = WordChoice().min_share;
  double read_weight = 0.1;
  bool show = false;
};

Usage TokenizerUsage(TokenizerFlags& flags) {
  return {
      "galago-train tokenizer OUT [options]",
      "Trains a byte-level tokenizer with Qwen2's rules and ChatML's tokens from the text of World's training split, "
      "or\n"
      "from files, and writes it to the folder OUT. --style words makes frequent words tokens and spells all others\n"
      "letter by letter, which small models read pictures best with; --style merges is byte-pair encoding.",
      {Texts("--text", "FILE", flags.files, "train on this text instead of World; repeatable"),
       Texts("--task", "NAME", flags.tasks, "a task of World to train on; repeatable (default: all)"),
       Texts("--read", "NAME", flags.read_tasks,
             "a task whose answers are copied from pictures; repeatable (default: reading, documents, charts)"),
       Text("--style", "words|merges", flags.style, "how text becomes tokens (default: words)"),
       Whole("--vocab-size", "N", flags.vocab_size, 1, 1 << 20, "most tokens in all (default: 2048)"),
       Number("--min-share", "X", flags.min_share, 0.0, 1.0,
              "words: share of a task's words that makes one a token (default: 0.0002)"),
       Number("--read-weight", "X", flags.read_weight, 0.0, 1.0,
              "merges: weight of text copied from pictures (default: 0.1)"),
       Whole("--samples", "N", flags.samples, 1, 1 << 24, "samples of each task (default: 2000)"),
       Whole("--seed", "N", flags.seed, 0, std::numeric_limits<int64_t>::max(), "of the samples (default: 1)"),
       Whole("--jobs", "N", flags.jobs, 0, 1024, "threads; 0: one per core (default); no effect on the result"),
       Whole("--time-tokens", "N", flags.time_tokens, 0, 10'000, "tokens for times in videos (default: 100)"),
       Text("--stamps", "DIR", flags.stamps, "World's stamps (default: where Debian has them)"),
       Switch("--show", flags.show, "print the tokens that are words")}};
}

StatusOr<std::vector<TextGroup>> Collect(const TokenizerFlags& flags) {
  if (flags.files.empty()) {
    WorldTextOptions options;
    options.tasks = flags.tasks;
    options.samples = flags.samples;
    options.seed = static_cast<uint64_t>(flags.seed);
    options.num_threads = static_cast<int>(flags.jobs);
    if (!flags.read_tasks.empty()) options.read_tasks = flags.read_tasks;
    options.assets.stamps = flags.stamps;
    return CountWorldText(options);
  }
  ASSIGN_OR_RETURN(const WordCounter counter, WordCounter::Make());
  std::vector<TextGroup> groups;
  for (const std::string& file : flags.files) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxTextBytes));
    TextGroup& group = groups.emplace_back(TextGroup{.name = file, .counts = {}});
    for (const std::string& line : Split(text, '\n')) RETURN_IF_ERROR(Annotate(counter.Add(line, group.counts), file));
  }
  return groups;
}

WordCounts Weighted(const std::vector<TextGroup>& groups, double read_weight) {
  WordCounts all;
  for (const TextGroup& group : groups) {
    const double weight = (group.quotes == Quotes::kAll ? read_weight : 1.0) * kCountScale;
    for (const auto& [word, count] : group.counts) {
      all[word] += static_cast<int64_t>(std::llround(static_cast<double>(count) * weight));
    }
  }
  return all;
}

StatusOr<BpeVocab> Train(const TokenizerFlags& flags, const std::vector<TextGroup>& groups, int64_t budget) {
  if (flags.style == "merges") return TrainBpe(Weighted(groups, flags.read_weight), budget, 2 * kCountScale);
  if (flags.style != "words") return InvalidArgument(StrCat("--style ", Printable(flags.style), ": words or merges"));
  // What the chat template writes comes first.
  std::vector<std::string> words = {"user", "assistant", "system"};
  for (std::string& word :
       ChooseWords(groups, {.min_share = flags.min_share, .max_words = std::max<int64_t>(0, budget - kNumBytes)})) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
  }
  words.resize(std::min(words.size(), static_cast<size_t>(std::max<int64_t>(0, budget - kNumBytes))));
  return VocabOfWords(words);
}

Status TrainAndWrite(const TokenizerFlags& flags, const std::string& out) {
  const TokenizerFileOptions files{.num_time_tokens = flags.time_tokens};
  const int64_t budget = flags.vocab_size - NumAddedTokens(files);
  if (budget < kNumBytes) {
    return InvalidArgument(StrCat("--vocab-size ", flags.vocab_size, " has no room for the ",
                                  kNumBytes + NumAddedTokens(files), " tokens that are always there"));
  }
  ASSIGN_OR_RETURN(const std::vector<TextGroup> groups, Collect(flags));
  ASSIGN_OR_RETURN(const BpeVocab vocab, Train(flags, groups, budget));
  RETURN_IF_ERROR(WriteTokenizer(vocab, files, out));
  if (flags.show) {
    for (size_t id = kNumBytes; id < vocab.tokens.size(); ++id) std::printf("%zu %s\n", id, vocab.tokens[id].c_str());
  }
  std::printf("%s: %zu tokens: %lld bytes, %zu words or pieces, %lld added\n", out.c_str(),
              vocab.tokens.size() + static_cast<size_t>(NumAddedTokens(files)), static_cast<long long>(kNumBytes),
              vocab.tokens.size() - kNumBytes, static_cast<long long>(NumAddedTokens(files)));
  return OkStatus();
}

}  // namespace

int TokenizerCommand(std::span<const std::string> args) {
  TokenizerFlags flags;
  const Usage usage = TokenizerUsage(flags);
  const Arguments arguments = ParseOrExplain(usage, args);
  if (arguments.exit) return *arguments.exit;
  if (arguments.rest.size() != 1) return Fail(InvalidArgument("expected one folder to write to"), Exit::kUsage);
  if (const Status status = TrainAndWrite(flags, arguments.rest.front()); !status.ok()) return Fail(status);
  return static_cast<int>(Exit::kSuccess);
}

}  // namespace galago::train
