#include "train/loop/recipe.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "train/data/toml.h"
#include "train/loop/nearest.h"

namespace galago::train {
namespace {

constexpr size_t kMaxRecipeBytes = size_t{1} << 20;
constexpr int kMaxBases = 8;
constexpr int64_t kBig = int64_t{1} << 40;

// Keys whose values are paths, made absolute against the folder of the file that says them.
constexpr std::pair<const char*, const char*> kPathKeys[] = {
    {"model", "start"}, {"data", "registry"}, {"data", "slices"}};

StatusOr<toml::table> ParseToml(std::string_view text, const std::string& what) {
  toml::parse_result result = toml::parse(text, what);
  if (!result) {
    const auto& error = result.error();
    return InvalidArgument(StrCat(what, ":", error.source().begin.line, ": ", std::string(error.description())));
  }
  return std::move(result).table();
}

void MakePathsAbsolute(toml::table& table, const std::filesystem::path& folder) {
  const auto absolute = [&](std::string& path) {
    if (!path.empty()) path = (folder / path).lexically_normal().string();
  };
  for (const auto& [section, key] : kPathKeys) {
    toml::node* node = table.at_path(std::string(section) + "." + key).node();
    if (node == nullptr) continue;
    if (auto* text = node->as_string()) absolute(text->get());
    if (auto* list = node->as_array()) {
      for (toml::node& item : *list) {
        if (auto* text = item.as_string()) absolute(text->get());
      }
    }
  }
}

// `over` on top of `base`.
void Merge(toml::table& base, const toml::table& over, int depth = 0) {
  for (const auto& [key, value] : over) {
    toml::node* old = base.get(key);
    if (old != nullptr && old->is_table() && value.is_table() && depth < 8) {
      Merge(*old->as_table(), *value.as_table(), depth + 1);
    } else {
      base.insert_or_assign(key, value);
    }
  }
}

StatusOr<toml::table> LoadMerged(std::string_view text, const std::filesystem::path& file, int depth) {
  ASSIGN_OR_RETURN(toml::table table, ParseToml(text, file.string()));
  const std::filesystem::path folder = file.parent_path();
  MakePathsAbsolute(table, folder);
  const toml::node* base = table.get("base");
  if (base == nullptr) return table;
  if (!base->is_string()) return InvalidArgument(StrCat(file.string(), ": base must be the name of a file"));
  if (depth >= kMaxBases) {
    return InvalidArgument(StrCat(file.string(), ": recipes derive from each other over ", kMaxBases, " levels"));
  }
  const std::filesystem::path base_file = (folder / base->as_string()->get()).lexically_normal();
  ASSIGN_OR_RETURN(const std::string base_text, ReadFile(base_file, kMaxRecipeBytes));
  ASSIGN_OR_RETURN(toml::table merged, LoadMerged(base_text, base_file, depth + 1));
  table.erase("base");
  Merge(merged, table);
  return merged;
}

// Names of the stages a table says something about.
void AddStageNames(const toml::table& table, std::set<std::string>& names) {
  const toml::node* stages = table.get("stage");
  if (stages == nullptr || !stages->is_table()) return;
  for (const auto& [key, value] : *stages->as_table()) names.emplace(key.str());
}

// "a.b.c=value": the value is TOML, or taken as a string where that reads as nothing else.
Status Assign(toml::table& table, const std::string& assignment, std::set<std::string>& own_stages) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return InvalidArgument(StrCat("--set ", Printable(assignment), ": key=value is needed"));
  }
  const std::string key(Trim(std::string_view(assignment).substr(0, equals)));
  const std::string value(Trim(std::string_view(assignment).substr(equals + 1)));
  const bool plain_key = std::ranges::all_of(
      key, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-'; });
  if (!plain_key) return InvalidArgument(StrCat("--set ", Printable(assignment), ": not a key"));
  StatusOr<toml::table> over = ParseToml(StrCat(key, " = ", value, "\n"), "--set");
  if (!over.ok()) {
    over = ParseToml(StrCat(key, " = ''\n"), "--set");
    if (!over.ok()) return InvalidArgument(StrCat("--set ", Printable(assignment), ": not a key"));
    toml::node* node = over->at_path(key).node();
    if (node == nullptr || !node->is_string()) return InvalidArgument(StrCat("--set ", Printable(assignment)));
    node->as_string()->get() = value;
  }
  MakePathsAbsolute(*over, std::filesystem::current_path());
  AddStageNames(*over, own_stages);
  Merge(table, *over);
  return OkStatus();
}

// Reads a table's keys one by one into fields and in the end refuses what nobody asked for. The first failure stays.
class Reader {
 public:
  Reader(const toml::table* table, std::string where, Status& status)
      : table_(table), where_(std::move(where)), status_(status) {}

