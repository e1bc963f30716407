#include "galago/quantize.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <system_error>
#include <utility>

#include "src/base/check.h"
#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/engine/galago_source.h"
#include "src/engine/model_parts.h"
#include "src/io/galago_file.h"
#include "src/models/vlm_runner.h"
#include "src/quant/calibration.h"
#include "src/quant/model_layers.h"
#include "src/quant/output_directory.h"
#include "src/quant/rounding.h"
#include "src/tensor/convert.h"

namespace galago {
namespace {

namespace fs = std::filesystem;

bool IsOneFile(const fs::path& output) { return output.extension() == io::kGalagoExtension; }

// Of a format that quantises.
int BitsOf(WeightFormat format) {
  CHECK(format != WeightFormat::kBf16);
  return format == WeightFormat::kW4 ? 4 : format == WeightFormat::kW6 ? 6 : 8;
}

// The folder that the output is to lie in, made if need be.
StatusOr<fs::path> FolderAround(const fs::path& output) {
  std::error_code error;
  fs::path folder = fs::absolute(output, error);
  if (!folder.has_filename()) folder = folder.parent_path();  // of a slash at the end
  folder = folder.parent_path();
  if (!error) fs::create_directories(folder, error);
  if (error) return Unavailable(StrCat(folder.string(), ": cannot be made: ", error.message()));
  return folder;
}

// What can be refused before anything is read.
Status CheckOptions(const std::string& output, const QuantizeOptions& options) {
  if (options.group != 32 && options.group != 64 && options.group != 128) {
    return InvalidArgument(StrCat("groups of ", options.group, " have no kernels, the choice is 32, 64 or 128"));
  }
  if (options.tower != WeightFormat::kW8 && options.tower != WeightFormat::kBf16) {
    return InvalidArgument(StrCat("the tower's weights have 16 or 8 bits, not ", BitsOf(options.tower)));
  }
  if (options.decoder == WeightFormat::kBf16 && options.tower == WeightFormat::kBf16 &&
      options.head == WeightFormat::kBf16) {
    return InvalidArgument("nothing is to be quantised");
  }
  if (options.sequence < 1 || options.loss_tokens < 1 || options.calibration_tokens < options.sequence) {
    return InvalidArgument(StrCat("the calibration has ", options.calibration_tokens, " tokens in pieces of ",
                                  options.sequence, ", at least one piece is needed"));
  }
  if (!(options.smoothing >= 0.0 && options.smoothing <= 1.0)) {
    return InvalidArgument(StrCat("smoothing is ", options.smoothing, ", expected 0 to 1"));
  }
  if (options.method == QuantizeMethod::kAwq && options.decoder == WeightFormat::kW4 && options.texts.empty() &&
      options.samples.empty()) {
    return InvalidArgument("AWQ needs text or pictures to calibrate on; rounding to nearest (rtn) does without");
  }
  if (!IsOneFile(output) && (options.decoder != WeightFormat::kW4 || options.tower != WeightFormat::kBf16 ||
                             options.head != WeightFormat::kBf16)) {
    return InvalidArgument(StrCat(Printable(output, 256), ": a directory of AutoAWQ holds a 4-bit decoder and nothing ",
                                  "else that is quantised; a name that ends in ", io::kGalagoExtension,
                                  " gives one file that holds it all"));
  }
  std::error_code error;
  if (!IsOneFile(output) && fs::exists(output, error) &&
      !(fs::is_directory(output, error) && fs::is_empty(output, error))) {
    return InvalidArgument(StrCat(Printable(output, 256), ": exists and is not an empty directory"));
  }
  return OkStatus();
}

// `wanted` of `count`, all if they are fewer, in an order whose every beginning lies evenly over the whole: steps of
// the golden section.
std::vector<size_t> Spread(size_t count, size_t wanted) {
  std::vector<size_t> indices;
  auto step = static_cast<size_t>(0.618034 * static_cast<double>(count));
  while (std::gcd(step, count) > 1) ++step;
  for (size_t i = 0; i < std::min(wanted, count); ++i) indices.push_back(i * step % count);
  return indices;
}

// DataLoss names the first element of a part's tensors that is not finite; InvalidArgument a matrix that is quantised.
Status CheckTensors(const models::Weights& weights) {
  constexpr int64_t kSlice = 1 << 20;  // a table may be larger than memory allows in float32
  std::vector<float> slice;
  for (const auto& [name, view] : weights.used()) {
    if (IsPanelType(view.dtype)) {
      return InvalidArgument(StrCat(name, " is quantised already; quantise the original"));
    }
    const int64_t total = view.shape.NumElements();
    const auto bytes = static_cast<int64_t>(view.NumBytes()) / std::max<int64_t>(total, 1);
    const int64_t cols = view.shape.rank() == 2 ? view.shape[1] : total;
    const int64_t rows = cols > kSlice ? 1 : kSlice / std::max<int64_t>(cols, 1);
    for (int64_t first = 0; first < total; first += rows * cols) {
      slice.resize(static_cast<size_t>(std::min(rows * cols, total - first)));
      ToF32(view.dtype, view.data + first * bytes, slice);
      RETURN_IF_ERROR(quant::CheckFinite(slice, cols, name));
    }
  }
  return OkStatus();
}

class Job {
 public:
  // Results go to `scratch`.
  Job(const Model::Parts& parts, const models::VlmRunner& runner, const kernels::KernelTable& kernels,
      const QuantizeOptions& options, ScratchFile& scratch)
      : parts_(parts),
        runner_(runner),
        kernels_(kernels),
        pool_(options.threads),
        options_(options),
        language_(scratch),
        vision_(scratch) {}

