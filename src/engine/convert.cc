#include "galago/convert.h"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "src/base/strings.h"
#include "src/engine/galago_source.h"
#include "src/engine/gguf_source.h"
#include "src/io/galago_file.h"
#include "src/models/vlm_runner.h"
#include "src/spec/parse.h"

namespace galago {
namespace {

namespace fs = std::filesystem;

struct Source {
  spec::ModelSpec spec;
  engine::GalagoTexts texts;
};

StatusOr<Source> ReadSource(const fs::path& path, const ModelOptions& options) {
  Source source;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    ASSIGN_OR_RETURN(source.spec, spec::ParseDirectory(path));
    ASSIGN_OR_RETURN(source.texts, engine::GalagoTextsOfDirectory(path));
    return source;
  }
  if (path.extension() == io::kGalagoExtension) {
    return InvalidArgument(StrCat(path.string(), ": is a .galago file already"));
  }
  ASSIGN_OR_RETURN(const io::GgufFile file, io::GgufFile::Open(path));
  ASSIGN_OR_RETURN(const spec::GgufFacts facts, engine::FactsOf(file, path));
  ASSIGN_OR_RETURN(const text::GgufVocab vocab, engine::VocabOf(file));
  if (options.mmproj.empty()) {
    ASSIGN_OR_RETURN(source.spec, spec::ParseGguf(facts, nullptr));
    ASSIGN_OR_RETURN(source.texts, engine::GalagoTextsOfGguf(facts, nullptr, vocab));
    return source;
  }
  ASSIGN_OR_RETURN(const io::GgufFile mmproj, io::GgufFile::Open(options.mmproj));
  ASSIGN_OR_RETURN(const spec::GgufFacts mmproj_facts, engine::FactsOf(mmproj, options.mmproj));
  ASSIGN_OR_RETURN(source.spec, spec::ParseGguf(facts, &mmproj_facts));
  ASSIGN_OR_RETURN(source.texts, engine::GalagoTextsOfGguf(facts, &mmproj_facts, vocab));
  return source;
}

void AddTensors(std::string_view part, const models::Weights& weights, io::GalagoContents& out) {
  for (const auto& [name, view] : weights.used()) out.tensors.emplace_back(StrCat(part, "/", name), view);
}

}  // namespace

StatusOr<ConvertReport> ConvertModel(const std::string& model, const ModelOptions& options, const std::string& output,
                                     const std::atomic<bool>* cancel) {
  const auto start = std::chrono::steady_clock::now();
  if (fs::path(output).extension() != io::kGalagoExtension) {
    return InvalidArgument(StrCat(Printable(output, 256), ": the name of the file must end in ", io::kGalagoExtension));
  }
  std::error_code error;
  if (!fs::exists(model, error)) return NotFound(StrCat(Printable(model, 256), ": no such model directory or file"));
  ASSIGN_OR_RETURN(Source source, ReadSource(model, options));
  models::LoadReport loaded;
  // The precision that ships: block types without panels become bf16, everything else stays as exact as it is.
  const models::LoadOptions load = {.precision = ops::Precision::kBf16, .cancel = cancel};
  ASSIGN_OR_RETURN(const auto runner, models::LoadVlmRunner(source.spec, load, loaded));
  io::GalagoContents contents{.facts = std::move(source.texts.facts), .files = std::move(source.texts.files)};
  AddTensors(models::kLanguagePart, runner->weights().language, contents);
  AddTensors(models::kVisionPart, runner->weights().vision, contents);
  AddTensors(models::kProjectorPart, runner->weights().projector, contents);
  RETURN_IF_ERROR(io::WriteGalago(output, contents));
  ConvertReport report;
  report.bytes = fs::file_size(output, error);
  report.tensors = static_cast<int64_t>(contents.tensors.size());
  report.notes = std::move(loaded.notes);
  report.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace galago
