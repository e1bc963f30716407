#include "train/data/mixture.h"

#include <algorithm>
#include <charconv>

#include "src/base/strings.h"

namespace galago::train {
namespace {

constexpr size_t kMaxItems = 100'000;
constexpr int64_t kMaxRepeat = 1'000'000;
constexpr int kMaxDepth = 32;

bool IsName(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == ':';
  });
}

Status Expand(std::string_view text, const Mixtures& mixtures, int depth, std::vector<std::string>& out) {
  if (depth > kMaxDepth) {
    return InvalidArgument(
        StrCat("mixture \"", Printable(text), "\" holds itself, or mixtures nest deeper than ", kMaxDepth));
  }
  for (const std::string& piece : Split(text, '+')) {
    const std::string item(Trim(piece));
    if (const auto known = mixtures.find(item); known != mixtures.end()) {
      for (const std::string& inner : known->second) RETURN_IF_ERROR(Expand(inner, mixtures, depth + 1, out));
    } else {
      out.push_back(item);
    }
    if (out.size() > kMaxItems) return OutOfRange(StrCat("the mixture has more than ", kMaxItems, " items"));
  }
  return OkStatus();
}

}  // namespace

StatusOr<MixtureItem> ParseMixtureItem(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return InvalidArgument(StrCat("mixture item \"", Printable(text), "\": ", why));
  };
  MixtureItem item;
  std::string_view rest = text;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    item.subset = std::string(rest.substr(at + 1));
    if (!IsName(item.subset)) return bad("expected the name of a subset after @");
    rest = rest.substr(0, at);
  }
  if (const size_t star = rest.find('*'); star != std::string_view::npos) {
    const std::string_view number = rest.substr(star + 1);
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), item.repeat);
    if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size() || item.repeat < 1 ||
        item.repeat > kMaxRepeat) {
      return bad(StrCat("expected a whole number from 1 to ", kMaxRepeat, " after *"));
    }
    rest = rest.substr(0, star);
  }
  if (!IsName(rest)) return bad("expected NAME, NAME*K, NAME@SUBSET or NAME*K@SUBSET");
  item.name = std::string(rest);
  return item;
}

StatusOr<std::vector<MixtureItem>> ResolveMixture(std::string_view text, const Mixtures& mixtures) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(Expand(text, mixtures, 0, names));
  std::sort(names.begin(), names.end());
  std::vector<MixtureItem> items;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(items.emplace_back(), ParseMixtureItem(name));
  }
  return items;
}

}  // namespace galago::train
