// Quantised checkpoints in the layouts of the field against the official packers and the official code
// (tests/golden/data/quant, quant_layouts.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/io/safetensors.h"
#include "src/io/test_files.h"
#include "src/models/panel_matrix.h"
#include "src/models/runner.h"
#include "src/models/test_util.h"
#include "src/models/weights.h"
#include "src/spec/parse.h"
#include "src/tensor/convert.h"
#include "src/tensor/float16.h"
#include "src/tensor/panels.h"
#include "src/tensor/weight_layouts.h"

namespace galago::models {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Computer;
using ::testing::Each;
using ::testing::HasSubstr;
using testing::OwnedKv;
using testing::RelativeError;

fs::path Golden(std::string_view name) {
  return fs::path(GALAGO_SOURCE_DIR) / "tests/golden/data/quant" / std::string(name);
}

TensorView Get(const io::TensorStore& store, const std::string& name) {
  const auto view = store.Find(name);
  EXPECT_TRUE(view.ok()) << view.status();
  return view.ok() ? *view : TensorView();
}

bool SameBytes(const TensorView& a, const TensorView& b) {
  return a.dtype == b.dtype && a.shape == b.shape && std::memcmp(a.data, b.data, a.NumBytes()) == 0;
}

// ------------------------------------------------------------------------------------------------------------ packers

struct PackerCase {
  std::string name;   // as in the file
  std::string zeros;  // what its zeros are called
  WeightLayout layout;
};

TEST(OfficialPackers, AreReadAndReproducedBitByBit) {
  const auto store = io::OpenSafetensors(Golden("matrices.safetensors"));
  ASSERT_TRUE(store.ok()) << store.status();
  const PackerCase cases[] = {{"v2", "scaled_zeros", WeightLayout::kAwqInterleaved},
                              {"gemm", "qzeros", WeightLayout::kAwqGemm},
                              {"gemv", "qzeros", WeightLayout::kAwqGemv},
                              {"gemv_fast", "qzeros", WeightLayout::kAwqInterleaved},
                              {"gptq", "qzeros", WeightLayout::kGptq}};
  for (const int64_t group : {128, 64, 32}) {
    const std::string g = StrCat("g", group, ".");
    GroupedWeights want = MakeGroupedWeights(32, 256, group);
    std::memcpy(want.codes.data(), Get(*store, g + "codes").data, want.codes.size());
    std::memcpy(want.scales.data(), Get(*store, g + "scales").data, 2 * want.scales.size());
    for (size_t i = 0; i < want.zeros.size(); ++i) {
      want.zeros[i] = F32ToF16(Get(*store, g + "zeros").As<uint8_t>()[i]);
    }
    for (const PackerCase& c : cases) {
      const std::string at = g + c.name + ".";
      const PackedWeights file{Get(*store, at + "qweight"), Get(*store, at + "scales"), Get(*store, at + c.zeros), {}};
      const auto unpacked = Unpack(c.layout, file, 32, 256, group, at);
      ASSERT_TRUE(unpacked.ok()) << unpacked.status();
      EXPECT_EQ(unpacked->weights, want) << at;
      const auto packed = Pack(c.layout, want);
      ASSERT_TRUE(packed.ok()) << packed.status();
      EXPECT_TRUE(SameBytes(packed->qweight.view(), file.qweight)) << at;
      EXPECT_TRUE(SameBytes(packed->scales.view(), file.scales)) << at;
      EXPECT_TRUE(SameBytes(packed->zeros.view(), file.zeros)) << at;
    }
  }
}

// A bf16 model has bf16 scales and coarser scaled zeros; the integers behind them are still found.
TEST(OfficialPackers, Bfloat16Scales) {
  const auto store = io::OpenSafetensors(Golden("matrices.safetensors"));
  ASSERT_TRUE(store.ok()) << store.status();
  const PackedWeights file{Get(*store, "g64_bf16.v2.qweight"),
                           Get(*store, "g64_bf16.v2.scales"),
                           Get(*store, "g64_bf16.v2.scaled_zeros"),
                           {}};
  ASSERT_EQ(file.scales.dtype, DType::kBF16);
  const auto unpacked = Unpack(WeightLayout::kAwqInterleaved, file, 32, 256, 64, "w");
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  const TensorView codes = Get(*store, "g64_bf16.codes");
  EXPECT_EQ(std::memcmp(unpacked->weights.codes.data(), codes.data, codes.NumBytes()), 0);
  const TensorView scales = Get(*store, "g64_bf16.scales");
  const TensorView zeros = Get(*store, "g64_bf16.zeros");
  for (size_t i = 0; i < unpacked->weights.scales.size(); ++i) {
    EXPECT_NEAR(F16ToF32(unpacked->weights.scales[i]), Bf16ToF32(scales.As<uint16_t>()[i]), 0x1p-25);
    EXPECT_EQ(F16ToF32(unpacked->weights.zeros[i]), zeros.As<uint8_t>()[i]);
  }
}

// -------------------------------------------------------------------------------------------------------- checkpoints

// A case's folder, which has no tokenizer, with the name of one.
class CaseFiles : public spec::FileSource {
 public:
  explicit CaseFiles(fs::path root) : root_(std::move(root)) {}
  bool Exists(std::string_view name) const override { return name == "tokenizer.json" || fs::exists(root_ / name); }
  StatusOr<std::string> Read(std::string_view name) const override {
    if (name == "tokenizer.json") return std::string("{}");
    return ReadFile(root_ / name, 1 << 20);
  }

