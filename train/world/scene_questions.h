#ifndef GALAGO_TRAIN_WORLD_SCENE_QUESTIONS_H_
#define GALAGO_TRAIN_WORLD_SCENE_QUESTIONS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/world/lists.h"
#include "train/world/rng.h"
#include "train/world/sample.h"
#include "train/world/scene.h"

// Questions about a scene. Each has one right answer that a person would agree with: relations need clear margins,
// names must fit one thing alone. Wherever an answer is yes or no, a coin decides which before the question is looked
// for.
namespace galago::world {

struct Query {
  std::string subject;  // what is asked about; two queries of a kind with one subject are the same question
  std::string question;
  std::string answer;
};

struct QueryKind {
  std::string_view name;
  // nullopt where the scene offers no such question.
  std::optional<Query> (*ask)(const Scene& scene, Rng& rng, Split split);
  // Coordinates and the like that are learnt from but never scored.
  bool train_only = false;
};
std::span<const QueryKind> SceneQueries();

// Up to `count` exchanges of mixed kinds, all different.
std::vector<Exchange> AskAbout(const Scene& scene, int64_t count, Rng& rng, Split split);

// Up to `count` questions whether things lie so to each other, or whether there are more of one sort.
std::vector<Exchange> AskComparisons(const Scene& scene, int64_t count, Rng& rng, Split split);

// Colours, places, sizes, patterns, and what is there or how often, as far as the scene has two of them; in any order.
// `split` says which combinations may be looked for.
std::vector<List> ListsOf(const Scene& scene, Rng& rng, Split split = Split::kTrain);

// Things asked for by shape, by colour or by both, some of them in vain, each with its place, its colour, whether it is
// there or how often (of what is not there: "no", or 0). May be empty.
List FindsOf(const Scene& scene, Rng& rng, Split split);
// What holds of two: "star left of ring", "more stars than rings"; half of it is true. May be empty.
List ComparisonsOf(const Scene& scene, Rng& rng);
// What FindsOf gives as single questions, but for where or of what colour things are that are not there.
std::vector<Exchange> AskFor(const List& list, Rng& rng, Split split);

// One of the things or sorts of thing that a picture may be asked for: present in the scene or not, never a combination
// that the split does not show.
Description PickAbsent(const Scene& scene, Rng& rng, Split split);

// Something that is in the scene, or one of the above, by shape, by colour or by both.
Description PickToLookFor(const Scene& scene, bool there, Rng& rng, Split split);

// In training one question in five comes as people type it: small letters, no question mark, "color".
std::string AsTyped(std::string question, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SCENE_QUESTIONS_H_
