#include "train/data/open_dataset.h"

#include <limits>

#include "src/base/strings.h"
#include "train/data/settings.h"
#include "train/data/world_dataset.h"
#include "train/world/task.h"

namespace galago::train {
namespace {

using Opened = StatusOr<std::unique_ptr<const Dataset>>;

constexpr int64_t kMaxCount = int64_t{1} << 30;

// Drawn on the fly: task, count; seed, first, split, shuffle.
Opened OpenWorld(Settings& settings) {
  const std::string name = settings.RequiredText("task");
  WorldOptions options;
  options.count = settings.Whole("count", 0, 1, kMaxCount);
  options.first = settings.Whole("first", 0, 0, std::numeric_limits<int64_t>::max() / 2);
  options.seed = static_cast<uint64_t>(settings.Whole("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  options.shuffle = settings.Flag("shuffle", true);
  const std::string split = settings.Text("split", "train");
  if (split == world::Name(world::Split::kHeldout)) {
    options.split = world::Split::kHeldout;
  } else if (split != world::Name(world::Split::kTrain)) {
    settings.Refuse("split", "is neither train nor heldout");
  }
  const world::Assets assets{.stamps = settings.Path("stamps")};
  if (options.count == 0) settings.Refuse("count", "is missing");
  RETURN_IF_ERROR(settings.Finish());
  ASSIGN_OR_RETURN(std::unique_ptr<const world::Task> task, world::MakeTask(name, assets));
  return MakeWorldDataset(std::move(task), options);
}

constexpr struct {
  std::string_view kind;
  Opened (*open)(Settings& settings);
} kKinds[] = {
    {"world", OpenWorld},
};

}  // namespace

Opened OpenDataset(const Json& json, std::string_view where, const std::filesystem::path& folder) {
  Settings settings(json, where, folder);
  ASSIGN_OR_RETURN(const auto kind, JsonString(json, "kind", where));
  std::string all;
  for (const auto& [name, open] : kKinds) {
    if (kind == name) {
      Opened opened = open(settings);
      return opened.ok() ? std::move(opened) : Annotate(opened.status(), where);
    }
    all += StrCat(all.empty() ? "" : ", ", name);
  }
  return InvalidArgument(StrCat(where, ": \"kind\" is \"", Printable(kind.value_or("")), "\", known are ", all));
}

}  // namespace galago::train
