#ifndef GALAGO_TRAIN_DATA_MIXTURE_H_
#define GALAGO_TRAIN_DATA_MIXTURE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

// What a run trains on, as one string (NVlabs/VILA: llava/data/builder.py):
//   mixture := item ( "+" item )*      item := name [ "*" K ] [ "@" subset ]
// A name without K and subset may be that of a mixture, which stands for its items.
namespace galago::train {

struct MixtureItem {
  std::string name;
  int64_t repeat = 1;
  std::string subset;  // empty: the whole set
  bool operator==(const MixtureItem&) const = default;
};

// Mixture name -> its items as text.
using Mixtures = std::map<std::string, std::vector<std::string>, std::less<>>;

StatusOr<MixtureItem> ParseMixtureItem(std::string_view text);

// All items with mixtures replaced by what they hold, in alphabetical order of their text; duplicates stay. Names are
// not looked up.
StatusOr<std::vector<MixtureItem>> ResolveMixture(std::string_view text, const Mixtures& mixtures);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_MIXTURE_H_
