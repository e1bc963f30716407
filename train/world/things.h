#ifndef GALAGO_TRAIN_WORLD_THINGS_H_
#define GALAGO_TRAIN_WORLD_THINGS_H_

#include <cstddef>
#include <memory>

#include "train/world/canvas.h"
#include "train/world/lists.h"
#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/stamps.h"
#include "train/world/task.h"

// Named cut-out photographs and clip art over varied backgrounds: what is it, is it there, how many, where.
// The task itself is made by MakeThings (makers.h).
namespace galago::world {

// Of the directory that the assets name, or else of the package's.
StatusOr<std::shared_ptr<const StampSet>> LoadStamps(const Assets& assets);

// Draws one of the thing's stamps: in the held-out split often one that training never shows. `placement` gives place
// and size; turn, mirror image and light are chosen here.
void LayThing(const StampSet& stamps, size_t thing, Placement placement, const Canvas& canvas, Rng& rng, Split split);

// A picture as the task draws it; what lies where in it, and what is there or how often.
Told DrawThings(const StampSet& stamps, Rng& rng, Split split);

// Such a picture and one list: of things asked for by name, some of them in vain, each with where it is, on which side,
// whether it is there or how often (of what is not there: "no", or 0). The list may be empty.
Told FindThings(const StampSet& stamps, Rng& rng, Split split);

// Such a picture and the same as single questions, of one kind. There may be none.
Sample AskForThings(const StampSet& stamps, Rng& rng, Split split);

// Two things, as indices into ThingClasses(), that training never shows together: one pair in seven.
bool IsHeldOutPair(size_t a, size_t b);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_THINGS_H_
