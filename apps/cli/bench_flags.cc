#include "apps/cli/bench_flags.h"

#include <array>
#include <utility>

#include "apps/cli/bench_report.h"
#include "apps/cli/values.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

using Setter = std::function<Status(Options&, const std::string&)>;

constexpr int64_t kMaxTokens = int64_t{1} << 20;

Setter SetSwitch(bool BenchOptions::*value) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(options.bench.*value, ParseBool(text));
    return OkStatus();
  };
}

Setter SetCount(int64_t BenchOptions::*count, int64_t min) {
  return [=](Options& options, const std::string& text) -> Status {
    ASSIGN_OR_RETURN(options.bench.*count, ParseInt(text, min, 100'000));
    return OkStatus();
  };
}

// "128,512": replaces what was there.
Setter SetNumbers(std::vector<int64_t> BenchOptions::*numbers, int64_t min, int64_t max) {
  return [=](Options& options, const std::string& text) -> Status {
    std::vector<int64_t> read;
    for (const std::string& item : Split(text, ',')) {
      ASSIGN_OR_RETURN(read.emplace_back(), ParseInt(item, min, max));
    }
    options.bench.*numbers = std::move(read);
    return OkStatus();
  };
}

Status SetPictures(Options& options, const std::string& text) {
  constexpr int64_t kMaxSide = 8192;
  std::vector<PictureSize> sizes;
  for (const std::string& item : Split(text, ',')) {
    const size_t times = item.find('x');
    if (times == std::string::npos) return InvalidArgument(StrCat("'", Printable(item), "' is not of the form WxH"));
    PictureSize size;
    ASSIGN_OR_RETURN(size.width, ParseInt(std::string_view(item).substr(0, times), 1, kMaxSide));
    ASSIGN_OR_RETURN(size.height, ParseInt(std::string_view(item).substr(times + 1), 1, kMaxSide));
    sizes.push_back(size);
  }
  options.bench.pictures = std::move(sizes);
  return OkStatus();
}

Status SetStages(Options& options, const std::string& text) {
  std::vector<BenchStageKind> stages;
  for (const std::string& item : Split(text, ',')) {
    std::string known;
    bool found = false;
    for (const BenchStageKind kind : kBenchStages) {
      known += StrCat(known.empty() ? "" : ", ", Name(kind));
      if (item != Name(kind)) continue;
      stages.push_back(kind);
      found = true;
    }
    if (!found) return InvalidArgument(StrCat("'", Printable(item), "' is none of ", known));
  }
  options.bench.stages = std::move(stages);
  return OkStatus();
}

Setter SetFormat(WeightFormat RandomModelOptions::*format, std::vector<WeightFormat> allowed) {
  return [=](Options& options, const std::string& text) -> Status {
    std::string known;
    for (const WeightFormat candidate : allowed) {
      if (text == Name(candidate)) {
        options.bench.random.*format = candidate;
        return OkStatus();
      }
      known += StrCat(known.empty() ? "" : ", ", Name(candidate));
    }
    return InvalidArgument(StrCat("'", Printable(text), "' is none of ", known));
  };
}

}  // namespace

std::vector<Flag> MakeBenchFlags() {
  CommandFlags add(Command::kBench);
  const std::vector<WeightFormat> all = {WeightFormat::kBf16, WeightFormat::kW4, WeightFormat::kW6, WeightFormat::kW8};
  add("What", "--limits", "", "what this machine can do at best, for each number of threads",
      SetSwitch(&BenchOptions::limits));
  add("What", "--shape", "NAME", "instead of --model: a published checkpoint's dimensions, random weights in memory",
      [](Options& options, const std::string& text) -> Status {
        if (text.empty()) return InvalidArgument("a name is needed; --list-shapes tells them");
        options.bench.shape = text;
        return OkStatus();
      });
  add("What", "--list-shapes", "", "the names that --shape takes", SetSwitch(&BenchOptions::list_shapes));
  add("What", "--weights", "FORMAT", "of a shape's decoder: bf16 (default), w4, w6 or w8",
      SetFormat(&RandomModelOptions::decoder, all));
  add("What", "--head", "FORMAT", "of a shape's vocabulary tables: bf16 (default), w4, w6 or w8",
      SetFormat(&RandomModelOptions::head, all));
  add("What", "--tower", "FORMAT", "of a shape's vision tower: bf16 (default) or w8",
      SetFormat(&RandomModelOptions::tower, {WeightFormat::kBf16, WeightFormat::kW8}));
  add("Measurement", "--stages", "LIST", "of load, tower, prefill, decode, picture, limits (default: all)", SetStages);
  add("Measurement", "--prefill", "LIST", "lengths of prompts in tokens (default 128,512,1024)",
      SetNumbers(&BenchOptions::prefill, 1, kMaxTokens));
  add("Measurement", "--depth", "LIST", "positions in the cache when decoding begins (default 0,1024)",
      SetNumbers(&BenchOptions::depths, 0, kMaxTokens));
  add("Measurement", "--tiles", "LIST", "pictures encoded at once by the tower alone (default 1)",
      SetNumbers(&BenchOptions::tiles, 1, MediaOptions::kMaxTiles));
  add("Measurement", "--pictures", "LIST", "sizes, picture to first token (default 448x448,1344x896)", SetPictures);
  add("Measurement", "--repeats", "N", "measured runs of each (default 5)", SetCount(&BenchOptions::repeats, 1));
  add("Measurement", "--warmup", "N", "runs before them (default 2)", SetCount(&BenchOptions::warmup, 0));
  add("Measurement", "--steps", "N", "decoded tokens of a run (default 32)", SetCount(&BenchOptions::steps, 1));
  add("Results", "--svg", "FILE", "a roofline picture: each stage against the limits; - is standard output",
      [](Options& options, const std::string& text) -> Status {
        if (text.empty()) return InvalidArgument("a file name is needed");
        options.bench.svg = text;
        return OkStatus();
      });
  return add.Take();
}

}  // namespace galago::cli
