#include "train/data/world_text.h"

#include <algorithm>

#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "train/data/marks.h"

namespace galago::train {
namespace {

constexpr int64_t kChunk = 64;  // samples that one thread draws at a time

struct Chunk {
  WordCounts questions, answers;
  Status status;
};

void Merge(const WordCounts& from, WordCounts& into) {
  for (const auto& [word, count] : from) into[word] += count;
}

}  // namespace

StatusOr<std::vector<TextGroup>> CountWorldText(const WorldTextOptions& options) {
  ASSIGN_OR_RETURN(const WordCounter counter, WordCounter::Make());
  ThreadPool pool(options.num_threads);
  std::vector<TextGroup> groups;
  for (const std::string& name : options.tasks.empty() ? world::TaskNames() : options.tasks) {
    ASSIGN_OR_RETURN(const std::unique_ptr<const world::Task> task, world::MakeTask(name, options.assets));
    std::vector<Chunk> chunks(static_cast<size_t>((options.samples + kChunk - 1) / kChunk));
    pool.ParallelFor(static_cast<int64_t>(chunks.size()), [&](int64_t c) {
      Chunk& chunk = chunks[static_cast<size_t>(c)];
      for (int64_t i = c * kChunk; i < std::min(options.samples, (c + 1) * kChunk); ++i) {
        const world::Sample sample =
            world::DrawSample(*task, world::Split::kTrain, options.seed, static_cast<uint64_t>(i));
        for (const world::Exchange& exchange : sample.exchanges) {
          for (const auto& [text, counts] :
               {std::pair(&exchange.question, &chunk.questions), std::pair(&exchange.answer, &chunk.answers)}) {
            if (const Status status = counter.Add(WithoutMarks(*text), *counts); !status.ok()) chunk.status = status;
          }
        }
      }
    });
    const bool is_read =
        std::find(options.read_tasks.begin(), options.read_tasks.end(), name) != options.read_tasks.end();
    TextGroup questions{
        .name = StrCat(name, " questions"), .counts = {}, .quotes = is_read ? Quotes::kSome : Quotes::kNone};
    TextGroup answers{.name = StrCat(name, " answers"), .counts = {}, .quotes = is_read ? Quotes::kAll : Quotes::kNone};
    for (const Chunk& chunk : chunks) {
      RETURN_IF_ERROR(chunk.status);
      Merge(chunk.questions, questions.counts);
      Merge(chunk.answers, answers.counts);
    }
    groups.push_back(std::move(questions));
    groups.push_back(std::move(answers));
  }
  return groups;
}

}  // namespace galago::train
