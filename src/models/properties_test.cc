// What must hold for every model, on the golden checkpoints.
#include <gtest/gtest.h>

#include <random>

#include "src/base/strings.h"
#include "src/models/memory.h"
#include "src/models/runner.h"
#include "src/models/test_util.h"
#include "src/spec/media_layout.h"
#include "src/spec/parse.h"

namespace galago::models {
namespace {

using testing::Computer;
using testing::OwnedKv;

std::unique_ptr<const Runner> LoadGolden(std::string_view name) {
  const auto path = std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data" / name / "model";
  auto spec = spec::ParseDirectory(path);
  EXPECT_TRUE(spec.ok()) << spec.status();
  auto loaded = LoadRunner(*spec);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return std::move(loaded->runner);
}

std::vector<float> Noise(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

std::vector<float> LogitsAfter(const Runner& runner, std::span<const int32_t> ids, int64_t chunk, int threads) {
  Computer computer(threads);
  const auto width = static_cast<size_t>(runner.spec().language.hidden_size);
  OwnedKv kv(runner.spec().language, static_cast<int64_t>(ids.size()));
  std::vector<float> logits(static_cast<size_t>(runner.spec().language.vocab_size));
  for (size_t begin = 0; begin < ids.size(); begin += static_cast<size_t>(chunk)) {
    const auto piece = ids.subspan(begin, std::min(static_cast<size_t>(chunk), ids.size() - begin));
    std::vector<float> hidden(piece.size() * width);
    EXPECT_TRUE(runner.EmbedTokens(computer.Context(), piece, hidden).ok());
    EXPECT_TRUE(runner
                    .Forward(computer.Context(), hidden, static_cast<int64_t>(piece.size()),
                             static_cast<int64_t>(begin), kv.view, logits)
                    .ok());
  }
  return logits;
}

// Every row of every op depends on its own inputs alone, so the results are equal to the bit.
TEST(LanguageModel, PiecesAndThreadsDoNotMatter) {
  for (const char* name : {"nvila_lite_2b", "vila15_8b", "mobilevlm_v2"}) {
    SCOPED_TRACE(name);
    const auto runner = LoadGolden(name);
    std::vector<int32_t> ids(33);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 7 % 100);
    const std::vector<float> want = LogitsAfter(*runner, ids, 33, 1);
    for (const int64_t chunk : {1, 2, 5, 32}) {
      EXPECT_EQ(LogitsAfter(*runner, ids, chunk, 2), want) << "chunk " << chunk;
    }
  }
}

TEST(EncodeMedia, TilesDoNotSeeEachOther) {
  const auto runner = LoadGolden("nvila_lite_2b");
  const int64_t side = runner->spec().preprocess.size;
  const auto tile = static_cast<size_t>(3 * side * side);
  const std::vector<float> pixels = Noise(11 * tile, 3);  // more than one group and one batch
  Computer computer;
  const FramingIds framing = {.start = {5}, .end = {7, 9}};
  const auto all = runner->EncodeMedia(
      computer.Context(),
      {.pixels = pixels, .shape = {11, 3, side, side}, .layout = {.tiles = 11, .grid = {{5, 2}}}, .framing = framing});
  ASSERT_TRUE(all.ok()) << all.status();
  const auto width = static_cast<size_t>(runner->spec().language.hidden_size);
  size_t at = 0;
  for (size_t i = 0; i < 11; ++i) {
    const auto one = runner->EncodeMedia(
        computer.Context(),
        {.pixels = std::span(pixels).subspan(i * tile, tile), .shape = {1, 3, side, side}, .framing = framing});
    ASSERT_TRUE(one.ok());
    EXPECT_EQ(one->slot_rows[0], all->slot_rows[i]);
    EXPECT_TRUE(std::ranges::equal(one->rows.f32(), all->rows.f32().subspan(at, one->rows.f32().size()))) << i;
    at += one->rows.f32().size();
    std::vector<float> start(width);
    ASSERT_TRUE(runner->EmbedTokens(computer.Context(), framing.start, start).ok());
    EXPECT_TRUE(std::ranges::equal(start, one->rows.f32().first(width)));
  }
  EXPECT_EQ(at, all->rows.f32().size());
}

// Slices of a video as the engine makes them, and the whole.
TEST(EncodeMedia, SlicesOfAVideoAreTheWhole) {
  for (const char* name : {"nvila_8b", "nvila_8b_video", "vila15_3b_s2"}) {
    SCOPED_TRACE(name);
    const auto runner = LoadGolden(name);
    const int64_t side = runner->spec().preprocess.size;
    const int64_t frames = spec::FramesPerSlice(runner->spec());
    ASSERT_GT(frames, 0);
    const int64_t total = 2 * frames;
    const auto frame = static_cast<size_t>(3 * side * side);
    const std::vector<float> pixels = Noise(static_cast<size_t>(total) * frame, 6);
    Computer computer;
    const auto encode = [&](int64_t first, int64_t count, std::vector<int32_t> sep) {
      const auto these =
          std::span(pixels).subspan(static_cast<size_t>(first) * frame, static_cast<size_t>(count) * frame);
      const auto media =
          runner->EncodeMedia(computer.Context(), {.pixels = these,
                                                   .shape = {count, 3, side, side},
                                                   .layout = {.kind = spec::MediaKind::kVideo, .tiles = count},
                                                   .framing = {.start = {3}, .end = {1}, .sep = std::move(sep)}});
      EXPECT_TRUE(media.ok()) << media.status();
      const std::span<const float> rows = media->rows.f32();
      return std::vector<float>(rows.begin(), rows.end());
    };
    std::vector<float> sliced = encode(0, frames, {});
    const std::vector<float> last = encode(frames, frames, {5});
    sliced.insert(sliced.end(), last.begin(), last.end());
    EXPECT_EQ(sliced, encode(0, total, {5}));
  }
}

TEST(EncodeMedia, EndsSoonWhenCancelled) {
  const auto runner = LoadGolden("nvila_8b");
  const int64_t side = runner->spec().preprocess.size;
  const std::vector<float> pixels = Noise(static_cast<size_t>(3 * side * side), 7);
  Computer computer;
  const std::atomic<bool> cancel = true;
  ops::ExecContext ctx = computer.Context();
  ctx.cancel = &cancel;
  EXPECT_EQ(runner->EncodeMedia(ctx, {.pixels = pixels, .shape = {1, 3, side, side}}).status().code(),
            StatusCode::kCancelled);
  OwnedKv kv(runner->spec().language, 4);
  std::vector<float> hidden(static_cast<size_t>(runner->spec().language.hidden_size));
  EXPECT_EQ(runner->Forward(ctx, hidden, 1, 0, kv.view, {}).code(), StatusCode::kCancelled);
  EXPECT_EQ(LoadRunner(runner->spec(), {.cancel = &cancel}).status().code(), StatusCode::kCancelled);
}

// Looking on changes how features are grouped, never what they are.
TEST(EncodeMedia, ObserverChangesNothing) {
  for (const char* name : {"nvila_8b", "nvila_8b_video"}) {
    const auto runner = LoadGolden(name);
    const int64_t side = runner->spec().preprocess.size;
    const std::vector<float> pixels = Noise(static_cast<size_t>(10 * 3 * side * side), 4);
    Computer computer;
    testing::Recorder recorder;
    const EncodeRequest request = {.pixels = pixels,
                                   .shape = {10, 3, side, side},
                                   .layout = {.kind = spec::MediaKind::kVideo, .tiles = 10},
                                   .framing = {.end = {1}}};
    const auto quiet = runner->EncodeMedia(computer.Context(), request);
    const auto seen = runner->EncodeMedia(computer.Context(&recorder), request);
    ASSERT_TRUE(quiet.ok() && seen.ok()) << quiet.status() << seen.status();
    EXPECT_TRUE(std::ranges::equal(quiet->rows.f32(), seen->rows.f32())) << name;
    EXPECT_FALSE(recorder.entries.empty());
  }
}

spec::ModelSpec SoModel(spec::ScalesSpec scales, std::string_view projector, int64_t factor) {
  spec::ModelSpec spec;
  spec.language = {.hidden_size = 3584,
                   .intermediate_size = 18944,
                   .num_hidden_layers = 28,
                   .num_attention_heads = 28,
                   .num_key_value_heads = 4,
                   .head_dim = 128,
                   .vocab_size = 151648};
  spec.vision = spec::VisionSpec{.image_size = 448,
                                 .patch_size = 14,
                                 .hidden_size = 1152,
                                 .intermediate_size = 4304,
                                 .num_hidden_layers = 27,
                                 .num_attention_heads = 16,
                                 .num_layers_run = 26};
  const int64_t scale_count = std::holds_alternative<spec::DynamicS2>(scales) ? 3 : 1;
  spec.scales = std::move(scales);
  spec.projector = spec::ProjectorSpec{.mm_projector_type = std::string(projector),
                                       .kind = spec::DownsampleProjector{.factor = factor, .widths = {3584}},
                                       .mm_hidden_size = 1152 * scale_count,
                                       .hidden_size = 3584};
  spec.preprocess.size = 448;
  return spec;
}

TEST(PlanMemory, ReleasedSizes) {
  const spec::ModelSpec nvila =
      SoModel(spec::DynamicS2{.scales = {448, 896, 1344}, .resize_output_to_scale_idx = -1}, "mlp_downsample", 2);
  const MemoryNeeds needs = PlanMemory(nvila);
  // 15.2 GB of language model, 0.83 GB of tower, 0.12 GB of projector (listed file sizes), less the last tower layer.
  EXPECT_NEAR(static_cast<double>(needs.weights), 15.22e9 + 0.80e9 + 0.125e9, 0.05e9);
  EXPECT_LT(needs.vision_workspace, uint64_t{400} << 20);
  spec::ModelSpec one = SoModel({}, "mlp_downsample_2x2_fix", 2);
  EXPECT_LT(PlanMemory(one).vision_workspace, uint64_t{100} << 20);
}

TEST(PlanMemory, WorkspaceIsWhatEncodingTakes) {
  for (const char* name : {"nvila_lite_2b", "vila15_3b_s2", "mobilevlm_v2"}) {
    const auto runner = LoadGolden(name);
    const spec::ModelSpec& spec = runner->spec();
    const int64_t side = spec.preprocess.size;
    const std::vector<float> pixels = Noise(static_cast<size_t>(3 * side * side), 5);
    Computer computer(1);
    ASSERT_TRUE(runner->EncodeMedia(computer.Context(), {.pixels = pixels, .shape = {1, 3, side, side}}).ok());
    // The arena starts with 1 MiB and may leave gaps of half its size at the ends of chunks.
    EXPECT_LE(computer.arena.capacity(), 2 * PlanMemory(spec).vision_workspace + (2u << 20)) << name;
  }
}

}  // namespace
}  // namespace galago::models
