#ifndef GALAGO_TRAIN_WORLD_DOCUMENTS_H_
#define GALAGO_TRAIN_WORLD_DOCUMENTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
#include "train/world/canvas.h"
#include "train/world/lists.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// The task "documents": tables, receipts, forms, labels and lists. Answers are written as the document writes them.
namespace galago::world {

enum class Genre { kTable, kReceipt, kForm, kLabel, kList };

// What a column or field holds, which decides how it is asked for.
enum class Matter {
  kItem,    // what the rows are about: a thing to buy
  kPerson,  // what the rows are about: a name
  kPrice,   // "$4", "$2.50"
  kCount,   // of things in stock
  kPoints,  // of a person in a game
  kAge,     // years
  kCity,
  kDay,   // "Monday"
  kTime,  // "9:30"
  kDate,  // "12 May"
  kTeam,  // colour
  kPet,
  kRoom,    // number
  kPhone,   // "555-0134"
  kWeight,  // "250 g"
  kCode,    // "B27"
  kShop,    // name of a shop
  kProduct  // name of what a label is on
};

// One kind of document as data. Tables and receipts have columns and rows, forms and labels have fields.
struct Sheet {
  Genre genre = Genre::kTable;
  std::string title;                           // empty: none is drawn
  std::vector<Matter> matters;                 // of the columns, or of the fields
  std::vector<std::string> heads;              // names of the columns or fields as drawn
  std::vector<std::vector<std::string>> rows;  // cells as drawn; one row with the fields' values
  std::string date;                            // receipts
  std::string total;                           // receipts: the sum of the prices
  std::string things;                          // plural that counts the rows: "items", "people"
};

// How a sheet is set; everything the eye sees that no question asks for.
struct Setting {
  int64_t width = 224;
  int64_t height = 224;
  std::string_view family;
  bool bold_heads = true;
  enum class Rules { kGrid, kLines, kZebra, kOpen, kBoxed } rules = Rules::kGrid;  // kBoxed: held-out alone
  bool numbered = false;      // lists: "1. milk" instead of bullets
  bool values_below = false;  // forms: the value under its name; held-out alone
  bool dotted = false;        // receipts: dots from name to price; held-out alone
  Ink paper, ink, accent;
  int64_t noise = 0;
};

// Forms and labels have fields, the others rows.
inline bool HasFields(const Sheet& sheet) { return sheet.genre == Genre::kForm || sheet.genre == Genre::kLabel; }

Sheet WriteSheet(Rng& rng, Split split);
Setting ChooseSetting(const Sheet& sheet, Rng& rng, Split split);
media::Image PaintSheet(const Sheet& sheet, const Setting& setting, Rng& rng);
// Fields; or of each column the cells by the names of their rows, or the names by the cells. None of a plain list.
std::vector<List> ListsOf(const Sheet& sheet, Rng& rng);
// A picture as the task draws it, of a sheet that has such lists, and these.
Told DrawSheet(Rng& rng, Split split);
// In training now and then the lists instead of single questions.
std::vector<Exchange> AskSheet(const Sheet& sheet, Rng& rng, Split split);

// "$2.50" -> 250, "$3" -> 300; a plain number counts as it is. -1 for anything else.
int64_t AmountOf(std::string_view text);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_DOCUMENTS_H_
