#include "train/world/lists.h"

#include <utility>

namespace galago::world {

std::optional<Exchange> ListQuestion(const Wordings& wordings, std::string_view kind, std::vector<ListItem> items,
                                     size_t most, Rng& rng, std::string_view head) {
  if (items.size() < 2) return std::nullopt;
  rng.Shuffle(items);
  if (items.size() > most) items.resize(most);
  std::vector<std::string> names;
  std::vector<std::string> answers;
  for (ListItem& item : items) {
    names.push_back(std::move(item.name));
    answers.push_back(std::move(item.answer));
  }
  return Exchange{Say(wordings, rng, Split::kTrain, {{"names", Listed(names)}, {"head", head}}), Listed(answers),
                  std::string(kind), Metric::kExact};
}

std::string Listed(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

}  // namespace galago::world