  void Read(const char* key, bool& out) {
    if (const toml::node* node = Find(key)) {
      if (node->is_boolean()) {
        out = node->as_boolean()->get();
      } else {
        Refuse(key, "true or false");
      }
    }
  }
  void ReadTuning(const char* key, bool& tune, bool& norms_only) {
    if (const toml::node* node = Find(key)) {
      norms_only = node->is_string() && node->as_string()->get() == "norms";
      tune = norms_only || (node->is_boolean() && node->as_boolean()->get());
      if (!norms_only && !node->is_boolean()) Refuse(key, "true, false or \"norms\"");
    }
  }
  void Read(const char* key, int64_t& out, int64_t min, int64_t max = kBig) {
    if (const toml::node* node = Find(key)) {
      const auto* value = node->as_integer();
      if (value != nullptr && value->get() >= min && value->get() <= max) {
        out = value->get();
      } else {
        Refuse(key, StrCat("a whole number from ", min, " to ", max));
      }
    }
  }
  void Read(const char* key, double& out, double min, double max) {
    if (const toml::node* node = Find(key)) {
      const std::optional<double> value = node->value<double>();
      if (node->is_number() && value && *value >= min && *value <= max) {
        out = *value;
      } else {
        Refuse(key, StrCat("a number from ", min, " to ", max));
      }
    }
  }
  void Read(const char* key, std::optional<double>& out, double min, double max) {
    double value = std::numeric_limits<double>::quiet_NaN();
    Read(key, value, min, max);
    if (!std::isnan(value)) out = value;
  }
  void Read(const char* key, std::optional<int64_t>& out, int64_t min, int64_t max) {
    int64_t value = min - 1;
    Read(key, value, min, max);
    if (value >= min) out = value;
  }
  void Read(const char* key, std::string& out) {
    if (const toml::node* node = Find(key)) {
      if (node->is_string()) {
        out = node->as_string()->get();
      } else {
        Refuse(key, "a string");
      }
    }
  }
  template <class T>
  void Read(const char* key, T& out, std::initializer_list<std::pair<const char*, T>> values) {
    std::string text;
    Read(key, text);
    if (text.empty()) return;
    std::vector<std::string> names;
    for (const auto& [name, value] : values) {
      if (text == name) {
        out = value;
        return;
      }
      names.emplace_back(name);
    }
    std::string all;
    for (const std::string& name : names) all += StrCat(all.empty() ? "" : ", ", name);
    Refuse(key, StrCat("one of ", all, "; the nearest to ", Printable(text), " is ", Nearest(text, names)));
  }
  // A string or a list of strings.
  void Read(const char* key, std::vector<std::string>& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    out.clear();
    if (const auto* text = node->as_string()) {
      out.push_back(text->get());
    } else if (const auto* list = node->as_array()) {
      for (const toml::node& item : *list) {
        if (!item.is_string()) return Refuse(key, "a list of strings");
        out.push_back(item.as_string()->get());
      }
    } else {
      Refuse(key, "a list of strings");
    }
  }
  const toml::table* Table(const char* key) {
    const toml::node* node = Find(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) Refuse(key, "a table");
    return node->as_table();
  }
  void Done() {
    if (table_ == nullptr) return;
    for (const auto& [key, value] : *table_) {
      const std::string name(key.str());
      if (std::ranges::find(known_, name) == known_.end()) {
        Fail(StrCat(where_, "there is no key ", Printable(name), Line(value), "; the nearest is ",
                    Nearest(name, known_)));
      }
    }
  }

 private:
  const toml::node* Find(const char* key) {
    known_.emplace_back(key);
    return table_ == nullptr ? nullptr : table_->get(key);
  }
  static std::string Line(const toml::node& node) {
    const auto line = node.source().begin.line;
    return line == 0 ? std::string() : StrCat(" (line ", line, ")");
  }
  void Refuse(const char* key, const std::string& need) {
    Fail(StrCat(where_, key, Line(*table_->get(key)), " must be ", need));
  }
  void Fail(const std::string& message) {
    if (status_.ok()) status_ = InvalidArgument(message);
  }

