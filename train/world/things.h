#ifndef GALAGO_TRAIN_WORLD_THINGS_H_
#define GALAGO_TRAIN_WORLD_THINGS_H_

#include <cstddef>

// Named cut-out photographs and clip art over varied backgrounds: what is it, is it there, how many, where.
// The task itself is made by MakeThings (makers.h).
namespace galago::world {

// Two things, as indices into ThingClasses(), that training never shows together: one pair in seven.
bool IsHeldOutPair(size_t a, size_t b);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_THINGS_H_
