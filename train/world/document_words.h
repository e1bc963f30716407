#ifndef GALAGO_TRAIN_WORLD_DOCUMENT_WORDS_H_
#define GALAGO_TRAIN_WORLD_DOCUMENT_WORDS_H_

#include <string_view>

#include "train/world/documents.h"
#include "train/world/phrases.h"

// How each matter is asked for.
namespace galago::world {

struct MatterWords {
  std::string_view kind;  // of the exchange
  bool ranked = false;    // amounts that can be compared: unique within a column
  Wordings ask;           // {row}, {head}
  Wordings most, least;   // empty: never asked
  Wordings find;          // {value}; empty: never asked
};
const MatterWords& WordsFor(Matter matter);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_DOCUMENT_WORDS_H_