  Status Run(QuantizeReport& report) {
    if (options_.tower != WeightFormat::kBf16 && !runner_.vision()) {
      return InvalidArgument("the model has no vision tower to quantise");
    }
    RETURN_IF_ERROR(CheckTensors(runner_.weights().language));
    RETURN_IF_ERROR(CheckTensors(runner_.weights().vision));
    RETURN_IF_ERROR(CheckTensors(runner_.weights().projector));
    if (options_.decoder == WeightFormat::kW4) {
      RETURN_IF_ERROR(quant::CheckDecoderGroups(runner_.language(), runner_.weights().language, options_.group));
    }
    RETURN_IF_ERROR(Calibrate(report));
    RETURN_IF_ERROR(Decoder(report));
    if (options_.head != WeightFormat::kBf16) {
      RETURN_IF_ERROR(quant::QuantizeHead(Context(), runner_.language(), runner_.weights().language,
                                          BitsOf(options_.head), options_.group, language_));
    }
    return Tower(report);
  }

  const quant::Replacements& language() const { return language_; }
  const quant::Replacements& vision() const { return vision_; }
  void Tell(const char* stage, int64_t done, int64_t total) const {
    if (options_.on_progress) options_.on_progress({stage, done, total});
  }

 private:
  ops::ExecContext Context(ops::Observer* observer = nullptr) {
    return {.pool = &pool_,
            .kernels = &kernels_,
            .precision = ops::Precision::kF32,
            .arena = &arena_,
            .observer = observer,
            .cancel = options_.cancel};
  }
  bool searches() const { return options_.method == QuantizeMethod::kAwq && options_.decoder == WeightFormat::kW4; }
  bool smooths() const { return options_.tower == WeightFormat::kW8 && runner_.vision().has_value(); }

  Status Calibrate(QuantizeReport& report) {
    if (!searches() && !smooths()) return OkStatus();
    const quant::CalibrationModel model = {parts_, runner_};
    if (searches() && !options_.texts.empty()) {
      const int64_t tokens = options_.calibration_tokens / (options_.samples.empty() ? 1 : 2);
      ASSIGN_OR_RETURN(sequences_, quant::EmbedTexts(Context(), model, options_.texts,
                                                     std::max(tokens, options_.sequence), options_.sequence));
      for (const Tensor& sequence : sequences_) report.calibration_tokens += sequence.shape()[0];
    }
    RETURN_IF_ERROR(CalibrateOnSamples(model, report));
    if (searches() && sequences_.empty()) {
      return InvalidArgument("the calibration set is empty");
    }
    if (searches() && report.calibration_tokens < 2048) {
      report.notes.push_back(StrCat("the calibration has ", report.calibration_tokens,
                                    " tokens: fewer than 2048 make for a worse choice"));
    }
    return OkStatus();
  }

  // Samples are taken until there are tokens enough, evenly over all there are; a few in any case for the tower.
  Status CalibrateOnSamples(const quant::CalibrationModel& model, QuantizeReport& report) {
    constexpr size_t kMostSamples = 128;
    constexpr size_t kFewestForTower = 8;
    std::optional<quant::TowerWatcher> watcher;
    if (smooths()) watcher.emplace(Context(), *runner_.vision());
    const std::vector<size_t> chosen = Spread(options_.samples.size(), kMostSamples);
    for (size_t i = 0; i < chosen.size(); ++i) {
      const bool enough = report.calibration_tokens >= options_.calibration_tokens;
      if (searches() && enough && (!smooths() || i >= kFewestForTower)) break;
      Tell("calibration", static_cast<int64_t>(i), static_cast<int64_t>(chosen.size()));
      const ops::ExecContext ctx = Context(watcher ? &*watcher : nullptr);
      RETURN_IF_ERROR(ctx.CheckCancel());
      ASSIGN_OR_RETURN(Tensor sequence,
                       quant::EmbedSample(ctx, model, options_.samples[chosen[i]], report.calibration_media));
      report.calibration_tokens += sequence.shape()[0];
      if (searches()) sequences_.push_back(std::move(sequence));
    }
    if (watcher) maxima_ = watcher->maxima();
    for (const auto* points : {&maxima_.attention, &maxima_.mlp}) {
      for (size_t layer = 0; layer < points->size(); ++layer) {
        RETURN_IF_ERROR(quant::CheckFinite((*points)[layer], static_cast<int64_t>((*points)[layer].size()),
                                           StrCat("largest inputs of the tower's layer ", layer)));
      }
    }
    return OkStatus();
  }

