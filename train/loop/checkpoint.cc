#include "train/loop/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/io/safetensors.h"

namespace galago::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kTemporary = "tmp-checkpoint-";
constexpr std::string_view kFormat = "galago-checkpoint";
constexpr int64_t kVersion = 1;
constexpr int64_t kMaxCount = int64_t{1} << 48;
constexpr size_t kMaxManifestBytes = size_t{1} << 26;

std::string ShardName(int rank, int size) { return StrCat("optimizer-", rank, "-of-", size, ".safetensors"); }

// The N of "checkpoint-N".
std::optional<int64_t> StepOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size() || step < 0) return std::nullopt;
  return step;
}

// Folders "PREFIX-N" of `out` by N, ascending.
std::map<int64_t, fs::path> Numbered(const fs::path& out, std::string_view prefix) {
  std::map<int64_t, fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(out, error), end; !error && it != end; it.increment(error)) {
    const std::optional<int64_t> step = StepOf(it->path().filename().string(), prefix);
    if (step && it->is_directory(error)) found[*step] = it->path();
  }
  return found;
}

io::NamedTensor Named(std::string name, std::span<const int64_t> shape, const float* data) {
  return {std::move(name), {DType::kF32, Shape(shape), reinterpret_cast<const std::byte*>(data)}};
}

StatusOr<LoopState> ReadState(const fs::path& folder) {
  const fs::path file = folder / "state.json";
  const std::string what = file.string();
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(file));
  if (!json.is_object()) return DataLoss(StrCat(what, ": no JSON object"));
  ASSIGN_OR_RETURN(const auto format, JsonString(json, "format", what));
  ASSIGN_OR_RETURN(const auto version, JsonInt(json, "version", what, 0, kMaxCount));
  if (format != kFormat) return DataLoss(StrCat(what, ": not the state of a checkpoint"));
  if (version != kVersion) {
    return Unimplemented(StrCat(what, ": version ", version.value_or(0), ", this program reads ", kVersion));
  }
  const Json* files = JsonFind(json, "files");
  if (files == nullptr || !files->is_object() || !files->contains("model.safetensors")) {
    return DataLoss(StrCat(what, ": lists no files"));
  }
  for (const auto& [name, size] : files->items()) {
    if (!size.is_number_unsigned() || fs::path(name).filename() != name) {
      return DataLoss(StrCat(what, ": files: ", Printable(name), " is no file with its size"));
    }
    std::error_code error;
    const uint64_t found = fs::file_size(folder / name, error);
    if (error) return DataLoss(StrCat((folder / name).string(), ": is missing"));
    if (found != size.get<uint64_t>()) {
      return DataLoss(
          StrCat((folder / name).string(), ": holds ", found, " bytes, state.json says ", size.get<uint64_t>()));
    }
  }
  LoopState state;
  const auto read = [&](const char* key, int64_t& out) -> Status {
    ASSIGN_OR_RETURN(const auto value, JsonInt(json, key, what, 0, kMaxCount));
    if (!value) return DataLoss(StrCat(what, ": ", key, " is missing"));
    out = *value;
    return OkStatus();
  };
  RETURN_IF_ERROR(read("stage", state.stage));
  RETURN_IF_ERROR(read("step", state.step));
  RETURN_IF_ERROR(read("global_step", state.global_step));
  RETURN_IF_ERROR(read("samples", state.samples));
  RETURN_IF_ERROR(read("seed", state.seed));
  ASSIGN_OR_RETURN(const auto name, JsonString(json, "stage_name", what));
  ASSIGN_OR_RETURN(const auto elapsed, JsonNumber(json, "elapsed_s", what));
  state.stage_name = name.value_or("");
  state.elapsed_s = elapsed.value_or(0.0);
  return state;
}

// Makes the names of a folder's files survive a loss of power.
void SyncFolder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

// A checkpoint of this step may be there already (damaged, or from the end of the stage before): the two change places
// in one move.
Status PutInPlace(const fs::path& temporary, const fs::path& final_path) {
  std::error_code error;
  if (fs::exists(final_path, error)) {
    if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, final_path.c_str(), RENAME_EXCHANGE) == 0) {
      fs::remove_all(temporary, error);
      return OkStatus();
    }
    fs::remove_all(final_path, error);  // the file system cannot exchange
  }
  fs::rename(temporary, final_path, error);
  if (error) return Unavailable(StrCat(final_path.string(), ": ", error.message()));
  return OkStatus();
}

}  // namespace

