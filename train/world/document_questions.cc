#include <algorithm>
#include <numeric>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/document_words.h"
#include "train/world/documents.h"
#include "train/world/lexicon.h"
#include "train/world/lists.h"
#include "train/world/phrases.h"

namespace galago::world {
namespace {

struct Phrases {
  const Wordings shop{{"What is the name of the shop?", "Which shop is it?", "Tell me the shop.",
                       "What does it say at the top?", "Which shop is this?", "What shop is it?", "Name the shop.",
                       "Read the name of the shop.", "From which shop is it?", "What is written at the top?"},
                      {"What is the shop?", "Which shop is written at the top?"}};
  const Wordings date{
      {"What is the date?", "Which date is it?", "Tell me the date.", "Read the date.", "What date is written here?",
       "What is written for the date?", "Name the date.", "Which date do you see?", "Which date does it have?"},
      {"Which date is written here?", "What date is it?"}};
  const Wordings total{{"What is the total?", "How much is the total?", "How much does it cost in total?",
                        "Tell me the total.", "Read the total.", "What is it in total?", "How much is it all?",
                        "What is the total price?", "How much is written for the total?"},
                       {"How much is it in total?", "What does it cost in total?"}};
  const Wordings rows{
      {"How many {things} are there?", "How many {things} are in the picture?", "How many {things} do you see?",
       "Count the {things}.", "Tell me how many {things} there are.", "How many {things} are here?",
       "The number of {things} is what?", "How many {things} can you count?"},
      {"How many {things} are written here?", "What is the number of {things}?"}};
  const Wordings listed{
      {"Is {name} in the list?", "Is there {name} in the list?", "Do you see {name} in the list?",
       "Is {name} written here?", "Does it say {name} in the list?", "Can you find {name} in the list?",
       "Has the list {name}?", "Tell me if {name} is in the list."},
      {"Does the list have {name}?"}};
  const Wordings columns{{"How many columns are there?", "Count the columns.", "How many columns do you see?",
                          "Tell me how many columns there are."},
                         {"What is the number of columns?"}};
  const Wordings field{
      {"What is the {head}?", "What is written for {head}?", "Read the {head}.", "Tell me the {head}.",
       "What {head} is written here?", "Which {head} is it?", "Name the {head}.", "What {head} do you see?",
       "What does the {head} say?", "Which {head} do you see here?", "What is there for {head}?",
       "For {head}, what is written?", "What do you read for {head}?", "{head}?"},
      {"What does it say for {head}?", "Which {head} is written here?"}};
  const Wordings who{{"Whose card is it?", "What is the name?", "Who is it?", "Whose name is written here?",
                      "Tell me the name.", "Read the name.", "Which name is it?", "What name do you see?",
                      "Whose is it?", "Which person is it?", "What name is written here?"},
                     {"Which name is written here?"}};
  const Wordings product{{"What is it?", "What is the name?", "What is written at the top?", "Tell me the name.",
                          "Read the name.", "Which name is it?", "What name is at the top?",
                          "What name is written here?", "Which thing is it?", "What does it say at the top?"},
                         {"Which name is written here?", "Which name is written at the top?"}};
  const Wordings first{
      {"What is first in the list?", "What comes first?", "What is the first one in the list?",
       "Name the first thing in the list.", "Which is first?", "Tell me what is first.", "Which thing comes first?"},
      {"What is the first thing?"}};
  const Wordings last{
      {"What is last in the list?", "What comes last?", "What is the last one in the list?",
       "Name the last thing in the list.", "Which is last?", "Tell me what is last.", "Which thing comes last?"},
      {"What is the last thing?"}};
  const Wordings number{{"What is number {place} in the list?", "What is in place {place}?", "Which is number {place}?",
                         "Name number {place} in the list.", "Which one has number {place}?",
                         "What do you see in place {place}?", "Which thing is in place {place}?"},
                        {"What is number {place}?", "What comes in place {place}?"}};
  const Wordings after{{"What comes after {name}?", "What is after {name}?", "Which comes after {name}?",
                        "Tell me what comes after {name}.", "Name what comes after {name}.", "What follows {name}?",
                        "What do you see after {name}?"},
                       {"What is written after {name}?"}};
  const Wordings before{
      {"What comes before {name}?", "What is before {name}?", "Which comes before {name}?",
       "Tell me what comes before {name}.", "Name what comes before {name}.", "What do you see before {name}?"},
      {"What is written before {name}?"}};
  const Wordings below{
      {"Which name is in the first row?", "What is in the first row?", "Tell me the name in the first row.",
       "Read the name in the first row.", "Name what is in the first row."},
      {"What name is in the first row?"}};
};

const Phrases& Words() {
  static const Phrases kPhrases;
  return kPhrases;
}

std::string LowerFirst(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

std::string HeadOf(const Sheet& sheet, size_t c) { return LowerFirst(sheet.heads[c]); }

std::vector<std::string> ColumnOf(const Sheet& sheet, size_t c) {
  std::vector<std::string> cells;
  for (const auto& row : sheet.rows) cells.push_back(row[c]);
  return cells;
}

class Asker {
 public:
  Asker(const Sheet& sheet, Rng& rng, Split split) : sheet_(sheet), rng_(rng), split_(split) {}

  std::vector<Exchange> Ask() {
    switch (sheet_.genre) {
      case Genre::kTable:
        AskTable();
        break;
      case Genre::kReceipt:
        AskReceipt();
        break;
      case Genre::kForm:
      case Genre::kLabel:
        AskFields();
        break;
      case Genre::kList:
        AskList();
        break;
    }
    rng_.Shuffle(exchanges_);
    const auto most = static_cast<size_t>(rng_.Int(4, UpTo(6, split_)));
    if (exchanges_.size() > most) exchanges_.resize(most);
    if (split_ == Split::kTrain && rng_.Chance(kAskLists)) AskLists();
    return std::move(exchanges_);
  }

 private:
  void Add(const Wordings& wordings, std::string answer, std::string_view kind, Slots slots = {}) {
    exchanges_.push_back({Say(wordings, rng_, split_, slots), std::move(answer), std::string(kind), Metric::kAnls});
  }

  void AskTitle() {
    if (!sheet_.title.empty()) Add(TitleWordings(), sheet_.title, "title");
  }

  void AskCell(size_t row, size_t c) {
    const MatterWords& words = WordsFor(sheet_.matters[c]);
    Add(words.ask, sheet_.rows[row][c], words.kind, {{"row", sheet_.rows[row][0]}, {"head", HeadOf(sheet_, c)}});
  }

  void AskExtremes(size_t c) {
    const MatterWords& words = WordsFor(sheet_.matters[c]);
    if (words.most.train.empty()) return;
    size_t most = 0;
    size_t least = 0;
    for (size_t r = 1; r < sheet_.rows.size(); ++r) {
      if (AmountOf(sheet_.rows[r][c]) > AmountOf(sheet_.rows[most][c])) most = r;
      if (AmountOf(sheet_.rows[r][c]) < AmountOf(sheet_.rows[least][c])) least = r;
    }
    const std::string head = HeadOf(sheet_, c);
    if (rng_.Chance(0.6)) {
      Add(words.most, sheet_.rows[most][0], "most", {{"head", head}});
    } else {
      Add(words.least, sheet_.rows[least][0], "least", {{"head", head}});
    }
  }

  void AskWhich(size_t c) {
    const MatterWords& words = WordsFor(sheet_.matters[c]);
    if (words.find.train.empty()) return;
    const std::vector<std::string> cells = ColumnOf(sheet_, c);
    const auto row = static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(cells.size()) - 1));
    if (std::count(cells.begin(), cells.end(), cells[row]) != 1) return;
    Add(words.find, sheet_.rows[row][0], "find", {{"value", cells[row]}, {"head", HeadOf(sheet_, c)}});
  }

