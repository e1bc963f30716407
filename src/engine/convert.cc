#include "galago/convert.h"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "src/base/strings.h"
#include "src/engine/galago_source.h"
#include "src/engine/model_parts.h"
#include "src/io/galago_file.h"
#include "src/models/vlm_runner.h"

namespace galago {
namespace {

namespace fs = std::filesystem;

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
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> opened, Model::Open(model, options));
  const spec::ModelSpec& spec = opened->parts().spec;
  if (spec.layout == spec::Layout::kGalago) return InvalidArgument(StrCat(model, ": is a .galago file already"));
  ASSIGN_OR_RETURN(engine::GalagoTexts texts, engine::GalagoTextsOf(spec));
  models::LoadReport loaded;
  // The precision that ships: block types without panels become bf16, everything else stays as exact as it is.
  const models::LoadOptions load = {
      .precision = ops::Precision::kBf16, .cancel = cancel, .random = std::nullopt, .adapter = options.adapter};
  ASSIGN_OR_RETURN(const auto runner, models::LoadVlmRunner(spec, load, loaded));
  io::GalagoContents contents{.facts = std::move(texts.facts), .files = std::move(texts.files)};
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
