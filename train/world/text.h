#ifndef GALAGO_TRAIN_WORLD_TEXT_H_
#define GALAGO_TRAIN_WORLD_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "train/world/rng.h"
#include "train/world/sample.h"

// The task "text": short instructions without pictures. Each lesson asks one kind of question.
namespace galago::world {

struct Lesson {
  std::string_view kind;
  Exchange (*ask)(Rng& rng, Split split);
};
std::span<const Lesson> Lessons();

// Whether training never asks this. The order of the operands does not matter: 3 + 4 gives 4 + 3 away.
bool IsHeldoutSum(int64_t a, int64_t b);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_TEXT_H_