 private:
  fs::path root_;
};

StatusOr<spec::ModelSpec> SpecOf(const fs::path& folder) { return spec::ParseFiles(CaseFiles(folder), folder); }

StatusOr<std::vector<float>> Logits(const spec::ModelSpec& spec, std::span<const int64_t> ids,
                                    LoadReport* report = nullptr, ops::Precision precision = ops::Precision::kF32) {
  ASSIGN_OR_RETURN(const LoadedRunner loaded, LoadRunner(spec, {.precision = precision}));
  if (report != nullptr) *report = loaded.report;
  Computer computer;
  const auto tokens = static_cast<int64_t>(ids.size());
  OwnedKv kv(spec.language, tokens);
  ops::ExecContext ctx = computer.Context();
  ctx.precision = precision;
  std::vector<float> hidden(ids.size() * static_cast<size_t>(spec.language.hidden_size));
  RETURN_IF_ERROR(loaded.runner->EmbedTokens(ctx, std::vector<int32_t>(ids.begin(), ids.end()), hidden));
  std::vector<float> logits(static_cast<size_t>(spec.language.vocab_size));
  RETURN_IF_ERROR(loaded.runner->Forward(ctx, hidden, tokens, 0, kv.view, logits));
  return logits;
}

class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string_view name) : path_(fs::path(::testing::TempDir()) / std::string(name)) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The same checkpoint with every packed matrix written out as float32.
Status WriteFloatTwin(const spec::ModelSpec& spec, const fs::path& folder) {
  ASSIGN_OR_RETURN(const io::TensorStore store, io::OpenTensorDirectory(spec.path));
  std::vector<Tensor> owned;
  owned.reserve(store.tensors().size());
  std::vector<io::NamedTensor> tensors;
  for (const auto& [name, view] : store.tensors()) {
    constexpr std::string_view kPacked = ".qweight";
    if (name.ends_with(kPacked)) {
      const std::string stem = name.substr(0, name.size() - kPacked.size());
      const int64_t d = spec.language.hidden_size;
      const int64_t f = spec.language.intermediate_size;
      const bool down = stem.ends_with("down_proj");
      const bool wide = stem.ends_with("gate_proj") || stem.ends_with("up_proj");
      const bool kv = stem.ends_with("k_proj") || stem.ends_with("v_proj");
      const int64_t rows = wide ? f : kv ? spec.language.num_key_value_heads * spec.language.head_dim : d;
      const int64_t cols = down ? f : d;
      ASSIGN_OR_RETURN(const PanelMatrix matrix, PanelsFromPacked(store, stem, rows, cols, spec.language.quantization));
      Tensor& out = owned.emplace_back(DType::kF32, Shape{rows, cols});
      std::vector<float> row(static_cast<size_t>(cols));
      for (int64_t n = 0; n < rows; ++n) {
        DequantizePanelRow(matrix.panels.dtype(), matrix.panels.data(), n, row);
        for (size_t j = 0; j < row.size(); ++j) {
          const size_t k = matrix.order.empty() ? j : static_cast<size_t>(matrix.order[j]);
          out.f32()[static_cast<size_t>(n * cols) + k] = row[j];
        }
      }
      tensors.push_back({stem + ".weight", out.view()});
    } else if (IsFloat(view.dtype) && !name.ends_with("scales") && !name.ends_with("zeros")) {
      tensors.push_back({name, view});
    }
  }
  return io::WriteSafetensors(folder / "model.safetensors", tensors);
}

class Checkpoint : public ::testing::TestWithParam<const char*> {};

