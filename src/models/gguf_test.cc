// GGUF files written by the official converters' library against the official code's results (tests/golden/data/gguf).
#include "src/io/gguf.h"

#include <gtest/gtest.h>

#include "src/base/json.h"
#include "src/base/strings.h"
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

fs::path Golden(std::string_view name) { return fs::path(GALAGO_SOURCE_DIR) / "tests/golden/data" / name; }

// The engine's part: what a GGUF file says about itself.
spec::GgufFacts FactsOf(const io::GgufFile& file, const fs::path& path) {
  spec::GgufFacts facts;
  facts.path = path;
  for (const auto& entry : file.Describe()) {
    if (entry.type == "string") {
      facts.metadata[entry.key] = std::string(**file.GetString(entry.key));
    } else if (entry.type == "bool") {
      facts.metadata[entry.key] = **file.GetBool(entry.key);
    } else if (entry.type == "f32" || entry.type == "f64") {
      facts.metadata[entry.key] = **file.GetFloat(entry.key);
    } else if (entry.type.starts_with("f32[3]")) {
      facts.metadata[entry.key] = **file.GetFloatArray(entry.key);
    } else if (entry.type.find('[') == std::string::npos) {
      facts.metadata[entry.key] = **file.GetInt(entry.key, INT32_MIN, UINT32_MAX);
    }
  }
  for (const auto& [name, view] : file.tensors().tensors()) {
    facts.tensors[name] = {view.shape.dims().begin(), view.shape.dims().end()};
  }
  return facts;
}

StatusOr<LoadedRunner> Load(std::string_view llm, std::string_view mmproj, ops::Precision precision) {
  const fs::path llm_path = Golden(StrCat("gguf/", llm));
  ASSIGN_OR_RETURN(const io::GgufFile file, io::GgufFile::Open(llm_path));
  const spec::GgufFacts facts = FactsOf(file, llm_path);
  if (mmproj.empty()) {
    ASSIGN_OR_RETURN(const spec::ModelSpec spec, spec::ParseGguf(facts, nullptr));
    return LoadRunner(spec, {.precision = precision});
  }
  const fs::path mmproj_path = Golden(StrCat("gguf/", mmproj));
  ASSIGN_OR_RETURN(const io::GgufFile mmproj_file, io::GgufFile::Open(mmproj_path));
  const spec::GgufFacts mmproj_facts = FactsOf(mmproj_file, mmproj_path);
  ASSIGN_OR_RETURN(const spec::ModelSpec spec, spec::ParseGguf(facts, &mmproj_facts));
  return LoadRunner(spec, {.precision = precision});
}

std::span<const float> Values(const io::TensorStore& store, std::string_view name) {
  const TensorView view = store.Find(name).value();
  return {view.As<float>(), static_cast<size_t>(view.shape.NumElements())};
}

// Permuted q and k with interleaved rotation, tied and untied heads, plain and block types.
TEST(GgufLanguageModel, HiddenStatesAndLogits) {
  Computer computer;
  for (const char* name : {"llama/llama-f16 llama/f16", "llama/llama-mixed llama/mixed", "qwen2/qwen2-f16 qwen2/f16",
                           "qwen2/qwen2-mixed qwen2/mixed"}) {
    SCOPED_TRACE(name);
    const std::vector<std::string> names = Split(name, ' ');
    auto loaded = Load(names[0] + ".gguf", "", ops::Precision::kF32);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->report.notes.empty(), names[1].ends_with("f16"));
    const auto trace = io::OpenSafetensors(Golden(StrCat("gguf/", names[1], ".safetensors")));
    ASSERT_TRUE(trace.ok()) << trace.status();
    const Runner& runner = *loaded->runner;
    const auto rows = trace->Find("lm.inputs_embeds")->shape[0];
    std::vector<int32_t> ids;
    for (int64_t t = 0; t < rows; ++t) {
      ids.push_back(static_cast<int32_t>(trace->Find("lm.input_ids")->As<int64_t>()[t]));
    }
    std::vector<float> hidden(static_cast<size_t>(rows * runner.spec().language.hidden_size));
    ASSERT_TRUE(runner.EmbedTokens(computer.Context(), ids, hidden).ok());
    EXPECT_EQ(RelativeError(hidden, Values(*trace, "lm.inputs_embeds")), 0.0);
    Recorder recorder;
    OwnedKv kv(runner.spec().language, rows);
    std::vector<float> logits(static_cast<size_t>(runner.spec().language.vocab_size));
    ASSERT_TRUE(runner.Forward(computer.Context(&recorder), hidden, rows, 0, kv.view, logits).ok());
    for (const auto& [key, view] : trace->tensors()) {
      if (key.starts_with("lm.hidden.")) {
        EXPECT_LE(RelativeError(recorder.entries.at(key).values, Values(*trace, key)), 3.5e-5) << key;
      }
    }
    EXPECT_LE(RelativeError(logits, Values(*trace, "lm.logits")), 3.5e-5);  // as in golden_stage_test.cc
  }
}

TEST(GgufLanguageModel, BlockTypesExpandToBf16WhereThatIsEnough) {
  auto exact = Load("llama/llama-mixed.gguf", "", ops::Precision::kF32);
  auto rounded = Load("llama/llama-mixed.gguf", "", ops::Precision::kBf16);
  ASSERT_TRUE(exact.ok() && rounded.ok());
  EXPECT_LT(rounded->report.converted_bytes, exact->report.converted_bytes);
  ASSERT_FALSE(rounded->report.notes.empty());
  EXPECT_NE(rounded->report.notes[0].find("expanded to bf16"), std::string::npos);
}

// The mmproj files hold the towers of the MobileVLM goldens, whose bf16 weights float16 holds up to its subnormals.
TEST(GgufMmproj, TowerAndProjector) {
  Computer computer;
  for (const char* name : {"mobilevlm_v1 mmproj-f16", "mobilevlm_v2 mmproj-f16", "mobilevlm_v2 mmproj-peg-f16",
                           "mobilevlm_mlp mmproj-f32", "mobilevlm_mlp mmproj-no-type-f16"}) {
    SCOPED_TRACE(name);
    const std::vector<std::string> names = Split(name, ' ');
    auto loaded = Load(names[0] + "/llm-f16.gguf", StrCat(names[0], "/", names[1], ".gguf"), ops::Precision::kF32);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const auto trace = io::OpenSafetensors(Golden(names[0] + "/one_image.safetensors"));
    ASSERT_TRUE(trace.ok()) << trace.status();
    Recorder recorder;
    const TensorView pixels = trace->Find("media.0.pixel_values").value();
    const auto media = loaded->runner->EncodeMedia(
        computer.Context(&recorder), {.pixels = Values(*trace, "media.0.pixel_values"), .shape = pixels.shape});
    ASSERT_TRUE(media.ok()) << media.status();
    // Subnormals of float16 are off by at most 2^-25 beside weights of about 0.05: 6e-7 of a sum, less than its
    // rounding.
    for (const char* stage : {"vision.0.selected", "projector.0.out", "media.0.embeds"}) {
      EXPECT_LE(RelativeError(recorder.entries.at(stage).values, Values(*trace, stage)), 3.5e-5) << stage;
    }
  }
}

}  // namespace
}  // namespace galago::models