Status Checkpoints::WriteShard(const fs::path& folder, ShardedOptimizer& optimizer) const {
  const std::vector<ShardedOptimizer::Piece> pieces = optimizer.pieces();
  Json manifest = Json::array();
  std::vector<float> exp_avg, exp_avg_sq;
  for (const ShardedOptimizer::Piece& piece : pieces) {
    manifest.push_back({{"param", optimizer.trained()[piece.parameter].name},
                        {"offset", piece.offset},
                        {"length", piece.exp_avg.size()},
                        {"moments", piece.exp_avg_sq.empty() ? 1 : 2},
                        {"dtype", "f32"}});
    exp_avg.insert(exp_avg.end(), piece.exp_avg.begin(), piece.exp_avg.end());
    exp_avg_sq.insert(exp_avg_sq.end(), piece.exp_avg_sq.begin(), piece.exp_avg_sq.end());
  }
  const int64_t first[] = {static_cast<int64_t>(exp_avg.size())}, second[] = {static_cast<int64_t>(exp_avg_sq.size())};
  const io::NamedTensor tensors[] = {Named("exp_avg", first, exp_avg.data()),
                                     Named("exp_avg_sq", second, exp_avg_sq.data())};
  return io::WriteSafetensors(folder / ShardName(ranks_.rank(), ranks_.size()), tensors,
                              {{"manifest", manifest.dump()}, {"step", StrCat(optimizer.num_steps())}});
}

Status Checkpoints::WriteRest(const fs::path& folder, const LoopState& state,
                              std::span<const SavedValues> model) const {
  std::vector<io::NamedTensor> tensors;
  for (const SavedValues& saved : model) tensors.push_back(Named(saved.name, saved.shape, saved.values.data()));
  RETURN_IF_ERROR(io::WriteSafetensors(folder / "model.safetensors", tensors, {{"format", "pt"}}));
  Json files = Json::object();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    files[entry.path().filename().string()] = static_cast<uint64_t>(entry.file_size(error));
  }
  if (error) return Unavailable(StrCat(folder.string(), ": ", error.message()));
  const Json json = {{"format", kFormat},        {"version", kVersion},
                     {"stage", state.stage},     {"stage_name", state.stage_name},
                     {"step", state.step},       {"global_step", state.global_step},
                     {"samples", state.samples}, {"elapsed_s", state.elapsed_s},
                     {"seed", state.seed},       {"files", files}};
  RETURN_IF_ERROR(WriteFileAtomically(folder / "state.json", json.dump(2) + "\n"));
  SyncFolder(folder);
  return OkStatus();
}

Status Checkpoints::Save(const LoopState& state, std::span<const SavedValues> model, ShardedOptimizer* optimizer) {
  const fs::path temporary = out_ / StrCat(kTemporary, state.global_step);
  const fs::path final_path = out_ / StrCat(kPrefix, state.global_step);
  std::error_code error;
  Status status = OkStatus();
  // All ranks agree on how each phase went: none goes on alone.
  const auto agree = [&](Status own) -> Status {
    int64_t failures[] = {own.ok() ? 0 : 1};
    RETURN_IF_ERROR(ranks_.AllReduceSum(failures));
    if (own.ok() && failures[0] > 0) own = Unavailable(StrCat(final_path.string(), ": another rank could not write"));
    return own;
  };
  if (ranks_.rank() == 0) {
    for (const auto& [step, path] : Numbered(out_, kTemporary)) fs::remove_all(path, error);
    fs::create_directories(temporary, error);
    if (error) status = Unavailable(StrCat(temporary.string(), ": ", error.message()));
  }
  status = agree(status);
  if (status.ok() && optimizer != nullptr) status = agree(WriteShard(temporary, *optimizer));
  if (status.ok()) {
    if (ranks_.rank() == 0) {
      status = WriteRest(temporary, state, model);
      if (status.ok()) {
        status = PutInPlace(temporary, final_path);
        SyncFolder(out_);
      }
    }
    status = agree(status);
  }
  if (ranks_.rank() == 0) {
    if (status.ok()) {
      RemoveOld();
    } else {
      fs::remove_all(temporary, error);
    }
  }
  return status;
}

void Checkpoints::RemoveOld() const {
  std::map<int64_t, fs::path> found = Numbered(out_, kPrefix);
  std::error_code ignored;
  for (auto it = found.begin(); static_cast<int64_t>(found.size()) > keep_; it = found.erase(it)) {
    fs::remove_all(it->second, ignored);
  }
}

StatusOr<std::optional<FoundCheckpoint>> Checkpoints::FindNewest(std::vector<std::string>& passed_over) const {
  const std::map<int64_t, fs::path> found = Numbered(out_, kPrefix);
  for (auto it = found.rbegin(); it != found.rend(); ++it) {
    StatusOr<LoopState> state = ReadState(it->second);
    // Sizes are checked; that the headers agree with them is found by opening.
    Status status = state.ok() ? io::OpenSafetensors(it->second / "model.safetensors").status() : state.status();
    if (status.ok()) return FoundCheckpoint{it->second, *std::move(state)};
    passed_over.push_back(StrCat(it->second.filename().string(), " is incomplete: ", MessageOf(status)));
  }
  return std::optional<FoundCheckpoint>();
}