TEST_P(Checkpoint, GivesTheLogitsOfTheOfficialCodeAndOfItsFloatTwin) {
  const std::string name = GetParam();
  const auto golden = io::OpenSafetensors(Golden("logits.safetensors"));
  ASSERT_TRUE(golden.ok()) << golden.status();
  const TensorView ids = Get(*golden, name + ".ids");
  const TensorView want = Get(*golden, name + ".logits");
  const std::span id_span(ids.As<int64_t>(), static_cast<size_t>(ids.shape[0]));

  const auto spec = SpecOf(Golden(name));
  ASSERT_TRUE(spec.ok()) << spec.status();
  LoadReport report;
  const auto got = Logits(*spec, id_span, &report);
  ASSERT_TRUE(got.ok()) << got.status();
  // The official sum of each product in another order: a few float32 roundings of the largest logit.
  EXPECT_LT(RelativeError(*got, {want.As<float>(), static_cast<size_t>(want.shape[0])}), 2e-5);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_THAT(report.notes, Each(AllOf(HasSubstr("matrices"), HasSubstr("repacked for the kernels"))));
  const bool ordered = name == "qwen2_gptq_order";  // its rows of one group have none
  EXPECT_EQ(report.notes.back().find("activation order") != std::string::npos, ordered);

  const TemporaryFolder twin_folder(StrCat("twin_", name));
  ASSERT_TRUE(WriteFloatTwin(*spec, twin_folder.path()).ok());
  spec::ModelSpec twin = *spec;
  twin.path = twin_folder.path();
  twin.language.quantization.reset();
  const auto twin_logits = Logits(twin, id_span);
  ASSERT_TRUE(twin_logits.ok()) << twin_logits.status();
  EXPECT_LT(RelativeError(*got, *twin_logits), 1e-5);

  // The default precision rounds activations to 8 bits of mantissa.
  const auto rounded = Logits(*spec, id_span, nullptr, ops::Precision::kBf16);
  ASSERT_TRUE(rounded.ok()) << rounded.status();
  EXPECT_LT(RelativeError(*rounded, *twin_logits), 0.03);
}

INSTANTIATE_TEST_SUITE_P(Layouts, Checkpoint,
                         ::testing::Values("qwen2_v2", "qwen2_gemm", "qwen2_gemv", "qwen2_gemv_fast", "qwen2_gptq",
                                           "qwen2_gptq_order", "llama_v2", "llama_gemm"));

// The same without a word in the config: types and shapes tell the layouts apart.
TEST(CheckpointWithoutConfig, LayoutFollowsFromTheTensors) {
  const auto golden = io::OpenSafetensors(Golden("logits.safetensors"));
  ASSERT_TRUE(golden.ok()) << golden.status();
  for (const std::string name : {"qwen2_gemm", "qwen2_gemv", "qwen2_gemv_fast", "qwen2_gptq", "qwen2_gptq_order"}) {
    auto spec = SpecOf(Golden(name));
    ASSERT_TRUE(spec.ok()) << spec.status();
    const TensorView ids = Get(*golden, name + ".ids");
    const std::span id_span(ids.As<int64_t>(), static_cast<size_t>(ids.shape[0]));
    const auto want = Logits(*spec, id_span);
    spec->language.quantization.reset();
    const auto got = Logits(*spec, id_span);
    ASSERT_TRUE(got.ok()) << name << got.status();
    EXPECT_EQ(*got, *want) << name;
  }
}

TEST(CheckpointWithoutConfig, TorchFilesOfLlmAwqAreRecognised) {
  const auto store = io::OpenTensorDirectory(Golden("llama_v2"));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(LlmAwqQuantization(*store), (spec::QuantizationSpec{spec::QuantizationFormat::kLlmAwq, 32}));
  const auto other = io::OpenTensorDirectory(Golden("llama_gemm"));
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(LlmAwqQuantization(*other), std::nullopt);
}

// ------------------------------------------------------------------------------------------------------------ refused

// A checkpoint's tensors with one change.
std::string MessageWith(std::string_view name, const std::function<void(io::TensorStore&)>& add,
                        const std::string& without, std::optional<spec::QuantizationSpec> stated) {
  const auto spec = SpecOf(Golden(name));
  EXPECT_TRUE(spec.ok()) << spec.status();
  const auto store = io::OpenTensorDirectory(spec->path);
  EXPECT_TRUE(store.ok()) << store.status();
  io::TensorStore changed("model.pt");
  for (const auto& [tensor, view] : store->tensors()) {
    if (tensor == without) continue;
    EXPECT_TRUE(changed.Add(tensor, view).ok());
  }
  if (add) add(changed);
  Weights weights(changed, {}, stated);
  const auto linear = weights.Linear("model.layers.0.self_attn.q_proj", 64, 64, true);
  return MessageOf(linear.status());
}

