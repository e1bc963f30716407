#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

namespace fs = std::filesystem;

struct Folder {
  std::string use;
  std::string path;
  bool writable = false;
  uint64_t free_bytes = 0;
};

// The nearest existing parent decides: we would create what is missing.
Folder CheckFolder(std::string use, const fs::path& path) {
  Folder folder{.use = std::move(use), .path = path.string()};
  std::error_code error;
  fs::path existing = path;
  while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
  folder.writable = ::access(existing.c_str(), W_OK) == 0;
  const fs::space_info space = fs::space(existing, error);
  if (!error) folder.free_bytes = space.available;
  return folder;
}

std::vector<Folder> Folders(const GetEnv& env) {
  const std::string home = env("HOME").value_or("");
  const auto base = [&](const char* name, const char* otherwise) {
    const std::string value = env(name).value_or("");
    return (value.empty() ? fs::path(home) / otherwise : fs::path(value)) / "galago";
  };
  return {CheckFolder("cache", base("XDG_CACHE_HOME", ".cache")),
          CheckFolder("state", base("XDG_STATE_HOME", ".local/state")),
          CheckFolder("scratch", env("TMPDIR").value_or("/tmp"))};
}

// Sizes of the published checkpoints in bf16; bytes of KV cache a token: 2 (K, V) * layers * KV heads * head size * 2.
struct KnownModel {
  const char* name;
  double billion_parameters;
  uint64_t kv_bytes_per_token;
  int64_t max_context;
};
constexpr std::array<KnownModel, 5> kKnownModels = {{
    {"NVILA-Lite-2B", 2.1, 2 * 28 * 2 * 128 * 2, 32768},
    {"NVILA-8B", 8.1, 2 * 28 * 4 * 128 * 2, 32768},
    {"VILA1.5-3b", 3.1, 2 * 32 * 20 * 128 * 2, 4096},
    {"MobileVLM-1.7B", 1.7, 2 * 24 * 16 * 128 * 2, 2048},
    {"MobileVLM-3B", 3.0, 2 * 32 * 32 * 80 * 2, 2048},
}};

struct Suggestion {
  std::string model;
  bool fits = false;
  int64_t ctx_size = 0;
  uint64_t bytes = 0;  // at that context
};

std::vector<Suggestion> Suggestions(uint64_t available) {
  constexpr uint64_t kWorkspace = uint64_t{400} << 20;  // what the engine may use besides weights and KV cache
  std::vector<Suggestion> out;
  for (const KnownModel& model : kKnownModels) {
    const uint64_t fixed = static_cast<uint64_t>(model.billion_parameters * 2e9) + kWorkspace;
    Suggestion suggestion{.model = model.name, .ctx_size = model.max_context};
    const auto bytes = [&] { return fixed + model.kv_bytes_per_token * static_cast<uint64_t>(suggestion.ctx_size); };
    while (suggestion.ctx_size > 2048 && bytes() > available) suggestion.ctx_size /= 2;
    suggestion.bytes = bytes();
    suggestion.fits = suggestion.bytes <= available;
    out.push_back(std::move(suggestion));
  }
  return out;
}

std::string Joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += StrCat(out.empty() ? "" : ", ", item);
  return out.empty() ? "none" : out;
}

}  // namespace

Exit DoctorCommand(World& world, const Options& options) {
  const SystemFacts facts = world.engine.System();
  const std::vector<Folder> folders = Folders(world.surroundings.env);
  const std::vector<Suggestion> suggestions = Suggestions(facts.memory_available);
  rlimit files = {};
  ::getrlimit(RLIMIT_NOFILE, &files);
  std::vector<std::string> missing;
  if (facts.isas.empty()) missing.emplace_back("no kernel family runs on this CPU");
  if (facts.video_decoders.empty()) missing.emplace_back("no video decoder");
  for (const Folder& folder : folders) {
    if (!folder.writable) missing.push_back(StrCat(folder.path, " (", folder.use, ") is not writable"));
  }
  const Exit exit = missing.empty() ? Exit::kSuccess : Exit::kCheckFailed;
  if (options.json) {
    Json json = {
        {"schema", "galago.doctor/1"},
        {"cpu",
         {{"model", facts.cpu_model},
          {"usable_cores", facts.usable_cores},
          {"features", facts.cpu_features},
          {"isas", facts.isas}}},
        {"memory", {{"total", facts.memory_total}, {"available", facts.memory_available}, {"swap", facts.swap_total}}},
        {"video_decoders", facts.video_decoders},
        {"open_files", files.rlim_cur},
        {"missing", missing}};
    for (const Folder& folder : folders) {
      json["folders"].push_back(
          {{"use", folder.use}, {"path", folder.path}, {"writable", folder.writable}, {"free", folder.free_bytes}});
    }
    for (const Suggestion& suggestion : suggestions) {
      json["suggestions"].push_back({{"model", suggestion.model},
                                     {"fits", suggestion.fits},
                                     {"ctx_size", suggestion.ctx_size},
                                     {"bytes", suggestion.bytes}});
    }
    const Exit written = Deliver(world, StrCat(Dump(json), "\n"));
    return written == Exit::kSuccess ? exit : written;
  }
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    out += fmt::format("{:<16}{}\n", name, value);
  };
  line("cpu", StrCat(facts.cpu_model, ", ", facts.usable_cores, " usable cores"));
  line("features", Joined(facts.cpu_features));
  line("kernels", StrCat(Joined(facts.isas), facts.isas.empty() ? "" : StrCat("; used: ", facts.isas.back())));
  line("memory", StrCat(HumanBytes(facts.memory_available), " available of ", HumanBytes(facts.memory_total), ", swap ",
                        HumanBytes(facts.swap_total)));
  line("video decoders", Joined(facts.video_decoders));
  line("open files", StrCat("at most ", static_cast<uint64_t>(files.rlim_cur)));
  for (const Folder& folder : folders) {
    line(folder.use, StrCat(folder.path, folder.writable ? ", writable, " : ", not writable, ",
                            HumanBytes(folder.free_bytes), " free"));
  }
  out += "\nsuggested flags (bf16):\n";
  for (const Suggestion& suggestion : suggestions) {
    line(suggestion.model, suggestion.fits
                               ? StrCat("--ctx-size ", suggestion.ctx_size, "  (", HumanBytes(suggestion.bytes), ")")
                               : StrCat("does not fit: needs ", HumanBytes(suggestion.bytes)));
  }
  for (const std::string& what : missing) out += StrCat("missing: ", what, "\n");
  const Exit written = Deliver(world, out);
  return written == Exit::kSuccess ? exit : written;
}

}  // namespace galago::cli
