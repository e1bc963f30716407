#include "train/world/documents.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/document_words.h"
#include "train/world/fonts.h"
#include "train/world/lexicon.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"
#include "train/world/surface.h"

namespace galago::world {
namespace {

constexpr std::array<Topic, 7> kGoods = {Topic::kFruit, Topic::kVegetable, Topic::kFood,    Topic::kDrink,
                                         Topic::kTool,  Topic::kToy,       Topic::kClothing};
constexpr std::array<Topic, 11> kListed = {Topic::kFruit, Topic::kVegetable, Topic::kFood,      Topic::kDrink,
                                           Topic::kTool,  Topic::kToy,       Topic::kClothing,  Topic::kAnimal,
                                           Topic::kSport, Topic::kFlower,    Topic::kInstrument};

// One more row than training ever has, sometimes.
size_t RowCount(Rng& rng, Split split, int64_t low, int64_t high) {
  if (split == Split::kHeldout && rng.Chance(0.15)) return static_cast<size_t>(high + 1);
  return static_cast<size_t>(rng.Int(low, high));
}

std::string Money(int64_t cents, bool whole) {
  if (whole) return StrCat("$", cents / 100);
  return StrCat("$", cents / 100, cents % 100 < 10 ? ".0" : ".", cents % 100);
}

// Whole dollars, or dollars with cents, the same all over a sheet.
int64_t Price(Rng& rng, bool whole) {
  if (whole) return rng.Int(1, 20) * 100;
  return rng.Int(1, 12) * 100 + rng.Pick({0, 25, 50, 75, 20, 80, 99});
}

std::string Date(Rng& rng) {
  const std::string_view month = rng.Pick(Nouns(Topic::kMonth));
  return StrCat(rng.Int(1, 28), " ", month.substr(0, 3));
}

std::string Word(Rng& rng, Split split) { return Capitalised(PickWord(rng, split, 4, 6)); }

std::string ShopName(Rng& rng, Split split) {
  const std::string_view kind = split == Split::kHeldout && rng.Chance(0.4)
                                    ? rng.Pick<std::string_view>({"Deli", "House"})
                                    : rng.Pick<std::string_view>({"Shop", "Store", "Market", "Cafe"});
  return StrCat(Word(rng, split), " ", kind);
}

std::string Value(Matter matter, bool whole, Rng& rng, Split split) {
  switch (matter) {
    case Matter::kItem:
      return PickNouns(rng.Pick(kGoods), 1, 8, rng, split)[0];
    case Matter::kPerson:
      return PickNouns(Topic::kPerson, 1, 6, rng, split)[0];
    case Matter::kPrice:
      return Money(Price(rng, whole), whole);
    case Matter::kCount:
      return StrCat(rng.Int(1, 30));
    case Matter::kPoints:
      return StrCat(rng.Int(0, 40));
    case Matter::kAge:
      return StrCat(rng.Int(5, 60));
    case Matter::kCity:
      return PickNouns(Topic::kCity, 1, 6, rng, split)[0];
    case Matter::kDay:
      return std::string(rng.Pick(Nouns(Topic::kDay)));
    case Matter::kTime: {
      const int64_t minute = rng.Int(0, 3) * 15;
      return StrCat(rng.Int(6, 22), ":", minute == 0 ? "00" : StrCat(minute));
    }
    case Matter::kDate:
      return Date(rng);
    case Matter::kTeam:
      return std::string(rng.Pick(Palette()).name);
    case Matter::kPet:
      return rng.Pick({"cat", "dog", "fish", "bird", "horse", "mouse", "rabbit", "frog"});
    case Matter::kRoom:
      return StrCat(rng.Int(1, 40));
    case Matter::kPhone:
      return StrCat("555-", rng.Int(1000, 9999));
    case Matter::kWeight:
      return rng.Chance(0.7) ? StrCat(rng.Int(1, 18) * 50, " g") : StrCat(rng.Int(1, 9), " kg");
    case Matter::kCode: {
      constexpr std::string_view kLetters = "ABCDEFGHJKLMNPRSTUVWXYZ";
      return StrCat(kLetters[static_cast<size_t>(rng.Int(0, 22))], rng.Int(10, 99));
    }
    case Matter::kShop:
      return ShopName(rng, split);
    case Matter::kProduct:
      return rng.Chance(0.5) ? Word(rng, split) : Capitalised(PickNouns(rng.Pick(kGoods), 1, 8, rng, split)[0]);
  }
  CHECK(false);
  return {};
}

void AppendColumn(Sheet& sheet, Matter matter, std::string head, Rng& rng, Split split) {
  const bool whole = rng.Chance(0.6);
  std::vector<std::string> values;
  while (values.size() < sheet.rows.size()) {
    std::string value = Value(matter, whole, rng, split);
    // Amounts differ, so that one of them is the largest.
    const bool repeated = std::find(values.begin(), values.end(), value) != values.end();
    if (repeated && WordsFor(matter).ranked) continue;
    values.push_back(std::move(value));
  }
  sheet.matters.push_back(matter);
  sheet.heads.push_back(std::move(head));
  for (size_t i = 0; i < values.size(); ++i) sheet.rows[i].push_back(std::move(values[i]));
}

void SetNames(Sheet& sheet, Matter matter, std::string head, std::vector<std::string> names) {
  sheet.matters = {matter};
  sheet.heads = {std::move(head)};
  for (std::string& name : names) sheet.rows.push_back({std::move(name)});
}

// Goods in small letters or with a capital each, the same all over a sheet.
std::vector<std::string> Goods(Topic topic, size_t count, size_t max_letters, Rng& rng, Split split) {
  std::vector<std::string> names = PickNouns(topic, count, max_letters, rng, split);
  if (rng.Chance(0.4)) {
    for (std::string& name : names) name = Capitalised(name);
  }
  return names;
}

Sheet WriteTable(Rng& rng, Split split) {
  Sheet sheet;
  sheet.genre = Genre::kTable;
  const size_t count = RowCount(rng, split, 2, 5);
  std::vector<std::pair<Matter, std::string>> columns;
  switch (rng.Int(0, 2)) {
    case 0:
      sheet.things = "items";
      SetNames(sheet, Matter::kItem, rng.Pick({"Item", "Name", "What"}), Goods(rng.Pick(kGoods), count, 7, rng, split));
      sheet.title = rng.Pick({"Price list", "Our shop", "In store", "For sale"});
      columns = {{Matter::kPrice, rng.Pick({"Price", "Cost"})},
                 {Matter::kCount, rng.Pick({"Count", "Stock", "Number"})}};
      if (rng.Chance(0.3)) std::swap(columns[0], columns[1]);
      columns.resize(static_cast<size_t>(rng.Int(1, 2)));
      break;
    case 1:
      sheet.things = "people";
      SetNames(sheet, Matter::kPerson, rng.Pick({"Name", "Who"}), PickNouns(Topic::kPerson, count, 6, rng, split));
      sheet.title = rng.Pick({"Players", "Our class", "Friends", "The team"});
      columns = {{Matter::kPoints, "Points"}, {Matter::kAge, "Age"}, {Matter::kCity, "City"},
                 {Matter::kTeam, "Team"},     {Matter::kPet, "Pet"}, {Matter::kRoom, "Room"}};
      rng.Shuffle(columns);
      columns.resize(static_cast<size_t>(rng.Pick({1, 1, 2, 2, 2, 3})));
      break;
    default:
      sheet.things = "trips";
      SetNames(sheet, Matter::kCity, rng.Pick({"To", "City", "Trip"}), PickNouns(Topic::kCity, count, 6, rng, split));
      sheet.title = rng.Pick({"Trains", "Bus times", "Trips", "Boats"});
      columns = {{Matter::kTime, "Time"}, {Matter::kDay, "Day"}, {Matter::kRoom, "Gate"}, {Matter::kPrice, "Price"}};
      rng.Shuffle(columns);
      columns.resize(static_cast<size_t>(rng.Int(1, 2)));
      break;
  }
  for (auto& [matter, head] : columns) AppendColumn(sheet, matter, std::move(head), rng, split);
  if (rng.Chance(0.3)) sheet.title = StrCat(Word(rng, split), " ", rng.Pick({"list", "table", "group"}));
  if (rng.Chance(0.4)) sheet.title.clear();
  return sheet;
}

Sheet WriteReceipt(Rng& rng, Split split) {
  Sheet sheet;
  sheet.genre = Genre::kReceipt;
  sheet.things = "items";
  sheet.title = ShopName(rng, split);
  SetNames(sheet, Matter::kItem, "Item", Goods(rng.Pick(kGoods), RowCount(rng, split, 2, 4), 8, rng, split));
  AppendColumn(sheet, Matter::kPrice, "Price", rng, split);
  int64_t sum = 0;
  bool whole = true;
  for (const auto& row : sheet.rows) {
    sum += AmountOf(row[1]);
    whole = whole && row[1].find('.') == std::string::npos;
  }
  sheet.total = Money(sum, whole);
  sheet.date = Date(rng);
  return sheet;
}

Sheet WriteFields(Genre genre, Rng& rng, Split split) {
  Sheet sheet;
  sheet.genre = genre;
  sheet.rows.resize(1);
  std::vector<std::pair<Matter, std::string>> fields;
  if (genre == Genre::kForm) {
    sheet.title =
        rng.Chance(0.3) ? StrCat(Word(rng, split), " card") : rng.Pick({"Member", "Visitor", "My card", "Pass"});
    if (rng.Chance(0.3)) sheet.title.clear();
    fields = {{Matter::kAge, "Age"},   {Matter::kCity, "City"},   {Matter::kTeam, "Team"}, {Matter::kPet, "Pet"},
              {Matter::kRoom, "Room"}, {Matter::kPhone, "Phone"}, {Matter::kDate, "Date"}, {Matter::kDay, "Day"}};
    rng.Shuffle(fields);
    fields.resize(RowCount(rng, split, 2, 4));
    AppendColumn(sheet, Matter::kPerson, "Name", rng, split);
  } else {
    AppendColumn(sheet, Matter::kProduct, "Name", rng, split);
    fields = {{Matter::kWeight, "Weight"}, {Matter::kPrice, "Price"}, {Matter::kCode, "Code"},
              {Matter::kDate, "Date"},     {Matter::kCity, "City"},   {Matter::kShop, "Shop"}};
    rng.Shuffle(fields);
    fields.resize(RowCount(rng, split, 2, 3));
  }
  for (auto& [matter, head] : fields) AppendColumn(sheet, matter, std::move(head), rng, split);
  return sheet;
}

Sheet WriteList(Rng& rng, Split split) {
  Sheet sheet;
  sheet.genre = Genre::kList;
  const Topic topic = rng.Pick(kListed);
  const size_t count = RowCount(rng, split, 2, 5);
  SetNames(sheet, Matter::kItem, "Item", Goods(topic, count, 8, rng, split));
  sheet.things = "things";
  sheet.title = rng.Chance(0.5) ? rng.Pick({"To buy", "My list", "Wanted", "We like", "To pack"})
                                : StrCat(Word(rng, split), " list");
  if (rng.Chance(0.25)) sheet.title.clear();
  return sheet;
}

}  // namespace

int64_t AmountOf(std::string_view text) {
  if (!text.empty() && text[0] == '$') {
    const std::string_view number = text.substr(1);
    int64_t dollars = 0;
    int64_t cents = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), dollars);
    if (error != std::errc()) return -1;
    if (end != number.data() + number.size()) {
      if (*end != '.' || std::from_chars(end + 1, number.data() + number.size(), cents).ec != std::errc()) return -1;
    }
    return dollars * 100 + cents;
  }
  int64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  return error == std::errc() && end == text.data() + text.size() ? amount : -1;
}

