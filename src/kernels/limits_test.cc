#include "src/kernels/limits.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>

namespace galago::kernels {
namespace {

struct alignas(64) Page {
  std::byte bytes[kLimitBytes] = {};
};

// The bits of 1.0f: as bf16 pairs they are 1 and 0, as signed bytes 63, -128, 0, 0.
Page Ones() {
  Page page;
  const float one = 1.0f;
  for (size_t i = 0; i < sizeof(page); i += sizeof(one)) std::memcpy(page.bytes + i, &one, sizeof(one));
  return page;
}

template <class T>
T At(const Page& page, size_t index) {
  T value;
  std::memcpy(&value, page.bytes + index * sizeof(T), sizeof(T));
  return value;
}

TEST(Limits, LoopsComputeWhatTheyCount) {
  const CpuFeatures features = DetectCpuFeatures();
  for (const ArithmeticLimit& limit : ArithmeticLimits(features)) {
    const std::string what = std::string(limit.name) + " " + std::string(limit.isa);
    const Page ones = Ones();
    for (const int64_t rounds : {int64_t{1}, int64_t{10}}) {
      Page sums;
      limit.loop.run(rounds, ones.bytes, sums.bytes);
      const bool tiles = limit.isa == "amx";
      if (limit.name == "int8" || limit.name == "amx_int8") {
        // Bytes of 1.0f: 00 00 80 3f. Their products' sum is 63 * 63 and 128 * 128, the second one negative where only
        // one operand is signed.
        const int32_t square =
            limit.isa == "avx512_vnni" || limit.isa == "avx2" ? 63 * 63 - 128 * 128 : 63 * 63 + 128 * 128;
        const int32_t dot = tiles ? 16 * square : limit.isa == "neon_i8mm" ? 2 * square : square;
        int32_t first = 0;
        if (!tiles) std::memcpy(&first, ones.bytes, sizeof(first));  // where the sums begin
        EXPECT_EQ(At<int32_t>(sums, 0), first + static_cast<int32_t>(rounds) * dot) << what;
      } else {
        const float dot = limit.name == "fma_f32" ? 1.0f : tiles ? 16.0f : limit.isa == "neon_bf16" ? 2.0f : 1.0f;
        EXPECT_EQ(At<float>(sums, 0), (tiles ? 0.0f : 1.0f) + static_cast<float>(rounds) * dot) << what;
      }
    }
    EXPECT_GT(limit.loop.operations_per_round, 0) << what;
  }
}

TEST(Limits, EveryProcessorWithVectorsHasFloatAndReadLimits) {
  const CpuFeatures features = DetectCpuFeatures();
  std::set<std::string_view> names;
  for (const ArithmeticLimit& limit : ArithmeticLimits(features)) names.insert(limit.name);
  EXPECT_EQ(names.contains("fma_f32"), features.avx2 || features.neon);
  EXPECT_EQ(names.contains("bf16"), features.avx512_bf16 || features.neon_bf16);
  EXPECT_EQ(names.contains("int8"), features.avx2 || features.neon_dotprod || features.neon_i8mm);
  EXPECT_TRUE(ArithmeticLimits({}).empty());
  EXPECT_EQ(WidestRead({}).isa, "plain");
}

TEST(Limits, ReadSeesEveryByte) {
  struct alignas(64) Block {
    std::byte bytes[2 * kReadBlock] = {};
  };
  auto block = std::make_unique<Block>();
  for (const ReadLoop read : {WidestRead(DetectCpuFeatures()).loop, WidestRead({}).loop}) {
    EXPECT_EQ(read(block->bytes, sizeof(block->bytes)), 0u);
    for (const size_t at : {size_t{0}, size_t{1}, size_t{63}, size_t{4095}, size_t{4096}, size_t{8191}}) {
      block->bytes[at] = std::byte{1};
      EXPECT_NE(read(block->bytes, sizeof(block->bytes)), 0u) << at;
      block->bytes[at] = std::byte{0};
    }
  }
}

}  // namespace
}  // namespace galago::kernels