  // Cells of every column of values (two, in training more), its largest or smallest, and the way back.
  void AskColumns() {
    for (size_t c = 1; c < sheet_.heads.size(); ++c) {
      std::vector<size_t> rows(sheet_.rows.size());
      for (size_t r = 0; r < rows.size(); ++r) rows[r] = r;
      rng_.Shuffle(rows);
      rows.resize(std::min(rows.size(), static_cast<size_t>(UpTo(2, split_))));
      for (const size_t row : rows) AskCell(row, c);
      AskExtremes(c);
      if (rng_.Chance(0.7)) AskWhich(c);
    }
  }

  void AskTable() {
    AskColumns();
    AskTitle();
    if (rng_.Chance(0.5)) Add(Words().rows, StrCat(sheet_.rows.size()), "rows", {{"things", sheet_.things}});
    if (rng_.Chance(0.2)) Add(Words().columns, StrCat(sheet_.heads.size()), "columns");
    if (rng_.Chance(0.2)) Add(Words().below, sheet_.rows[0][0], "first-row");
  }

  void AskReceipt() {
    AskColumns();
    Add(Words().total, sheet_.total, "total");
    Add(Words().shop, sheet_.title, "shop");
    Add(Words().date, sheet_.date, "date");
    if (rng_.Chance(0.5)) Add(Words().rows, StrCat(sheet_.rows.size()), "rows", {{"things", sheet_.things}});
  }

  void AskFields() {
    const std::string& name = sheet_.rows[0][0];
    Add(sheet_.genre == Genre::kForm ? Words().who : Words().product, name, "name");
    if (sheet_.genre == Genre::kForm) AskTitle();
    for (size_t c = 1; c < sheet_.heads.size(); ++c) {
      const MatterWords& words = WordsFor(sheet_.matters[c]);
      const bool personal = sheet_.genre == Genre::kForm && words.kind != "value" && words.kind != "day";
      if (personal && rng_.Chance(0.5)) {
        AskCell(0, c);
      } else {
        const std::string_view kind = words.kind == "value" ? "field" : words.kind;
        Add(Words().field, sheet_.rows[0][c], kind, {{"head", HeadOf(sheet_, c)}});
      }
    }
  }

