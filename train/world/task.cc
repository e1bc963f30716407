#include "train/world/task.h"

#include <array>
#include <utility>

#include "src/base/strings.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"

namespace galago::world {
namespace {

struct Entry {
  std::string_view name;
  TaskOr (*make)(const Assets& assets);
};

// In the order of docs/world.md.
constexpr std::array kEntries = {
    Entry{"scenes", MakeScenes},
    Entry{"things", MakeThings},
    Entry{"reading", MakeReading},
    Entry{"documents", MakeDocuments},
    Entry{"charts", MakeCharts},
    Entry{"several", MakeSeveral},
    Entry{"incontext", MakeInContext},
    Entry{"video", MakeVideo},
    Entry{"temporal", MakeTemporal},
    Entry{"text", MakeText},
    Entry{"captions", MakeCaptions},
    Entry{"interleaved", MakeInterleaved},
    Entry{"transcripts", MakeTranscripts},
    Entry{"facts", MakeFacts},
    Entry{"finds", MakeFinds},
    Entry{"cells", MakeCells},
    Entry{"dials", MakeDials},
};

}  // namespace

std::string_view Name(Split split) { return split == Split::kTrain ? "train" : "heldout"; }

std::string_view Name(Metric metric) {
  switch (metric) {
    case Metric::kExact:
      return "exact";
    case Metric::kRelaxed:
      return "relaxed";
    case Metric::kAnls:
      return "anls";
    case Metric::kTime:
      return "time";
  }
  CHECK(false);
  return {};
}

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.name);
  return names;
}

StatusOr<std::unique_ptr<const Task>> MakeTask(std::string_view name, const Assets& assets) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.make(assets);
  }
  return NotFound(StrCat("World has no task named \"", name, "\""));
}

Sample DrawSample(const Task& task, Split split, uint64_t seed, uint64_t index) {
  // The two splits share no stream of numbers even where a task draws alike for both.
  Rng rng(MixSeed(MixSeed(seed, Name(split), 0), task.name(), index));
  Sample sample = task.Draw(rng, split);
  CHECK(!sample.exchanges.empty());
  if (split == Split::kTrain) {
    for (Exchange& exchange : sample.exchanges) exchange.question = Framed(std::move(exchange.question), rng);
  }
  sample.task = task.name();
  return sample;
}

}  // namespace galago::world
