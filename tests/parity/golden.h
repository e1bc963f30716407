#ifndef GALAGO_TESTS_PARITY_GOLDEN_H_
#define GALAGO_TESTS_PARITY_GOLDEN_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "galago/message.h"
#include "galago/model.h"
#include "galago/status.h"

// What the official code gave for tiny checkpoints: tests/golden/README.md describes the files.
namespace galago::parity {

struct GoldenMedia {
  int64_t tiles = 0;
  int64_t rows = 0;    // as spliced
  int64_t tokens = 0;  // with the text newlines between tiles
  std::optional<std::array<int64_t, 2>> grid;
  std::vector<int64_t> frame_indices;
  std::string pixel_fnv1a64;  // of the float32 pixel tensor's bytes; empty if not recorded
};

struct GoldenPrompt {
  std::string name;
  std::vector<Message> conversation;
  bool raw = false;  // the text is the whole prompt
  std::string rendered;
  std::vector<int64_t> input_ids;
  std::vector<GoldenMedia> media;
  std::vector<int32_t> greedy;
  double min_gap = 0;           // smallest distance between the two best logits over the greedy steps
  std::filesystem::path trace;  // empty: none
};

struct Golden {
  std::filesystem::path model;
  ModelOptions options;
  std::vector<GoldenPrompt> prompts;
};

std::filesystem::path DataDirectory();
// Names of the directories below DataDirectory() that hold a golden.json, sorted.
std::vector<std::string> GoldenNames();
StatusOr<Golden> LoadGolden(const std::string& name);

}  // namespace galago::parity

#endif  // GALAGO_TESTS_PARITY_GOLDEN_H_
