#include "train/world/lists.h"

#include <utility>

#include "src/base/strings.h"

namespace galago::world {

std::vector<Exchange> QuestionsOf(std::span<const List> lists, Metric metric, Rng& rng) {
  std::vector<Exchange> exchanges;
  for (const List& list : lists) {
    std::vector<ListItem> items = list.items;
    rng.Shuffle(items);
    constexpr size_t kMost = 6;
    if (items.size() > kMost) items.resize(kMost);
    std::vector<std::string> names;
    std::vector<std::string> answers;
    for (ListItem& item : items) {
      names.push_back(std::move(item.name));
      answers.push_back(std::move(item.answer));
    }
    exchanges.push_back({Say(*list.wordings, rng, Split::kTrain, {{"names", Listed(names)}, {"head", list.title}}),
                         Listed(answers), std::string(list.kind), metric});
  }
  return exchanges;
}

std::string FactsOf(std::vector<List> lists, Rng& rng) {
  std::string text;
  rng.Shuffle(lists);
  for (List& list : lists) {
    rng.Shuffle(list.items);
    std::vector<std::string> facts;
    for (const ListItem& item : list.items) facts.push_back(StrCat(item.name, " ", item.answer));
    text += StrCat(text.empty() ? "" : " ", list.title, ": ", Listed(facts), ".");
  }
  return text;
}

Exchange FindsExchange(const List& list) {
  Exchange exchange{"", StrCat(list.title, ":"), "finds"};
  for (const ListItem& item : list.items) {
    exchange.answer += StrCat(exchange.told.empty() ? " " : ", ", item.name);
    const size_t begin = exchange.answer.size();
    exchange.answer += StrCat(" ", item.answer);
    exchange.told.push_back({begin, exchange.answer.size()});
  }
  exchange.answer += '.';
  return exchange;
}

}  // namespace galago::world
