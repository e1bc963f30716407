#include "galago/model.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "src/base/strings.h"
#include "src/engine/galago_source.h"
#include "src/engine/gguf_source.h"
#include "src/engine/kv_cache.h"
#include "src/engine/make_model.h"
#include "src/engine/memory_plan.h"
#include "src/engine/model_parts.h"
#include "src/models/memory.h"
#include "src/models/panel_matrix.h"
#include "src/models/runner.h"
#include "src/spec/describe.h"
#include "src/spec/parse.h"
#include "src/text/jinja.h"

namespace galago {
namespace engine {

StatusOr<spec::ParseOptions> ParseOptionsFor(const ModelOptions& options) {
  spec::ParseOptions parse;
  if (options.vila15 == Vila15::kEraB) parse.vila15_compat = spec::Vila15Compat::kEraB;
  if (!options.chat_template.empty()) {
    parse.chat_template = spec::TemplateFromName(options.chat_template);
    if (!parse.chat_template) {
      return InvalidArgument(
          StrCat("there is no built-in chat template named \"", Printable(options.chat_template), "\""));
    }
  }
  parse.llama_cpp = {.drop_last_layer = options.quirks.drop_last_layer,
                     .class_token_last = options.quirks.class_token_last,
                     .gelu_tanh = options.quirks.gelu_tanh,
                     .pad_bottom_right = options.quirks.pad_bottom_right};
  return parse;
}

StatusOr<std::shared_ptr<Model>> MakeModel(ModelParts made) {
  auto parts = std::make_unique<Model::Parts>();
  parts->name = std::move(made.name);
  parts->options = std::move(made.options);
  parts->spec = std::move(made.spec);
  parts->random = made.random;
  parts->spec.video.era_a_to_last_frame = parts->options.vila15 == Vila15::kEraAAug2024;
  text::AddMediaTokens(parts->spec.prompt, *made.tokenizer);
  parts->tokenizer = std::move(made.tokenizer);
  if (parts->spec.prompt.chat_template == spec::Template::kJinja) {
    const auto parsed = text::JinjaTemplate::Parse(parts->spec.prompt.jinja);
    if (!parsed.ok()) return Annotate(parsed.status(), parts->spec.path.string());
  }
  ASSIGN_OR_RETURN(parts->image_framing,
                   text::EncodeFraming(parts->spec.prompt.image_encoder.framing, *parts->tokenizer));
  const spec::MediaFraming& video_framing = std::visit(
      [](const auto& encoder) -> const spec::MediaFraming& { return encoder.framing; }, parts->spec.video.encoder);
  ASSIGN_OR_RETURN(parts->video_framing, text::EncodeFraming(video_framing, *parts->tokenizer));
  ASSIGN_OR_RETURN(parts->stop_ids, text::StopIds(parts->spec.prompt, *parts->tokenizer));
  parts->stop_strings = text::StopStrings(parts->spec.prompt);
  return std::make_shared<Model>(std::move(parts));
}

}  // namespace engine

namespace {

using engine::SpecAndTokenizer;

StatusOr<SpecAndTokenizer> OpenGgufModel(const std::filesystem::path& path, const ModelOptions& options,
                                         const spec::ParseOptions& parse) {
  ASSIGN_OR_RETURN(const io::GgufFile file, io::GgufFile::Open(path));
  ASSIGN_OR_RETURN(const spec::GgufFacts facts, engine::FactsOf(file, path));
  const ops::Precision precision = engine::OpsPrecision(options.precision);
  uint64_t bytes = models::LoadedBytes(file.tensors(), precision);
  SpecAndTokenizer result;
  if (options.mmproj.empty()) {
    ASSIGN_OR_RETURN(result.spec, spec::ParseGguf(facts, nullptr, parse));
  } else {
    ASSIGN_OR_RETURN(const io::GgufFile mmproj, io::GgufFile::Open(options.mmproj));
    ASSIGN_OR_RETURN(const spec::GgufFacts mmproj_facts, engine::FactsOf(mmproj, options.mmproj));
    ASSIGN_OR_RETURN(result.spec, spec::ParseGguf(facts, &mmproj_facts, parse));
    bytes += models::LoadedBytes(mmproj.tensors(), precision);
  }
  result.spec.weight_bytes = bytes;
  ASSIGN_OR_RETURN(text::GgufVocab vocab, engine::VocabOf(file));
  ASSIGN_OR_RETURN(result.tokenizer, text::MakeGgufTokenizer(std::move(vocab)));
  return result;
}

// The released AWQ checkpoints have one .pt file and configs that do not mention it. What it holds is looked at here
// for the memory plan and for people; a file that cannot be read is reported when it is loaded.
std::optional<spec::QuantizationSpec> QuantizationInTorchFile(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".pt") continue;
    const auto store = io::OpenTensorDirectory(folder);
    return store.ok() ? models::LlmAwqQuantization(*store) : std::nullopt;
  }
  return std::nullopt;
}

