// Every stage of every golden checkpoint against what the official code computed (tests/golden/README.md).
#include <gtest/gtest.h>

#include <filesystem>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/tensor_store.h"
#include "src/models/runner.h"
#include "src/models/test_util.h"
#include "src/spec/parse.h"

namespace galago::models {
namespace {

using testing::Computer;
using testing::OwnedKv;
using testing::Recorder;
using testing::RelativeError;

namespace fs = std::filesystem;

// Both sides compute in float32 with different orders of summation. A stage is a chain of at most a dozen matrix
// products of fewer than 600 terms; rounding errors of a random-sign sum of n terms grow like sqrt(n) eps, so a chain
// stays within 12 * sqrt(600) * eps = 3.5e-5 of the largest value, with all of them aligned.
constexpr double kBound = 3.5e-5;

fs::path DataFolder() { return fs::path(GALAGO_SOURCE_DIR) / "tests/golden/data"; }

struct Trace {
  std::string case_name;
  std::string prompt;
};
void PrintTo(const Trace& trace, std::ostream* out) { *out << trace.case_name << "/" << trace.prompt; }

std::vector<Trace> AllTraces() {
  std::vector<Trace> traces;
  for (const auto& entry : fs::directory_iterator(DataFolder())) {
    if (!fs::exists(entry.path() / "golden.json")) continue;
    const auto golden = ReadJsonFile(entry.path() / "golden.json");
    if (!golden.ok() || !golden->contains("prompts")) continue;
    for (const Json& prompt : (*golden)["prompts"]) {
      const Json* trace = JsonFind(prompt, "trace");
      if (trace == nullptr || !trace->is_string()) continue;
      traces.push_back({entry.path().filename().string(), prompt["name"].get<std::string>()});
    }
  }
  std::ranges::sort(traces, {}, [](const Trace& t) { return t.case_name + "/" + t.prompt; });
  return traces;
}

spec::MediaLayout LayoutOf(const Json& media) {
  spec::MediaLayout layout;
  layout.kind = media["kind"] == "video" ? spec::MediaKind::kVideo : spec::MediaKind::kImage;
  layout.tiles = media["tiles"].get<int64_t>();
  const auto pair = [&media](const char* key) -> std::optional<std::array<int64_t, 2>> {
    const Json* value = JsonFind(media, key);
    if (value == nullptr) return std::nullopt;
    return value->get<std::array<int64_t, 2>>();
  };
  layout.grid = pair("grid");
  layout.block = pair("block");
  return layout;
}

class GoldenStage : public ::testing::TestWithParam<Trace> {
 protected:
  void SetUp() override {
    const fs::path folder = DataFolder() / GetParam().case_name;
    golden_ = ReadJsonFile(folder / "golden.json").value();
    for (const Json& prompt : golden_["prompts"]) {
      if (prompt["name"] == GetParam().prompt) prompt_ = prompt;
    }
    spec::ParseOptions options;
    const Json* compat = JsonFind(golden_, "compat");
    if (compat != nullptr && *compat == "eraB") options.vila15_compat = spec::Vila15Compat::kEraB;
    const fs::path model = fs::weakly_canonical(folder / golden_["model"].get<std::string>());
    auto spec = spec::ParseDirectory(model, options);
    ASSERT_TRUE(spec.ok()) << spec.status();
    auto loaded = LoadRunner(*spec, {.precision = ops::Precision::kF32});
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    runner_ = std::move(loaded->runner);
    auto trace = io::OpenSafetensors(folder / prompt_["trace"].get<std::string>());
    ASSERT_TRUE(trace.ok()) << trace.status();
    trace_ = *std::move(trace);
  }

  bool Has(const std::string& name) const { return trace_.Contains(name); }
  std::span<const float> Values(const std::string& name) const {
    const TensorView view = trace_.Find(name).value();
    return {view.As<float>(), static_cast<size_t>(view.shape.NumElements())};
  }
  Shape ShapeOf(const std::string& name) const { return trace_.Find(name)->shape; }

  // `got` may hold more than the trace: large hidden states are kept for the first tile only.
  void ExpectClose(const Recorder& got, const std::string& name, double bound = kBound) const {
    SCOPED_TRACE(name);
    ASSERT_TRUE(got.entries.contains(name));
    const auto& entry = got.entries.at(name);
    const Shape want = ShapeOf(name);
    ASSERT_EQ(entry.shape.rank(), want.rank());
    for (size_t i = 1; i < want.rank(); ++i) EXPECT_EQ(entry.shape[i], want[i]);
    ASSERT_GE(entry.values.size(), Values(name).size());
    EXPECT_LE(RelativeError(entry.values, Values(name)), bound);
  }

