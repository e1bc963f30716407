#include "src/text/vocab.h"

#include "src/base/strings.h"

namespace galago::text {

Status Vocab::Add(std::string_view spelling, int64_t id) {
  if (id < 0 || id > kMaxTokenId) {
    return DataLoss(StrCat("token \"", Printable(spelling), "\" has the id ", id, ", ids go from 0 to ", kMaxTokenId));
  }
  if (spelling.size() > kMaxTokenBytes) {
    return DataLoss(StrCat("token ", id, " is ", spelling.size(), " bytes long, the limit is ", kMaxTokenBytes));
  }
  if (id >= num_rows()) entries_.resize(static_cast<size_t>(id) + 1);
  Entry& entry = entries_[static_cast<size_t>(id)];
  if (entry.used) {
    return DataLoss(
        StrCat("tokens \"", Printable(entry.spelling), "\" and \"", Printable(spelling), "\" have the same id ", id));
  }
  if (const auto other = Find(spelling)) {
    return DataLoss(StrCat("token \"", Printable(spelling), "\" has two ids, ", *other, " and ", id));
  }
  entry.spelling = spelling;
  entry.used = true;
  ids_.emplace(entry.spelling, static_cast<int32_t>(id));
  return OkStatus();
}

bool Vocab::Rename(int32_t id, std::string_view spelling) {
  if (!Has(id) || Find(spelling) || spelling.size() > kMaxTokenBytes) return false;
  Entry& entry = entries_[static_cast<size_t>(id)];
  ids_.erase(entry.spelling);
  entry.spelling = spelling;
  ids_.emplace(entry.spelling, id);
  return true;
}

std::optional<int32_t> Vocab::Find(std::string_view spelling) const {
  const auto it = ids_.find(spelling);
  return it == ids_.end() ? std::nullopt : std::optional<int32_t>(it->second);
}

std::string_view Vocab::Spelling(int32_t id) const {
  return Has(id) ? std::string_view(entries_[static_cast<size_t>(id)].spelling) : std::string_view();
}

bool Vocab::Has(int32_t id) const { return id >= 0 && id < num_rows() && entries_[static_cast<size_t>(id)].used; }

}  // namespace galago::text
