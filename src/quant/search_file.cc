#include "src/quant/search_file.h"

#include <cstdlib>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "src/base/strings.h"
#include "src/io/safetensors.h"
#include "src/tensor/convert.h"

namespace galago::quant {
namespace {

namespace fs = std::filesystem;

fs::path FileOf(const fs::path& directory, int64_t layer) {
  return directory / StrCat("layer-", layer < 10 ? "00" : layer < 100 ? "0" : "", layer, ".safetensors");
}

std::string ScaleName(ScalePoint point) { return StrCat("scale.", Name(point)); }
std::string LossName(ScalePoint point) { return StrCat("loss.", Name(point)); }
std::string LimitName(Matrix matrix) { return StrCat("limit.", Name(matrix)); }

TensorView ViewOf(const std::vector<float>& values) {
  return {DType::kF32, {static_cast<int64_t>(values.size())}, reinterpret_cast<const std::byte*>(values.data())};
}

}  // namespace

Status SaveSearch(const fs::path& directory, int64_t layer, std::string_view key, const LayerSearch& search) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Unavailable(StrCat(directory.string(), ": cannot create: ", error.message()));
  std::vector<io::NamedTensor> tensors;
  std::array<std::vector<float>, 4> losses;
  for (const ScalePoint point : kScalePoints) {
    const ScaleChoice& choice = search.scales[static_cast<size_t>(point)];
    if (choice.scales.empty()) continue;
    std::vector<float>& loss = losses[static_cast<size_t>(point)];
    loss = {static_cast<float>(choice.candidate), static_cast<float>(choice.rounding_loss),
            static_cast<float>(choice.loss)};
    tensors.push_back({ScaleName(point), ViewOf(choice.scales)});
    tensors.push_back({LossName(point), ViewOf(loss)});
  }
  for (const Matrix matrix : kMatrices) {
    const std::vector<float>& limits = search.limits[static_cast<size_t>(matrix)];
    if (!limits.empty()) tensors.push_back({LimitName(matrix), ViewOf(limits)});
  }
  return io::WriteSafetensors(FileOf(directory, layer), tensors, {{"galago.search", std::string(key)}});
}

StatusOr<std::optional<LayerSearch>> LoadSearch(const fs::path& directory, int64_t layer, std::string_view key,
                                                const FloatLayer& weights, int64_t group) {
  const fs::path path = FileOf(directory, layer);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  ASSIGN_OR_RETURN(const io::TensorStore store, io::OpenSafetensors(path));
  const auto stored = store.metadata().find("galago.search");
  if (stored == store.metadata().end() || stored->second != key) return std::nullopt;
  const auto read = [&](const std::string& name, int64_t size) -> StatusOr<std::vector<float>> {
    std::vector<float> values;
    if (!store.Contains(name)) return values;
    ASSIGN_OR_RETURN(const TensorView view, store.Find(name));
    if (view.dtype != DType::kF32 || view.shape != Shape{size}) {
      return DataLoss(
          StrCat(path.string(), ": ", name, " is ", view.shape.ToString(), ", expected [", size, "] of f32"));
    }
    values.resize(static_cast<size_t>(size));
    ToF32(view.dtype, view.data, values);
    const bool scales = name.starts_with("scale.");
    for (const float value : values) {
      if (!(value >= 0.0f && value < 1e30f) || (scales && value == 0.0f))
        return DataLoss(StrCat(path.string(), ": ", name, " holds ", value));
    }
    return values;
  };
  LayerSearch search;
  for (const ScalePoint point : kScalePoints) {
    ScaleChoice& choice = search.scales[static_cast<size_t>(point)];
    ASSIGN_OR_RETURN(choice.scales, read(ScaleName(point), weights.weight(MatricesAt(point)[0]).shape()[1]));
    if (choice.scales.empty()) continue;
    ASSIGN_OR_RETURN(const std::vector<float> loss, read(LossName(point), 3));
    if (loss.empty() || !weights.CanScale(point)) return DataLoss(StrCat(path.string(), ": is not of this model"));
    choice.candidate = static_cast<int>(loss[0]);
    choice.rounding_loss = loss[1];
    choice.loss = loss[2];
  }
  for (const Matrix matrix : kMatrices) {
    const int64_t groups = weights.weight(matrix).shape().NumElements() / group;
    ASSIGN_OR_RETURN(search.limits[static_cast<size_t>(matrix)], read(LimitName(matrix), groups));
  }
  return search;
}

}  // namespace galago::quant
