#ifndef GALAGO_TRAIN_LOOP_NEAREST_H_
#define GALAGO_TRAIN_LOOP_NEAREST_H_

#include <span>
#include <string>
#include <string_view>

namespace galago::train {

// The candidate with the smallest edit distance, the first of equals; what a message suggests for a misspelt name.
// Empty if there are no candidates.
std::string Nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_NEAREST_H_