Status Checkpoints::LoadModel(const FoundCheckpoint& checkpoint, std::span<const SavedValues> model) const {
  ASSIGN_OR_RETURN(const io::TensorStore store, io::OpenSafetensors(checkpoint.path / "model.safetensors"));
  if (store.tensors().size() != model.size()) {
    return DataLoss(StrCat(store.name(), ": holds ", store.tensors().size(), " tensors, the model has ", model.size()));
  }
  for (const SavedValues& saved : model) {
    ASSIGN_OR_RETURN(const TensorView view, store.Find(saved.name));
    if (view.dtype != DType::kF32 || view.shape != Shape(saved.shape)) {
      return DataLoss(StrCat(store.name(), ": ", saved.name, " is ", DTypeName(view.dtype), " ", view.shape.ToString(),
                             ", the model has f32 ", ShapeText(saved.shape)));
    }
    std::memcpy(saved.values.data(), view.data, view.NumBytes());
  }
  return OkStatus();
}

Status Checkpoints::LoadOptimizer(const FoundCheckpoint& checkpoint, ShardedOptimizer& optimizer) const {
  std::map<std::string, std::vector<ShardedOptimizer::Piece>, std::less<>> wanted;
  int64_t missing = 0;
  for (const ShardedOptimizer::Piece& piece : optimizer.pieces()) {
    wanted[optimizer.trained()[piece.parameter].name].push_back(piece);
    missing += static_cast<int64_t>(piece.exp_avg.size());
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoint.path, error)) {
    if (!entry.path().filename().string().starts_with("optimizer-")) continue;
    ASSIGN_OR_RETURN(const io::TensorStore store, io::OpenSafetensors(entry.path()));
    const std::string& what = store.name();
    const auto manifest_text = store.metadata().find("manifest");
    const auto step_text = store.metadata().find("step");
    if (manifest_text == store.metadata().end() || step_text == store.metadata().end()) {
      return DataLoss(StrCat(what, ": has no manifest"));
    }
    ASSIGN_OR_RETURN(const Json manifest, ParseJson(manifest_text->second, what, {.max_bytes = kMaxManifestBytes}));
    ASSIGN_OR_RETURN(const Json step, ParseJson(step_text->second, what));
    ASSIGN_OR_RETURN(const TensorView exp_avg, store.Find("exp_avg"));
    ASSIGN_OR_RETURN(const TensorView exp_avg_sq, store.Find("exp_avg_sq"));
    const int64_t stored = exp_avg.shape.NumElements(), stored_squares = exp_avg_sq.shape.NumElements();
    if (!manifest.is_array() || !step.is_number_unsigned() || exp_avg.dtype != DType::kF32 ||
        exp_avg_sq.dtype != DType::kF32) {
      return DataLoss(StrCat(what, ": manifest and tensors do not fit together"));
    }
    optimizer.set_num_steps(step.get<int64_t>());
    int64_t at = 0, at_square = 0;
    for (const Json& item : manifest) {
      ASSIGN_OR_RETURN(const auto param, JsonString(item, "param", what));
      ASSIGN_OR_RETURN(const auto offset, JsonInt(item, "offset", what, 0, kMaxCount));
      ASSIGN_OR_RETURN(const auto length, JsonInt(item, "length", what, 0, kMaxCount));
      ASSIGN_OR_RETURN(const auto moments, JsonInt(item, "moments", what, 1, 2));
      const bool squares = moments.value_or(2) == 2;
      if (!param || !offset || !length || *length > stored - at || (squares && *length > stored_squares - at_square)) {
        return DataLoss(StrCat(what, ": the manifest claims more than the ", stored, " and ", stored_squares,
                               " elements there are"));
      }
      const auto pieces = wanted.find(*param);
      if (pieces != wanted.end()) {
        for (const ShardedOptimizer::Piece& piece : pieces->second) {
          const int64_t first = std::max(piece.offset, *offset);
          const int64_t last = std::min(piece.offset + static_cast<int64_t>(piece.exp_avg.size()), *offset + *length);
          if (first >= last) continue;
          const auto bytes = static_cast<size_t>(last - first) * sizeof(float);
          const int64_t into = first - piece.offset, from = first - *offset;
          std::memcpy(piece.exp_avg.data() + into, exp_avg.data + static_cast<size_t>(at + from) * sizeof(float),
                      bytes);
          if (!piece.exp_avg_sq.empty()) {
            if (!squares) continue;  // AdamW goes on from Muon: counted as missing
            std::memcpy(piece.exp_avg_sq.data() + into,
                        exp_avg_sq.data + static_cast<size_t>(at_square + from) * sizeof(float), bytes);
          }
          missing -= last - first;
        }
      }
      at += *length;
      if (squares) at_square += *length;
    }
    if (at != stored || at_square != stored_squares) {
      return DataLoss(StrCat(what, ": the manifest claims ", at, " and ", at_square, " elements of the ", stored,
                             " and ", stored_squares, " there are"));
    }
  }
  if (error) return Unavailable(StrCat(checkpoint.path.string(), ": ", error.message()));
  if (missing != 0) {
    return DataLoss(
        StrCat(checkpoint.path.string(), ": the optimiser's state lacks ", missing,
               " of this rank's elements: does the recipe train other parts now, or with another optimizer?"));
  }
  return OkStatus();
}

}  // namespace galago::train
