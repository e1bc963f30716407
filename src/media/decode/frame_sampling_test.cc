#include "src/media/decode/frame_sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "src/base/json.h"

namespace galago::media {
namespace {

using testing::ElementsAre;

Json Tables() { return *ReadJsonFile(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/vila_tables.json"); }

std::vector<int64_t> Indices(const Json& list) { return list.get<std::vector<int64_t>>(); }

TEST(FrameSampling, UniformEqualsTheReference) {
  const Json tables = Tables();
  for (const char* era : {"nvila", "nvila_dec"}) {
    const Json& cases = tables[era]["frames"]["uniform"];
    ASSERT_GT(cases.size(), 100u);
    for (const Json& test : cases)
      EXPECT_EQ(UniformFrames(test["n"], test["frames"]), Indices(test["indices"])) << test;
  }
  // Where the container lies, sampling starts from what decodes.
  for (const Json& test : tables["nvila"]["frames"]["short"]) {
    EXPECT_EQ(UniformFrames(test["decodable"], test["frames"]), Indices(test["indices"])) << test;
  }
}

TEST(FrameSampling, FpsEqualsTheReference) {
  const Json tables = Tables();
  const Json& cases = tables["nvila"]["frames"]["fps"];
  ASSERT_GT(cases.size(), 100u);
  for (const Json& test : cases) {
    EXPECT_EQ(FpsFrames(test["n"], test["video_fps"], test["fps"], test["frames"]), Indices(test["indices"])) << test;
  }
}

TEST(FrameSampling, EraAEqualsTheReference) {
  const Json tables = Tables();
  for (const auto& [era, sampling] :
       {std::pair{"vila15", EraASampling::kMay2024}, {"vila15_aug", EraASampling::kAug2024}}) {
    const Json& cases = tables[era]["frames"];
    ASSERT_GT(cases.size(), 100u);
    for (const Json& test : cases) {
      const EraAFrames got = SampleEraA(test["n"], test["frames"], sampling);
      if (test["indices"].is_object()) {  // the reference fails: see the header
        EXPECT_EQ(sampling, EraASampling::kMay2024);
        EXPECT_EQ(test["n"], test["frames"]);
        EXPECT_FALSE(got.indices.empty());
        continue;
      }
      std::vector<int64_t> all(static_cast<size_t>(got.black_frames), -1);
      all.insert(all.end(), got.indices.begin(), got.indices.end());
      EXPECT_EQ(all, Indices(test["indices"])) << era << test;
    }
  }
}

TEST(FrameSampling, SmallCases) {
  EXPECT_THAT(UniformFrames(10, 4), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(UniformFrames(3, 8), ElementsAre(0, 0, 1, 1, 1, 1, 2, 2));
  EXPECT_THAT(UniformFrames(6, 3), ElementsAre(0, 2, 5));  // 2.5 rounds to even
  EXPECT_THAT(UniformFrames(7, 1), ElementsAre(0));
  EXPECT_THAT(FpsFrames(10, 5.0, 1.0, 8), ElementsAre(0, 5));
  EXPECT_EQ(SampleEraA(0, 4, EraASampling::kAug2024), (EraAFrames{.black_frames = 4}));
}

}  // namespace
}  // namespace galago::media