  // Ids whose embeddings are these rows: what the tokenizer made of the framing strings, which this folder cannot ask.
  std::vector<int32_t> IdsOf(std::span<const float> rows) {
    const auto width = static_cast<size_t>(runner_->spec().language.hidden_size);
    std::vector<int32_t> ids;
    std::vector<float> row(width);
    for (size_t at = 0; at < rows.size(); at += width) {
      for (int32_t id = 0; id < runner_->spec().language.vocab_size; ++id) {
        EXPECT_TRUE(runner_->EmbedTokens(computer_.Context(), {&id, 1}, row).ok());
        if (std::ranges::equal(row, rows.subspan(at, width))) {
          ids.push_back(id);
          break;
        }
      }
    }
    return ids;
  }

  Json golden_;
  Json prompt_;
  std::unique_ptr<const Runner> runner_;
  io::TensorStore trace_;
  Computer computer_;
};

TEST_P(GoldenStage, MediaStages) {
  for (size_t i = 0; i < prompt_["media"].size(); ++i) {
    const std::string media = StrCat("media.", i, ".");
    if (!Has(media + "pixel_values")) continue;  // left out where the reference's pixels are not needed again
    EncodeRequest request = {.pixels = Values(media + "pixel_values"),
                             .shape = ShapeOf(media + "pixel_values"),
                             .layout = LayoutOf(prompt_["media"][i]),
                             .media_index = static_cast<int64_t>(i)};
    const spec::ModelSpec& spec = runner_->spec();
    if (spec.prompt.era == spec::Era::kB) {
      // Qwen2 makes one token of a newline; other tokenizers put BOS and a space before it.
      const bool qwen2 = spec.language.model_type == "qwen2";
      const std::span<const float> embeds = Values(media + "embeds");
      const size_t extra = qwen2 ? static_cast<size_t>(spec.language.hidden_size)
                                 : embeds.size() - Values(StrCat("projector.", i, ".out")).size();
      request.framing.end = IdsOf(embeds.last(extra));
      ASSERT_EQ(request.framing.end.size() * static_cast<size_t>(spec.language.hidden_size), extra);
      const auto* tsp = std::get_if<spec::TspEncoder>(&spec.video.encoder);
      if (tsp != nullptr && !tsp->framing.sep_tokens.empty()) request.framing.sep = request.framing.end;
    }
    Recorder recorder;
    const auto encoded = runner_->EncodeMedia(computer_.Context(&recorder), request);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    int64_t rows = 0;
    for (const int64_t slot : encoded->slot_rows) rows += slot;
    EXPECT_EQ(rows, prompt_["media"][i]["rows"].get<int64_t>());
    for (const auto& [name, view] : trace_.tensors()) {
      if (name.starts_with(StrCat("vision.", i, ".")) || name.starts_with(StrCat("projector.", i, ".")) ||
          name == media + "embeds") {
        ExpectClose(recorder, name);
      }
    }
    EXPECT_EQ(ShapeOf(StrCat("vision.", i, ".selected")), recorder.entries[StrCat("vision.", i, ".selected")].shape);
  }
}

TEST_P(GoldenStage, LanguageModel) {
  if (!Has("lm.inputs_embeds")) GTEST_SKIP() << "the trace has no language model tensors";
  const spec::LanguageModelSpec& spec = runner_->spec().language;
  const Shape shape = ShapeOf("lm.inputs_embeds");
  const std::span<const float> embeds = Values("lm.inputs_embeds");

  // Text rows are the embedding table's.
  const TensorView ids = trace_.Find("lm.input_ids").value();
  std::vector<float> row(static_cast<size_t>(spec.hidden_size));
  for (int64_t t = 0; t < shape[0]; ++t) {
    const auto id = static_cast<int32_t>(ids.As<int64_t>()[t]);
    if (id < 0) continue;
    ASSERT_TRUE(runner_->EmbedTokens(computer_.Context(), {&id, 1}, row).ok());
    EXPECT_TRUE(std::ranges::equal(row, embeds.subspan(static_cast<size_t>(t * spec.hidden_size), row.size()))) << t;
  }

  Recorder recorder;
  std::vector<float> hidden(embeds.begin(), embeds.end());
  std::vector<float> logits(static_cast<size_t>(spec.vocab_size));
  OwnedKv kv(spec, shape[0]);
  const Status status = runner_->Forward(computer_.Context(&recorder), hidden, shape[0], 0, kv.view, logits);
  ASSERT_TRUE(status.ok()) << status;
  for (const auto& [name, view] : trace_.tensors()) {
    if (name.starts_with("lm.hidden.")) ExpectClose(recorder, name);
  }
  ExpectClose(recorder, "lm.logits");
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenStage, ::testing::ValuesIn(AllTraces()),
                         [](const auto& info) { return StrCat(info.param.case_name, "_", info.param.prompt); });

}  // namespace
}  // namespace galago::models