StatusOr<SpecAndTokenizer> OpenDirectory(const std::filesystem::path& path, const ModelOptions& options,
                                         const spec::ParseOptions& parse) {
  if (!options.mmproj.empty()) {
    return InvalidArgument(
        StrCat("an mmproj file goes with a .gguf language model, ", path.string(), " is a directory"));
  }
  SpecAndTokenizer result;
  ASSIGN_OR_RETURN(result.spec, spec::ParseDirectory(path, parse));
  if (!result.spec.language.quantization) {
    const bool subfolders = result.spec.layout == spec::Layout::kSubfolders;
    result.spec.language.quantization = QuantizationInTorchFile(subfolders ? path / "llm" : path);
  }
  ASSIGN_OR_RETURN(result.tokenizer, text::LoadTokenizer(result.spec.tokenizer));
  return result;
}

StatusOr<SpecAndTokenizer> OpenGalago(const std::filesystem::path& path, const ModelOptions& options,
                                      const spec::ParseOptions& parse) {
  if (!options.mmproj.empty()) {
    return InvalidArgument(
        StrCat("an mmproj file goes with a .gguf language model, ", path.string(), " holds the whole model"));
  }
  ASSIGN_OR_RETURN(const io::GalagoFile file, io::GalagoFile::Open(path));
  return engine::ReadGalago(file, path, parse);
}

StatusOr<SpecAndTokenizer> OpenAny(const std::filesystem::path& path, const ModelOptions& options,
                                   const spec::ParseOptions& parse) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return OpenDirectory(path, options, parse);
  if (path.extension() == io::kGalagoExtension) return OpenGalago(path, options, parse);
  return OpenGgufModel(path, options, parse);
}

}  // namespace

Model::Model(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Model::~Model() = default;

StatusOr<std::shared_ptr<Model>> Model::Open(const std::string& path, const ModelOptions& options) {
  std::error_code error;
  const std::filesystem::path place = path;
  if (!std::filesystem::exists(place, error)) {
    return NotFound(StrCat(Printable(path, 256), ": no such model directory or file"));
  }
  ASSIGN_OR_RETURN(const spec::ParseOptions parse, engine::ParseOptionsFor(options));
  ASSIGN_OR_RETURN(SpecAndTokenizer opened, OpenAny(place, options, parse));
  return engine::MakeModel(
      {.name = place.has_filename() ? place.filename().string() : place.parent_path().filename().string(),
       .options = options,
       .spec = std::move(opened.spec),
       .tokenizer = std::move(opened.tokenizer),
       .random = std::nullopt});
}

StatusOr<LoadReport> Model::LoadWeights(const std::atomic<bool>* cancel) {
  const auto start = std::chrono::steady_clock::now();
  const models::LoadOptions options = {.precision = engine::OpsPrecision(parts_->options.precision),
                                       .cancel = cancel,
                                       .random = parts_->random,
                                       .adapter = parts_->options.adapter};
  ASSIGN_OR_RETURN(models::LoadedRunner loaded, models::LoadRunner(parts_->spec, options));
  parts_->runner = std::move(loaded.runner);
  parts_->token_bytes = loaded.report.token_bytes;
  parts_->vision_bytes = loaded.report.vision_bytes;
  LoadReport report;
  report.mapped_bytes = loaded.report.mapped_bytes;
  report.converted_bytes = loaded.report.converted_bytes;
  report.notes = std::move(loaded.report.notes);
  report.load_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

bool Model::has_weights() const { return parts_->runner != nullptr; }
const std::string& Model::name() const { return parts_->name; }
bool Model::sees() const { return parts_->spec.vision.has_value(); }
int64_t Model::max_context() const { return spec::ContextLimit(parts_->spec); }
std::string Model::DescribeText() const { return spec::DescribeText(parts_->spec); }
std::string Model::DescribeJson() const { return spec::Describe(parts_->spec).dump(2); }

MemoryPlan Model::PlanMemory(int64_t ctx_size) const {
  MemoryPlan plan;
  plan.ctx_size = ctx_size > 0 ? ctx_size : max_context();
  const models::MemoryNeeds needs = models::PlanMemory(parts_->spec);
  plan.weights = parts_->random ? models::RandomWeightBytes(parts_->spec, *parts_->random) : needs.weights;
  plan.vision_workspace = needs.vision_workspace;
  plan.activations = needs.activations;
  plan.kv_cache =
      engine::KvCache::NumBytes(parts_->spec.language, plan.ctx_size, engine::KvDType(parts_->options.precision));
  plan.total = plan.weights + plan.kv_cache + plan.vision_workspace + plan.activations;
  // What must stay free for the rest of the machine (docs/cli.md).
  const uint64_t available = engine::AvailableMemory();
  const uint64_t reserve = std::max(uint64_t{256} << 20, available / 20);
  plan.available = available - std::min(available, reserve);
  return plan;
}

StatusOr<std::vector<Token>> Model::Tokenize(const std::string& text, bool add_special, bool parse_special) const {
  std::vector<Token> tokens;
  ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                   parts_->tokenizer->Encode(text, {.add_special = add_special, .parse_special = parse_special}));
  for (const int32_t id : ids) tokens.push_back({id, parts_->tokenizer->IdToPiece(id)});
  return tokens;
}

StatusOr<std::string> Model::Detokenize(const std::vector<int32_t>& ids) const {
  for (const int32_t id : ids) {
    if (id < 0 || id >= parts_->tokenizer->vocab_size()) {
      return InvalidArgument(StrCat("token ", id, " is outside the vocabulary of ", parts_->tokenizer->vocab_size()));
    }
  }
  return parts_->tokenizer->Decode(ids, /*skip_special=*/false);
}

}  // namespace galago
