#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <vector>

#include "src/base/strings.h"
#include "src/io/safetensors.h"
#include "src/tensor/float16.h"
#include "train/modules/parallel.h"
#include "train/modules/vlm.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

Status Failed(std::string_view what, const fs::path& path, const std::error_code& error) {
  return Unavailable(StrCat(path.string(), ": ", what, ": ", error.message()));
}

bool IsWeights(const fs::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".safetensors" || extension == ".bin" || extension == ".pt" || extension == ".pth" ||
         file.filename().string().ends_with(".index.json");
}

Status CopyFiles(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_regular_file() || IsWeights(it->path())) continue;
    fs::copy_file(it->path(), to / it->path().filename(), fs::copy_options::overwrite_existing, error);
    if (error) return Failed("cannot be copied", it->path(), error);
  }
  if (error) return Failed("cannot be listed", from, error);
  return OkStatus();
}

::galago::Tensor ToFile(const torch::Tensor& value, Precision precision) {
  const auto dims = value.sizes();
  const Shape shape(std::span<const int64_t>(dims.data(), dims.size()));
  const torch::Tensor flat = value.detach().contiguous();
  const float* from = flat.data_ptr<float>();
  ::galago::Tensor tensor(precision == Precision::kBf16 ? DType::kBF16 : DType::kF32, shape);
  if (precision == Precision::kF32) {
    std::copy_n(from, flat.numel(), tensor.f32().begin());
  } else {
    auto* to = reinterpret_cast<uint16_t*>(tensor.data());
    for (int64_t i = 0; i < flat.numel(); ++i) to[i] = F32ToBf16(from[i]);
  }
  return tensor;
}

// Everything below `partial`, which exists and is empty.
Status WriteModel(Vlm& model, const fs::path& configs, const fs::path& partial, Precision precision) {
  // Names by the folder in front of them.
  std::map<std::string, std::vector<std::pair<std::string, ::galago::Tensor>>> folders;
  for (const auto* list : {const_cast<const std::vector<Parameter>*>(&model.parameters()), &model.unused()}) {
    for (const Parameter& parameter : *list) {
      const size_t slash = parameter.name.find('/');
      const bool whole = slash == std::string::npos;
      folders[whole ? "" : parameter.name.substr(0, slash)].emplace_back(
          whole ? parameter.name : parameter.name.substr(slash + 1), ToFile(parameter.value, precision));
    }
  }
  RETURN_IF_ERROR(CopyFiles(configs, partial));
  // The parts' folders, and MobileVLM's folder with the tower's configuration.
  std::error_code error;
  for (fs::directory_iterator it(configs, error), end; !error && it != end; it.increment(error)) {
    const fs::path to = partial / it->path().filename();
    if (!it->is_directory() || !fs::exists(it->path() / "config.json")) continue;
    fs::create_directory(to, error);
    if (error) return Failed("cannot be made", to, error);
    RETURN_IF_ERROR(CopyFiles(it->path(), to));
  }
  if (error) return Failed("cannot be listed", configs, error);
  for (const auto& [folder, tensors] : folders) {
    const fs::path to = partial / folder;
    fs::create_directories(to, error);
    if (error) return Failed("cannot be made", to, error);
    std::vector<io::NamedTensor> named;
    for (const auto& [name, tensor] : tensors) named.push_back({name, tensor.view()});
    RETURN_IF_ERROR(io::WriteSafetensors(to / "model.safetensors", named, {{"format", "pt"}}));
  }
  return OkStatus();
}

// Puts `partial` in the place of `out`, in one step where the file system can.
Status Swap(const fs::path& partial, const fs::path& out) {
  std::error_code error;
  if (!fs::exists(out)) {
    fs::rename(partial, out, error);
    return error ? Failed("cannot be renamed", partial, error) : OkStatus();
  }
  if (renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, out.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(partial, error);
    return error ? Failed("the model before could not be removed", partial, error) : OkStatus();
  }
  const fs::path old = out.string() + ".old";
  fs::remove_all(old, error);
  if (!error) fs::rename(out, old, error);
  if (error) return Failed("cannot be put aside", out, error);
  fs::rename(partial, out, error);
  if (error) return Failed("cannot be renamed", partial, error);
  fs::remove_all(old, error);
  return error ? Failed("cannot be removed", old, error) : OkStatus();
}

}  // namespace

Status Export(Vlm& model, const fs::path& configs, const fs::path& out, Precision precision) {
  if (std::ranges::any_of(model.parameters(), &Parameter::is_lora)) {
    return InvalidArgument("a model with adapters cannot be exported: merge them first");
  }
  if (!fs::is_directory(configs)) return NotFound(StrCat(configs.string(), ": no directory of configs"));
  std::error_code error;
  const fs::path target = out.has_filename() ? out : out.parent_path();
  if (fs::exists(target) &&
      !(fs::is_directory(target) && (fs::is_empty(target, error) || fs::exists(target / "config.json")))) {
    return InvalidArgument(StrCat(target.string(), ": exists and is not a model; not replaced"));
  }
  const fs::path partial = target.string() + ".partial";
  fs::remove_all(partial, error);
  if (!error) fs::create_directories(partial, error);
  if (error) return Failed("cannot be made", partial, error);
  const Status written = WriteModel(model, configs, partial, precision);
  if (!written.ok()) {
    fs::remove_all(partial, error);
    return written;
  }
  return Swap(partial, target);
}

}  // namespace galago::train