  const toml::table* table_;
  std::string where_;
  Status& status_;
  std::vector<std::string> known_;
};

void ReadStage(const toml::table* table, const std::string& where, StageConfig& stage, Status& status) {
  Reader in(table, where, status);
  in.ReadTuning("tune_vision", stage.tune_vision, stage.vision_norms_only);
  in.Read("tune_projector", stage.tune_projector);
  in.Read("tune_llm", stage.tune_llm);
  in.Read("lr", stage.lr, 0.0, 10.0);
  in.Read("lr_vision", stage.lr_vision, 0.0, 10.0);
  in.Read("lr_projector", stage.lr_projector, 0.0, 10.0);
  in.Read("global_batch", stage.global_batch, 1);
  in.Read("micro_batch", stage.micro_batch, 1);
  in.Read("warmup_ratio", stage.warmup_ratio, 0.0, 1.0);
  in.Read("decay_ratio", stage.decay_ratio, 0.0, 1.0);
  in.Read("min_lr_ratio", stage.min_lr_ratio, 0.0, 1.0);
  in.Read("weight_decay", stage.weight_decay, 0.0, 10.0);
  in.Read("optimizer", stage.optimizer, {{"adamw", OptimizerKind::kAdamW}, {"muon", OptimizerKind::kMuon}});
  in.Read("muon_momentum", stage.muon_momentum, 0.0, 0.999999);
  in.Read("adam_beta1", stage.adam_beta1, 0.0, 0.999999);
  in.Read("adam_beta2", stage.adam_beta2, 0.0, 0.9999999);
  in.Read("adam_epsilon", stage.adam_epsilon, 1e-30, 1.0);
  in.Read("max_grad_norm", stage.max_grad_norm, 0.0, 1e9);
  in.Read("epochs", stage.epochs, 0.0, 1e6);
  in.Read("steps", stage.steps, 0);
  in.Read("max_length", stage.max_length, 1);
  in.Read("mixture", stage.mixture);
  in.Read("precision", stage.precision, {{"f32", ComputePrecision::kF32}, {"bf16", ComputePrecision::kBf16}});
  in.Read("soft_ce_std", stage.soft_ce_std, 0.0, 1e3);
  in.Read("row_input_weight", stage.row_input_weight, 0.0, 1e3);
  in.Read("loss_norm", stage.loss_norm,
          {{"token_global", LossNorm::kTokenGlobal}, {"mean_per_microbatch", LossNorm::kMeanPerMicrobatch}});
  in.Read("recompute_vision", stage.recompute_vision);
  in.Read("recompute_llm", stage.recompute_llm);
  in.Read("save_every", stage.save_every, 0);
  std::string aspect = stage.media.image_aspect_ratio.value_or("");
  in.Read("image_aspect_ratio", aspect);
  if (!aspect.empty()) stage.media.image_aspect_ratio = aspect;
  in.Read("max_tiles", stage.media.max_tiles, 1, 1024);
  in.Read("num_video_frames", stage.media.num_video_frames, 1, 1 << 20);
  in.Done();
}

Status CheckStage(const StageConfig& stage, const std::string& where) {
  const auto need = [&](bool there, const char* key) {
    return there ? OkStatus() : InvalidArgument(StrCat(where, key, " is missing"));
  };
  RETURN_IF_ERROR(need(stage.lr > 0, "lr"));
  RETURN_IF_ERROR(need(stage.global_batch > 0, "global_batch"));
  RETURN_IF_ERROR(need(stage.micro_batch > 0, "micro_batch"));
  RETURN_IF_ERROR(need(stage.max_length > 0, "max_length"));
  RETURN_IF_ERROR(need(!stage.mixture.empty(), "mixture"));
  if (stage.global_batch % stage.micro_batch != 0) {
    return InvalidArgument(
        StrCat(where, "global_batch ", stage.global_batch, " is no multiple of micro_batch ", stage.micro_batch));
  }
  if (!stage.tune_vision && !stage.tune_projector && !stage.tune_llm) {
    return InvalidArgument(StrCat(where, "trains nothing: tune_vision, tune_projector and tune_llm are all false"));
  }
  return OkStatus();
}

// `own_stages`: stages that the file or an assignment speaks of, as against what it derives from. These must exist.
StatusOr<Recipe> FromTable(const toml::table& table, const std::filesystem::path& file,
                           const std::set<std::string>& own_stages) {
  Recipe recipe;
  recipe.file = file;
  recipe.name = std::filesystem::absolute(file).parent_path().filename().string();
  const std::string what = StrCat(file.string(), ": ");
  Status status = OkStatus();

  Reader top(&table, what, status);
  top.Read("name", recipe.name);
  top.Read("seed", recipe.seed, 0);
  std::vector<std::string> order;
  top.Read("stages", order);
  {
    Reader in(top.Table("model"), what + "model.", status);
    std::string start;
    in.Read("start", start);
    recipe.start = start;
    in.Read("init", recipe.init,
            {{"auto", Start::kAuto}, {"scratch", Start::kScratch}, {"checkpoint", Start::kCheckpoint}});
    in.Done();
  }
  {
    Reader in(top.Table("data"), what + "data.", status);
    std::vector<std::string> registries;
    in.Read("registry", registries);
    recipe.registries.assign(registries.begin(), registries.end());
    std::string slices;
    in.Read("slices", slices);
    recipe.slices = slices;
    in.Read("workers", recipe.workers, 1, 1024);
    in.Read("prefetch", recipe.prefetch, 1, 1024);
    in.Read<std::string>("on_bad_record", recipe.on_bad_record,
                         {{"fail", "fail"}, {"skip", "skip"}, {"resample", "resample"}});
    in.Done();
  }
  {
    Reader in(top.Table("save"), what + "save.", status);
    in.Read("keep", recipe.keep, 1, 1000);
    in.Read("export_precision", recipe.export_precision,
            {{"f32", ComputePrecision::kF32}, {"bf16", ComputePrecision::kBf16}});
    in.Done();
  }
  StageConfig defaults;
  ReadStage(top.Table("defaults"), what + "defaults.", defaults, status);
  const toml::table* stages = top.Table("stage");
  top.Done();
  RETURN_IF_ERROR(status);

  if (recipe.start.empty()) return InvalidArgument(StrCat(what, "model.start is missing"));
  if (order.empty()) return InvalidArgument(StrCat(what, "stages is missing: the names of the stages in order"));
  for (const std::string& name : own_stages) {
    if (std::ranges::find(order, name) == order.end()) {
      return InvalidArgument(StrCat(what, "stage.", Printable(name), " is not named in stages"));
    }
  }
  std::set<std::string> seen;
  for (const std::string& name : order) {
    const std::string where = StrCat(what, "stage.", name, ".");
    const bool plain = !name.empty() && std::ranges::all_of(name, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
    });
    if (!plain) return InvalidArgument(StrCat(what, "stages: ", Printable(name), " is no name (letters, digits, - _)"));
    if (!seen.insert(name).second) return InvalidArgument(StrCat(what, "stages: ", name, " is named twice"));
    const toml::node* node = stages == nullptr ? nullptr : stages->get(name);
    if (node == nullptr || !node->is_table()) return InvalidArgument(StrCat(what, "there is no table stage.", name));
    StageConfig stage = defaults;
    ReadStage(node->as_table(), where, stage, status);
    RETURN_IF_ERROR(status);
    stage.name = name;
    RETURN_IF_ERROR(CheckStage(stage, where));
    recipe.stages.push_back(std::move(stage));
  }
  std::ostringstream text;
  text << table << "\n";
  recipe.text = text.str();
  return recipe;
}

}  // namespace

StatusOr<Recipe> ParseRecipe(std::string_view text, const std::filesystem::path& file,
                             std::span<const std::string> assignments) {
  std::set<std::string> own_stages;
  ASSIGN_OR_RETURN(const toml::table alone, ParseToml(text, file.string()));
  AddStageNames(alone, own_stages);
  ASSIGN_OR_RETURN(toml::table table, LoadMerged(text, file, 0));
  for (const std::string& assignment : assignments) RETURN_IF_ERROR(Assign(table, assignment, own_stages));
  return FromTable(table, file, own_stages);
}

StatusOr<Recipe> LoadRecipe(const std::filesystem::path& path, std::span<const std::string> assignments) {
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::is_directory(path, ignored) ? path / "recipe.toml" : path;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxRecipeBytes));
  return ParseRecipe(text, file, assignments);
}

}  // namespace galago::train
