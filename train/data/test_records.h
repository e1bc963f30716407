#ifndef GALAGO_TRAIN_DATA_TEST_RECORDS_H_
#define GALAGO_TRAIN_DATA_TEST_RECORDS_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "src/spec/parse.h"
#include "train/data/sequence_builder.h"

namespace galago::train::testing {

// A builder for one of the tiny models among the golden files.
inline std::shared_ptr<const SequenceBuilder> TinyBuilder(const std::string& name, const BuilderOptions& options = {},
                                                          const spec::ParseOptions& parse = {}) {
  const auto path = std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data" / name / "model";
  const auto spec = spec::ParseDirectory(path, parse);
  EXPECT_TRUE(spec.ok()) << spec.status();
  const auto builder = SequenceBuilder::Make(*spec, options);
  EXPECT_TRUE(builder.ok()) << builder.status();
  return *builder;
}

// A conversation without media: question, answer, question, ...
inline Record Chat(const std::vector<std::string>& texts) {
  Record record;
  for (size_t i = 0; i < texts.size(); ++i) {
    record.turns.push_back(
        {.role = i % 2 == 0 ? text::Role::kUser : text::Role::kAssistant, .parts = {text::Part(texts[i])}});
  }
  return record;
}

inline Medium Picture(int64_t width, int64_t height) {
  return {.from = media::Image(width, height), .name = "picture"};
}

}  // namespace galago::train::testing

#endif  // GALAGO_TRAIN_DATA_TEST_RECORDS_H_