TEST(Refused, NamesTheTensorAndBothNumbers) {
  const std::string q = "model.layers.0.self_attn.q_proj";
  constexpr auto kGemm = spec::QuantizationFormat::kAwqGemm;
  EXPECT_THAT(MessageWith("qwen2_v2", {}, q + ".bias", std::nullopt), HasSubstr(q + ".bias"));
  EXPECT_THAT(MessageWith("qwen2_v2", {}, q + ".scales", std::nullopt), HasSubstr(q + ".scales"));
  EXPECT_THAT(MessageWith("qwen2_v2", {}, q + ".scaled_zeros", std::nullopt), HasSubstr(q + ".qzeros"));
  EXPECT_THAT(MessageWith("qwen2_gemm", {}, "", spec::QuantizationSpec{spec::QuantizationFormat::kAwqGemv, 64}),
              AllOf(HasSubstr("model.pt: " + q), HasSubstr("scales is [1, 64], the layout needs [64, 16]")));
  EXPECT_THAT(MessageWith("qwen2_gemm", {}, "", spec::QuantizationSpec{kGemm, 48}),
              HasSubstr("64 columns are not whole groups of 48"));
  EXPECT_THAT(MessageWith("qwen2_gemm", {}, "", spec::QuantizationSpec{kGemm, 16}),
              HasSubstr("scales is [1, 64], the layout needs [4, 64]"));
  EXPECT_THAT(MessageWith(
                  "qwen2_gemm",
                  [&](io::TensorStore& store) {
                    EXPECT_TRUE(store.AddOwned(q + ".qweight", Tensor(DType::kI32, {63, 8})).ok());
                  },
                  q + ".qweight", std::nullopt),
              HasSubstr("qweight is [63, 8] of i32, no layout we know"));
  EXPECT_THAT(MessageWith(
                  "qwen2_v2",
                  [&](io::TensorStore& store) {
                    EXPECT_TRUE(store.AddOwned(q + ".scales", Tensor(DType::kF16, {24, 64})).ok());
                  },
                  q + ".scales", std::nullopt),
              HasSubstr("room for 24 groups"));
}

TEST(Bytes, RowsAndGroups) {
  Tensor weight(DType::kI8, {16, 256});
  for (size_t i = 0; i < weight.num_bytes(); ++i) weight.data()[i] = static_cast<std::byte>(i * 7);
  for (const Shape& shape : {Shape{16}, Shape{16, 1}, Shape{16, 2}, Shape{16, 8}, Shape{16, 16}}) {
    Tensor scale = Tensor::F32(shape);
    for (size_t i = 0; i < scale.f32().size(); ++i) scale.f32()[i] = 0.25f * static_cast<float>(i + 1);
    const auto made = PanelsFromBytes(weight.view(), scale.view(), "w");
    ASSERT_TRUE(made.ok()) << made.status();
    const size_t groups = scale.f32().size() / 16;
    std::vector<float> row(256);
    for (size_t n = 0; n < 16; ++n) {
      DequantizePanelRow(made->panels.dtype(), made->panels.data(), static_cast<int64_t>(n), row);
      for (size_t k = 0; k < 256; ++k) {
        EXPECT_EQ(row[k], scale.f32()[n * groups + k / (256 / groups)] *
                              static_cast<float>(static_cast<int8_t>(weight.data()[n * 256 + k])));
      }
    }
  }
  EXPECT_THAT(MessageOf(PanelsFromBytes(weight.view(), Tensor::F32({8}).view(), "w").status()), HasSubstr("[8]"));
  EXPECT_THAT(MessageOf(PanelsFromBytes(weight.view(), Tensor::F32({16, 4}).view(), "w").status()),
              HasSubstr("8-bit groups of 64"));
  EXPECT_THAT(MessageOf(PanelsFromBytes(weight.view(), Tensor::F32({16, 5}).view(), "w").status()), HasSubstr("5"));
  Tensor bad = Tensor::F32({16});
  bad.f32()[3] = INFINITY;
  EXPECT_THAT(MessageOf(PanelsFromBytes(weight.view(), bad.view(), "w").status()), HasSubstr("weight_scale 3 is inf"));
}

}  // namespace
}  // namespace galago::models
