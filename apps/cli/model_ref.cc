#include "apps/cli/model_ref.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

namespace fs = std::filesystem;

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// A name that is one path component and cannot climb.
bool IsSafeName(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), allowed);
}

bool IsOwnerSlashName(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != std::string_view::npos && IsSafeName(text.substr(0, slash)) && IsSafeName(text.substr(slash + 1));
}

bool IsUrl(std::string_view text) { return text.starts_with("https://") || text.starts_with("http://"); }

fs::path HubCache(const GetEnv& env) {
  const auto get = [&](const char* name) { return env(name).value_or(""); };
  if (!get("HF_HUB_CACHE").empty()) return get("HF_HUB_CACHE");
  if (!get("HF_HOME").empty()) return fs::path(get("HF_HOME")) / "hub";
  const fs::path cache =
      get("XDG_CACHE_HOME").empty() ? fs::path(get("HOME")) / ".cache" : fs::path(get("XDG_CACHE_HOME"));
  return cache / "huggingface" / "hub";
}

}  // namespace

bool IsHubReference(const std::string& reference) {
  return reference.starts_with("hf:") || IsUrl(reference) || (!Exists(reference) && IsOwnerSlashName(reference));
}

StatusOr<std::string> ResolveModel(const std::string& reference, const GetEnv& env) {
  if (reference.empty()) return InvalidArgument("no model is given: use --model DIR, FILE or hf:OWNER/NAME");
  if (!IsHubReference(reference)) {
    if (!Exists(reference)) return NotFound(StrCat(Printable(reference, 256), ": no such file or directory"));
    return reference;
  }
  if (IsUrl(reference)) {
    return Unavailable(StrCat(Printable(reference), ": models are not downloaded; fetch the file and give its path"));
  }
  std::string name = reference.starts_with("hf:") ? reference.substr(3) : reference;
  std::string file, revision = "main";
  if (const size_t colon = name.find(':'); colon != std::string::npos) {
    file = name.substr(colon + 1);
    name.resize(colon);
  }
  if (const size_t at = name.find('@'); at != std::string::npos) {
    revision = name.substr(at + 1);
    name.resize(at);
  }
  if (!IsOwnerSlashName(name) || !IsSafeName(revision) || (!file.empty() && !IsSafeName(file))) {
    return InvalidArgument(StrCat("'", Printable(reference), "' is not of the form hf:OWNER/NAME[@REVISION][:FILE]"));
  }
  const fs::path repository = HubCache(env) / StrCat("models--", ReplaceAll(name, "/", "--"));
  std::string commit = revision;
  if (const StatusOr<std::string> ref = ReadFile(repository / "refs" / revision, 256); ref.ok()) {
    commit = std::string(Trim(*ref));
  }
  const fs::path snapshot = repository / "snapshots" / commit;
  if (!IsSafeName(commit) || !Exists(snapshot)) {
    return NotFound(StrCat(name, " at ", revision, " is not in the local hub cache (", repository.string(),
                           "), and models are not downloaded"));
  }
  const fs::path path = file.empty() ? snapshot : snapshot / file;
  if (!Exists(path)) return NotFound(StrCat(path.string(), ": no such file in the local hub cache"));
  return path.string();
}

}  // namespace galago::cli