Sheet WriteSheet(Rng& rng, Split split) {
  const Genre genre = rng.Pick({Genre::kTable, Genre::kTable, Genre::kTable, Genre::kReceipt, Genre::kReceipt,
                                Genre::kForm, Genre::kForm, Genre::kLabel, Genre::kList, Genre::kList});
  switch (genre) {
    case Genre::kTable:
      return WriteTable(rng, split);
    case Genre::kReceipt:
      return WriteReceipt(rng, split);
    case Genre::kForm:
    case Genre::kLabel:
      return WriteFields(genre, rng, split);
    case Genre::kList:
      return WriteList(rng, split);
  }
  CHECK(false);
  return {};
}

namespace {

class Documents : public Task {
 public:
  std::string_view name() const override { return "documents"; }
  Sample Draw(Rng& rng, Split split) const override {
    const Sheet sheet = WriteSheet(rng, split);
    const Setting setting = ChooseSetting(sheet, rng, split);
    Sample sample;
    sample.media.emplace_back(PaintSheet(sheet, setting, rng));
    sample.exchanges = AskSheet(sheet, rng, split);
    return sample;
  }
};

}  // namespace

Told DrawSheet(Rng& rng, Split split) {
  Sheet sheet = WriteSheet(rng, split);
  while (sheet.genre == Genre::kList) sheet = WriteSheet(rng, split);  // has names alone
  return {PaintSheet(sheet, ChooseSetting(sheet, rng, split), rng), ListsOf(sheet, rng)};
}

TaskOr MakeDocuments(const Assets& /*assets*/) {
  RETURN_IF_ERROR(CheckFonts());
  return std::unique_ptr<const Task>(std::make_unique<Documents>());
}

}  // namespace galago::world