  void AskList() {
    const std::vector<std::string> names = ColumnOf(sheet_, 0);
    const auto last = static_cast<int64_t>(names.size()) - 1;
    Add(Words().first, names.front(), "first");
    Add(Words().last, names.back(), "last");
    const int64_t place = rng_.Int(0, last);
    Add(Words().number, names[static_cast<size_t>(place)], "place", {{"place", StrCat(place + 1)}});
    const auto next = static_cast<size_t>(rng_.Int(1, last));
    if (rng_.Chance(0.5)) {
      Add(Words().after, names[next], "after", {{"name", names[next - 1]}});
    } else {
      Add(Words().before, names[next - 1], "before", {{"name", names[next]}});
    }
    Add(Words().rows, StrCat(names.size()), "rows", {{"things", sheet_.things}});
    AskTitle();
    AskListed(names);
  }

  void AskListed(const std::vector<std::string>& names) {
    const bool yes = rng_.Chance(0.5);
    std::string asked = rng_.Pick(names);
    while (!yes && std::find(names.begin(), names.end(), asked) != names.end()) {
      const Topic topic = rng_.Pick({Topic::kFruit, Topic::kFood, Topic::kTool, Topic::kToy, Topic::kAnimal});
      asked = PickNouns(topic, 1, 8, rng_, split_)[0];
      if (names[0][0] >= 'A' && names[0][0] <= 'Z') asked = Capitalised(asked);
    }
    Add(Words().listed, yes ? "yes" : "no", "listed", {{"name", asked}});
  }

  // The whole sheet at once instead: what the rows are about, as they stand and in the order of a column's amounts,
  // then what ListsOf tells.
  void AskLists() {
    static const Wordings kNames = {{"Name all {things}.", "Name the {things}."}, {}};
    exchanges_.clear();
    if (!HasFields(sheet_)) {
      Add(kNames, Listed(ColumnOf(sheet_, 0)), "names", {{"things", sheet_.things}});
      for (size_t c = 1; c < sheet_.heads.size(); ++c) AskRanking(c);
    }
    for (Exchange& question : QuestionsOf(ListsOf(sheet_, rng_), Metric::kAnls, rng_)) {
      exchanges_.push_back(std::move(question));
    }
  }

  void AskRanking(size_t c) {
    static const Wordings kRanking = {
        {"Name them from the highest to the lowest {head}.", "Name all from the highest to the lowest {head}."}, {}};
    if (!WordsFor(sheet_.matters[c]).ranked) return;
    const std::vector<std::string> cells = ColumnOf(sheet_, c);
    std::vector<size_t> rows(cells.size());
    std::iota(rows.begin(), rows.end(), size_t{0});
    std::sort(rows.begin(), rows.end(), [&](size_t a, size_t b) { return AmountOf(cells[a]) > AmountOf(cells[b]); });
    std::vector<std::string> ranking;
    for (const size_t r : rows) ranking.push_back(sheet_.rows[r][0]);
    Add(kRanking, Listed(ranking), "ranking", {{"head", HeadOf(sheet_, c)}});
  }

  const Sheet& sheet_;
  Rng& rng_;
  const Split split_;
  std::vector<Exchange> exchanges_;
};

}  // namespace

std::vector<List> ListsOf(const Sheet& sheet, Rng& rng) {
  static const Wordings kFields = {{"What: {names}?", "Tell me: {names}.", "Read: {names}."}, {}};
  static const Wordings kCells = {{"What {head}: {names}?", "Which {head}: {names}?", "Tell me the {head}: {names}."},
                                  {}};
  static const Wordings kNames = {{"Which has the {head}: {names}?", "Name what has the {head}: {names}."}, {}};
  std::vector<List> lists;
  if (HasFields(sheet)) {
    List fields{"fields", "read", &kFields, {}};
    for (size_t c = 0; c < sheet.heads.size(); ++c) fields.items.push_back({HeadOf(sheet, c), sheet.rows[0][c]});
    lists.push_back(std::move(fields));
    return lists;
  }
  for (size_t c = 1; c < sheet.heads.size(); ++c) {
    List by_name{"cells", HeadOf(sheet, c), &kCells, {}};
    List by_cell{"rows of", by_name.title, &kNames, {}};
    const std::vector<std::string> cells = ColumnOf(sheet, c);
    for (size_t r = 0; r < cells.size(); ++r) {
      by_name.items.push_back({sheet.rows[r][0], cells[r]});
      if (std::count(cells.begin(), cells.end(), cells[r]) == 1) by_cell.items.push_back({cells[r], sheet.rows[r][0]});
    }
    List& list = rng.Chance(0.6) ? by_name : by_cell;
    if (list.items.size() > 1) lists.push_back(std::move(list));
  }
  return lists;
}

std::vector<Exchange> AskSheet(const Sheet& sheet, Rng& rng, Split split) { return Asker(sheet, rng, split).Ask(); }

}  // namespace galago::world