  Status Decoder(QuantizeReport& report) {
    if (options_.decoder == WeightFormat::kBf16) return OkStatus();
    ASSIGN_OR_RETURN(
        const quant::DecoderResult result,
        quant::QuantizeDecoder(Context(), runner_.language(), runner_.weights().language, std::move(sequences_),
                               {.bits = BitsOf(options_.decoder),
                                .search = {.group = options_.group, .loss_tokens = options_.loss_tokens},
                                .directory = options_.search,
                                .on_layer = [this](int64_t done, int64_t total) { Tell("decoder", done, total); }},
                               language_));
    report.resumed_layers = result.resumed;
    for (size_t layer = 0; layer < result.searches.size(); ++layer) {
      for (const quant::ScalePoint point : quant::kScalePoints) {
        const quant::ScaleChoice& choice = result.searches[layer].scales[static_cast<size_t>(point)];
        if (choice.scales.empty()) continue;
        report.searches.push_back({.layer = static_cast<int64_t>(layer),
                                   .point = std::string(quant::Name(point)),
                                   .rounding_loss = choice.rounding_loss,
                                   .loss = choice.loss,
                                   .exponent = static_cast<double>(choice.candidate) / quant::kScaleCandidates});
      }
    }
    return OkStatus();
  }

  Status Tower(QuantizeReport& report) {
    if (options_.tower == WeightFormat::kBf16) return OkStatus();
    if (maxima_.empty()) {
      report.notes.emplace_back("the tower is rounded without smoothing: the calibration has no pictures");
    }
    const auto on_layer = [this](int64_t done, int64_t total) { Tell("tower", done, total); };
    return quant::QuantizeTower(Context(), *runner_.vision(), runner_.weights().vision, maxima_, options_.smoothing,
                                on_layer, vision_);
  }

  const Model::Parts& parts_;
  const models::VlmRunner& runner_;
  kernels::KernelTable kernels_;
  ThreadPool pool_;
  Arena arena_;
  const QuantizeOptions& options_;
  quant::Sequences sequences_;
  quant::TowerMaxima maxima_;
  quant::Replacements language_, vision_;
};

// A part's tensors with those replaced that were quantised.
void AddPart(std::string_view part, const models::Weights& weights, const quant::Replacements* replacements,
             io::GalagoContents& out, QuantizeReport& report) {
  for (const auto& [name, view] : weights.used()) {
    const TensorView* replaced = replacements == nullptr ? nullptr : replacements->Find(name);
    const TensorView& written = replaced == nullptr ? view : *replaced;
    report.bytes_before += view.NumBytes();
    report.bytes += written.NumBytes();
    out.tensors.emplace_back(StrCat(part, "/", name), written);
  }
}

}  // namespace

StatusOr<QuantizeReport> QuantizeModel(const std::string& model, const ModelOptions& model_options,
                                       const std::string& output, const QuantizeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(CheckOptions(output, options));
  ASSIGN_OR_RETURN(const std::shared_ptr<Model> opened, Model::Open(model, model_options));
  const spec::ModelSpec& spec = opened->parts().spec;
  if (spec.language.quantization || spec.layout == spec::Layout::kGalago) {
    return InvalidArgument(StrCat(Printable(model, 256), ": is quantised or packed already; quantise the original"));
  }
  if (!model_options.adapter.empty()) return InvalidArgument("an adapter is merged first, then the model is quantised");
  if (!IsOneFile(output)) RETURN_IF_ERROR(quant::CheckDirectoryLayout(spec));
  ASSIGN_OR_RETURN(const kernels::KernelTable kernels, ops::ChooseKernels(options.isa));
  QuantizeReport report;
  models::LoadReport loaded;
  // As a converted file would hold what is not quantised here.
  ASSIGN_OR_RETURN(const auto runner,
                   models::LoadVlmRunner(spec, {.precision = ops::Precision::kBf16, .cancel = options.cancel}, loaded));
  ASSIGN_OR_RETURN(const fs::path folder, FolderAround(output));
  ASSIGN_OR_RETURN(const std::unique_ptr<ScratchFile> scratch, ScratchFile::Create(folder));
  Job job(opened->parts(), *runner, kernels, options, *scratch);
  RETURN_IF_ERROR(job.Run(report));
  job.Tell("writing", 0, 1);
  io::GalagoContents contents;
  AddPart(models::kLanguagePart, runner->weights().language, &job.language(), contents, report);
  AddPart(models::kVisionPart, runner->weights().vision, &job.vision(), contents, report);
  AddPart(models::kProjectorPart, runner->weights().projector, nullptr, contents, report);
  if (IsOneFile(output)) {
    ASSIGN_OR_RETURN(engine::GalagoTexts texts, engine::GalagoTextsOf(spec));
    contents.facts = std::move(texts.facts);
    contents.files = std::move(texts.files);
    RETURN_IF_ERROR(io::WriteGalago(output, contents));
  } else {
    RETURN_IF_ERROR(quant::WriteAwqDirectory(spec, job.language(), options.group, output));
  }
  job.Tell("writing", 1, 1);
  report.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace galago
