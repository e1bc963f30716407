#include "train/data/registry.h"

#include <set>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "train/data/config_file.h"
#include "train/data/open_dataset.h"

namespace galago::train {
namespace {

constexpr int64_t kMaxIndex = int64_t{1} << 40;

StatusOr<std::vector<int64_t>> ReadRemoved(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const Json list, ReadJsonFile(path, {.max_bytes = size_t{1} << 30}));
  if (!list.is_array()) return DataLoss(StrCat(path.string(), ": not a list of indices"));
  std::vector<int64_t> out;
  for (const Json& item : list) {
    if (!item.is_number_integer() || item.get<int64_t>() < 0 || item.get<int64_t>() > kMaxIndex) {
      return DataLoss(StrCat(path.string(), ": entry ", out.size(), " is not an index"));
    }
    out.push_back(item.get<int64_t>());
  }
  return out;
}

}  // namespace

StatusOr<Registry> Registry::Read(std::span<const std::filesystem::path> files) {
  Registry registry;
  for (const std::filesystem::path& file : files) {
    ASSIGN_OR_RETURN(const Json config, ReadConfigFile(file));
    RETURN_IF_ERROR(registry.Add(config, file.string(), file.parent_path()));
  }
  return registry;
}

StatusOr<Registry> Registry::Parse(std::string_view text, std::string_view what, const std::filesystem::path& folder) {
  ASSIGN_OR_RETURN(const Json config, ParseConfig(text, what));
  Registry registry;
  RETURN_IF_ERROR(registry.Add(config, what, folder));
  return registry;
}

Status Registry::Add(const Json& config, std::string_view what, const std::filesystem::path& folder) {
  static constexpr std::string_view kSections[] = {"datasets", "mixtures"};
  RETURN_IF_ERROR(CheckKeys(config, kSections, what));
  const auto taken = [&](const std::string& name) {
    return InvalidArgument(StrCat(what, ": \"", Printable(name), "\" is defined already"));
  };
  if (const Json* datasets = JsonFind(config, "datasets")) {
    if (!datasets->is_object()) return InvalidArgument(StrCat(what, ": datasets is not a table"));
    for (const auto& [name, settings] : datasets->items()) {
      const auto item = ParseMixtureItem(name);
      if (!item.ok() || item->name != name) {
        return InvalidArgument(StrCat(what, ": \"", Printable(name), "\" is no name for a data set"));
      }
      if (datasets_.contains(name) || mixtures_.contains(name)) return taken(name);
      datasets_[name] = {settings, StrCat(what, ": datasets.", name), folder};
    }
  }
  if (const Json* mixtures = JsonFind(config, "mixtures")) {
    if (!mixtures->is_object()) return InvalidArgument(StrCat(what, ": mixtures is not a table"));
    for (const auto& [name, items] : mixtures->items()) {
      if (datasets_.contains(name) || mixtures_.contains(name)) return taken(name);
      std::vector<std::string>& out = mixtures_[name];
      const std::string where = StrCat(what, ": mixtures.", Printable(name));
      if (!items.is_array()) return InvalidArgument(StrCat(where, " is not a list"));
      for (const Json& item : items) {
        if (!item.is_string()) return InvalidArgument(StrCat(where, " holds something that is not text"));
        out.push_back(item.get<std::string>());
      }
    }
  }
  return OkStatus();
}

StatusOr<std::shared_ptr<const Dataset>> Registry::OpenDataset(std::string_view name) const {
  const auto entry = datasets_.find(name);
  if (entry == datasets_.end()) return NotFound(StrCat("no data set or mixture is called \"", Printable(name), "\""));
  auto dataset = train::OpenDataset(entry->second.settings, entry->second.where, entry->second.folder);
  if (!dataset.ok()) return dataset.status();
  return std::shared_ptr<const Dataset>(*std::move(dataset));
}

StatusOr<std::shared_ptr<const Corpus>> Registry::Open(std::string_view mixture, const OpenOptions& options) const {
  ASSIGN_OR_RETURN(const std::vector<MixtureItem> items, ResolveMixture(mixture, mixtures_));
  std::map<std::string, std::shared_ptr<const Dataset>> opened;
  auto corpus = std::make_shared<Corpus>();
  for (const MixtureItem& item : items) {
    if (mixtures_.contains(item.name)) {
      return InvalidArgument(StrCat("\"", item.name, "\" is a mixture: *K and @SUBSET belong to its items"));
    }
    std::shared_ptr<const Dataset>& dataset = opened[item.name];
    if (dataset == nullptr) {
      ASSIGN_OR_RETURN(dataset, OpenDataset(item.name));
    }
    std::vector<int64_t> removed;
    if (!item.subset.empty()) {
      if (options.slices.empty()) {
        return InvalidArgument(StrCat("\"", item.name, "@", item.subset, "\" needs a folder of subsets, none is set"));
      }
      ASSIGN_OR_RETURN(removed, ReadRemoved(options.slices / item.subset / StrCat(item.name, ".json")));
    }
    ASSIGN_OR_RETURN(CorpusPart part, CorpusPart::Make(item.name, dataset, std::move(removed), options.global_batch,
                                                       item.repeat, options.seed));
    corpus->parts.push_back(std::move(part));
  }
  return std::shared_ptr<const Corpus>(std::move(corpus));
}

std::vector<std::string> Registry::dataset_names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : datasets_) names.push_back(name);
  return names;
}

}  // namespace galago::train
